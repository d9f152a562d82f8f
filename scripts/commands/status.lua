--- falrun status: how the ledger stands, on one screen.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local overview = require "fal.overview"
local report = require "fal.report"
local story = require "fal.story"
local text = require "fal.text"
local timers = require "fal.timers"

local OPTIONS <const> = {
  { name = "max-age", value = "DUR",
    help = "end with 3 unless a run of each policy ended well within it" },
  { name = "after", value = "WHAT",
    help = "for --textfile: how a run ended (runs give it)" },
}

local JOBS <const> = {
  { title = "COMMAND", always = true },
  { title = "POLICY", shrink = true },
  { title = "LAST RUN", always = true },
  { title = "TOOK", right = true },
  { title = "EXIT", right = true, always = true },
  { title = "OUTCOME", shrink = true },
  { title = "LAST SUCCESS", always = true },
  { title = "NEXT" },
}

local function ago(ms)
  return text.age(math.max(ms, 0) // 1000) .. " ago"
end

--- ---- a terminal ------------------------------------------------------------

local function job_row(job, all)
  local run, age = job.last, overview.age(job, all.made_ms)
  local took = story.took(run)
  return { job.command, job.policy,
           ago(all.made_ms - core.parse_time(run.began_at)),
           took and text.seconds(took), run.exit_code or "none",
           run.summary and report.outcome(run) or "running, or killed",
           age and ago(age) or "never",
           job.next_ms and "in " .. text.age(math.max(0, job.next_ms -
             all.made_ms) // 1000) }
end

local function debt_words(debt)
  local parts = {}
  for _, state in ipairs(overview.DEBTS) do
    if debt[state] > 0 then
      parts[#parts + 1] = ("%s %s"):format(text.number(debt[state]), state)
    end
  end
  return table.concat(parts, ", ")
end

local function line(name, format, ...)
  host.write(("%-9s %s\n"):format(name, format:format(...)))
end

local function print_debt(all)
  local debt = all.debt
  if debt.count == 0 then
    line("overdue", "nothing%s", debt.held > 0 and (", and %s held"):format(
      text.number(debt.held)) or "")
    return
  end
  line("overdue", "%s (%s)%s%s", text.count(debt.count, "request",
       "requests"), debt_words(debt), debt.oldest_ms and
         (", the oldest ended %s"):format(ago(all.made_ms - debt.oldest_ms))
         or "", debt.held > 0 and (", and %s held"):format(
         text.number(debt.held)) or "")
end

local function print_ledger(all)
  local head = all.head
  line("ledger", "%s, %s, %s MiB", text.clean(all.path),
       text.count(head.events, "event", "events"),
       text.number((head.bytes + (1 << 20) - 1) >> 20))
  if head.head then
    line("head", "%s", head.head)
  end
end

local function print_status(all)
  local rows = {}
  for i, job in ipairs(all.jobs) do
    rows[i] = job_row(job, all)
  end
  if rows[1] then
    text.table(host, JOBS, rows)
    host.write("\n")
  else
    host.write("no runs yet\n")
  end
  if all.holder then
    line("running", all.holder > 0 and ("process %d"):format(all.holder)
         or "somewhere else")
  end
  print_debt(all)
  line("open", "%s%s", text.number(all.open.count), all.open.oldest_ms and
       (", the oldest since %s"):format(ago(all.made_ms -
         all.open.oldest_ms)) or "")
  line("holds", "%s", text.number(all.holds))
  if all.residue > 0 then
    line("left", text.count(all.residue, "output file", "output files"))
  end
  if all.quarantined > 0 then
    line("quarantine", text.count(all.quarantined, "request", "requests"))
  end
  print_ledger(all)
end

--- ---- a check for monitoring ----------------------------------------------

local function is_meant(job, words)
  for _, word in ipairs(words) do
    if job.policy == word then
      return true
    end
  end
  return not words[1] and job.policy ~= nil and job.command == "run"
end

--- Sentences about what is too old, and how many jobs were looked at.
local function find_old(all, words, most)
  local old, looked = {}, 0
  for _, job in ipairs(all.jobs) do
    if is_meant(job, words) then
      local age = overview.age(job, all.made_ms)
      looked = looked + 1
      if not age or age > most then
        old[#old + 1] = ("%s: %s"):format(text.clean(job.policy), age and
          "its last success is " .. ago(age) or "no run of it ended well")
      end
    end
  end
  return old, looked
end

local function check(all, words, given)
  local most = core.parse_duration(given)
  if not most then
    host.usage(("--max-age is \"%s\": write a duration with its unit, like 26h")
      :format(text.clean(given:sub(1, 40))))
  end
  local old, looked = find_old(all, words, most)
  if looked == 0 then
    old[1] = words[1] and text.clean(words[1]) .. ": the ledger has no run "
      .. "of it" or "the ledger has no run of a policy"
  end
  for _, sentence in ipairs(old) do
    core.mark("failed", sentence)
    core.log.error(sentence)
  end
end

--- The jobs of these policies alone, which must be there.
local function only(all, words)
  local jobs = core.json.array {}
  for _, job in ipairs(all.jobs) do
    if is_meant(job, words) then
      jobs[#jobs + 1] = job
    end
  end
  all.jobs = jobs
end

--- ---- metrics ---------------------------------------------------------------

--- What a run passes on about itself: "end", or "start:6" for one that did not
--- begin. Then a failure is a warning, because it is not the run's.
local function write_metrics(all, path, after)
  local failed = after and math.tointeger(after:match "^start:(%d+)$")
  local made = require("fal.metrics").text(all, host.version, failed)
  if path == "-" then
    return host.write(made)
  end
  local ok, err = host.create(path, made, true)
  if not ok then
    local sentence = "the metrics were not written: " .. err.message
    if not after then
      host.usage(sentence)
    end
    core.log.warn(sentence)
  end
end

local function run()
  local given, words = cli.parse(host, "status", OPTIONS)
  local all, path = overview.of(host), host.options.textfile
  if path and path ~= "" then
    write_metrics(all, path, given.after)
  else
    if words[1] then
      only(all, words)
    end
    timers.add(host, all.jobs)
    if host.options.json then
      host.write(core.json.encode(overview.json(all)) .. "\n")
    elseif not host.options.quiet then
      print_status(all)
    end
  end
  if given["max-age"] then
    check(all, words, given["max-age"])
  end
end

return {
  summary = "how the ledger stands: last runs, what is overdue, open work",
  usage = "falrun status [POLICY...] [--max-age DUR] [--textfile FILE]",
  help = [[
For each policy and command: the last run, its exit code and outcome, when one
last ended well, and when systemd starts it next, where a timer of falrun
install-timer does. Then what is overdue: requests that were to be erased and
are still on fal (failed, partial, without a known outcome, or not come to
because of a limit); those that a hold covers are counted apart. Open
intents, holds, and the ledger with the head of its chain. POLICY, written as
in the table, shows these alone.

It reads the ledger only, and takes no lock: a run may be on. The newest
10,000 runs are looked at. The exit code is 0, whatever it says; with
--max-age, 3 unless each policy (or each that is named) has a run that ended
with 0 within that time, as a check for a monitoring system.

--textfile FILE writes the same as metrics for Prometheus, and shows nothing;
- is standard output. A run with --textfile does that at its end
(docs/monitoring.md). --json: docs/schemas/status.json.

Examples:
  falrun status
  falrun status --max-age 26h --quiet /etc/falrun/flux-30d.lua
  falrun status --textfile /var/lib/prometheus/node-exporter/falrun.prom
]],
  options = OPTIONS,
  run = run,
}
