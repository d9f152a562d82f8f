--- falrun requests: lists requests.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local report = require "fal.report"
local requests = require "fal.requests"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "endpoint", value = "ID", many = true,
    help = "an endpoint, several times for several, or auto for all" },
  { name = "older-than", value = "DUR",
    help = "ended longer ago than this, like 30d" },
  { name = "start", value = "TIME",
    help = "ended at or after this time, like 2026-01-02T03:04:05Z" },
  { name = "end", value = "TIME", help = "ended before this time" },
  { name = "status", value = "WORD", help = "success, error or user_error" },
  { name = "request-id", value = "ID", help = "only this request" },
  { name = "limit", value = "N", help = "stop after N requests" },
}

local COLUMNS <const> = {
  { title = "REQUEST ID", width = 36 },
  { title = "ENDED", width = 24 },
  { title = "STATUS", width = 6, right = true },
  { title = "DURATION", width = 8, right = true },
  { title = "ENDPOINT" },
}

local function selection(given)
  local endpoint = given.endpoint
  if not endpoint then
    host.usage("the API lists by endpoint: name one with --endpoint ID, or "
               .. "--endpoint auto for all that were used")
  end
  return {
    endpoint_id = #endpoint == 1 and endpoint[1] or endpoint,
    older_than = given["older-than"],
    start = given.start,
    ["end"] = given["end"],
    status = given.status,
    request_id = given["request-id"],
  }
end

local function printer()
  local put = text.stream(host, COLUMNS)
  return {
    add = function(request)
      put(request.request_id, request.ended_at, request.status_code,
          request.duration and ("%.1f s"):format(request.duration),
          request.endpoint_id)
    end,
    close = function() end,
  }
end

local function run()
  local given, words = cli.parse(host, "requests", OPTIONS)
  if words[1] then
    host.usage(("falrun requests takes options only, but got \"%s\"")
      :format(text.clean(words[1]:sub(1, 60))))
  end
  local most = given.limit and cli.count(host, "limit", given.limit)
  local list = cli.checked(host, requests.list, selection(given))
  local out = host.options.json and report.list(host) or printer()
  local count = 0
  while not most or count < most do
    local request = list()
    if not request then
      break
    end
    count = count + 1
    out.add(request)
  end
  out.close()
  if not host.options.quiet then
    core.log.info(text.count(count, "request", "requests"))
  end
end

return {
  summary = "list requests, oldest first",
  usage = "falrun requests --endpoint ID [filters]",
  help = [[
Lists what fal.requests gives a policy, through the same code: oldest first, a
window read whole before its first row is shown. Without --start, from 2021 on;
without --older-than and --end, up to now. A list that fails ends with an
error, never as a shorter list.

Examples:
  falrun requests --endpoint fal-ai/flux/dev --older-than 30d
  falrun requests --endpoint auto --status error --limit 20
  falrun requests --endpoint fal-ai/flux/dev --json | jq length
]],
  options = OPTIONS,
  run = run,
}
