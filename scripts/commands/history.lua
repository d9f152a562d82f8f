--- falrun history: the runs of the ledger, newest first.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local report = require "fal.report"
local story = require "fal.story"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "limit", value = "N", help = "show the latest N runs (20)" },
}

local COLUMNS <const> = {
  { title = "RUN", right = true, always = true },
  { title = "BEGAN", always = true },
  { title = "TOOK", right = true },
  { title = "COMMAND" },
  { title = "EXIT", right = true, always = true },
  { title = "OUTCOME", shrink = true },
  { title = "POLICY", shrink = true },
}

local function print_runs(runs)
  local rows = {}
  for i, run in ipairs(runs) do
    local took = story.took(run)
    rows[i] = { run.run, run.began_at, took and text.seconds(took),
                run.command, run.exit_code or "none",
                run.summary and report.outcome(run)
                  or "running, or it was killed", run.policy }
  end
  if rows[1] then
    text.table(host, COLUMNS, rows)
  elseif not host.options.quiet then
    core.log.info("the ledger has no runs: " .. host.ledger.path)
  end
end

--- The changes of these runs, by run; a run without one has no list.
local function changes_by_run(runs)
  local wanted, found = {}, {}
  for _, row in ipairs(runs) do
    wanted[row.run] = true
  end
  for _, row in ipairs(host.ledger.changes()) do
    if wanted[row.run] then
      found[row.run] = found[row.run] or core.json.array {}
      table.insert(found[row.run], story.change(row))
    end
  end
  return found
end

local function run()
  local given, words = cli.parse(host, "history", OPTIONS)
  if words[1] then
    host.usage("falrun history takes no words; falrun show RUN shows one run")
  end
  local limit = given.limit and cli.count(host, "limit", given.limit) or 20
  local runs = host.ledger.runs(math.min(limit, 100000))
  if not host.options.json then
    return print_runs(runs)
  end
  local out, changes = report.list(host), changes_by_run(runs)
  for _, row in ipairs(runs) do
    row.changes = changes[row.run]
    out.add(row)
  end
  out.close()
end

return {
  summary = "the runs of the ledger, newest first",
  usage = "falrun history [--limit N]",
  help = [[
One line a run: when it began, how long it took, its exit code and what became
of its requests. A run without an exit code was killed; the next one settled
what it left open. "changed" counts what falrun call and scripts changed beside
deletions; with --json each run lists these changes.

Example:
  falrun history --limit 5
]],
  options = OPTIONS,
  run = run,
}
