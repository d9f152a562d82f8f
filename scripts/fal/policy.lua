--- fal.policy { ... }: a rule that is declared, not run.
---
---   select --> where --> keep --> hold --> limits --> deleted, oldest first
---
--- This file checks a declaration and keeps it; planner.lua plans it whole,
--- and runner.lua carries it out. What a policy gets back is a token without
--- fields, so that what was checked is what runs.
local core = require "core"
local check = require "fal.check"
local hold = require "fal.hold"
local hooks = require "fal.hooks"
local keep = require "fal.keep"
local quarantine = require "fal.quarantine"
local requests = require "fal.requests"
local shapes = require "fal.shapes"
local tasks = require "fal.tasks"

local policy = {}

local KNOWN <const> = shapes.names "policy"
local LIMITS <const> = shapes.names "policy_limits"
local MOST <const> = 1000000000
local POLICIES_MAX <const> = 100        -- the ledger keeps figures of each

local declared, order, selected = {}, {}, {}

local meta = { __name = "policy", __metatable = false }

function meta.__tostring(token)
  return "policy " .. declared[token].name
end

local function fail(name, ...)
  check.fail("policy", name, ...)
end

-- ---- the fields ------------------------------------------------------------

local function check_name(name)
  if name == nil then
    fail("name", "a policy needs a name, like name = \"flux-30d\": the "
         .. "ledger and the reports say by which rule a request was erased")
  elseif type(name) ~= "string" or #name > 64 or
    not name:find("^[%w][%w._-]*$") then
    fail("name", "1 to 64 letters, digits, '.', '_' or '-' are needed, got "
         .. "%s", check.show(name))
  end
  return name
end

local function check_reason(reason)
  if reason == nil then
    fail("reason", "a policy needs a reason, like reason = \"erased after "
         .. "30 days\": the ledger keeps it with every deletion")
  elseif type(reason) == "function" then
    return reason
  elseif not check.reason(reason) then
    fail("reason", "text of 1 to 1000 bytes, or a function of the request "
         .. "that returns it, is needed, got %s", check.show(reason))
  end
  return reason
end

--- A list that was read before gives what is left of it, or nothing, and that
--- would look like an empty selection.
local function check_unread(value)
  local list = requests.selection(value)
  if selected[value] then
    fail("select", "another policy reads the same list, which can be read "
         .. "once: write fal.requests { ... } for each")
  elseif list and list.started then
    fail("select", "this list has been read before the policy was declared: "
         .. "write fal.requests { ... } for it alone")
  end
  selected[value] = type(value) == "function" or nil
end

--- The items as an iterator, and what is selected when it is a list of the
--- API's.
local function check_select(value)
  if value == nil then
    fail("select", "a policy needs a selection, like fal.requests { "
         .. "endpoint_id = \"auto\", older_than = \"30d\" }")
  elseif type(value) ~= "function" and type(value) ~= "table" then
    fail("select", "fal.requests { ... }, a list of requests or ids, or an "
         .. "iterator over them is needed, got %s", check.show(value))
  elseif type(value) == "table" and next(value) ~= nil and
    value[1] == nil then
    fail("select", "a table with names selects nothing: write select = "
         .. "fal.requests { ... }")
  end
  check_unread(value)
  if type(value) == "table" then        -- what is checked is what runs
    value = table.move(value, 1, #value, 1, {})
  end
  local list = requests.selection(value)
  if list then
    list.declared = true
  end
  return tasks.items("policy", value), list
end

local function number(limits, name, least, most)
  local value = limits[name]
  if value == nil then
    return nil
  elseif type(value) ~= "number" or value < least or value > most or
    value ~= value then
    fail(name, "a number from %s to %s is needed in limits, got %s", least,
         most, check.show(value))
  end
  return value
end

local function check_limits(limits)
  limits = check.options("policy", limits, LIMITS)
  local count = {}
  for _, name in ipairs { "max", "min_scanned" } do
    count[name] = limits[name] ~= nil and
      check.integer("policy", name, limits[name], 0, MOST) or nil
  end
  return {
    max = count.max, min_scanned = count.min_scanned,
    percent = number(limits, "percent", 0, 100),
    growth = number(limits, "growth", 1, 1000000),
    min_age = limits.min_age ~= nil and
      check.duration("policy", "min_age", limits.min_age) or nil,
    min_age_text = limits.min_age,
  }
end

local function check_flag(options, name)
  if options[name] ~= nil and type(options[name]) ~= "boolean" then
    fail(name, "true or false is needed, got %s", check.show(options[name]))
  end
  return options[name] == true
end

--- A selection that nothing narrows is a mistake, unless it is said aloud.
local function check_narrow(made)
  local list = made.selection
  if made.all or made.where or made.keep or (list and list.narrows) then
    return
  elseif list then
    fail("select", "nothing narrows it: every request would be erased; add "
         .. "older_than = \"30d\" or a where, or say all = true")
  end
end

-- ---- fal.policy ------------------------------------------------------------

local function make(options)
  local made = {
    name = check_name(options.name), reason = check_reason(options.reason),
    where = options.where ~= nil and
      check.callable("policy", "where", options.where) or nil,
    keep = options.keep ~= nil and
      keep.rule(options.keep, "policy", "keep") or nil,
    hold = hold.sources("policy", options.hold),
    limits = check_limits(options.limits),
    action = quarantine.action(options.action),
    all = check_flag(options, "all"), place = core.where(),
    verify = check_flag(options, "verify"),
  }
  made.next, made.selection = check_select(options.select)
  check_narrow(made)
  for _, name in ipairs { "before_delete", "on_finish", "on_failure" } do
    if options[name] ~= nil then
      hooks.add(name, "policy", name, options[name])
    end
  end
  return made
end

--- Declares a policy. The file returns it, alone or in a list.
---@param options fal.PolicyOptions
---@return fal.Policy
function policy.declare(options)
  if type(options) ~= "table" or declared[options] then
    fail("options", "a table is needed: fal.policy { name = ..., select = "
         .. "... }, got %s", declared[options] and "a policy" or
         check.show(options))
  end
  local made = make(check.options("policy", options, KNOWN))
  local token = setmetatable({}, meta)
  declared[token] = made
  order[#order + 1] = made
  return token
end

-- ---- what a file returned ---------------------------------------------------

local function refuse_entry(path, key)
  error(("%s: it returned a list whose entry %s is no policy: write return "
    .. "{ fal.policy { ... }, ... }"):format(path, check.show(key)), 0)
end

--- What was meant for fal.policy, and came without it.
local function refuse_bare(path, value)
  if next(value) == nil then
    error(path .. ": it returned an empty table, and no rule is in it: write "
          .. "return fal.policy { ... }", 0)
  elseif value.select ~= nil or value.where ~= nil then
    error(path .. ": it returned a plain table: write return fal.policy { "
      .. "... }", 0)
  end
end

--- A plain list of what the file returned, or nil when it is no declaration.
local function tokens_of(value, path)
  if declared[value] then
    return { value }
  elseif type(value) ~= "table" then
    return nil
  elseif #order == 0 then
    refuse_bare(path, value)
    return nil
  end
  local list = {}
  for key, token in pairs(value) do
    if math.type(key) ~= "integer" or not declared[token] then
      refuse_entry(path, key)
    end
    list[key] = token
  end
  return list
end

local function check_returned(list, path)
  if #list > POLICIES_MAX then
    error(("%s: it returned %d policies, and a file may have %d"):format(path,
      #list, POLICIES_MAX), 0)
  end
  local names, returned = {}, {}
  for _, made in ipairs(list) do
    returned[made] = true
    if names[made.name] then
      error(("%stwo policies have the name '%s': give each its own"):format(
        made.place, made.name), 0)
    end
    names[made.name] = true
  end
  for _, made in ipairs(order) do
    if not returned[made] then
      error(("%spolicy '%s' was declared but not returned: write return "
        .. "fal.policy { ... }"):format(made.place, made.name), 0)
    end
  end
end

--- The declarations among what a file returned, in order; nil for a script
--- that declared none. Raises for what is neither.
function policy.returned(value, path)
  local tokens, list = tokens_of(value, path), {}
  for i, token in ipairs(tokens or {}) do
    list[i] = declared[token]
  end
  check_returned(list, path)
  return list[1] and list or nil
end

--- Forgets what an earlier file of this process declared.
function policy.reset()
  declared, order, selected = {}, {}, {}
end

return policy
