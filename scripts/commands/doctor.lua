--- falrun doctor: is everything there that a run needs?
local cli = require "fal.cli"
local core = require "core"
local health = require "fal.health"
local host = require "host"
local text = require "fal.text"

local SHOWN <const> = { ok = "ok", warning = "WARN", failed = "FAIL",
                        skipped = "-" }
local COLORS <const> = { ok = "32", warning = "33", failed = "31" }

local function print_finding(finding)
  local shown = ("%-4s"):format(SHOWN[finding.state])
  if host.color and COLORS[finding.state] then
    shown = ("\27[%sm%s\27[0m"):format(COLORS[finding.state], shown)
  end
  host.write(("%s  %-10s %s\n"):format(shown, finding.check,
                                       text.clean(finding.message)))
  if finding.advice then
    host.write(("%17s-> %s\n"):format("", text.clean(finding.advice)))
  end
end

--- The exit code is that of the failures, as it would be of a run.
local function conclude(findings)
  local count, first = 0, nil
  for _, finding in ipairs(findings) do
    if finding.state == "failed" then
      count, first = count + 1, first or finding
    end
  end
  for _, finding in ipairs(findings) do
    if finding.state == "failed" then
      core.mark(finding.fails, ("%s failed, first of all: %s: %s")
        :format(text.count(count, "check", "checks"), first.check,
                first.message))
    end
  end
  return count == 0
end

local function run()
  cli.none(host, "doctor")
  local findings = {}
  health.each(host, function(finding)
    findings[#findings + 1] = finding
    if not host.options.json then
      print_finding(finding)
    end
  end)
  local well = conclude(findings)
  if host.options.json then
    host.write(core.json.encode { ok = well, checks = findings } .. "\n")
  elseif well and not host.options.quiet then
    core.log.info "nothing stands in the way of a run"
  end
end

return {
  summary = "keys, scopes, API, clock, ledger, disk: is all well?",
  usage = "falrun doctor",
  help = [[
Looks at everything that a run needs, and says of each finding what to do:
which config file and account are in use, the keys and what they may do, the
API and its TLS, the clock, what new files get in the account's storage, the
ledger and its chain, what is open in it, its lock, the disk, and how the last
runs ended. Nothing is changed: no deletion is tried, and the lock is not
taken.

A warning does not stop a run. A failure would, and the exit code is the one
that the run would have: 8 ledger or disk, 5 a key, 4 the clock, 7 the API,
2 configuration.

Examples:
  falrun doctor
  falrun doctor --json | jq '.checks[] | select(.state != "ok")'
]],
  options = {},
  run = run,
}
