--- Operations of the account.
local param = require "fal.operations.params"

local query <const> = param.query

local DENIED <const> = param.stands(200, 400, 401, 403, 429, 500)

return {
  { name = "account.billing", method = "GET", path = "/account/billing",
    key = "admin", doc = "the account, and what it has left to spend",
    params = { param.expand({ "credits" }, "credits: the balance") },
    answer = { username = "string" }, stands = DENIED },

  { name = "account.focus", method = "GET", path = "/account/focus",
    key = "admin", media = "csv",
    doc = "costs as a FOCUS report; estimates span 90 days at most",
    params = {
      param.source, param.billing_month, param.charge_month,
      query("expand", "string", "organization: of all its teams",
            { values = { "organization" } }),
      param.start, param["end"], param.timezone, param.timeframe, param.bound,
    },
    stands = DENIED },

  { name = "account.model_access", method = "GET",
    path = "/account/model-access-controls", key = "api", media = "csv",
    doc = "which models may be used, as a report", params = {},
    stands = param.stands(200, 401, 403, 429, 500) },
}
