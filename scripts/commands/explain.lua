--- falrun explain ID: everything the ledger knows of one request.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local story = require "fal.story"
local text = require "fal.text"

local function hold_of(id)
  for _, hold in ipairs(host.ledger.holds()) do
    if hold.request_id == id then
      return hold
    end
  end
end

local function collect(id)
  local facts = { request_id = id, hold = hold_of(id), events = {},
                  residue = host.ledger.residue(id) }
  host.ledger.events({ request_id = id }, function(event)
    facts.events[#facts.events + 1] = event
    if event.kind == "intent" then
      facts.state = "open"
    elseif event.kind == "outcome" then
      facts.state = story.value(event.data.state)
    end
  end)
  return facts
end

local function print_events(events)
  local rows = {}
  for i, event in ipairs(events) do
    rows[i] = { event.at, event.run > 0 and event.run or nil,
                story.outcome(event) or event.kind, story.details(event) }
  end
  text.table(host, { { title = "AT", always = true },
                     { title = "RUN", right = true },
                     { title = "WHAT" }, { title = "DETAILS" } }, rows)
end

local function print_facts(facts)
  local state = facts.state or "never asked to be deleted"
  host.write(("%s: %s\n"):format(facts.request_id, text.clean(state)))
  if facts.hold then
    host.write(("held since %s: %s\n"):format(facts.hold.at,
      text.clean(facts.hold.reason)))
  end
  for _, file in ipairs(facts.residue) do
    host.write(("still there: %s (%s)\n"):format(text.clean(file.link),
      text.clean(file.exception)))
  end
  if facts.events[1] then
    host.write("\n")
    print_events(facts.events)
  end
end

local function run()
  local _, words = cli.parse(host, "explain", {})
  if #words ~= 1 then
    host.usage("falrun explain needs one request id")
  elseif not core.parse_id(words[1]) then
    host.usage(("\"%s\" is not a request id: a UUID in lower case is")
      :format(text.clean(words[1]:sub(1, 60))))
  end
  local facts = collect(words[1])
  if host.options.json then
    core.json.array(facts.events)
    core.json.array(facts.residue)
    host.write(core.json.encode(facts) .. "\n")
  else
    print_facts(facts)
  end
end

return {
  summary = "everything the ledger knows of one request",
  usage = "falrun explain ID",
  help = [[
The state of the request, its hold, files that are still there, and every event
in order: which run announced the deletion and why, what was answered, and by
which evidence it counts as done. It reads the ledger only.

Example:
  falrun explain 019e6d0a-e5be-7b82-b329-35ae64296902
]],
  options = {},
  run = run,
}
