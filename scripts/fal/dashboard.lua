--- What people have marked in fal's dashboard, read whole.
---
---   collection --> its id --> hierarchy: what lies in it --+
---   tag        --> its id ---------------------------------+--> pages of
---   favourites --------------------------------------------+    assets
---                                       their request ids <--+
---
--- A hold that is not seen is a wrong deletion. So whatever is not as
--- documented raises, and so does a list that says that it is cut, or that it
--- has more than it gave: a page that moves while the list is read can lose a
--- row, and then the list is read again.
local core = require "core"
local check = require "fal.check"
local pages = require "fal.pages"

local dashboard = {}

local COLLECTIONS <const> = "/assets/collections"
local TAGS <const> = "/assets/tags"
local ASSETS <const> = "/assets"
local PAGE <const> = 100
local TRIES <const> = 3
local DEEPEST <const> = 100
local KEY <const> = "list"      -- of the account whose requests are deleted

--- For a path: ids of the API are plain, but nobody promised it.
local function escaped(id)
  return (id:gsub("[^%w_-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local function get(path, query)
  local answer, err = core.read { path = path, query = query or {},
                                  key = KEY }
  if answer == nil then
    error(err, 0)
  elseif type(answer) ~= "table" then
    pages.fail(path, "it is %s, not an object", pages.kind(answer))
  end
  return answer
end

local function list_of(path, answer, name)
  local list = answer[name]
  if type(list) ~= "table" or (next(list) ~= nil and #list == 0) then
    pages.fail(path, "%s is %s, not a list", name, pages.kind(list))
  end
  return list
end

local function text_of(path, place, row, name)
  local text = type(row) == "table" and row[name]
  if type(text) ~= "string" or text == "" then
    pages.fail(path, "%s.%s is %s, not text", place, name, pages.kind(text))
  end
  return text
end

-- ---- assets ----------------------------------------------------------------

--- Ids are written in lower case everywhere else; fal may think otherwise.
local function request_of(path, place, asset)
  if type(asset) ~= "table" then
    pages.fail(path, "assets[%d] is %s, not an object", place,
               pages.kind(asset))
  end
  local id = pages.value(asset.request_id)
  if id == nil then
    return nil
  elseif type(id) ~= "string" or not core.parse_id(id:lower()) then
    pages.fail(path, "assets[%d].request_id is %s, not the id of a request",
               place, check.show(id))
  end
  return id:lower()
end

--- One walk: how many rows came, and how many the answers spoke of.
local function walk(path, query, found)
  local rows, total = 0, 0
  local spec = { path = path, list = "assets", key = KEY, query = query }
  function spec.check(page)
    if type(page) ~= "table" then
      return                            -- pages.walk says so
    elseif page.scope_truncated == true then
      pages.fail(path, "scope_truncated is true: it gives a part of the list "
                 .. "only")
    end
    total = math.max(total, math.tointeger(pages.value(page.total_count))
                     or 0)
  end
  for items in pages.walk(spec) do
    for place, asset in ipairs(items) do
      local id = request_of(path, place, asset)
      rows = rows + 1
      if id then
        found.ids[id] = true
      else
        found.bare = found.bare + 1
      end
    end
  end
  return rows, total
end

--- All assets of a list. What an earlier try saw counts too.
local function collect(path, query, found)
  query[#query + 1] = { "limit", PAGE }
  local before, rows, total = found.bare, nil, nil
  for _ = 1, TRIES do
    found.bare = before
    rows, total = walk(path, query, found)
    if rows >= total then
      found.assets = found.assets + rows
      return
    end
  end
  pages.fail(path, "it speaks of %d assets and gives %d, %d times", total,
             rows, TRIES)
end

-- ---- names -----------------------------------------------------------------

local function missing(kind, name, names)
  local near = core.nearest(name, names)
  error(core.error("not_found", ("there is no %s %s%s"):format(kind,
    check.show(name), near and ("; did you mean '%s'?"):format(near) or "")),
    0)
end

--- Ids of those whose id or name it is. Two of one name: both.
local function named(kind, name, rows)
  local ids, names = {}, {}
  for _, row in ipairs(rows) do
    names[#names + 1] = row.name
    if row.id == name or row.name == name then
      ids[#ids + 1] = row.id
    end
  end
  return ids[1] and ids or missing(kind, name, names)
end

local function collections()
  local all, seen = {}, {}
  for rows in pages.walk { path = COLLECTIONS, list = "collections",
                           key = KEY, paging = "offset", unique = true,
                           query = { { "limit", PAGE } } } do
    for i, row in ipairs(rows) do
      local place = ("collections[%d]"):format(i)
      local id = text_of(COLLECTIONS, place, row, "id")
      if not seen[id] then
        seen[id], all[#all + 1] = true, {
          id = id, name = text_of(COLLECTIONS, place, row, "name"),
          parent = pages.value(row.parent_collection_id) }
      end
    end
  end
  return all
end

local function tags()
  local rows = list_of(TAGS, get(TAGS), "tags")
  for i, row in ipairs(rows) do
    text_of(TAGS, ("tags[%d]"):format(i), row, "id")
    text_of(TAGS, ("tags[%d]"):format(i), row, "name")
  end
  return rows
end

--- What lies in a collection, itself first, as its hierarchy has it.
local function add_tree(path, node, ids, depth)
  if depth > DEEPEST then
    pages.fail(path, "it is deeper than %d", DEEPEST)
  end
  ids[text_of(path, "hierarchy", node, "id")] = true
  for _, child in ipairs(list_of(path, node, "children")) do
    add_tree(path, child, ids, depth + 1)
  end
end

--- And as the list has it: what one of the two knows is held.
local function add_children(all, ids)
  local grown = true
  while grown do
    grown = false
    for _, row in ipairs(all) do
      if row.parent and ids[row.parent] and not ids[row.id] then
        ids[row.id], grown = true, true
      end
    end
  end
end

-- ---- the three marks -------------------------------------------------------

local read = {}

function read.collection(name, found)
  local all, ids = collections(), {}
  for _, id in ipairs(named("collection", name, all)) do
    local path = ("%s/%s/hierarchy"):format(COLLECTIONS, escaped(id))
    local answer = get(path)
    ids[id] = true
    if type(answer.hierarchy) ~= "table" then
      pages.fail(path, "hierarchy is %s", pages.kind(answer.hierarchy))
    end
    add_tree(path, answer.hierarchy, ids, 1)
  end
  add_children(all, ids)
  for id in pairs(ids) do
    collect(("%s/%s/assets"):format(COLLECTIONS, escaped(id)), {}, found)
    found.lists = found.lists + 1
  end
end

function read.tag(name, found)
  for _, id in ipairs(named("tag", name, tags())) do
    collect(ASSETS, { { "tag_id", id } }, found)
    found.lists = found.lists + 1
  end
end

function read.favourites(_, found)
  collect(ASSETS, { { "section", "favorites" } }, found)
  found.lists = 1
end

--- Everything that carries the mark now. Waits; raises when it cannot be read
--- whole.
---@param kind "collection"|"tag"|"favourites"
---@param name string?
---@return {ids:table<string, boolean>, assets:integer, bare:integer,
---  lists:integer}   bare: assets without a request id; lists: collections or
---  tags of that name and what lies in them
function dashboard.read(kind, name)
  local found = { ids = {}, assets = 0, bare = 0, lists = 0 }
  read[kind](name, found)
  return found
end

return dashboard
