--- What the commands that delete tell people and programs.
local later = require "fal.later"
local core = require "core"
local erasure = later "fal.erasure"
local text = require "fal.text"

local report = {}

local SHOWN <const> = 20

local ORDER <const> = {
  { "deleted", "deleted" }, { "already_deleted", "already deleted" },
  { "planned", "planned" }, { "partial", "partial" }, { "held", "held" },
  { "refused", "refused" }, { "failed", "failed" },
  { "open", "left open" }, { "changed", "changed" },
  { "unchanged", "not changed" },
}

--- "deleted 1,234, held 2, failed 3"; `most` is always named.
function report.counts(counts, most)
  local parts = {}
  for _, pair in ipairs(ORDER) do
    local n = counts[pair[1]] or 0
    if n > 0 or pair[1] == most then
      parts[#parts + 1] = pair[2] .. " " .. text.number(n)
    end
  end
  return table.concat(parts, ", ")
end

--- What the summary of a run says: of its requests, or of the files that it
--- asked for.
function report.outcome(run)
  local counts, files = run.summary, run.summary.files
  files = type(files) == "table" and erasure.describe(files)
  if run.command == "verify-erasure" then
    return files and "files: " .. files or "no files"
  end
  return report.counts(counts, "deleted") .. (files and "; files: " .. files
    or "")
end

--- Settles what earlier runs left open, and says so.
function report.settle(host)
  core.phase "settling"
  local ok, err = host.settle()
  if not ok then
    core.log.warn("what earlier runs left open was not settled: "
                  .. err.message)
  end
  local settled = host.counts().settled
  if settled > 0 and not host.options.quiet then
    core.log.info(("settled %s of earlier runs"):format(text.count(settled,
      "open intent", "open intents")))
  end
end

--- An observer that says which items were not deleted: the first twenty, or
--- all with -v. A refusal is the run's and is told once, at its end.
function report.watcher(host)
  local verbose, shown = host.options.verbose, 0
  return function(id, result, err)
    if result then
      if verbose then
        core.log.debug(result.status, { id = id, http = result.http_status })
      end
    elseif err.status == "held" or err.status == "refused" then
      if verbose then
        core.log.debug(err.message)
      end
    else
      shown = shown + 1
      if verbose or shown <= SHOWN then
        core.log.warn(err.message)
      elseif shown == SHOWN + 1 then
        core.log.warn("further ones are in the ledger; -v shows them all")
      end
    end
  end
end

--- The number of this run; a dry run has none.
local function run_number(host)
  local run = core.mode == "run" and host.ledger.runs(1)[1]
  return run and run.run or nil
end

local function print_json(host, began, outcome)
  local stopped, sentence = host.stopped()
  local policies = {}
  for i, plan in ipairs(outcome and outcome.plans or {}) do
    policies[i] = plan:totals()
    policies[i].outcomes = plan.outcomes
  end
  host.write(core.json.encode {
    policies = policies[1] and core.json.array(policies),
    command = host.command,
    run = run_number(host),
    counts = host.counts(),
    files = erasure.describe(erasure.totals()) and erasure.totals(),
    seconds = (core.now() - began) / 1000,
    ledger = host.ledger.path,
    stopped = stopped and sentence or nil,
  } .. "\n")
end

--- Whether somebody must look at this run.
local function has_trouble(host, counts)
  return host.stopped() or counts.partial + counts.failed + counts.open
    + counts.unchanged > 0
end

--- The end of a run: one line on standard error, or JSON. With --quiet only
--- where something is left: what cron mails then says where to look.
---@param began integer   core.now() at the start
---@param json boolean?   a JSON object on standard output instead
---@param outcome table?  of the runner
function report.finish(host, began, json, outcome)
  local files = core.loaded "fal.erasure" and
    erasure.describe(erasure.totals())
  if files then
    host.note("files", erasure.totals())
  end
  if json then
    print_json(host, began, outcome)
    return
  end
  local counts, run = host.counts(), run_number(host)
  local line = ("%s in %s; %s"):format(
    report.counts(counts, run and "deleted" or "planned"),
    text.seconds((core.now() - began) / 1000),
    run and ("ledger %s, run %d"):format(host.ledger.path, run)
      or "nothing was deleted")
  if not host.options.quiet then
    core.log.info(line)
  elseif run and has_trouble(host, counts) then
    core.log.warn(("%s; falrun show %d lists what was left"):format(line, run))
  end
  if files then
    core.log.info("their files: " .. files)
  end
end

--- One JSON list, written element by element, an element a line.
function report.list(host)
  local begun = false
  local list = {}
  function list.add_text(json)
    host.write((begun and ",\n" or "[\n") .. json)
    begun = true
  end
  function list.add(value)
    list.add_text(core.json.encode(value))
  end
  function list.close()
    host.write(begun and "\n]\n" or "[]\n")
  end
  return list
end

--- A list of ids has no whole that a percentage could be taken of.
function report.refuse_percent(host)
  if host.options["max-percent"] then
    host.usage("--max-percent is for policies: falrun delete has no whole to "
               .. "take a share of; use --max-deletes N")
  end
end

return report
