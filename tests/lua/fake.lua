--- A `core` and a `host` that are played. See support.lua.
local fake = {}

local null = setmetatable({}, { __name = "null" })
local array = {}

-- ---- text --------------------------------------------------------------

local encode

local function encode_table(value)
  local parts = {}
  if getmetatable(value) == array or #value > 0 then
    for i, item in ipairs(value) do
      parts[i] = encode(item)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do
    parts[i] = ("%q:%s"):format(tostring(key), encode(value[key]))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value)
  if value == null then
    return "null"
  elseif type(value) == "table" then
    return encode_table(value)
  elseif type(value) == "string" then
    return '"' .. value:gsub('["\\]', "\\%0"):gsub("\n", "\\n") .. '"'
  end
  return tostring(value)
end
fake.encode = encode

local UNITS <const> = { ms = 1, s = 1000, m = 60000, h = 3600000,
                        d = 86400000, w = 604800000 }

local function parse_duration(text)
  local sum, at = 0, 1
  while at <= #text do
    local n, unit, next_at = text:match("^(%d+)(%a+)()", at)
    if not n or not UNITS[unit] then
      return nil
    end
    sum, at = sum + math.tointeger(n) * UNITS[unit], next_at
  end
  return #text > 0 and sum or nil
end

local function days(y, m, d)
  y = m <= 2 and y - 1 or y
  local era = y // 400
  local doy = (153 * (m + (m > 2 and -3 or 9)) + 2) // 5 + d - 1
  local yoe = y - era * 400
  return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468
end

local function parse_time(text)
  local y, mo, d, rest = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
  if not y then
    return nil
  end
  local ms = days(tonumber(y), tonumber(mo), tonumber(d)) * 86400000
  if rest == "" then
    return ms
  end
  local h, mi, s, fraction, zone = rest:match(
    "^T(%d%d):(%d%d):(%d%d)(%.?%d*)(.+)$")
  if not h or not (zone == "Z" or zone:find("^[%+%-]%d%d:%d%d$")) then
    return nil
  end
  ms = ms + ((tonumber(h) * 60 + tonumber(mi)) * 60 + tonumber(s)) * 1000
  ms = ms + math.floor((tonumber("0" .. fraction) or 0) * 1000)
  if zone ~= "Z" then
    local sign, zh, zm = zone:match("^(.)(%d%d):(%d%d)$")
    ms = ms - (sign == "-" and -1 or 1) * (tonumber(zh) * 60
      + tonumber(zm)) * 60000
  end
  return math.tointeger(ms)
end

function fake.format_time(ms)
  local text = os.date("!%Y-%m-%dT%H:%M:%S", ms // 1000)
  local rest = ms % 1000
  return text .. (rest > 0 and (".%03d"):format(rest) or "") .. "Z"
end

--- Fixed offsets; tests play the zones that have names.
local function zone_offset(zone)
  if zone == "UTC" or zone == "Z" then
    return 0
  end
  local sign, h, m = zone:match("^([+-])(%d%d):(%d%d)$")
  local seconds = h and (tonumber(h) * 60 + tonumber(m)) * 60
  return seconds and math.tointeger(sign == "-" and -seconds or seconds)
end

local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local left_above = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local cost = a:sub(i, i) == b:sub(j, j) and 0 or 1
      row[j] = math.min(left_above + cost, above + 1, row[j - 1] + 1)
      left_above = above
    end
  end
  return row[#b]
end

local function nearest(word, words)
  local best, found = math.max(#word // 3, 1) + 1, nil
  for _, other in ipairs(words) do
    local edits = distance(word, other)
    if edits < best and edits < #other then
      best, found = edits, other
    end
  end
  return found
end

-- ---- errors ------------------------------------------------------------

local error_meta = { __tostring = function(err) return err.message end }

function fake.error(code, message, fields)
  local err = { code = code, kind = code, message = message,
                retryable = false }
  for name, value in pairs(fields or {}) do
    err[name] = value
  end
  return setmetatable(err, error_meta)
end

-- ---- tasks -------------------------------------------------------------

local function add_tasks(world)
  local core, tasks = world.core, {}
  local current
  local methods = {}

  local function suspend()
    local task = current
    if not task.cancelled then
      task.waiting = true
      coroutine.yield()
      task.waiting = false
    end
    if task.cancelled then
      task.cancelled = false
      error(fake.error("cancelled", "the task was cancelled"), 0)
    end
  end

  function methods:wait()
    while not self.over do
      self.waiters[#self.waiters + 1] = current
      suspend()
    end
    self.claimed = true
    return not self.failed, table.unpack(self.results, 1, self.results.n)
  end
  function methods:cancel()
    if not self.over then
      self.cancelled, self.asked, self.ready = true, true, true
    end
  end
  function methods:status()
    return self.over and (self.failed and "failed" or "done")
      or self.waiting and "waiting" or "running"
  end

  local function finish(task, ok, ...)
    task.over, task.failed = true, not ok
    task.results = table.pack(...)
    for _, waiter in ipairs(task.waiters) do
      waiter.ready = true
    end
  end

  local function resume(task)
    current, task.ready = task, false
    local arguments = task.arguments or { n = 0 }
    task.arguments = nil
    local values = table.pack(coroutine.resume(task.co,
      table.unpack(arguments, 1, arguments.n)))
    if coroutine.status(task.co) == "dead" then
      finish(task, table.unpack(values, 2, values.n))
    end
  end

  function core.spawn(f, ...)
    local task = setmetatable({ ready = true, waiters = {},
      arguments = table.pack(...) }, { __index = methods })
    local function note(err)
      task.traceback = debug.traceback(tostring(err), 2)
      return err
    end
    -- Under a protected call, as in falrun: <close> variables are closed.
    task.co = coroutine.create(function(...)
      return xpcall(f, note, ...)
    end)
    tasks[#tasks + 1] = task
    return task
  end
  function core.sleep(ms)
    current.due = world.now + ms
    suspend()
    current.due = nil
    return true
  end
  world.pause = function() core.sleep(0) end

  local function run_ready()
    local ran = false
    for _, task in ipairs(table.move(tasks, 1, #tasks, 1, {})) do
      if task.ready and not task.over then
        resume(task)
        ran = true
      end
    end
    return ran
  end

  local function wake_next()
    local soonest
    for _, task in ipairs(tasks) do
      if not task.over and task.due and
        (not soonest or task.due < soonest.due) then
        soonest = task
      end
    end
    if soonest then
      world.now = math.max(world.now, soonest.due)
      soonest.due, soonest.ready = nil, true
    end
    return soonest ~= nil
  end

  local function drop_over()
    for i = #tasks, 1, -1 do
      if tasks[i].over then
        table.remove(tasks, i)
      end
    end
  end

  --- Runs until the first task is over and nothing else moves.
  function world.turns()
    local main = tasks[1]
    while run_ready() or (not main.over and wake_next()) do
      drop_over()
    end
    if not main.over then
      error("the test waits for ever")
    end
    while run_ready() do
      drop_over()
    end
  end
  function world.alive()
    drop_over()
    return #tasks
  end
end

-- ---- core --------------------------------------------------------------

local function bad_argument(_, func, argument, why)
  error(("policy.lua:1: bad argument '%s' to '%s' (%s)"):format(argument,
    func, why), 0)
end

local function add_text(world)
  local core = world.core
  core.json = { null = null, encode = encode,
    array = function(list) return setmetatable(list or {}, array) end }
  core.log = {}
  for _, level in ipairs { "error", "warn", "info", "debug" } do
    core.log[level] = function(text, fields)
      world.log[#world.log + 1] = { level = level, text = tostring(text),
                                    fields = fields or {} }
    end
  end
  core.parse_time, core.format_time = parse_time, fake.format_time
  core.parse_duration, core.nearest = parse_duration, nearest
  core.error, core.bad_argument = fake.error, bad_argument
  core.where = function() return "policy.lua:1: " end
  local form = ("x"):rep(8) .. "-" .. ("xxxx-"):rep(3) .. ("x"):rep(12)
  form = "^" .. form:gsub("-", "%%-"):gsub("x", "[0-9a-f]") .. "$"
  core.parse_id = function(text)
    return type(text) == "string" and #text == 36 and text:find(form)
      and text or nil
  end
  core.id_set = function()
    local seen = {}
    local function add(_, id)
      local new = core.parse_id(id) and not seen[id]
      seen[id or 0] = true
      return new
    end
    return { add = add, move = function(set, from, to, most)
      local moved = 0
      while moved < most and #from > 0 do
        local id = from:take()
        moved = moved + (add(set, id) and to:add(id) and 1 or 0)
      end
      return moved
    end }
  end
  core.id_list = function()
    local ids, taken = {}, 0
    return setmetatable({
      add = function(_, id)
        local text = core.parse_id(id)
        ids[#ids + 1] = text
        return text ~= nil
      end,
      take = function()
        taken = math.min(taken + 1, #ids + 1)
        return ids[taken]
      end,
      at = function(_, n) return ids[taken + n] end,
    }, { __len = function() return math.max(#ids - taken, 0) end })
  end
  core.zone_offset = function(zone, at_ms)
    return world.zone_offset(zone, at_ms)
  end
  core.loaded = function(name) return package.loaded[name] ~= nil end
  core.now = function() return world.now end
  core.phase = function() end
  core.at = function() return world.at + world.now end
end

--- core.flight over core.delete_payloads: a task for each id.
local Flight = {}
Flight.__index = Flight
Flight.__close = function() end

function Flight:room()
  return (self.limit > 0 and self.limit or 32) - self.count
end

function Flight:add(id, reason)
  local options = {}
  for name, value in pairs(self.options) do
    options[name] = value
  end
  options.reason = reason or options.reason
  self.count = self.count + 1
  self.core.spawn(function()
    local result, err = self.core.delete_payloads(id, options)
    self.ended[#self.ended + 1] = { result or err, err, id }
    if self.latch then
      self.latch:cancel()
    end
  end)
  return not self.world.stopped and self:room() or nil
end

function Flight:add_all(list)
  while not self.world.stopped and self:room() > 0 and #list > 0 do
    self:add(list:take())
  end
  return not self.world.stopped and self:room() or nil
end

function Flight:take(most)
  while self.count > 0 and not self.ended[1] do
    self.latch = self.core.spawn(self.core.sleep, 1000000)
    self.latch:wait()
    self.latch = nil
  end
  if self.count == 0 then
    return nil
  end
  local counts, errors, lines = {}, {}, ""
  for _, one in ipairs(self.ended) do
    local status = one[1].status or "failed"
    counts[status] = (counts[status] or 0) + 1
    errors[#errors + 1] = #errors < most and one[2] or nil
    lines = lines .. one[3] .. "\t" .. status .. "\n"
  end
  self.count = self.count - #self.ended
  self.ended = {}
  return counts, errors, lines
end

local function add_api(world)
  local core = world.core
  core.read = function(call)
    local query, list = {}, {}
    for _, pair in ipairs(call.query) do
      query[pair[1]] = pair[2]
      list[#list + 1] = pair[1] == "endpoint_id" and pair[2] or nil
    end
    local seen = { path = call.path, key = call.key, query = query,
                   endpoints = list, method = call.method, body = call.body,
                   pairs = call.query, accept = call.accept }
    world.calls[#world.calls + 1] = seen
    world.pause()
    local value, more = world.answer(seen)
    if call.accept == "both" and value ~= nil then
      return value, encode(value)
    end
    return value, more
  end
  core.change = function(call)
    world.changes[#world.changes + 1] = call
    world.pause()
    return world.change(call)
  end
  core.sha256 = function(text) return #text .. ":" .. text end
  core.flight = function(options, limit)
    return setmetatable({ world = world, core = core, options = options,
                          limit = limit or 0, count = 0, ended = {} }, Flight)
  end
  core.preview = function(id) return world.preview(id) end
  core.look_ahead = function(from, to, most)
    local planned = 0
    while planned < most and #from > 0 do
      local id = from:take()
      local fate = core.preview(id)
      if fate == "refused" or fate == "already_deleted" then
        return planned, fate, id
      end
      to:add(id)
      planned = planned + (fate == "planned" and 1 or 0)
    end
    return planned
  end
  core.room = function() return world.room end
  core.stop = function(sentence)
    world.stopped = world.stopped or sentence
  end
  core.tighten = function(limits) world.tightened = limits end
  core.declare = function(whole)
    world.declared = whole
    return world.stopped == nil or nil
  end
  core.hold_id = function(id, reason)
    world.held[id] = reason
    return true
  end
  core.hold_file = function(path)
    world.hold_files[#world.hold_files + 1] = path
    if world.hold_error then
      core.stop(world.hold_error)
      return nil, fake.error("held", world.hold_error)
    end
    return 1
  end
  core.looked_list = function()
    local list = { taken = {} }
    function list:take(_, from, to)
      table.insert(self.taken, { from, to })
    end
    function list.pieces()
      return world.pieces
    end
    return list
  end
  core.looked = function(endpoint)
    local rows = {}
    for _, row in ipairs(world.looked) do
      rows[#rows + 1] = row.endpoint == endpoint and row or nil
    end
    return rows
  end
  core.grace_words = function(since, until_ms)
    return ("in quarantine since %s, to be erased from %s on; falrun release "
      .. "lifts it"):format(fake.format_time(since), fake.format_time(until_ms))
  end
  core.quarantined = function(id)
    local rows = {}
    for _, row in ipairs(world.quarantined) do
      rows[#rows + 1] = (not id or row.request_id == id) and row or nil
    end
    return rows
  end
  core.record = function(kind, id, fields)
    fields.kind, fields.id = kind, id
    world.records[#world.records + 1] = fields
    return "recorded"
  end
  core.read_ids = function() return world.input end
  core.delete_payloads = function(id, options)
    world.deletions[#world.deletions + 1] = { id = id, options = options }
    world.in_flight = world.in_flight + 1
    world.most_in_flight = math.max(world.most_in_flight, world.in_flight)
    world.pause()
    world.in_flight = world.in_flight - 1
    local result, err
    if world.held[id] then
      err = fake.error("held", id .. " was not deleted: a hold covers it ("
        .. world.held[id] .. ")", { status = "held" })
    else
      result, err = world.outcome(id)
    end
    if world.observer then
      if err or not world.brief then
        world.observer(id, result, err)
      end
    end
    return result, err
  end
end

-- ---- host --------------------------------------------------------------

local function add_host(world)
  local host = { args = {}, options = {}, columns = 0, color = false,
                 version = "0", command = "test", stdin_tty = false,
                 ledger = { path = "/tmp/ledger.db" }, origin = "sandbox",
                 policy = { path = "policy.lua", sha256 = "00" } }
  world.host, world.out, world.said = host, {}, {}
  world.notes = {}
  function host.usage(sentence)
    error(fake.error("config", sentence), 0)
  end
  function host.write(text) world.out[#world.out + 1] = text end
  function host.say(text) world.said[#world.said + 1] = text end
  function host.lines()
    local at = 0
    return function(list)
      repeat
        at = at + 1
      until not list or not list:add(world.input[at])
      return world.input[at], at
    end
  end
  function host.observe(f, brief)
    world.observer, world.brief = f, brief
  end
  function host.settle() world.settled = #world.deletions return true end
  function host.counts()
    return setmetatable({}, { __index = function(_, name)
      return world.counts[name] or 0
    end })
  end
  function host.stopped() return world.stopped ~= nil, world.stopped end
  function host.guard(f, ...) return pcall(f, ...) end
  function host.note(name, value) world.notes[name] = value end
  function host.modules() return {} end
  function host.ask(question)
    world.asked = question
    return world.reply
  end
  function host.load_policy() return world.policy end
  function host.ledger.runs() return { { run = 7 } } end
  function host.ledger.holds() return world.holds end
  function host.ledger.open() return {} end
end

--- A fresh world: 2026-03-01, an empty API, a gate that deletes.
function fake.world()
  local world = {
    core = { mode = "run" }, now = 0, at = 1772323200000, room = 10000,
    calls = {}, deletions = {}, log = {}, input = {}, holds = {},
    held = {}, hold_files = {}, changes = {},
    quarantined = {}, records = {}, looked = {}, pieces = {},
    in_flight = 0, most_in_flight = 0,
    counts = { deleted = 0, settled = 0 },
  }
  function world.answer()
    return { items = {}, has_more = false, next_cursor = null }
  end
  function world.change()
    return { status = "done", attempts = 1 }
  end
  function world.preview() return "planned" end
  world.zone_offset = zone_offset
  function world.outcome(id)
    return { status = "deleted", request_id = id, attempts = 1 }
  end
  add_tasks(world)
  add_text(world)
  add_api(world)
  add_host(world)
  world.null = null
  return world
end

return fake
