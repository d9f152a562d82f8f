--- The operations of single assets and their lists.
local answer = require "sandbox.answer"
local core = require "core"
local library = require "sandbox.library"
local query = require "sandbox.query"
local shelf = require "sandbox.shelf"
local spans = require "sandbox.spans"

local assets = {}

local LIMIT <const> = 50
local LIMIT_MOST <const> = 100
local PARTS <const> = { uploads = "upload", generated = "response" }

--- The library of this sandbox, made when it is asked for first.
function assets.library(state)
  state.library = state.library or library.new(state.world, shelf)
  return state.library
end

--- 404 for what an id does not name.
function assets.missing(what)
  return answer.error(404, ("there is no such %s"):format(what))
end

-- ---- lists -----------------------------------------------------------------

local function set_of(list)
  local set = {}
  for _, word in ipairs(list or {}) do
    set[word] = true
  end
  return list and set
end

local function has_tags(asset, ask)
  local found, have = 0, {}
  for _, tag in ipairs(asset.tags) do
    have[tag.id] = true
  end
  for _, id in ipairs(ask.tag_id) do
    found = found + (have[id] and 1 or 0)
  end
  return found == #ask.tag_id or found > 0 and ask.tag_mode ~= "all"
end

local function has_collection(asset, wanted)
  for _, id in ipairs(asset.collection_ids) do
    if wanted[id] then
      return true
    end
  end
  return false
end

--- Whether an asset is in the list that was asked for. Words are looked for
--- in title and prompt; pictures are not compared.
local function wanted(asset, ask)
  local text = ask.q and (asset.title .. " " .. tostring(asset.prompt))
  return (not ask.q or text:lower():find(ask.q:lower(), 1, true) ~= nil)
    and (not ask.types or ask.types[asset.type])
    and (not ask.sources or ask.sources[asset.source])
    and (ask.section ~= "favorites" or asset.is_favorited)
    and (not PARTS[ask.section] or PARTS[ask.section] == asset.source)
    and (not ask.collections or has_collection(asset, ask.collections))
    and (not ask.tag_id or has_tags(asset, ask))
end

--- The collections whose assets count: the one that was asked for, and those
--- of the characters.
local function collections_of(self, values)
  local set = {}
  for _, one in ipairs(self.collections.list) do
    local who = one.character_identifier
    for _, name in ipairs(values.character_identifier or {}) do
      set[one.id] = set[one.id] or who == name or nil
    end
  end
  if values.collection_id then
    set[values.collection_id] = true
  end
  return (values.collection_id or values.character_identifier) and set
end

--- Assets of one step of the walk: an upload, or the files of a request.
local function add_step(self, step, ask, found)
  if type(step) == "string" then
    local asset = self:asset(step)
    found[#found + 1] = wanted(asset, ask) and asset or nil
    return
  end
  for i = 1, #self.world:files(step) do
    local asset = self:made(step, i)
    found[#found + 1] = asset and wanted(asset, ask) and asset or nil
  end
end

--- Of marked assets alone, newest first: they are found without a walk.
local function of_marks(self, ask)
  local names, found = {}, {}
  for name in pairs(self.marked) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b) return a > b end)
  for _, name in ipairs(names) do
    local asset = self:asset(name)
    found[#found + 1] = asset and wanted(asset, ask) and asset or nil
  end
  return found, false
end

--- The first `count` assets of the list, and whether it stopped before the
--- history's end.
local function find(self, ask, count)
  if ask.collections or ask.tag_id or ask.section == "favorites" then
    return of_marks(self, ask)
  end
  local found, looked = {}, 0
  for step in self:each() do
    add_step(self, step, ask, found)
    looked = looked + 1
    spans.give_way(looked)
    if #found >= count then
      return found, false
    end
  end
  return found, self.world.count > library.LOOKED_MOST
end

--- A page of assets.
function assets.page(state, values)
  local self = assets.library(state)
  local ask = { q = values.q, section = values.section,
    types = set_of(values.media_type), sources = set_of(values.source),
    tag_id = values.tag_id, tag_mode = values.tag_mode,
    collections = collections_of(self, values),
    limit = math.min(values.limit or LIMIT, LIMIT_MOST) }
  local why
  ask.page, why = query.page(values)
  if why then
    return answer.error(400, why)
  end
  local found, cut = find(self, ask, ask.page * ask.limit + 1)
  local first, last, more = query.slice(ask, #found)
  return answer.json(200, query.paged({
    assets = core.json.array(table.move(found, first, last, 1, {})),
    total_count = core.json.null, scope_truncated = cut,
  }, more))
end

-- ---- one asset -------------------------------------------------------------

local function get(state, values)
  local asset = assets.library(state):asset(values.asset_id)
  return asset and answer.json(200, { asset = asset }) or
    assets.missing "asset"
end

local function favorite(on)
  return function(state, values)
    local self = assets.library(state)
    local asset = self:which(values)
    if not asset then
      return assets.missing "asset"
    end
    local marks, why = self:mark(asset.asset_id)
    if not marks then
      return answer.error(422, why)
    end
    marks.favorite = on or nil
    return answer.json(200, { is_favorited = on })
  end
end

--- The request that made it, and its sister files; what is gone of them is a
--- tombstone.
local function lineage_of(self, asset)
  local nodes, edges, id = {}, {}, asset.request_id
  local number = self.world:number(id)
  local there = library.links(self.world, number)
  nodes[1] = { kind = "request", id = "request:" .. id, request_id = id,
    endpoint = asset.endpoint, prompt = asset.prompt,
    created_at = asset.created_at }
  for i in ipairs(self.world:files(number)) do
    local name = ("%s-%d"):format(id, i)
    nodes[#nodes + 1] = { kind = "asset", id = "asset:" .. name,
      output_key = ("files[%d]"):format(i - 1), type = "image",
      url = there[i] or core.json.null, request_id = id, asset_id = name,
      tombstone = not there[i] }
    edges[#edges + 1] = { from = "request:" .. id, to = "asset:" .. name,
      kind = "generated_by", role = core.json.null }
  end
  return nodes, edges
end

local function lineage(state, values)
  local self = assets.library(state)
  local asset = self:asset(values.asset_id)
  if not asset then
    return assets.missing "asset"
  end
  local nodes, edges
  if asset.source == "response" then
    nodes, edges = lineage_of(self, asset)
  else
    nodes, edges = { { kind = "external_input", output_key = "file",
                       id = "asset:" .. asset.asset_id, url = asset.url } }, {}
  end
  return answer.json(200, { lineage = { nodes = core.json.array(nodes),
    focus = "asset:" .. asset.asset_id, edges = core.json.array(edges) } })
end

--- The tags of a list of ids, or nil and the one that is unknown.
function assets.tag_set(self, ids)
  local set = {}
  for _, id in ipairs(ids) do
    if not self.tags:get(id) then
      return nil, "there is no such tag"
    end
    set[id] = true
  end
  return set
end

local function upload(state, values)
  local self = assets.library(state)
  local tags, why = assets.tag_set(self, values.tag_ids or {})
  local into = values.collection_id
  into = into ~= core.json.null and into or nil
  if not values.url:match("^https://[%w.-]*fal%.media/") then
    return answer.error(422, "url must be a file that fal hosts")
  elseif not tags or into and not self.collections:get(into) then
    return answer.error(404, why or "there is no such collection")
  end
  local name
  name, why = self:upload { url = values.url, type = values.type,
    prompt = values.prompt, created_at = core.format_time(core.at()) }
  local marks = name and self:mark(name)
  if not marks then
    return answer.error(422, why)
  end
  marks.tags, marks.favorite = tags, values.favorite or nil
  marks.collections[into or ""] = into and true
  return answer.json(201, { asset = self:asset(name) })
end

assets.operations = {
  ["assets.list"] = assets.page, ["assets.get"] = get,
  ["assets.lineage"] = lineage, ["assets.upload"] = upload,
  ["assets.favorite"] = favorite(true),
  ["assets.unfavorite"] = favorite(false),
}

return assets
