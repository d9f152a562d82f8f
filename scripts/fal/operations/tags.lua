--- Operations of tags, and of the tags that assets have.
local param = require "fal.operations.params"

local path <const>, body <const> = param.path, param.body

local ID <const> = path("tag_id", "string", "the tag", { required = true,
                                                         min = 1 })
local NAME <const> = body("name", "string", "its name", { min = 1, max = 50 })
local TAG <const> = { id = "string", name = "string" }

return {
  { name = "assets.tags.list", method = "GET", path = "/assets/tags",
    key = "api", doc = "the tags there are", params = {}, list = "tags",
    item = TAG, stands = param.of_assets(200) },

  { name = "assets.tags.create", method = "POST", path = "/assets/tags",
    key = "api", doc = "makes a tag",
    params = { param.with(NAME, { required = true }) }, idempotent = true,
    changes = "reversible", target = "name", answer = { tag = "object" },
    stands = param.of_assets(201) },

  { name = "assets.tags.set", method = "PUT", path = "/assets/tags",
    key = "api", doc = "gives an asset these tags and no others",
    params = param.which(body("tag_ids", "string", "all that it shall have",
                              { required = true, many = true })),
    one = param.WHICH, idempotent = true, changes = "reversible",
    list = "tags", item = TAG, stands = param.of_assets(200) },

  { name = "assets.tags.update", method = "PATCH",
    path = "/assets/tags/{tag_id}", key = "api", doc = "renames a tag",
    params = { ID, NAME }, idempotent = true, changes = "reversible",
    answer = { tag = "object" }, stands = param.of_assets(200) },

  { name = "assets.tags.delete", method = "DELETE",
    path = "/assets/tags/{tag_id}", key = "api",
    doc = "ends a tag", params = { ID },
    idempotent = true, changes = "irreversible",
    stands = param.of_assets(204) },

  { name = "assets.tags.of_asset", method = "GET",
    path = "/assets/{asset_id}/tags", key = "api",
    doc = "the tags of an asset; of an unknown one, none",
    params = { path("asset_id", "string", "the asset, or its vector id",
                    { required = true, min = 1 }) },
    list = "tags", item = TAG, stands = param.of_assets(200) },

  { name = "assets.tags.assign", method = "POST",
    path = "/assets/tags/{tag_id}/assign", key = "api",
    doc = "gives an asset a tag", params = param.which(ID),
    one = param.WHICH, idempotent = true, changes = "reversible",
    answer = { success = "boolean" }, stands = param.of_assets(200) },

  { name = "assets.tags.unassign", method = "DELETE",
    path = "/assets/tags/{tag_id}/assign", key = "api",
    doc = "takes a tag off an asset", params = param.which(ID),
    one = param.WHICH, idempotent = true, changes = "reversible",
    stands = param.of_assets(204) },
}
