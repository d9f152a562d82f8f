--- falrun simulate POLICY.lua: the policy over a stretch of virtual time.
local chart = require "fal.chart"
local core = require "core"
local fixture = require "sandbox.fixture"
local host = require "host"
local lexer = require "fal.lexer"
local offline = require "sandbox.offline"
local requests = require "fal.requests"
local simulation = require "fal.simulation"
local text = require "fal.text"

local DAY <const> = 86400000
local STEPS_MOST <const> = 4000
local ROWS_MOST <const> = 200000

--- ---- options ---------------------------------------------------------------

local function time(name, default)
  local given = host.options[name]
  local ms = given and core.parse_time(given)
  if given and not ms then
    host.usage(("--%s is \"%s\": write a time, like 2026-01-01"):format(name,
      text.clean(given:sub(1, 40))))
  end
  return ms or default
end

local function stretch()
  local now = core.at()
  local to = time("to", now // DAY * DAY)
  local from = time("from", to - 30 * DAY)
  local given = host.options.every or "1d"
  local every = core.parse_duration(given)
  if not every or every < 60000 then
    host.usage(("--every is \"%s\": write a duration of at least 1m, like 1d")
      :format(text.clean(given:sub(1, 40))))
  elseif from > to then
    host.usage("--from is after --to")
  elseif (to - from) // every >= STEPS_MOST then
    host.usage(("that is more than %d steps: take a shorter stretch, or a "
      .. "longer --every"):format(STEPS_MOST))
  end
  return from, to, every
end

--- ---- the history -----------------------------------------------------------

--- Whether the policy names payloads anywhere: then they are listed too.
local function touches_payloads()
  local source = host.read_file(host.policy.path, 4 << 20) or ""
  local tokens = lexer.tokens(source)
  for at, token in ipairs(tokens) do
    local before = tokens[at - 1]
    if (token.text == "input" or token.text == "output") and before and
      before.text == "." then
      return true
    end
  end
  return false
end

--- A time of a request in ms; a list may lack it.
local function ms(time_text)
  return time_text and core.parse_time(time_text)
end

local function row_of(request, with_payloads)
  local ended = ms(request.ended_at)
  local row = { id = request.request_id, endpoint_id = request.endpoint_id,
    ended = ended, sent = ms(request.sent_at) or ended,
    started = ms(request.started_at) or ended,
    status = request.status_code or 200, files = {} }
  if with_payloads then
    row.input, row.output = request.input, request.output
  end
  return row
end

--- Everything that the API lists, up to the end of the stretch.
local function history(to)
  local rows, with_payloads = {}, touches_payloads()
  local stop = math.min(to, core.at()) // 1000 * 1000
  for request in requests.list { endpoint_id = "auto",
                                 ["end"] = core.format_time(stop) } do
    if #rows == ROWS_MOST then
      host.usage(("the history has more than %d requests: simulate takes no "
        .. "more"):format(ROWS_MOST))
    end
    rows[#rows + 1] = row_of(request, with_payloads)
  end
  return rows
end

--- ---- what is shown ---------------------------------------------------------

local function print_text(result)
  local rows = {}
  for i, day in ipairs(result.days) do
    local label = day.at:find("T00:00:00Z", 1, true) and day.at:sub(1, 10)
      or day.at:sub(1, 16):gsub("T", " ")
    rows[i] = { label, day.deleted, day.stopped and
                "stopped: " .. day.stopped or nil }
  end
  chart.bars(host, rows)
  host.write(("\n%s in %s; peak %s%s\n"):format(
    text.count(result.deleted, "deletion", "deletions"),
    text.count(#result.days, "run", "runs"), text.number(result.peak.deleted),
    result.peak.at and " at " .. result.peak.at or ""))
  if result.youngest then
    host.write(("the youngest that was erased was %s old (%s, at %s)\n")
      :format(text.age(result.youngest.age_seconds),
              result.youngest.request_id, result.youngest.at))
  end
  if result.stopped_days > 0 then
    host.write(("%s would have been stopped\n"):format(text.count(
      result.stopped_days, "run", "runs")))
  end
  host.write("nothing was deleted: this was a simulation\n")
end

local function print_json(result)
  core.json.array(result.days)
  host.write(core.json.encode(result) .. "\n")
end

local function policy_text()
  local source, err = host.read_file(host.policy.path, 4 << 20)
  return source or error(err, 0)
end

local function run()
  local from, to, every = stretch()
  local policy = { path = host.policy.path, text = policy_text() }
  local rows = history(to)
  if not host.options.quiet then
    core.log.info(("simulating over %s"):format(text.count(#rows, "request",
                                                           "requests")))
  end
  local world = fixture.new()
  assert(world:add(rows))
  local stage <close> = assert(offline.open(host, { at = from,
                                                    world = world }))
  local result = simulation.run {
    host = host, stage = stage, from = from, to = to, every = every,
    run = { mode = "run", policy = policy, args = host.args, quiet = true,
            max_deletes = tonumber(host.options["max-deletes"]),
            max_percent = tonumber(host.options["max-percent"]),
            min_age = host.options["min-age"] and
              core.parse_duration(host.options["min-age"]) },
  }
  if host.options.json then
    print_json(result)
  else
    print_text(result)
  end
  if result.failed then
    error(core.error("invalid", "the policy failed: " .. result.failed), 0)
  end
end

return {
  summary = "run a policy over a stretch of virtual time; delete nothing",
  usage = "falrun simulate POLICY.lua [--from T] [--to T] [--every 1d]",
  help = [[
Lists the history (of the account, or with --sandbox a generated one), copies
it into a local API inside this process, and runs the policy there at each step
of the stretch, on a virtual clock, with the limits of a run. Nothing is deleted
anywhere: the real API is only listed, before the first step.

It shows the deletions of each step, the peak, the youngest request that was
ever erased, and the steps that a limit would have stopped. With --json, one
JSON document.

Payloads are copied too when the policy names input or output.

Examples:
  falrun simulate --sandbox policies/by-age.lua
  falrun simulate by-age.lua --from 2026-01-01 --to 2026-03-01 --json
]],
  run_options = true,
  options = {
    { name = "from", value = "T",
      help = "the first step (30 days before --to)" },
    { name = "to", value = "T", help = "the last (this midnight, UTC)" },
    { name = "every", value = "DUR", help = "from step to step (1d)" },
  },
  run = run,
}
