--- falrun sandbox: serve the local Platform API until a signal.
local cli = require "fal.cli"
local core = require "core"
local faults = require "sandbox.faults"
local host = require "host"
local limits = require "sandbox.limits"
local main = require "sandbox.main"
local world = require "sandbox.world"

local OPTIONS <const> = {
  { name = "port", value = "N", help = "port on 127.0.0.1 (default: a free "
    .. "one)" },
  { name = "requests", value = "N", help = "how long the history is, to "
    .. "2000000 (1000)" },
  { name = "seed", value = "N", help = "another number, another history (1)" },
  { name = "endpoints", value = "N|A,B", help = "how many, to 1000, or "
    .. "which (3)" },
  { name = "span", value = "DUR", help = "how far back it goes (90d)" },
  { name = "anchor", value = "TIME", help = "when it ends (now)" },
  { name = "rate-limit", value = "N/s", help = "answer 429 above it; "
    .. "\"N/s,M/s@20s\" changes" },
  { name = "concurrency-limit", value = "N", help = "the same for requests "
    .. "in flight; changes too" },
  { name = "latency", value = "DUR|A-B", help = "wait before each answer "
    .. "(0s)" },
  { name = "faults", value = "LIST", help = "NAME[@PLACE]=SHARE,..." },
  { name = "fault-seed", value = "N", help = "another number, other "
    .. "faults (1)" },
  { name = "counts", value = "FILE", help = "append what passed the limits, "
    .. "by second" },
  { name = "truth", value = "FILE", help = "append what was really deleted "
    .. "and changed" },
  { name = "record", value = "FILE", help = "append every request, without "
    .. "its key" },
  { name = "second-delete", value = "HOW", help = "what deleting again "
    .. "answers: empty, 404 or same (empty)" },
  { name = "cache-errors", value = "yes|no", help = "does the idempotency "
    .. "cache keep errors (no)" },
  { name = "deleted-rows", value = "HOW", help = "stay in the lists or "
    .. "vanish (stay)" },
  { name = "window-field", value = "FIELD", help = "what start and end "
    .. "look at: ended_at, sent_at or started_at (ended_at)" },
  { name = "cdn-cache", value = "DUR", help = "serve deleted files from a "
    .. "cache for so long (0s)" },
  { name = "cdn-acl", value = "HOW", help = "enforce or ignore access lists "
    .. "of files (enforce)" },
  { name = "stream-ids", value = "yes|no", help = "have the events of log "
    .. "streams an id (yes)" },
  { name = "unbilled", value = "ID", help = "an endpoint that neither usage "
    .. "nor billing events list" },
  { name = "sort", value = "HOW", help = "order of by-endpoint: desc or asc "
    .. "(desc)" },
}

local REQUESTS_MOST <const> = 2000000   -- what a kept walk has memory for
local BODY_MOST <const> = 16 << 20      -- of a file that is sent
local ENDPOINTS_MOST <const> = 1000
local SEED_MOST <const> = 1 << 53

local function wrong(name, value, wanted)
  host.usage(("--%s is \"%s\": write %s"):format(name, tostring(value)
    :sub(1, 40):gsub("[^\x20-\x7e]", "?"), wanted))
end

local function number(given, name, default, least, most)
  local text = given[name]
  local value = text and text:match("^%d+$") and math.tointeger(text)
  if not text then
    return default
  elseif not value or value < least or value > most then
    wrong(name, text, ("a whole number from %d to %d"):format(least, most))
  end
  return value
end

local function choice(given, name, words)
  local value = given[name] or words[1]
  for _, word in ipairs(words) do
    if word == value then
      return value
    end
  end
  wrong(name, value, table.concat(words, " or "))
end

local function endpoints(given)
  local text = given.endpoints or "3"
  if text:match("^%d+$") then
    return world.endpoint_names(number(given, "endpoints", 3, 1,
                                       ENDPOINTS_MOST))
  end
  local names, seen = {}, {}
  for name in text:gmatch("[^,%s]+") do
    if seen[name] or not name:match("^[%w_./-]+$") or
       #names == ENDPOINTS_MOST then
      wrong("endpoints", text, "their number, or different names with commas "
            .. "between them, like fal-ai/flux/dev,fal-ai/veo3")
    end
    names[#names + 1], seen[name] = name, true
  end
  if #names == 0 then
    wrong("endpoints", text, "their number from 1 on, or their names")
  end
  return names
end

--- A limit and what becomes of it: "200,100@20s,200@40s" as a list of
--- {value, since}, or nil.
local function steps(given, name, value_of, example)
  local text, list = given[name], {}
  for part in ((text or "") .. ","):gmatch("([^,]*),") do
    local left, since = part:match("^([^@]*)@(%w+)$")
    local value = value_of(left or part)
    local at = since and core.parse_duration(since) or not since and 0
    local last = list[#list]
    if text and (not value or not at or (#list == 0) ~= (not since) or
                 last and at <= last[2]) then
      wrong(name, text, example)
    end
    list[#list + 1] = { value, at }
  end
  return text and list
end

local function rate_of(text)
  local value = tonumber(text:match("^([%d.]+)$") or
                         text:match("^([%d.]+)/s$"))
  return value and value > 0 and value <= 1000000 and value or nil
end

local function width_of(text)
  local value = text:match("^%d+$") and math.tointeger(text)
  return value and value > 0 and value <= 1000000 and value or nil
end

local function latency(given)
  local text = given.latency or "0s"
  local first, second = text:match("^(%w+)%-(%w+)$")
  local low = core.parse_duration(first or text)
  local high = second and core.parse_duration(second) or not second and low
  if not low or not high or high < low then
    wrong("latency", text, "a duration, like 50ms or 20ms-80ms")
  end
  return { low, high }
end

local function history(given)
  local anchor = core.at()
  if given.anchor then
    anchor = core.parse_time(given.anchor)
  end
  if not anchor then
    wrong("anchor", given.anchor, "a time, like 2026-01-31T00:00:00Z")
  end
  local span = core.parse_duration(given.span or "90d")
  if not span or span == 0 or span + world.LONGEST > anchor then
    wrong("span", given.span or "90d", "a duration with its unit, like 90d, "
          .. "that does not reach back before 1970")
  end
  local made = world.new {
    seed = number(given, "seed", 1, 0, SEED_MOST), anchor = anchor,
    requests = number(given, "requests", 1000, 0, REQUESTS_MOST),
    span = span, endpoints = endpoints(given),
  }
  made.unbilled = given.unbilled and made.index[given.unbilled]
  if given.unbilled and not made.unbilled then
    wrong("unbilled", given.unbilled, "one of its endpoints")
  end
  return made
end

local function open_file(given, name)
  if not given[name] then
    return nil
  end
  local file, err = host.append(given[name])
  if not file then
    host.usage(("--%s: %s"):format(name, tostring(err)))
  end
  return file
end

local function injector(given)
  local made, why = faults.new(given.faults, number(given, "fault-seed", 1,
                                                    0, SEED_MOST))
  if not made then
    host.usage("--faults: " .. why)
  end
  return made
end

--- How long a cache serves files that are gone, in ms; nil for not at all.
local function cdn_cache(given)
  local text = given["cdn-cache"] or "0s"
  local ms = core.parse_duration(text)
  if not ms then
    wrong("cdn-cache", text, "a duration, like 10m")
  end
  return ms > 0 and ms or nil
end

local function state_of(given)
  return {
    world = history(given), faults = injector(given),
    latency = latency(given),
    limits = limits.new(
      steps(given, "rate-limit", rate_of, "requests per second, like 20/s, "
            .. "or with changes, like 200/s,100/s@20s"),
      steps(given, "concurrency-limit", width_of, "a whole number from 1 "
            .. "on, or with changes, like 40,20@20s"),
      open_file(given, "counts")),
    truth = open_file(given, "truth"), record = open_file(given, "record"),
    switches = {
      second_delete = choice(given, "second-delete", { "empty", "404",
                                                       "same" }),
      cache_errors = choice(given, "cache-errors", { "no", "yes" }) == "yes",
      deleted_rows = choice(given, "deleted-rows", { "stay", "vanish" }),
      window_field = choice(given, "window-field", { "ended_at", "sent_at",
                                                     "started_at" }),
      sort = choice(given, "sort", { "desc", "asc" }),
      cdn_cache_ms = cdn_cache(given),
      cdn_acl = choice(given, "cdn-acl", { "enforce", "ignore" }),
      stream_ids = choice(given, "stream-ids", { "yes", "no" }),
    },
  }
end

local function run()
  local given = cli.none(host, "sandbox", OPTIONS)
  local port = number(given, "port", 0, 0, 65535)
  local state = state_of(given)
  local server, err = host.serve {
    port = port, handler = main.handler(state), max_body = BODY_MOST,
  }
  if not server then
    host.usage(tostring(err))
  end
  host.write(("http://127.0.0.1:%d/v1\n"):format(server.port))
  if not host.options.quiet then
    host.say(("falrun: the sandbox serves %d requests; any key will do, "
              .. "like FAL_KEY=admin-me:secret; end it with Ctrl-C")
      :format(state.world.count))
  end
  while true do
    core.sleep(3600000)
  end
end

return {
  summary = "serve a local Platform API with a generated history",
  usage = "falrun sandbox [options]",
  help = [[
Prints the base URL on standard output, then answers until a signal. Give the
URL to another falrun as --api-url, with any key: an id that begins with "api"
has the API scope only, one that begins with "revoked" is refused, and all
others may delete.

Faults: a status (429, 500, ...), timeout, cdn-exception, drop-before,
drop-after, garbage, truncate, late-rows; each with a share from 0 to 1, or
"=#N" for the N-th request only; "@list", "@delete" or "@change" narrows it:
  falrun sandbox --faults 500=0.05,drop-after@delete=0.1,401@delete=#17
docs/sandbox.md tells more.
]],
  options = OPTIONS,
  run = run,
}
