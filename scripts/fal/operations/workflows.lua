--- Operations of workflows.
local param = require "fal.operations.params"

local query <const>, path <const>, body <const> =
  param.query, param.path, param.body

return {
  { name = "workflows.list", method = "GET", path = "/workflows",
    key = "api", doc = "one's own workflows",
    params = {
      param.limit, param.cursor,
      query("search", "string", "a part of the name or title"),
      query("used_endpoint_ids", "string", "only with these models in them",
            { many = true }),
    },
    paging = "cursor", list = "workflows", item = { name = "string" },
    stands = param.stands(200, 400, 401, 429, 500) },

  { name = "workflows.create", method = "POST", path = "/workflows",
    key = "api", doc = "makes a workflow; its name must be new",
    params = {
      body("name", "slug", "its name", { required = true, max = 128 }),
      body("title", "string", "its title", { required = true, min = 1,
                                             max = 256 }),
      body("contents", "object", "what it does", { required = true, fields = {
        body("name", "string", "a name", { required = true }),
        body("version", "string", "a version", { required = true }),
        body("nodes", "object", "its steps", { required = true }),
        body("output", "object", "what comes out", { required = true }),
        body("schema", "object", "what goes in and out",
             { required = true }),
        body("metadata", "object", "anything else"),
      } }),
      body("is_public", "boolean", "everyone sees it", { default = false }),
    },
    changes = "reversible", target = "name", answer = { workflow = "object" },
    stands = param.stands(201, 400, 401, 403, 429, 500) },

  { name = "workflows.get", method = "GET",
    path = "/workflows/{username}/{workflow_name}", key = "api",
    doc = "one workflow with its contents",
    params = {
      path("username", "slug", "the owner", { required = true, max = 128 }),
      path("workflow_name", "slug", "the name", { required = true,
                                                  max = 128 }),
    },
    answer = { workflow = "object" },
    stands = param.stands(200, 400, 401, 403, 404, 429, 500) },
}
