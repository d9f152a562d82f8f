--- The operations of collections. Characters are collections of their own
--- kind, on the same shelf (characters.lua).
local answer = require "sandbox.answer"
local assets = require "sandbox.assets"
local core = require "core"

local collections = {}

local DEPTH_MOST <const> = 5
local FIELDS <const> = { "description", "icon", "color", "cover_image_url",
                         "character_identifier", "parent_collection_id" }
local NULL <const> = core.json.null

--- How many assets are in it that are still there.
local function count(self, id)
  local n = 0
  for name, marks in pairs(self.marked) do
    n = n + (marks.collections[id] and self:asset(name) and 1 or 0)
  end
  return n
end

--- A collection as it is shown.
function collections.shown(self, one)
  local shown = { id = one.id, type = one.type, name = one.name,
    is_favorited = one.is_favorited == true, filters = one.filters,
    asset_count = count(self, one.id), created_at = one.created_at,
    updated_at = one.updated_at }
  for _, name in ipairs(FIELDS) do
    shown[name] = one[name] == nil and NULL or one[name]
  end
  return shown
end

function collections.reply(self, status, one)
  return answer.json(status, { collection = collections.shown(self, one) })
end

--- Sets what was given of a collection.
function collections.set(one, values, names)
  for _, name in ipairs(names) do
    if values[name] ~= nil then
      one[name] = values[name]
    end
  end
  one.updated_at = core.format_time(core.at())
end

--- A function of the collection that a path names, or a 404.
local function on(what)
  return function(state, values)
    local self = assets.library(state)
    local one = self.collections:get(values.collection_id)
    if not one then
      return assets.missing "collection"
    end
    return what(self, one, values, state)
  end
end

-- ---- the tree --------------------------------------------------------------

local function parent_of(self, one)
  local id = one.parent_collection_id
  return id and id ~= NULL and self.collections:get(id) or nil
end

local function children_of(self, id)
  local list = {}
  for _, one in ipairs(self.collections.list) do
    list[#list + 1] = one.parent_collection_id == id and one or nil
  end
  return list
end

--- Levels from a collection down.
local function height(self, one)
  local most = 0
  for _, child in ipairs(children_of(self, one.id)) do
    most = math.max(most, height(self, child))
  end
  return most + 1
end

--- Why `one` cannot be under `id`: status and a sentence; nil when it can.
local function misplaced(self, one, id)
  local parent = self.collections:get(id)
  if not parent then
    return 404, "there is no such parent collection"
  elseif parent.type ~= "manual" or one.type ~= "manual" then
    return 422, "only manual collections hold others, and are moved"
  end
  local depth = height(self, one)
  while parent do
    if parent == one then
      return 409, "a collection cannot be inside itself"
    end
    depth, parent = depth + 1, parent_of(self, parent)
  end
  if depth > DEPTH_MOST then
    return 422, ("collections nest %d levels deep at most"):format(DEPTH_MOST)
  end
end

local function short(one)
  return { id = one.id, name = one.name, type = one.type }
end

local function tree(self, one)
  local node, children = short(one), {}
  for i, child in ipairs(children_of(self, one.id)) do
    children[i] = tree(self, child)
  end
  node.children = core.json.array(children)
  return node
end

local function hierarchy(self, one)
  local above, parent = {}, parent_of(self, one)
  while parent do
    table.insert(above, 1, short(parent))
    parent = parent_of(self, parent)
  end
  return answer.json(200, { hierarchy = tree(self, one),
                            ancestors = core.json.array(above) })
end

-- ---- operations ------------------------------------------------------------

local function list(state, values)
  local self, shown = assets.library(state), {}
  for i, one in ipairs(self.collections:part(values.offset, values.limit)) do
    shown[i] = collections.shown(self, one)
  end
  return answer.json(200, { collections = core.json.array(shown) })
end

local LOOKS <const> = { "name", "description", "icon", "color",
                        "cover_image_url", "filters", "parent_collection_id" }

local function create(state, values)
  local self = assets.library(state)
  local made = { type = values.filters and values.filters ~= NULL and "smart"
                 or "manual" }
  local parent = values.parent_collection_id
  if parent and parent ~= NULL then
    local status, why = misplaced(self, made, parent)
    if status then
      return answer.error(status, why)
    end
  end
  local one, why = self.collections:add(made)
  if not one then
    return answer.error(422, why)
  end
  collections.set(one, values, LOOKS)
  return collections.reply(self, 201, one)
end

local function update(self, one, values)
  collections.set(one, values, LOOKS)
  return collections.reply(self, 200, one)
end

local function move(self, one, values)
  local parent = values.parent_collection_id
  if parent ~= NULL then
    local status, why = misplaced(self, one, parent)
    if status then
      return answer.error(status, why)
    end
  end
  collections.set(one, values, { "parent_collection_id" })
  return collections.reply(self, 200, one)
end

--- Ends a collection; those in it move to the top, and assets stay.
function collections.delete(self, one)
  for _, child in ipairs(children_of(self, one.id)) do
    child.parent_collection_id = nil
  end
  self.collections:remove(one.id)
  self:unmark("collections", one.id)
  return answer.empty()
end

local function favorite(is)
  return on(function(self, one)
    one.is_favorited = is
    return collections.reply(self, 200, one)
  end)
end

--- Puts an asset in, or takes it out.
local function member(is)
  return on(function(self, one, values)
    local asset = self:which(values)
    if not asset then
      return assets.missing "asset"
    elseif one.type == "smart" then
      return answer.error(422, "a smart collection fills itself")
    end
    local marks, why = self:mark(asset.asset_id)
    if not marks then
      return answer.error(422, why)
    end
    marks.collections[one.id] = is
    return is and answer.json(200, { success = true }) or answer.empty()
  end)
end

collections.operations = {
  ["assets.collections.list"] = list,
  ["assets.collections.create"] = create,
  ["assets.collections.get"] = on(function(self, one)
    return collections.reply(self, 200, one)
  end),
  ["assets.collections.update"] = on(update),
  ["assets.collections.delete"] = on(collections.delete),
  ["assets.collections.hierarchy"] = on(hierarchy),
  ["assets.collections.favorite"] = favorite(true),
  ["assets.collections.unfavorite"] = favorite(false),
  ["assets.collections.move"] = on(move),
  ["assets.collections.assets"] = on(function(_, _, values, state)
    return assets.page(state, values)
  end),
  ["assets.collections.add"] = member(true),
  ["assets.collections.remove"] = member(nil),
}

return collections
