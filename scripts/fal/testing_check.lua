--- The assertions of `t`. Each says what was expected, what was there, and
--- the line of the test; the first that fails ends the test.
local core = require "core"
local run = require "fal.staged"

local check = {}

local SHOWN <const> = 20
local TOTALS <const> = { "deleted", "already_deleted", "planned", "partial",
  "held", "refused", "failed", "settled", "open", "age_unknown" }

--- Ends the test: an error that says where.
local function fail(_, format, ...)
  error(core.error("assertion", format:format(...),
                   { where = core.where() }), 0)
end

local ID <const> = ("x"):rep(8) .. ("%-xxxx"):rep(3) .. "%-" .. ("x"):rep(12)

--- Text with ids replaced by the labels that the test gave them.
---@param labels table<string, string>   id -> label
function check.labelled(labels, text)
  return (text:gsub(ID:gsub("x", "%%x"), function(id)
    local label = labels[id]
    return label and label ~= id and '"' .. label .. '"' or nil
  end))
end

local function name_of(case, id)
  return check.labelled(case.labels, id)
end

--- "a", "b" and 3 more; ids in the order of their names.
local function names_of(case, ids)
  local names = {}
  for _, id in ipairs(ids) do
    names[#names + 1] = name_of(case, id)
  end
  table.sort(names)
  local more = #names - SHOWN
  if more > 0 then
    names = table.move(names, 1, SHOWN, 1, {})
    names[#names + 1] = ("and %d more"):format(more)
  end
  return names[1] and table.concat(names, ", ") or "none"
end

local function last_run(case, func)
  case.asserted = case.asserted + 1
  if not case.last then
    fail(case, "%s: no policy was run yet, t.run comes first", func)
  end
  return case.last
end

--- The set of the ids in a list of labels.
local function set_of(id_of, func, list)
  local set = {}
  for _, label in ipairs(type(list) == "table" and list or { list }) do
    set[id_of(func, label)] = true
  end
  return set
end

--- The keys of `some` that `others` does not have.
local function missing(some, others)
  local list = {}
  for id in pairs(some) do
    list[#list + 1] = not others[id] and id or nil
  end
  return list
end

local function with_why(case, record, ids)
  local lines = {}
  table.sort(ids, function(a, b)
    return name_of(case, a) < name_of(case, b)
  end)
  for i = 1, math.min(#ids, SHOWN) do
    lines[i] = ("%s (%s)"):format(name_of(case, ids[i]),
                                  run.why(record, ids[i]))
  end
  if #ids > SHOWN then
    lines[#lines + 1] = ("and %d more"):format(#ids - SHOWN)
  end
  return table.concat(lines, ", ")
end

--- Fails unless both sets are the same.
local function exactly(case, func, word, record, wanted, got)
  local lacking, extra = missing(wanted, got), missing(got, wanted)
  if not lacking[1] and not extra[1] then
    return
  end
  local parts = {}
  if lacking[1] then
    parts[1] = ("not %s: %s"):format(word, with_why(case, record, lacking))
  end
  if extra[1] then
    parts[#parts + 1] = ("%s, but not expected: %s"):format(word,
      names_of(case, extra))
  end
  fail(case, "%s: %s; expected %s, got %s", func, table.concat(parts, "; "),
       names_of(case, missing(wanted, {})), names_of(case, missing(got, {})))
end

local function ids_with(record, status)
  local set = {}
  for id, result in pairs(record.results) do
    set[id] = result.status == status or nil
  end
  return set
end

local function contains(text, piece)
  return piece == nil or text:find(piece, 1, true) ~= nil
end

local function check_why(case, func, why)
  if why ~= nil and (type(why) ~= "string" or why == "") then
    fail(case, "%s: the reason is text, got %s", func, type(why))
  end
end

local function kept(case, id, why)
  local record = last_run(case, "t.kept")
  check_why(case, "t.kept", why)
  if record.deleted[id] then
    fail(case, "t.kept: %s was deleted", name_of(case, id))
  elseif case.kit.is_gone(case.state, id) then
    fail(case, "t.kept: the API has nothing left of %s, which this run does "
         .. "not have as deleted: %s", name_of(case, id), run.why(record, id))
  end
  local reason = run.why(record, id)
  if not contains(reason, why) then
    fail(case, "t.kept: %s was kept, but expected was a reason with \"%s\", "
         .. "and it is: %s", name_of(case, id), why, reason)
  end
end

local function held(case, id, why)
  local record = last_run(case, "t.held")
  check_why(case, "t.held", why)
  local result, reason = record.results[id], run.why(record, id)
  local is_held = result and result.status == "held" or
    not record.deleted[id] and not (result and result.status == "planned")
    and reason:find("h[eo]ld") ~= nil
  if not is_held then
    fail(case, "t.held: %s was not held: %s", name_of(case, id),
         record.deleted[id] and "it was deleted" or reason)
  elseif not contains(reason, why) then
    fail(case, "t.held: %s was held, but expected was a reason with \"%s\", "
         .. "and it is: %s", name_of(case, id), why, reason)
  end
end

local function show(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function same(a, b, depth)
  if type(a) ~= "table" or type(b) ~= "table" or depth > 50 then
    return a == b
  end
  for key, value in pairs(a) do
    if not same(value, b[key], depth + 1) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

local function sentence(record)
  return record.message and ": " .. record.message or ""
end

local function exit(case, code)
  local record = last_run(case, "t.exit")
  record.looked_at = true
  if record.exit_code ~= code then
    fail(case, "t.exit: expected %s, got %d%s", show(code), record.exit_code,
         sentence(record))
  end
end

local function total(case, name, count)
  local record = last_run(case, "t.total")
  local got = record.counts[name]
  if not got then
    local near = type(name) == "string" and core.nearest(name, TOTALS)
    fail(case, "t.total: there is no total %s%s", show(name), near and
         (" (did you mean \"%s\"?)"):format(near) or "")
  elseif got ~= count then
    fail(case, "t.total: expected %s %s, got %d", name, show(count), got)
  end
end

--- Raises if the last run failed and nobody said that it should: a test must
--- not pass because the policy broke before it deleted anything.
function check.settled(case)
  local record = case.last
  if record and record.exit_code ~= 0 and not record.looked_at then
    error(core.error("assertion", ("the policy ended with exit code %d%s; if "
      .. "that is expected, say t.exit(%d)"):format(record.exit_code,
      sentence(record), record.exit_code), { where = record.where }), 0)
  end
end

--- Adds the assertions to `t`.
function check.add(t, case, id_of)
  function t.deleted(list)
    local record = last_run(case, "t.deleted")
    exactly(case, "t.deleted", "deleted", record,
            set_of(id_of, "deleted", list), record.deleted)
  end
  function t.planned(list)
    local record = last_run(case, "t.planned")
    exactly(case, "t.planned", "planned", record,
            set_of(id_of, "planned", list), ids_with(record, "planned"))
  end
  function t.kept(label, why) kept(case, id_of("kept", label), why) end
  function t.held(label, why) held(case, id_of("held", label), why) end
  function t.exit(code) exit(case, code) end
  function t.total(name, count) total(case, name, count) end
  function t.equal(got, wanted, what)
    case.asserted = case.asserted + 1
    if not same(got, wanted, 0) then
      fail(case, "%s: expected %s, got %s", what or "t.equal", show(wanted),
           show(got))
    end
  end
  function t.check(condition, what)
    case.asserted = case.asserted + 1
    if not condition then
      fail(case, "%s", what or "t.check: it is not so")
    end
  end
end

return check
