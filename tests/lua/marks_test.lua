--- Holds that are marks in fal's dashboard: read whole, again and again, and
--- never an empty list for one that could not be read.
local t = require "support"
local test, equal, id = t.test, t.equal, t.id

--- A dashboard: collections {id, name, parent}, tags {id, name}, and assets
--- {request, collections = {}, tags = {}, favourite}.
local function dashboard(world, it)
  it.page, it.reads = it.page or 2, 0
  local function slice(list, query, name)
    local at = math.tointeger(query.cursor or query.offset or 0)
    local page = table.move(list, at + 1, math.min(at + it.page, #list), 1, {})
    local more = at + it.page < #list
    world.core.json.array(page)
    return { [name] = page, has_more = more, total_count = #list,
             scope_truncated = false,
             next_cursor = more and tostring(at + it.page) or world.null }
  end
  local function assets(query, want)
    local list = {}
    for _, asset in ipairs(it.assets) do
      if want(asset) then
        list[#list + 1] = { request_id = asset.request or world.null }
      end
    end
    it.reads = it.reads + 1
    return slice(list, query, "assets")
  end
  local function has(list, wanted)
    for _, one in ipairs(list or {}) do
      if one == wanted then
        return true
      end
    end
  end
  local function tree(node)
    local children = world.core.json.array {}
    for _, one in ipairs(it.collections) do
      if one.parent == node.id and not one.hidden then
        children[#children + 1] = tree(one)
      end
    end
    return { id = node.id, name = node.name, children = children }
  end
  function world.answer(call)
    local special = it.answer and it.answer(call)
    if special then
      return special
    end
    local collection, rest = call.path:match "^/assets/collections/([^/]+)(.*)"
    if call.path == "/assets/collections" then
      local rows = {}
      for i, one in ipairs(it.collections) do
        rows[i] = { id = one.id, name = one.name,
                    parent_collection_id = not one.unlisted and
                      one.parent or world.null }
      end
      return slice(rows, call.query, "collections")
    elseif rest == "/hierarchy" then
      for _, one in ipairs(it.collections) do
        if one.id == collection then
          return { hierarchy = tree(one), ancestors = {} }
        end
      end
    elseif rest == "/assets" then
      return assets(call.query, function(asset)
        return has(asset.collections, collection)
      end)
    elseif call.path == "/assets/tags" then
      return { tags = it.tags }
    elseif call.path == "/assets" and call.query.section == "favorites" then
      return assets(call.query, function(asset) return asset.favourite end)
    elseif call.path == "/assets" then
      return assets(call.query, function(asset)
        return has(asset.tags, call.query.tag_id)
      end)
    elseif call.path:find "by%-endpoint" then
      return { items = it.items or {}, has_more = false,
               next_cursor = world.null }
    end
    return nil, world.core.error("not_found", "404 for " .. call.path)
  end
  return it
end

local function some(world)
  return dashboard(world, {
    collections = {
      { id = "c1", name = "legal-hold" },
      { id = "c2", name = "case 7", parent = "c1" },
      { id = "c3", name = "deep", parent = "c2" },
      { id = "c4", name = "other" },
    },
    tags = { { id = "t1", name = "keep" }, { id = "t2", name = "x" } },
    assets = {
      { request = id(1), collections = { "c1" } },
      { request = id(2), collections = { "c2" } },
      { request = id(3), collections = { "c3" }, favourite = true },
      { request = id(4), collections = { "c4" }, tags = { "t1", "t2" } },
      { collections = { "c1" } },
      { request = id(5):upper(), collections = { "c1" }, favourite = true },
      { request = id(6), tags = { "t2" } },
    },
  })
end

local function open(source)
  local hold = require "fal.hold"
  return hold.open(hold.sources("policy", source))
end

local function held(world)
  local ids = {}
  for one in pairs(world.held) do
    ids[#ids + 1] = one
  end
  table.sort(ids)
  return ids
end

test("a collection holds what lies in it, however deep", function(world)
  some(world)
  equal(open(require("fal.hold").collection "legal-hold"), true)
  equal(held(world), { id(1), id(2), id(3), id(5) })
  t.has(world.held[id(3)], 'the collection "legal-hold"')
  t.has(world.log[1].text, "5 assets, 4 requests held, 1 asset without a "
        .. "request id, which holds nothing")
end)

test("by its id too, and what only the list knows to be in it",
     function(world)
  some(world).collections[3].hidden = true
  open(require("fal.hold").collection "c2")
  equal(held(world), { id(2), id(3) })
end)

test("what only the hierarchy knows to be in it", function(world)
  some(world).collections[3].unlisted = true
  open(require("fal.hold").collection "c2")
  equal(held(world), { id(2), id(3) })
end)

test("two collections of one name hold both", function(world)
  some(world).collections[4].name = "legal-hold"
  open(require("fal.hold").collection "legal-hold")
  equal(held(world), { id(1), id(2), id(3), id(4), id(5) })
end)

test("a tag and the favourites hold", function(world)
  some(world)
  local hold = require "fal.hold"
  open { hold.tag "x", hold.favourites() }
  equal(held(world), { id(3), id(4), id(5), id(6) })
end)

test("one that is not there is a stop, with the nearest name",
     function(world)
  some(world)
  local ok, err = open(require("fal.hold").collection "legal-hodl")
  equal(ok, nil)
  t.has(err.message, "did you mean 'legal-hold'")
  t.has(world.stopped, "nothing is deleted without it")
  some(world)
  equal(open(require("fal.hold").tag "kep"), nil)
  t.has(world.stopped, "there is no")
end)

test("an empty one is fine, and said", function(world)
  some(world).assets = {}
  equal(open(require("fal.hold").collection "legal-hold"), true)
  equal(world.log[1].level, "warn")
  t.has(world.log[1].text, "0 requests held")
end)

--- Whatever is wrong with an answer: nothing is held, and the run is stopped.
local function stops(name, piece, answer)
  test("a stop: " .. name, function(world)
    some(world).answer = function(call)
      return answer(call, world)
    end
    equal(open(require("fal.hold").collection "legal-hold"), nil)
    t.has(world.stopped, piece)
  end)
end

local function page(world, fields)
  local made = { assets = { { request_id = id(1) } }, has_more = false,
                 next_cursor = world.null, total_count = 1,
                 scope_truncated = false }
  for name, value in pairs(fields) do
    made[name] = value
  end
  return made
end

local function on_assets(fields)
  return function(call, world)
    return call.path:find "/assets$" and page(world, fields)
  end
end

stops("a list that is cut", "scope_truncated is true",
      on_assets { scope_truncated = true })
stops("more rows than are given", "speaks of 9 assets and gives 1, 3 times",
      on_assets { total_count = 9 })
stops("a cursor that goes round", "the same next_cursor came twice",
      on_assets { has_more = true, next_cursor = "a" })
stops("more, and no way to it", "there is no next_cursor",
      on_assets { has_more = true })
stops("no list", "assets is a string, not a list",
      on_assets { assets = "x" })
stops("an id that is none", 'request_id is "7"',
      on_assets { assets = { { request_id = "7" } } })
stops("a second page that is no page", "it is a string, not an object",
      function(call, world)
        if call.path:find "/assets$" and call.query.cursor then
          return "x"
        end
        return call.path:find "/assets$" and
          page(world, { has_more = true, next_cursor = "2" })
      end)
stops("collections that go round", "a page came twice", function(call)
  return call.path == "/assets/collections" and { collections = {
    { id = "c1", name = "a" }, { id = "c2", name = "b" } } }
end)
stops("a hierarchy that is none", "hierarchy is missing", function(call)
  return call.path:find "/hierarchy$" and {}
end)

test("a row that a moving page lost is found by reading again",
     function(world)
  local it, first = some(world), true
  function it.answer(call)
    if first and call.path == "/assets/collections/c1/assets" then
      first = false
      return page(world, { total_count = 2, assets = {
        { request_id = id(9) } } })
    end
  end
  equal(open(require("fal.hold").collection "c1"), true)
  equal(held(world), { id(1), id(2), id(3), id(5), id(9) })
end)

test("sources check what they are given", function()
  local hold = require "fal.hold"
  t.raises("the name or the id of a collection is needed", hold.collection, 7)
  t.raises("the name or the id of a tag is needed", hold.tag, "")
  t.raises("there is one list of favourites", hold.favourites, "x")
end)

--- ---- during a run ----------------------------------------------------------

local function run(world, it, count, slow)
  local items = {}
  for n = 1, count do
    items[n] = t.item(n, n)
  end
  it.items = items
  world.gone = {}
  world.outcome = function(which)
    world.core.sleep(slow)
    world.gone[which] = true
    return { status = "deleted", request_id = which, attempts = 1 }
  end
  world.host.guard = function(f, ...)
    local ok, err = pcall(f, ...)
    world.guarded = err
    return ok
  end
  return require "fal.runner".run(world.host, function()
    local fal = require "fal.init"
    return fal.policy { name = "p", reason = "r",
      select = fal.requests { endpoint_id = "a/b", older_than = "1d" },
      hold = { fal.hold.collection "c1", fal.hold.tag "t1" } }
  end, {}, {})
end

test("what is marked during a run counts within it", function(world)
  local it = some(world)
  function it.answer()
    if world.now > 40000 and not it.assets[8] then
      it.assets[8] = { request = id(190), collections = { "c3" } }
    end
  end
  equal(run(world, it, 200, 20000).ok, true)
  t.has(world.held[id(190)], 'the collection "c1"')
  equal(world.gone[id(190)], nil)
  equal(world.gone[id(189)], true)
end)

test("what is marked no more stays held for the run", function(world)
  local it = some(world)
  function it.answer()
    if world.now > 100 then
      it.assets[3].collections = {}
    end
  end
  it.assets[3].request = id(190)
  equal(run(world, it, 200, 20000).ok, true)
  equal(world.gone[id(190)], nil)
end)

test("a run that is over leaves no reading behind", function(world)
  local it = some(world)
  equal(run(world, it, 3, 0).ok, true)
  local reads = it.reads
  world.core.sleep(600000)
  equal(it.reads, reads)
end)

test("a mark that fails during a run stops it", function(world)
  local it = some(world)
  function it.answer(call)
    if world.now > 25000 and call.path == "/assets/tags" then
      return {}
    end
  end
  run(world, it, 200, 20000)
  t.has(world.stopped, 'the tag "t1"')
  if #world.deletions > 100 then
    error("it went on: " .. #world.deletions)
  end
end)

test("what a plan wrote down is asked again", function(world)
  some(world)
  local hold = require "fal.hold"
  local list = hold.describe { hold.collection "c4", hold.from(print) }
  local again = hold.of_plan(list)
  equal(#again, 1)
  equal(hold.open(again), true)
  equal(held(world), { id(4) })
end)

t.finish()
