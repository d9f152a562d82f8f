--- falrun show RUN: what one run did, request by request.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local report = require "fal.report"
local runs = require "fal.runs"
local story = require "fal.story"
local text = require "fal.text"

local COLUMNS <const> = {
  { title = "REQUEST ID", width = 36 },
  { title = "OUTCOME", width = 8 },
  { title = "EVIDENCE", width = 8 },
  { title = "HTTP", width = 4, right = true },
  { title = "TRIES", width = 5, right = true },
  { title = "REASON", shrink = true },
}

local CHANGES <const> = {
  { title = "AT", always = true }, { title = "OPERATION", always = true },
  { title = "TARGET", shrink = true }, { title = "OUTCOME", always = true },
  { title = "HTTP", right = true }, { title = "TRIES", right = true },
  { title = "REASON", shrink = true },
}

--- Calls put(id, outcome, data, reason) for each outcome of the run and each
--- probe, then for what it left open.
local function walk(number, put)
  story.walk(host, number, function(event, outcome, intent)
    local data = event and event.data or {}
    if not outcome then
      return put(event.request_id, data.seen, { evidence = "probe",
        http_status = data.http_status }, data.link)
    end
    put((event or intent).request_id, outcome, data, story.value(data.reason)
        or intent and story.value(intent.data.reason))
  end)
end

--- What is left of the requests of a run: note(id) for each of them, then
--- rows(). Residue is rare, and the requests may be many.
local function new_residue()
  local all, by_id, mine = host.ledger.residue(), {}, {}
  for _, row in ipairs(all) do
    by_id[row.request_id] = true
  end
  return {
    note = function(id)
      mine[id] = by_id[id]
    end,
    rows = function()
      local rows = {}
      for _, row in ipairs(all) do
        rows[#rows + 1] = mine[row.request_id] and row or nil
      end
      return rows
    end,
  }
end

local function print_head(run)
  local function line(name, value)
    if value ~= nil and value ~= "" then
      host.write(("%-9s %s\n"):format(name, text.clean(value)))
    end
  end
  local took = story.took(run)
  line("run", run.run)
  line("command", run.command)
  line("policy", run.policy)
  line("sha256", run.policy_sha256)
  line("began", run.began_at)
  line("took", took and text.seconds(took)
    or "it is running, or it was killed; the next run settles what is open")
  line("exit", run.exit_code)
  line("options", run.options and core.json.encode(run.options))
  line("outcome", run.summary and report.outcome(run))
end

local function print_run(run)
  print_head(run)
  local put, left, begun = text.stream(host, COLUMNS), new_residue(), false
  walk(run.run, function(id, outcome, data, reason)
    if not begun then
      host.write("\n")
      begun = true
    end
    left.note(id)
    put(id, outcome, story.value(data.evidence), story.value(
      data.http_status), story.value(data.attempts), reason)
  end)
  local residue = left.rows()
  if residue[1] then
    host.write("\nFiles that are still there:\n")
    text.table(host, { { title = "REQUEST ID" },
                       { title = "LINK", shrink = true },
                       { title = "WHY", shrink = true } }, (function()
      local rows = {}
      for i, row in ipairs(residue) do
        rows[i] = { row.request_id, row.link, row.exception }
      end
      return rows
    end)())
  end
end

local function print_changes(run)
  local rows = {}
  for i, row in ipairs(host.ledger.changes(run.run)) do
    local change = story.change(row)
    rows[i] = { change.at, change.operation, change.target or change.path,
                change.state, change.http_status, change.attempts,
                change.reason }
  end
  if rows[1] then
    host.write("\nWhat else it changed:\n")
    text.table(host, CHANGES, rows)
  end
end

local function changes_of(run)
  local list = core.json.array {}
  for i, row in ipairs(host.ledger.changes(run.run)) do
    list[i] = story.change(row)
  end
  return list
end

local function print_json(run)
  local left, out = new_residue(), report.list(host)
  host.write('{"run":' .. core.json.encode(run) .. ',\n"requests":')
  walk(run.run, function(id, outcome, data, reason)
    left.note(id)
    if data.evidence == "probe" then
      return                            -- of a file, not of a request
    end
    out.add { request_id = id, outcome = outcome, reason = reason,
              evidence = story.value(data.evidence),
              http_status = story.value(data.http_status),
              attempts = story.value(data.attempts),
              kind = story.value(data.kind) }
  end)
  out.close()
  host.write(',"residue":' .. core.json.encode(
    core.json.array(left.rows())) .. ',"changes":'
    .. core.json.encode(changes_of(run)) .. "}\n")
end

local function run()
  local _, words = cli.parse(host, "show", {})
  if #words ~= 1 then
    host.usage("falrun show needs one run: a number from falrun history, or "
               .. "last")
  end
  local row = runs.find(host, words[1])
  if host.options.json then
    print_json(row)
  else
    print_run(row)
    print_changes(row)
  end
end

return {
  summary = "what one run did, request by request",
  usage = "falrun show RUN | last",
  help = [[
The head of the run, then a line for each of its requests: what became of it,
by which evidence (answered, replayed, inferred), the HTTP status, how many
attempts, and the reason. "open" is an intent without an outcome: the next run
settles it. With verify = true, and for falrun verify-erasure, a line for each
file that was asked for, by evidence "probe". Then files that an answer named
as not deleted, or that were seen after it, and what the run changed beside
deletions: "unknown" left without an answer that says whether it happened, and
falrun does not send it again.

Examples:
  falrun show last
  falrun show 17 --json | jq '.requests[] | select(.outcome == "failed")'
]],
  options = {},
  run = run,
}
