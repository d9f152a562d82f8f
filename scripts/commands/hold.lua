--- falrun hold: legal holds, which no run can pass.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local intake = require "fal.intake"
local report = require "fal.report"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "reason", value = "TEXT", help = "why they are held (add)" },
}

local COLUMNS <const> = {
  { title = "REQUEST ID", always = true },
  { title = "SINCE" },
  { title = "REASON", shrink = true },
}

local function all_ids(words, verb)
  if not words[2] then
    host.usage(("falrun hold %s needs request ids, or - to read them from "
      .. "standard input"):format(verb))
  end
  local list, all = intake.ids(host, words, 2), {}
  for n = 1, #list do
    all[n] = list:at(n)
  end
  return all
end

local function say(sentence)
  if not host.options.quiet then
    core.log.info(sentence)
  end
end

local function add(words, given)
  local reason = given.reason
  if not reason or not reason:find("%S") then
    host.usage("falrun hold add needs --reason TEXT: who reads the ledger "
               .. "later must know why")
  elseif #reason > 1000 then
    host.usage("--reason is longer than 1000 bytes")
  end
  local all = all_ids(words, "add")
  if not all[1] then
    return say("no ids, no holds")
  end
  assert(host.ledger.hold_add(all, reason))
  say(text.count(#all, "request is held", "requests are held"))
end

local function remove(words)
  local all = all_ids(words, "remove")
  if not all[1] then
    return say("no ids, no holds")
  end
  local ok, err, id = host.ledger.hold_remove(all)
  if not ok and id then
    host.usage(err.message)
  end
  assert(ok, err)
  say(text.count(#all, "hold was removed", "holds were removed"))
end

local function list(words)
  if words[2] then
    host.usage("falrun hold list takes no words after it")
  end
  local holds = host.ledger.holds()
  if host.options.json then
    local out = report.list(host)
    for _, hold in ipairs(holds) do
      out.add(hold)
    end
    return out.close()
  end
  local rows = {}
  for i, hold in ipairs(holds) do
    rows[i] = { hold.request_id, hold.at, hold.reason }
  end
  if rows[1] then
    text.table(host, COLUMNS, rows)
  end
  say(text.count(#rows, "hold", "holds"))
end

local VERBS <const> = { add = add, remove = remove, list = list }

local function run()
  local given, words = cli.parse(host, "hold", OPTIONS)
  local verb = words[1]
  if not VERBS[verb or ""] then
    local near = verb and core.nearest(verb, { "add", "remove", "list" })
    host.usage(verb and ("falrun hold has no \"%s\"%s; it has add, remove "
      .. "and list"):format(text.clean(verb:sub(1, 60)), near
      and (" (did you mean %s?)"):format(near) or "")
      or "falrun hold needs one of add, remove and list")
  end
  VERBS[verb](words, given)
end

return {
  summary = "legal holds: what is held, no run deletes",
  usage = "falrun hold add ID... --reason TEXT | remove ID... | list",
  help = [[
A hold is written at once and seen by a run that is under way before its next
deletion. Ids are arguments or, with -, lines of standard input. Removing
takes away all of the named holds, or none if one of them does not exist.

Examples:
  falrun hold add 019e6d0a-e5be-7b82-b329-35ae64296902 --reason "case 17"
  falrun hold add - --reason "case 17" < ids.txt
  falrun hold remove 019e6d0a-e5be-7b82-b329-35ae64296902
  falrun hold list --json
]],
  options = OPTIONS,
  words = { "add", "remove", "list" },
  run = run,
}
