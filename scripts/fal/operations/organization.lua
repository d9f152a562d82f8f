--- Operations of an organization, with an ADMIN key of its root team.
local param = require "fal.operations.params"

local query <const> = param.query

local ROOT <const> = param.stands(200, 400, 401, 403, 404, 429, 500)

return {
  { name = "organization.billing_events", method = "GET",
    path = "/organization/billing-events", key = "admin",
    doc = "every billed request of all teams; a call spans 90 days at most",
    params = {
      param.limit, param.cursor, param.start, param["end"], param.endpoints,
      param.request_ids, param.api_keys, param.teams,
      param.expand({ "auth_method", "auth_method_structured" },
                   "who called, in words or as fields"),
    },
    paging = "keyset", list = "billing_events",
    item = { request_id = "string", endpoint_id = "string",
             timestamp = "string", username = "string" }, stands = ROOT },

  { name = "organization.focus", method = "GET", path = "/organization/focus",
    key = "admin", media = "csv", doc = "costs of all teams as a FOCUS report",
    params = {
      param.source, param.billing_month, param.charge_month,
      query("team_username", "string", "only of this team"),
      param.start, param["end"], param.timezone, param.timeframe, param.bound,
    },
    stands = ROOT },

  { name = "organization.teams", method = "GET", path = "/organization/teams",
    key = "admin", doc = "the teams of the organization", params = {},
    list = "teams", item = { username = "string", name = "string",
                             is_org_root = "boolean" }, stands = ROOT },

  { name = "organization.usage", method = "GET", path = "/organization/usage",
    key = "admin", doc = "what all teams used, by team, endpoint and time",
    params = {
      param.limit, param.cursor, param.start, param["end"], param.timezone,
      param.timeframe, param.bound, param.endpoints, param.api_keys,
      param.teams,
      query("product", "string", "only of these products", { many = true,
            values = { "model_apis", "serverless", "compute" } }),
      param.series { "time_series", "summary", "auth_method",
                     "auth_method_structured" },
    },
    paging = "cursor", list = { "time_series", "summary" }, stands = ROOT },
}
