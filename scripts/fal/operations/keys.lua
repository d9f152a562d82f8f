--- Operations of API keys. Keys of ADMIN scope are made in the dashboard.
local param = require "fal.operations.params"

return {
  { name = "keys.list", method = "GET", path = "/keys", key = "admin",
    doc = "the API keys of the account, without their secrets",
    params = {
      param.limit, param.cursor,
      param.expand({ "creator_info" }, "creator_info: who made each"),
    },
    paging = "cursor", list = "keys", item = { key_id = "string",
                                               alias = "string" },
    stands = param.stands(200, 401, 403, 429, 500) },

  { name = "keys.create", method = "POST", path = "/keys", key = "admin",
    doc = "makes a key of API scope; its secret is shown this once",
    params = {
      param.body("alias", "string", "a name for it", { required = true,
                 min = 1, max = 255 }),
    },
    changes = "reversible", target = "alias",
    answer = { key_id = "string", key_secret = "string", key = "string" },
    stands = param.stands(201, 400, 401, 403, 429, 500) },

  { name = "keys.delete", method = "DELETE", path = "/keys/{key_id}",
    key = "admin", doc = "ends a key at once; an unknown one is no failure",
    params = { param.path("key_id", "string", "the key's id",
                          { required = true, min = 1 }) },
    idempotent = true, changes = "irreversible",
    stands = param.stands(204, 401, 403, 429, 500) },
}
