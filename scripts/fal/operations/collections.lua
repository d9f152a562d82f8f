--- Operations of collections: assets that somebody put together.
local param = require "fal.operations.params"

local path <const>, body <const> = param.path, param.body

local ID <const> = path("collection_id", "string", "the collection",
                        { required = true, min = 1 })
local NAME <const> = body("name", "string", "its name", { min = 1,
                                                          max = 255 })
local OF_ONE <const> = { collection = "object" }

--- What a collection is given; `name` is there in both calls.
local function looks(...)
  local list = { ... }
  for _, made in ipairs {
    body("description", "string", "what it is for", { null = true }),
    body("icon", "string", "an icon", { null = true }),
    body("color", "string", "a colour", { null = true }),
    body("cover_image_url", "url", "an image that fal hosts",
         { null = true }),
    body("filters", "any", "fills it by a rule of fal's filter language",
         { null = true }),
  } do
    list[#list + 1] = made
  end
  return list
end

return {
  { name = "assets.collections.list", method = "GET",
    path = "/assets/collections", key = "api", doc = "the collections",
    params = { param.hundred, param.offset }, paging = "offset",
    list = "collections", item = { id = "string", name = "string" },
    stands = param.of_assets(200) },

  { name = "assets.collections.create", method = "POST",
    path = "/assets/collections", key = "api", doc = "makes a collection",
    params = looks(
      param.with(NAME, { required = true }),
      body("parent_collection_id", "string", "the collection that it is in; "
           .. "null or nothing: none", { min = 1, null = true })),
    idempotent = true, changes = "reversible", target = "name",
    answer = OF_ONE, stands = param.of_assets(201) },

  { name = "assets.collections.get", method = "GET",
    path = "/assets/collections/{collection_id}", key = "api",
    doc = "one collection", params = { ID }, answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.collections.update", method = "PATCH",
    path = "/assets/collections/{collection_id}", key = "api",
    doc = "changes what is said of a collection", params = looks(ID, NAME),
    idempotent = true, changes = "reversible", answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.collections.delete", method = "DELETE",
    path = "/assets/collections/{collection_id}", key = "api",
    doc = "ends a collection", params = { ID },
    idempotent = true, changes = "irreversible",
    stands = param.of_assets(204) },

  { name = "assets.collections.hierarchy", method = "GET",
    path = "/assets/collections/{collection_id}/hierarchy", key = "api",
    doc = "the collections in it, and those that it is in", params = { ID },
    answer = { hierarchy = "object", ancestors = "list" },
    stands = param.of_assets(200) },

  { name = "assets.collections.favorite", method = "POST",
    path = "/assets/collections/{collection_id}/favorite", key = "api",
    doc = "makes a collection a favorite", params = { ID },
    idempotent = true, changes = "reversible", answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.collections.unfavorite", method = "POST",
    path = "/assets/collections/{collection_id}/unfavorite", key = "api",
    doc = "makes a collection a favorite no more", params = { ID },
    idempotent = true, changes = "reversible", answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.collections.move", method = "POST",
    path = "/assets/collections/{collection_id}/move", key = "api",
    doc = "puts a collection into another; five levels at most",
    params = {
      ID,
      body("parent_collection_id", "string", "the other one; null: the top",
           { required = true, min = 1, null = true }),
    },
    idempotent = true, changes = "reversible", answer = OF_ONE,
    stands = param.of_assets(200) },

  { name = "assets.collections.assets", method = "GET",
    path = "/assets/collections/{collection_id}/assets", key = "api",
    doc = "the assets of a collection; each names its request",
    params = {
      ID, param.limit, param.cursor, param.words, param.image, param.video,
      param.media_type, param.source_of, param.section, param.character,
      param.tag_id, param.tag_mode,
    },
    paging = "cursor", list = "assets", item = param.ASSET_ROW,
    answer = { scope_truncated = "boolean" }, stands = param.of_assets(200) },

  { name = "assets.collections.add", method = "POST",
    path = "/assets/collections/{collection_id}/assets", key = "api",
    doc = "puts an asset into a collection", params = param.which(ID),
    one = param.WHICH, idempotent = true, changes = "reversible",
    answer = { success = "boolean" }, stands = param.of_assets(200) },

  { name = "assets.collections.remove", method = "DELETE",
    path = "/assets/collections/{collection_id}/assets", key = "api",
    doc = "takes an asset out of a collection; the asset stays",
    params = param.which(ID), one = param.WHICH, idempotent = true,
    changes = "reversible", stands = param.of_assets(204) },
}
