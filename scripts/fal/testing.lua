--- What a policy test works with: `t`. docs/testing.md tells it to authors,
--- scripts/types/testing.lua to editors.
---
---   t.clock, t.requests, t.hold, t.faults   set the stage
---   t.run, t.plan, t.advance                act
---   t.deleted, t.kept, t.exit, ...          assert; the first that fails
---                                           ends the test
local core = require "core"
local check = require "fal.testing_check"
local rows = require "fal.testing_rows"
local run = require "fal.staged"

local testing = {}

local CLOCK <const> = "2026-01-01T00:00:00Z"
local REQUESTS_MOST <const> = 100000
local POLICY_MOST <const> = 4 << 20
local OPTIONS <const> = { "args", "max_deletes", "max_percent", "min_age" }
local KNOWN <const> = { args = true, max_deletes = true, max_percent = true,
                        min_age = true }

--- Raises at the test's own line: a call that no test should make.
local function bad(func, argument, format, ...)
  core.bad_argument(2, "t." .. func, argument, format:format(...))
end

--- ---- setting the stage -----------------------------------------------------

--- The stage, opened by the first call that needs it.
local function stage_of(case)
  if not case.stage then
    local stage, state = case.kit.open(case.at or core.parse_time(CLOCK))
    if not stage then
      error(state, 0)
    end
    case.stage, case.state = stage, state
  end
  return case.stage
end

local function clock(case, text)
  local at = type(text) == "string" and core.parse_time(text)
  if not at then
    bad("clock", "time", "a time is needed, like \"%s\"", CLOCK)
  elseif case.stage then
    bad("clock", "time", "the clock runs already: set it before t.requests "
        .. "and t.run, and move it with t.advance")
  end
  case.at = at
end

local function list_of(list, make)
  if math.type(list) ~= "integer" then
    return type(list) == "table" and list or
      bad("requests", "requests", "a list of requests is needed, got %s",
          type(list))
  elseif list < 1 or list > REQUESTS_MOST or type(make) ~= "function" then
    bad("requests", "requests", "a number of requests comes with a function "
        .. "that makes them: t.requests(100, function(i) return {...} end)")
  end
  local made = {}
  for i = 1, list do
    made[i] = make(i) or {}
  end
  return made
end

local function remember(case, id, label)
  if case.ids[label] then
    bad("requests", "requests", "there is a request \"%s\" already", label)
  end
  case.ids[label], case.labels[id] = id, label
end

local function requests(case, list, make)
  local now, made = stage_of(case):at(), {}
  for i, spec in ipairs(list_of(list, make)) do
    local row, label = rows.row(case.kit, spec, case.count, now)
    case.count = case.count + 1
    remember(case, row.id, label)
    made[i] = row
  end
  local ok, double = case.state.world:add(made)
  if not ok then
    bad("requests", "requests", "there is a request %s already", double)
  end
  for i, row in ipairs(made) do
    if row.marks then
      case.kit.mark(case.state, row.id, row.marks)
    end
    made[i] = row.id
  end
  return made
end

--- The id of a label or an id; raises for what is neither.
local function id_of(case, func, label)
  local id = type(label) == "string" and
    (case.ids[label] or core.parse_id(label:lower()))
  if id then
    return id
  end
  local known = {}
  for name in pairs(case.ids) do
    known[#known + 1] = name
  end
  local near = type(label) == "string" and core.nearest(label, known)
  bad(func, "id", "there is no request %s%s", type(label) == "string" and
      '"' .. label .. '"' or "of type " .. type(label),
      near and (" (did you mean \"%s\"?)"):format(near) or "")
end

local function hold(case, label, reason)
  local id = id_of(case, "hold", label)
  if type(reason) ~= "string" or reason == "" then
    bad("hold", "reason", "text is needed")
  end
  stage_of(case)
  assert(case.kit.host.ledger.hold_add({ id }, reason))
end

local function faults(case, text)
  if type(text) ~= "string" then
    bad("faults", "faults", "text is needed, like \"cdn-exception=1\"")
  end
  stage_of(case)
  local why = case.kit.set_faults(case.state, text)
  if why then
    bad("faults", "faults", "%s", why)
  end
end

--- ---- acting ----------------------------------------------------------------

local function duration(func, argument, text)
  local ms = type(text) == "string" and core.parse_duration(text)
  if not ms then
    bad(func, argument, "a duration is needed, like \"30d\"")
  end
  return ms
end

local function advance(case, text)
  local ms = duration("advance", "duration", text)
  stage_of(case):advance(ms)
end

local function check_options(func, options)
  if options ~= nil and type(options) ~= "table" then
    bad(func, "options", "a table is needed, got %s", type(options))
  end
  for name in pairs(options or {}) do
    if math.type(name) == nil and not KNOWN[name] then
      local near = core.nearest(tostring(name), OPTIONS)
      bad(func, "options", "there is no option %s%s", tostring(name), near
          and (" (did you mean '%s'?)"):format(near) or "")
    end
  end
  return options or {}
end

--- The policy's words: options.args, or what stands in the list itself.
local function words_of(func, options)
  local words = {}
  for i, word in ipairs(options.args or options) do
    if type(word) ~= "string" and math.type(word) == nil then
      bad(func, "args", "word %d is no text", i)
    end
    words[i] = tostring(word)
  end
  return words
end

local function whole(func, options, name)
  local value = options[name]
  if value ~= nil and (math.type(value) ~= "integer" or value < 0) then
    bad(func, name, "a whole number is needed")
  end
  return value
end

local function read_policy(case, func, path)
  if type(path) ~= "string" or path == "" then
    bad(func, "policy", "the path of a policy is needed, beside the test")
  end
  local full = path:sub(1, 1) == "/" and path or case.folder .. path
  local text = case.kit.policies[full]
  if not text then
    local err
    text, err = case.kit.host.read_file(full, POLICY_MOST)
    if not text then
      bad(func, "policy", "%s", err.message)
    end
    case.kit.policies[full] = text
  end
  return { path = full, text = text }
end

--- What t.run gives back. Who reads exit_code has looked at it.
local function result_of(record)
  return setmetatable({ counts = record.counts, stopped = record.stopped,
                        message = record.message, sent = record.sent }, {
    __index = function(_, name)
      if name == "exit_code" then
        record.looked_at = true
        return record.exit_code
      end
    end,
  })
end

local function start(case, mode, path, options)
  check.settled(case)
  options = check_options(mode, options)
  local spec = { mode = mode, policy = read_policy(case, mode, path),
    args = words_of(mode, options),
    max_deletes = whole(mode, options, "max_deletes"),
    max_percent = whole(mode, options, "max_percent"),
    min_age = options.min_age ~= nil and
      duration(mode, "min_age", options.min_age) or nil }
  local where = core.where()
  spec.notes = true
  case.last = run.policy(case.kit.host, stage_of(case), spec)
  case.last.where = where
  return result_of(case.last)
end

--- ---- t ---------------------------------------------------------------------

local function no_such(t, name)
  local names = {}
  for known in pairs(t) do
    names[#names + 1] = known
  end
  table.sort(names)
  local near = core.nearest(tostring(name), names)
  error(("a test has no t.%s%s; it has t.%s"):format(tostring(name), near and
    (" (did you mean 't.%s'?)"):format(near) or "",
    table.concat(names, ", t.")), 2)
end

--- The table `t` of a test, and what belongs behind it.
---@param kit {host:table, open:function, set_faults:function, mark:function,
---  sha256:function, policies:table<string, string>}
---@param folder string   of the test file, with its slash, or ""
function testing.case(kit, folder)
  local case = { kit = kit, folder = folder, ids = {}, labels = {},
                 count = 0, asserted = 0 }
  local t = {}
  function t.clock(text) clock(case, text) end
  function t.requests(list, make) return requests(case, list, make) end
  function t.hold(label, reason) hold(case, label, reason) end
  function t.faults(text) faults(case, text) end
  function t.advance(text) advance(case, text) end
  function t.run(path, options) return start(case, "run", path, options) end
  function t.plan(path, options) return start(case, "plan", path, options) end
  check.add(t, case, function(func, label) return id_of(case, func, label) end)
  return case, setmetatable(t, { __index = no_such })
end

return testing
