--- The operations of characters: collections with reference images.
local answer = require "sandbox.answer"
local assets = require "sandbox.assets"
local collections = require "sandbox.collections"
local core = require "core"

local characters = {}

local FIELDS <const> = { "name", "description", "reference_images",
                         "cover_image_url" }

local function shown(self, one)
  local record = collections.shown(self, one)
  record.reference_images = core.json.array(one.reference_images)
  return record
end

local function reply(self, status, one)
  return answer.json(status, { character = shown(self, one) })
end

local function on(what)
  return function(state, values)
    local self = assets.library(state)
    local one = self.collections:get(values.character_id)
    if not one or one.type ~= "character" then
      return assets.missing "character"
    end
    return what(self, one, values)
  end
end

local function all(self)
  local list = {}
  for _, one in ipairs(self.collections.list) do
    list[#list + 1] = one.type == "character" and one or nil
  end
  return list
end

local function list(state, values)
  local self, found = assets.library(state), {}
  local every = all(self)
  for i = values.offset + 1, math.min(#every, values.offset + values.limit) do
    found[#found + 1] = shown(self, every[i])
  end
  return answer.json(200, { characters = core.json.array(found) })
end

--- A name for prompts: as given, or from the name.
local function handle(values)
  local given = values.identifier
  return given and given ~= core.json.null and given or
    (values.name:lower():gsub("[^%w]+", "-"):sub(1, 64))
end

local function create(state, values)
  local self = assets.library(state)
  local identifier = handle(values)
  for _, one in ipairs(all(self)) do
    if one.character_identifier == identifier then
      return answer.error(409, "there is a character of that identifier")
    end
  end
  local one, why = self.collections:add { type = "character",
    character_identifier = identifier }
  if not one then
    return answer.error(422, why)
  end
  collections.set(one, values, FIELDS)
  return reply(self, 201, one)
end

local function update(self, one, values)
  collections.set(one, values, FIELDS)
  return reply(self, 200, one)
end

local function favorite(is)
  return on(function(self, one)
    one.is_favorited = is
    return reply(self, 200, one)
  end)
end

characters.operations = {
  ["assets.characters.list"] = list,
  ["assets.characters.create"] = create,
  ["assets.characters.update"] = on(update),
  ["assets.characters.get"] = on(function(self, one)
    return reply(self, 200, one)
  end),
  ["assets.characters.delete"] = on(collections.delete),
  ["assets.characters.favorite"] = favorite(true),
  ["assets.characters.unfavorite"] = favorite(false),
}

return characters
