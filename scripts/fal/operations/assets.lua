--- Operations of the asset library: what was made and uploaded.
local param = require "fal.operations.params"

local query <const>, path <const>, body <const> =
  param.query, param.path, param.body

local ASSET <const> = path("asset_id", "string", "the asset, or its vector id",
                           { required = true, min = 1 })

return {
  { name = "assets.list", method = "GET", path = "/assets", key = "api",
    doc = "the library: all of it, a part, or a search; each asset names its "
      .. "request",
    params = {
      param.limit, param.cursor, param.words, param.image, param.video,
      param.media_type, param.source_of, param.section,
      query("collection_id", "string", "only of this collection"),
      param.character, param.tag_id, param.tag_mode,
    },
    paging = "cursor", list = "assets", item = param.ASSET_ROW,
    answer = { scope_truncated = "boolean" }, stands = param.of_assets(200) },

  { name = "assets.get", method = "GET", path = "/assets/{asset_id}",
    key = "api", doc = "one asset", params = { ASSET },
    answer = { asset = "object" }, stands = param.of_assets(200) },

  { name = "assets.lineage", method = "GET",
    path = "/assets/{asset_id}/lineage", key = "api",
    doc = "what an asset was made from and what was made from it; what is "
      .. "gone shows as a tombstone",
    params = {
      ASSET,
      query("depth", "integer", "so many steps away",
            { min = 1, max = 5, default = 5 }),
    },
    answer = { lineage = "object" }, stands = param.of_assets(200) },

  { name = "assets.upload", method = "POST", path = "/assets/uploads",
    key = "api", doc = "takes a file that fal hosts already into the library",
    params = {
      body("url", "url", "where fal hosts it", { required = true }),
      body("type", "string", "what it is", { required = true,
           values = param.MEDIA }),
      body("prompt", "string", "words to find it by",
           { min = 1, max = 2000, null = true }),
      body("collection_id", "string", "puts it into this collection",
           { null = true }),
      body("favorite", "boolean", "makes it a favorite", { default = false }),
      body("tag_ids", "string", "gives it these tags", { many = true }),
    },
    idempotent = true, changes = "reversible", target = "url",
    answer = { asset = "object" }, stands = param.of_assets(201) },

  { name = "assets.favorite", method = "POST", path = "/assets/favorite",
    key = "api", doc = "makes an asset a favorite",
    params = param.which(), one = param.WHICH,
    idempotent = true, changes = "reversible",
    answer = { is_favorited = "boolean" }, stands = param.of_assets(200) },

  { name = "assets.unfavorite", method = "POST", path = "/assets/unfavorite",
    key = "api", doc = "makes an asset a favorite no more",
    params = param.which(), one = param.WHICH,
    idempotent = true, changes = "reversible",
    answer = { is_favorited = "boolean" }, stands = param.of_assets(200) },
}
