--- falrun release ID...: out of quarantine, and held.
local cli = require "fal.cli"
local core = require "core"
local hiding = require "fal.hiding"
local host = require "host"
local intake = require "fal.intake"
local quarantine = require "fal.quarantine"
local report = require "fal.report"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "reason", value = "TEXT", help = "why, for the ledger" },
}
local COLUMNS <const> = { { title = "REQUEST ID", always = true },
                          { title = "STATUS" }, { title = "WHY" } }

--- The rows of all ids, each once, or ends the command: one that is not in
--- quarantine is a mistake of whoever typed it.
local function rows_of(list)
  local rows, seen = {}, {}
  for n = 1, #list do
    local id = list:at(n)
    local row = core.quarantined(id)[1]
    if not row then
      host.usage(id .. " is not in quarantine; nothing was released. falrun "
                 .. "explain " .. id .. " shows what is known of it")
    elseif not seen[id] then
      rows[#rows + 1] = row
    end
    seen[id] = true
  end
  return rows
end

--- Held first: whatever goes wrong after that, it is not erased.
local function release(row, reason)
  if core.mode ~= "run" then
    return { request_id = row.request_id, status = "planned" }
  end
  assert(host.ledger.hold_add({ row.request_id }, quarantine.RELEASED
    .. (reason and ": " .. reason:sub(1, 900) or "")))
  local ok, err = hiding.release(row, reason)
  if not ok and not err.status then     -- the gate has seen no failure
    core.mark("failed", ("%s: %s"):format(row.request_id, err.message))
  end
  return { request_id = row.request_id, status = ok and "released" or "failed",
           message = err and err.message }
end

local function show(list)
  local rows = {}
  if host.options.json then
    return host.write(core.json.encode(core.json.array(list)) .. "\n")
  end
  for i, one in ipairs(list) do
    rows[i] = { one.request_id, one.status, one.message }
  end
  text.table(host, COLUMNS, rows)
end

local function run()
  local given, words = cli.parse(host, "release", OPTIONS)
  local reason = given.reason
  if not words[1] then
    host.usage("falrun release needs request ids, or - to read them from "
               .. "standard input")
  elseif reason and (reason == "" or #reason > 1000) then
    host.usage("--reason is " .. (reason == "" and "empty"
      or "longer than 1000 bytes"))
  end
  local began, list = core.now(), {}
  local rows = rows_of(intake.ids(host, words, 1))
  for i, row in ipairs(rows) do
    list[i] = release(row, reason)
  end
  show(list)
  report.finish(host, began)
end

return {
  summary = "lift the quarantine of requests: their files are shown again",
  usage = "falrun release [options] ID... | -",
  help = [[
The files that a policy with action = { quarantine = ... } has hidden get the
ACL that they had before, as the ledger has it. The request is held from then
on ("released from quarantine"), so that no run hides or erases it again:
falrun hold remove ID gives it back to the policies.

It is held first. Where a file cannot be shown again the request stays in
quarantine and held, the exit code says so, and the same command tries again.

Examples:
  falrun release 019e6d0a-e5be-7b82-b329-35ae64296902 --reason "ticket 4711"
  falrun release - < ids.txt
]],
  run_options = true,
  options = OPTIONS,
  run = run,
}
