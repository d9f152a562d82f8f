--- falrun explain ID: everything the ledger knows of one request.
local cli = require "fal.cli"
local core = require "core"
local explain = require "fal.explain"
local host = require "host"
local quarantine = require "fal.quarantine"
local runner = require "fal.runner"
local seen = require "fal.seen"
local story = require "fal.story"
local summary = require "fal.summary"
local text = require "fal.text"

local FLOOR <const> = "24h"
local POLICY_MOST <const> = 4 << 20

local function hold_of(id)
  for _, hold in ipairs(host.ledger.holds()) do
    if hold.request_id == id then
      return hold
    end
  end
end

--- A state that files have changed since: what was left is gone, or what was
--- deleted is still served.
local function settle_state(facts)
  local state, left = facts.state, facts.residue[1] ~= nil
  if state == "partial" and not left then
    facts.state, facts.since = "deleted", "the files that were left have been "
      .. "seen as gone since"
  elseif (state == "deleted" or state == "gone") and left then
    facts.state, facts.since = "partial", "a file has been seen since"
  end
end

local function take_files(facts)
  local files = seen.files_in(facts.events)
  facts.input_files, facts.input_looked_at = {}, files.looked
  for _, file in ipairs(files) do
    if file.input then
      table.insert(facts.input_files, { link = file.link, seen = file.seen })
    end
  end
end

local function collect(id)
  local facts = { request_id = id, hold = hold_of(id), events = {},
                  residue = host.ledger.residue(id) }
  facts.quarantine = host.ledger.quarantined(id)[1]
  host.ledger.events({ request_id = id }, function(event)
    facts.events[#facts.events + 1] = event
    if event.kind == "intent" then
      facts.state = "open"
    elseif event.kind == "outcome" then
      facts.state = story.value(event.data.state)
    end
  end)
  settle_state(facts)
  take_files(facts)
  return facts
end

local function print_events(events)
  local rows = {}
  for i, event in ipairs(events) do
    rows[i] = { event.at, event.run > 0 and event.run or nil,
                story.name(event), story.details(event) }
  end
  text.table(host, { { title = "AT", always = true },
                     { title = "RUN", right = true },
                     { title = "WHAT" }, { title = "DETAILS" } }, rows)
end

local function print_inputs(facts)
  for _, file in ipairs(facts.input_files) do
    host.write(("fal keeps of the input: %s%s\n"):format(text.clean(
      file.link), file.seen and (" (seen: %s)"):format(file.seen) or ""))
  end
  if facts.state and not facts.input_looked_at then
    host.write("nobody looked at the input: whether fal keeps files of it is "
               .. "not known\n")
  end
end

local function print_facts(facts)
  local state = facts.state or "never asked to be deleted"
  host.write(("%s: %s%s\n"):format(facts.request_id, text.clean(state),
    facts.since and " (" .. facts.since .. ")" or ""))
  if facts.hold then
    host.write(("held since %s: %s\n"):format(facts.hold.at,
      text.clean(facts.hold.reason)))
  end
  if facts.quarantine then
    host.write(quarantine.words(facts.quarantine) .. "\n")
  end
  for _, file in ipairs(facts.residue) do
    host.write(("still there: %s (%s)\n"):format(text.clean(file.link),
      text.clean(file.exception)))
  end
  print_inputs(facts)
  if facts.events[1] then
    host.write("\n")
    print_events(facts.events)
  end
end

--- ---- by a policy -------------------------------------------------------

local function load_policy(path)
  local source, err = host.read_file(path, POLICY_MOST)
  if not source then
    host.usage(("the policy %s cannot be read: %s"):format(text.clean(path),
      err.message))
  end
  host.use_policy(path, source)
  return host.load_policy()
end

--- A script decides by itself, so only the gate's answer can be told.
local function by_script(outcome, path, id)
  local why = outcome:why(id)
  return { { policy = path, steps = {}, verdict = why and
    "not erased: " .. why or "would be erased" } }
end

--- What each policy of the file says of the request; nil after an error.
local function ask_policy(facts, path, args)
  local outcome = runner.run(host, load_policy(path), args, {
    notes = true, only_plan = true, path = path })
  if not outcome.ok then
    return nil
  elseif not outcome.plans then
    return by_script(outcome, path, facts.request_id)
  end
  local list = {}
  host.guard(function()
    for i, plan in ipairs(outcome.plans) do
      list[i] = explain.request(plan, facts.request_id, {
        now_ms = outcome.now_ms, history = summary.history(host),
        floor_ms = core.parse_duration(host.options["min-age"] or FLOOR),
        hold = facts.hold and facts.hold.reason })
    end
  end)
  return list
end

local function print_policies(list)
  for _, found in ipairs(list) do
    local rows = {}
    for i, step in ipairs(found.steps) do
      rows[i] = { "  " .. step.step, step.verdict, step.saw }
    end
    host.write(("\nby policy %s: %s\n"):format(text.clean(found.policy),
      text.clean(found.verdict)))
    if found.when then
      host.write(("  erased %s\n"):format(text.clean(found.when)))
    end
    if rows[1] then
      text.table(host, { { title = "  STEP", always = true },
                         { title = "VERDICT" }, { title = "WHAT IT SAW" } },
                 rows)
    end
  end
end

--- ---- the command -----------------------------------------------------------

local function check_words(words)
  if not words[1] then
    host.usage("falrun explain needs a request id, and perhaps a policy")
  elseif not core.parse_id(words[1]) then
    host.usage(("\"%s\" is not a request id: a UUID in lower case is")
      :format(text.clean(words[1]:sub(1, 60))))
  elseif words[2] and not words[2]:find("%.lua$") then
    host.usage(("\"%s\" is no policy: a file whose name ends in .lua is")
      :format(text.clean(words[2]:sub(1, 60))))
  end
end

local function run()
  local _, words = cli.parse(host, "explain", {})
  check_words(words)
  local facts = collect(words[1])
  if words[2] then
    facts.policies = ask_policy(facts, words[2],
                                table.move(words, 3, #words, 1, {}))
  end
  if host.options.json then
    core.json.array(facts.events)
    core.json.array(facts.residue)
    core.json.array(facts.input_files)
    if facts.policies then
      core.json.array(facts.policies)
    end
    host.write(core.json.encode(facts) .. "\n")
  else
    print_facts(facts)
    print_policies(facts.policies or {})
  end
end

return {
  summary = "what is known of one request, and what a policy says of it",
  usage = "falrun explain ID [POLICY.lua [args...]]",
  help = [[
The state of the request, its hold, files that are still there, and every event
in order: which run announced the deletion and why, what was answered, by which
evidence it counts as done, and what else was changed about it. That is read
from the ledger alone.

With a policy: what it says of this request, step by step (its selection, where,
keep rules, holds, limits), each with the values it saw; the verdict; and the
day from which on a run will erase it. For that the policy is planned whole, as
falrun plan does it, with its options, such as --sandbox; nothing is deleted.

Examples:
  falrun explain 019e6d0a-e5be-7b82-b329-35ae64296902
  falrun explain 019e6d0a-e5be-7b82-b329-35ae64296902 flux-30d.lua
]],
  options = {},
  run = run,
}
