--- The asset library: what the history made, what was uploaded, and what
--- people marked.
---
---   an asset's name    "<request id>-<file>", or "upload-<n>"
---   marks              name -> { favorite, tags = set, collections = set }
---
--- Files of the history are computed and not stored; only marks are. What was
--- deleted is gone from the library, its marks too.
local core = require "core"

local library = {}
library.__index = library

local MARKED_MOST <const> = 100000      -- assets with marks
local UPLOADS_MOST <const> = 10000
local SPREAD <const> = 8                -- requests that begin marked

library.LOOKED_MOST = 10000             -- requests that one list looks at

local KINDS <const> = { image = "image/png", video = "video/mp4",
                        audio = "audio/mpeg", ["3d"] = "model/gltf-binary" }

-- ---- marks -----------------------------------------------------------------

--- The marks of an asset, to be read.
function library:marks(name)
  return self.marked[name] or self.blank
end

--- The marks of an asset, to be changed; nil where there are too many.
function library:mark(name)
  local marks = self.marked[name]
  if not marks and self.marked_count >= MARKED_MOST then
    return nil, ("the sandbox keeps marks of %d assets"):format(MARKED_MOST)
  elseif not marks then
    marks = { tags = {}, collections = {} }
    self.marked[name] = marks
    self.marked_count = self.marked_count + 1
  end
  return marks
end

--- Takes a tag or a collection from every asset.
function library:unmark(kind, id)
  for _, marks in pairs(self.marked) do
    marks[kind][id] = nil
  end
end

-- ---- assets ----------------------------------------------------------------

--- The links of a request's files that are there, at their places.
local function there(world, number)
  if not world:is_gone(number) then
    return world:files(number)
  end
  local left, links = {}, {}
  for _, link in ipairs(world.left[number] or {}) do
    left[link] = true
  end
  for i, link in ipairs(world:files(number)) do
    links[i] = left[link] and link or false
  end
  return links
end
library.links = there

local function common(self, name, record)
  local marks, tags, collections = self:marks(name), {}, {}
  for _, tag in ipairs(self.tags.list) do
    tags[#tags + 1] = marks.tags[tag.id] and tag or nil
  end
  for _, one in ipairs(self.collections.list) do
    collections[#collections + 1] = marks.collections[one.id] and one.id
      or nil
  end
  record.asset_id, record.vector_id = name, "v-" .. name
  record.is_favorited = marks.favorite == true
  record.collection_ids = core.json.array(collections)
  record.tags = core.json.array(tags)
  record.similarity = core.json.null
  return record
end

--- The asset of the i-th file of a request, or nil.
function library:made(number, i)
  local world = self.world
  local link = there(world, number)[i]
  if not link then
    return nil
  end
  local id = world:id(number)
  return common(self, ("%s-%d"):format(id, i), {
    request_id = id, url = link, type = "image",
    title = ("picture %d of number %d"):format(i, number),
    endpoint = world:endpoint(number), source = "response",
    created_at = core.format_time(world:ended(number)),
    prompt = "a picture of number " .. number,
    width = 1024, height = 1024, content_type = "image/png",
  })
end

local function uploaded(self, name)
  local upload = self.uploads[name]
  return upload and common(self, name, {
    request_id = core.json.null, url = upload.url, type = upload.type,
    title = upload.url:match("([^/]+)$"), endpoint = core.json.null,
    created_at = upload.created_at, source = "upload",
    prompt = upload.prompt or core.json.null, width = core.json.null,
    height = core.json.null, content_type = KINDS[upload.type],
  })
end

--- The asset of an asset id or a vector id, or nil.
function library:asset(name)
  name = name:gsub("^v%-", "")
  local id, i = name:match("^(%x+%-%x+%-%x+%-%x+%-%x+)%-(%d)$")
  local number = id and self.world:number(id)
  if number then
    return self:made(number, math.tointeger(i))
  end
  return uploaded(self, name)
end

--- The asset that a body names, by any of its three names, or nil.
function library:which(values)
  if not values.request_id then
    return self:asset(values.asset_id or values.vector_id)
  end
  local id = core.parse_id(values.request_id:lower())
  local number = id and self.world:number(id)
  local links = number and there(self.world, number) or {}
  for i = 1, 4 do
    if links[i] then
      return self:made(number, i)
    end
  end
end

--- Takes a file into the library; nil and why where it is full.
function library:upload(record)
  if self.upload_count >= UPLOADS_MOST then
    return nil, ("the sandbox keeps %d uploads"):format(UPLOADS_MOST)
  end
  self.upload_count = self.upload_count + 1
  local name = ("upload-%d"):format(self.upload_count)
  self.uploads[name], self.urls[record.url] = record, name
  return name
end

--- Names of the uploads, newest first, then numbers of the history, each
--- with how many were looked at: what a list walks.
function library:each()
  local upload, number = self.upload_count, self.world.count
  local last = math.max(0, number - library.LOOKED_MOST)
  return function()
    if upload > 0 then
      upload = upload - 1
      return ("upload-%d"):format(upload + 1)
    elseif number > last then
      number = number - 1
      return number + 1
    end
  end
end

-- ---- what is there at the start --------------------------------------------

--- Requests with files, spread evenly over the history.
local function spread(world)
  local names, seen = {}, {}
  for part = 1, world.explicit and 0 or SPREAD do
    local number = math.max(1, world.count * part // (SPREAD + 1))
    while number <= world.count and not (world:files(number)[1] and
          not world:running(number) and not seen[number]) do
      number = number + 1
    end
    seen[number] = true
    names[#names + 1] = number <= world.count and
      world:id(number) .. "-1" or nil
  end
  return names
end

local function seed(self)
  local names = spread(self.world)
  local hold = self.collections:add { name = "legal-hold", type = "manual",
    description = "nothing of these may be deleted" }
  local case = self.collections:add { name = "case 7", type = "manual",
                                      parent_collection_id = hold.id }
  self.collections:add { name = "moodboard", type = "manual" }
  self.collections:add { name = "alice", type = "character",
    character_identifier = "alice", description = "a woman with a red hat",
    reference_images = { "https://v3.fal.media/files/sandbox/alice.png" } }
  local keep = self.tags:add { name = "keep" }
  for i, name in ipairs(names) do
    local marks = self:mark(name)
    marks.collections[i % 4 == 0 and case.id or hold.id] = i <= 4 or nil
    marks.tags[keep.id] = i == 5 or i == 6 or nil
    marks.favorite = i >= 7 or nil
  end
end

--- The library of a world, as it is at the start.
function library.new(world, shelf)
  local self = setmetatable({ world = world, marked = {}, marked_count = 0,
    uploads = {}, upload_count = 0, urls = {},
    blank = { tags = {}, collections = {} } }, library)
  self.collections, self.tags = shelf.new("c-"), shelf.new("t-")
  seed(self)
  return self
end

return library
