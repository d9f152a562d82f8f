--- falrun delete ID...: one-off deletions.
local cli = require "fal.cli"
local core = require "core"
local deletions = require "fal.deletions"
local host = require "host"
local intake = require "fal.intake"
local report = require "fal.report"

local OPTIONS <const> = {
  { name = "reason", value = "TEXT", help = "why, for the ledger" },
  { name = "verify", flag = true, help = "ask fal's CDN for each file" },
}

local function entry(id, result, err)
  local outcome = result or err
  return {
    request_id = id, status = outcome.status, kind = err and err.kind,
    message = err and err.message, http_status = outcome.http_status,
    evidence = outcome.evidence, attempts = outcome.attempts,
    cdn_delete_results = core.json.array(outcome.cdn_delete_results),
    files = outcome.files,
  }
end

--- Has each outcome written; returns what ends that. An observer must not
--- raise: what standard output says (a closed pipe) is kept and raised at the
--- end. With `verify` an outcome is written after its files were asked for.
local function writer(verify)
  local list = host.options.json and report.list(host)
  local watch, failure = report.watcher(host), nil
  local function try(write, ...)
    if not failure then
      local ok, problem = pcall(write, ...)
      failure = not ok and problem or nil
    end
  end
  local function write(id, result, err)
    if list then
      try(list.add, entry(id, result, err))
    end
  end
  host.observe(function(id, result, err)
    watch(id, result, err)
    if not verify then
      write(id, result, err)
    end
  end, not list and not host.options.verbose)
  deletions.after_each(write)
  if not list then
    deletions.after_batch(function(text)
      try(host.write, text)
    end)
  end
  return function()
    if list then
      try(list.close)
    end
    if failure then
      error(failure, 0)
    end
  end
end

local function check_reason(reason)
  if reason and (reason == "" or #reason > 1000) then
    host.usage("--reason is " .. (reason == "" and "empty"
      or "longer than 1000 bytes"))
  end
  return reason
end

local function run()
  report.refuse_percent(host)
  local given, words = cli.parse(host, "delete", OPTIONS)
  local reason = check_reason(given.reason)
  if not words[1] then
    host.usage("falrun delete needs request ids, or - to read them from "
               .. "standard input")
  end
  local list = intake.ids(host, words, 1)
  local began = core.now()
  if core.mode == "run" then
    report.settle(host)
  end
  local verify = given.verify and core.mode == "run" and core.probes
  local finish = writer(verify)
  deletions.delete_list(list, { reason = reason, verify = verify or nil })
  finish()
  report.finish(host, began)
end

return {
  entry = entry,
  summary = "delete the payloads of the requests that are named",
  usage = "falrun delete [options] ID... | -",
  help = [[
Deletes through the same gate as a policy: holds, limits and the ledger apply.
All ids are checked first; one that is not a request id ends the command before
anything is deleted. With - they are read from standard input, one a line;
blank lines and what follows a # are skipped. An id named twice is sent once.

Standard output has a line per id, the id and what became of it, separated by
a tab; with --json, a list of objects.

Examples:
  falrun delete 019e6d0a-e5be-7b82-b329-35ae64296902 --reason "ticket 4711"
  falrun delete --verify - < ids.txt
  falrun delete --dry-run - < ids.txt
]],
  run_options = true,
  options = OPTIONS,
  run = run,
}
