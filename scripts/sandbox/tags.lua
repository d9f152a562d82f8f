--- The operations of tags.
local answer = require "sandbox.answer"
local assets = require "sandbox.assets"
local core = require "core"

local tags = {}

local function shown(tag)
  return { id = tag.id, name = tag.name, created_at = tag.created_at }
end

local function reply(list)
  local all = {}
  for i, tag in ipairs(list) do
    all[i] = shown(tag)
  end
  return answer.json(200, { tags = core.json.array(all) })
end

local function taken(self, name, but)
  for _, tag in ipairs(self.tags.list) do
    if tag ~= but and tag.name == name then
      return answer.error(409, "there is a tag of that name")
    end
  end
end

local function list(state)
  return reply(assets.library(state).tags.list)
end

local function create(state, values)
  local self = assets.library(state)
  local refused = taken(self, values.name)
  if refused then
    return refused
  end
  local tag, why = self.tags:add { name = values.name }
  return tag and answer.json(201, { tag = shown(tag) }) or
    answer.error(422, why)
end

--- A function of the tag that a path names, or a 404.
local function on(what)
  return function(state, values)
    local self = assets.library(state)
    local tag = self.tags:get(values.tag_id)
    if not tag then
      return assets.missing "tag"
    end
    return what(self, tag, values)
  end
end

local function update(self, tag, values)
  local refused = values.name and taken(self, values.name, tag)
  if refused then
    return refused
  end
  tag.name = values.name or tag.name
  return answer.json(200, { tag = shown(tag) })
end

local function delete(self, tag)
  self.tags:remove(tag.id)
  self:unmark("tags", tag.id)
  return answer.empty()
end

--- The marks of the asset that a body names; nil and the refusal.
local function marks_of(self, values)
  local asset = self:which(values)
  if not asset then
    return nil, assets.missing "asset"
  end
  local marks, why = self:mark(asset.asset_id)
  return marks, not marks and answer.error(422, why) or nil, asset
end

local function assign(is)
  return on(function(self, tag, values)
    local marks, refused = marks_of(self, values)
    if not marks then
      return refused
    end
    marks.tags[tag.id] = is
    return is and answer.json(200, { success = true }) or answer.empty()
  end)
end

local function set(state, values)
  local self = assets.library(state)
  local ids, why = assets.tag_set(self, values.tag_ids)
  if not ids then
    return answer.error(404, why)
  end
  local marks, refused, asset = marks_of(self, values)
  if not marks then
    return refused
  end
  marks.tags = ids
  return reply(self:asset(asset.asset_id).tags)
end

local function of_asset(state, values)
  local asset = assets.library(state):asset(values.asset_id)
  return asset and reply(asset.tags) or assets.missing "asset"
end

tags.operations = {
  ["assets.tags.list"] = list, ["assets.tags.create"] = create,
  ["assets.tags.update"] = on(update), ["assets.tags.delete"] = on(delete),
  ["assets.tags.set"] = set, ["assets.tags.of_asset"] = of_asset,
  ["assets.tags.assign"] = assign(true),
  ["assets.tags.unassign"] = assign(nil),
}

return tags
