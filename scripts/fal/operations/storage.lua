--- Operations of storage: who may read files of the CDN, and for how long
--- they stay.
local param = require "fal.operations.params"

local query <const>, body <const> = param.query, param.body

local URL <const> = query("url", "url", "the file's address on the CDN, "
                          .. "without a query", { required = true })
local DECISIONS <const> = { "allow", "forbid", "hide" }
local FILE <const> = param.stands(200, 400, 401, 403, 404, 429, 500)
local ACL <const> = { default = "string", rules = "list" }

local DEFAULT <const> = body("default", "string", "for who has no rule",
                             { required = true, values = DECISIONS })
local RULES <const> = body("rules", "list", "exceptions: { user =, decision "
  .. "= }; fal drops users whom it does not know", { fields = {
    body("user", "string", "the username", { required = true, min = 1 }),
    body("decision", "string", "what they may", { required = true,
         values = DECISIONS }),
  } })

return {
  { name = "storage.acl", method = "GET", path = "/storage/files/acl",
    key = "api", doc = "who may read a file of the CDN", params = { URL },
    answer = ACL, stands = FILE },

  { name = "storage.set_acl", method = "PUT", path = "/storage/files/acl",
    key = "api", doc = "says anew who may read a file of the CDN",
    params = { URL, DEFAULT, RULES }, changes = "reversible", target = "url",
    answer = ACL, stands = FILE },

  { name = "storage.sign", method = "POST", path = "/storage/files/sign",
    key = "api", doc = "an address that opens a file to whoever has it",
    params = {
      URL,
      body("expiration_seconds", "integer", "for so long, a week at most",
           { required = true, min = 1, max = 604800 }),
    },
    changes = "reversible", target = "url",
    answer = { signed_url = "string" }, stands = FILE },

  { name = "storage.settings", method = "GET", path = "/storage/settings",
    key = "api", doc = "how long new files stay, and who may read them",
    params = {}, stands = param.stands(200, 401, 403, 429, 500) },

  { name = "storage.set_settings", method = "PUT",
    path = "/storage/settings", key = "api",
    doc = "sets both anew, for new files; what is left out is reset",
    params = {
      body("expiration_duration_seconds", "integer",
           "new files are deleted after this; null: never",
           { min = 1, null = true }),
      body("initial_acl", "object", "who may read new files; null: everyone",
           { null = true, fields = { DEFAULT, RULES } }),
    },
    changes = "reversible",
    stands = param.stands(200, 400, 401, 403, 429, 500) },
}
