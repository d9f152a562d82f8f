--- What is said of the whole command line, for --help and the manual page.
local commandline = {}

--- Commands that belong together. One that no group names is shown as "More".
commandline.groups = {
  { "Policies", "run", "plan", "apply", "check", "test", "simulate",
    "new" },
  { "Requests", "delete", "release", "requests", "coverage",
    "hold", "call" },
  { "The record", "history", "show", "status", "report", "explain", "verify",
    "certificate", "verify-erasure" },
  { "Tools", "doctor", "config", "install-timer", "sandbox", "types",
    "completion", "manual", "help" },
}

commandline.exit_codes = {
  { "0", "all done, or nothing to do" },
  { "1", "the policy failed" },
  { "2", "usage or configuration" },
  { "3", "some deletions or changes failed or are partial; all recorded" },
  { "4", "safety stop (limit, age floor, clock, hold source), or a no" },
  { "5", "the API refused the key" },
  { "6", "another run holds the lock" },
  { "7", "the API is unavailable, or --max-runtime is over; resumable" },
  { "8", "the ledger cannot be written, or is damaged" },
  { "9", "the policy used too much memory or time, or there is none" },
  { "70", "a bug in falrun" },
  { "130, 143", "interrupted; answers in flight were recorded" },
}

return commandline
