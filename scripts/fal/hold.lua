--- fal.hold: what must not be deleted, whatever else selects it.
---
---   fal.hold.file "holds.csv"      ids in a file: the gate itself reads it,
---                                  and reads it again when it has changed
---   fal.hold.from(f)               f is asked about each request, when it is
---                                  planned and again just before it is sent
---   fal.hold.collection "legal"    what people have marked in fal's
---   fal.hold.tag "keep"            dashboard: read whole, and again and again
---   fal.hold.favourites()          while the run deletes (fal/marks.lua)
---
--- A source that cannot be read or that raises is a safety stop: nothing is
--- deleted without an answer.
local core = require "core"
local check = require "fal.check"
local marks = require "fal.marks"

local hold = {}

local known = setmetatable({}, { __mode = "k" })    -- source -> what it is
local sets = setmetatable({}, { __mode = "k" })     -- list -> its ids, for
local FRESH <const> = 1000                          -- so many ms
local enforced = {}

local meta = { __name = "hold source", __metatable = false }

function meta.__tostring(source)
  return known[source].title
end

local function new(fields)
  local source = setmetatable({}, meta)
  known[source] = fields
  return source
end

--- The ids of a file are held: CSV with a column request_id (and perhaps
--- reason), or an id a line. A relative path is beside the policy.
---@param path string
---@return fal.HoldSource
function hold.file(path)
  if type(path) ~= "string" or path == "" then
    check.fail("hold.file", "path", "the path of a file is needed, got %s",
               check.show(path))
  end
  return new { kind = "file", path = path, title = path }
end

--- f(request, now) says whether a request is held: true or a reason; nil or
--- false; or a list of ids, or a table from id to reason.
---@param f fun(request: fal.Request, now: fal.Time): any
---@param title string?   what messages call it
---@return fal.HoldSource
function hold.from(f, title)
  check.callable("hold.from", "f", f)
  if title ~= nil and type(title) ~= "string" then
    check.fail("hold.from", "title", "text is needed, got %s", type(title))
  end
  return new { kind = "from", f = f, title = title or "a hold of the policy" }
end

local function new_mark(mark, name)
  return new { kind = "mark", mark = mark, name = name,
               title = name and ("the %s %s of fal's dashboard"):format(mark,
                 check.show(name)) or "the favourites of fal's dashboard" }
end

local function check_mark(func, name)
  if type(name) ~= "string" or name == "" or #name > 200 then
    check.fail(func, "name", "the name or the id of a %s is needed, got %s",
               func:match "%a+$", check.show(name))
  end
end

--- What is in a collection of fal's dashboard, and in the collections in it.
---@param name string   or its id; of two with one name, both
---@return fal.HoldSource
function hold.collection(name)
  check_mark("hold.collection", name)
  return new_mark("collection", name)
end

--- What has a tag in fal's dashboard.
---@param name string   or its id
---@return fal.HoldSource
function hold.tag(name)
  check_mark("hold.tag", name)
  return new_mark("tag", name)
end

--- The favourite assets of fal's dashboard.
---@return fal.HoldSource
function hold.favourites(...)
  if select("#", ...) > 0 then
    check.fail("hold.favourites", "name", "it takes none: there is one list "
               .. "of favourites")
  end
  return new_mark("favourites")
end

--- One source or a list of them, as a list; raises for anything else.
function hold.sources(func, value)
  if value == nil then
    return {}
  elseif known[value] then
    return { value }
  elseif type(value) ~= "table" then
    check.fail(func, "hold", "a source like fal.hold.file \"FILE\", or a list "
               .. "of those, is needed, got %s", check.show(value))
  end
  local list = {}
  for key, source in pairs(value) do
    if math.type(key) ~= "integer" or not known[source] then
      check.fail(func, "hold", "entry %s is no source of holds: write "
                 .. "fal.hold.file \"FILE\", for example", check.show(key))
    end
    list[key] = source
  end
  if #list == 0 then
    check.fail(func, "hold", "the list is empty: leave it out, or name a "
               .. "source")
  end
  return list
end

--- The marks among the sources, for fal/marks.lua.
function hold.marks(sources)
  local list = {}
  for _, source in ipairs(sources) do
    local what = known[source]
    list[#list + 1] = what.kind == "mark" and what or nil
  end
  return list
end

--- Gives files and marks among the sources to the gate. An error is the stop.
--- Waits.
---@return boolean?, fal.Error?
function hold.open(sources)
  for _, source in ipairs(sources) do
    local what = known[source]
    if what.kind == "file" then
      local count, err = core.hold_file(what.path)
      if not count then
        return nil, err
      end
    end
  end
  return marks.renew(hold.marks(sources))
end

local function read_list(list)
  local ids = {}
  for key, value in pairs(list) do
    local id = math.type(key) == "integer" and value or key
    if not core.parse_id(id) then
      error(("it named %s, which is no request id"):format(check.show(id)), 0)
    end
    ids[id] = id ~= value and type(value) == "string" and value or true
  end
  return ids
end

--- What a list says of an id. A function may give the same table each time
--- and change it in between: what it grew by counts at once, whatever else
--- changed within a second.
local function look_up(list, id)
  local set, now = sets[list], core.now()
  if not set or set.length ~= #list or now - set.at >= FRESH then
    set = { ids = read_list(list), length = #list, at = now }
    sets[list] = set
  end
  return set.ids[id] or list[id]
end

--- What f said, as a reason or nil.
local function reason_of(what, answer, id)
  if type(answer) == "table" then
    answer = look_up(answer, id)
  end
  if not answer then
    return nil
  elseif answer == true then
    return what.title
  elseif type(answer) ~= "string" then
    error(("it returned a %s: true, a reason or nil is needed"):format(
      type(answer)), 0)
  end
  return answer:sub(1, 400)
end

local function stop(what, err)
  local sentence = ("%s cannot be asked: %s; nothing is deleted without its "
    .. "answer"):format(what.title, tostring(err))
  core.stop(sentence)
  error(core.error("stopped", sentence), 0)
end

--- Why the functions among the sources hold this request, or nil. A function
--- that raises is a safety stop, and raises.
---@param now string   the run's time
---@param id string    as it was listed: a rule may have changed the request
function hold.ask(sources, request, now, id)
  for _, source in ipairs(sources) do
    local what = known[source]
    if what.kind == "from" then
      local ok, reason = pcall(function()
        return reason_of(what, what.f(request, now), id)
      end)
      if not ok then
        stop(what, reason)
      elseif reason then
        return reason
      end
    end
  end
end

--- Whether some source is a function, which wants whole requests.
function hold.asks(sources)
  for _, source in ipairs(sources) do
    if known[source].kind == "from" then
      return true
    end
  end
  return false
end

--- The sources of all policies of a run and those that its file enforces: a
--- hold covers a request whichever policy selects it.
---@param list {hold:fal.HoldSource[]}[]
function hold.of_run(list)
  local all, seen = {}, {}
  local function add(sources)
    for _, source in ipairs(sources) do
      if not seen[source] then
        seen[source], all[#all + 1] = true, source
      end
    end
  end
  for _, made in ipairs(list) do
    add(made.hold)
  end
  add(enforced)
  return all
end

--- What a plan writes down of the sources.
function hold.describe(sources)
  local list = {}
  for i, source in ipairs(sources) do
    local what = known[source]
    list[i] = { kind = what.kind, title = what.title, mark = what.mark,
                name = what.name }
  end
  return list
end

--- Sources as a plan wrote them down; its functions only the policy can ask.
function hold.of_plan(list)
  local sources = {}
  for _, what in ipairs(list) do
    if what.kind == "file" then
      sources[#sources + 1] = hold.file(what.title)
    elseif what.kind == "mark" then
      sources[#sources + 1] = new_mark(what.mark, what.name)
    end
  end
  return sources
end

--- For scripts that delete by themselves: from now on the sources hold.
---@param sources fal.HoldSource|fal.HoldSource[]
function hold.enforce(sources)
  local list = hold.sources("hold.enforce", sources)
  local ok, err = hold.open(list)
  if not ok then
    error(err, 0)
  end
  table.move(list, 1, #list, #enforced + 1, enforced)
end

--- The sources that hold whatever is deleted.
function hold.enforced()
  return enforced
end

--- Forgets what an earlier script of this process enforced.
function hold.reset()
  enforced = {}
  marks.reset()
end

return hold
