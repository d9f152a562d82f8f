--- Operations of the model APIs: catalogue, prices, usage, requests.
local param = require "fal.operations.params"

local query <const>, path <const>, body <const> =
  param.query, param.path, param.body

--- What only an ADMIN key may ask.
local BILLED <const> = param.stands(200, 400, 401, 403, 429)

local METRICS <const> = "what the answer holds: time_series or summary, and "
  .. "at least one metric, like request_count"

return {
  { name = "models.list", method = "GET", path = "/models", key = "optional",
    doc = "the catalogue of models: all of it, some by id, or a search",
    params = {
      param.limit, param.cursor, param.endpoints,
      query("q", "string", "words to look for in name, description, category"),
      query("category", "string", "only of this kind, like text-to-image"),
      query("status", "string", "only these; without it, both",
            { values = { "active", "deprecated" } }),
      param.expand({ "openapi-3.0", "enterprise_status" },
                   "more of each model"),
    },
    paging = "cursor", list = "models", item = { endpoint_id = "string" },
    stands = param.stands(200, 400, 404, 429, 500) },

  { name = "models.pricing", method = "GET", path = "/models/pricing",
    key = "api", doc = "the unit prices of endpoints",
    params = { param.endpoints_needed },
    list = "prices", item = { endpoint_id = "string", unit_price = "number",
                              unit = "string", currency = "string" },
    stands = param.stands(200, 400, 401, 404, 429) },

  { name = "models.estimate", method = "POST",
    path = "/models/pricing/estimate", key = "api",
    doc = "what so many calls or units of endpoints would cost",
    params = {
      body("estimate_type", "string", "by what calls did cost, or by units",
           { required = true,
             values = { "historical_api_price", "unit_price" } }),
      body("endpoints", "object", "by endpoint id: { call_quantity = N }, or "
           .. "{ unit_quantity = N } for unit_price", { required = true }),
    },
    answer = { estimate_type = "string", total_cost = "number",
               currency = "string" },
    stands = param.stands(200, 400, 401, 404, 429) },

  { name = "models.usage", method = "GET", path = "/models/usage",
    key = "admin", doc = "what was used and billed, by endpoint and time",
    params = {
      param.limit, param.cursor, param.start, param["end"], param.timezone,
      param.timeframe, param.bound, param.endpoints, param.api_keys,
      param.logins,
      param.series { "time_series", "summary", "auth_method",
                     "auth_method_structured" },
    },
    paging = "cursor", list = { "time_series", "summary" }, stands = BILLED },

  { name = "models.analytics", method = "GET", path = "/models/analytics",
    key = "api", doc = "counts and latencies of one's calls, by endpoint and "
      .. "time",
    params = {
      param.limit, param.cursor, param.start, param["end"], param.timezone,
      param.timeframe, param.bound, param.endpoints_needed,
      query("expand", "string", METRICS, { many = true,
            default = { "time_series", "request_count" } }),
    },
    paging = "cursor", list = { "time_series", "summary" },
    stands = param.stands(200, 400, 401, 403, 404, 429, 500) },

  { name = "models.billing_events", method = "GET",
    path = "/models/billing-events", key = "admin",
    doc = "every billed request with its price; a call spans 90 days at most",
    params = {
      param.limit, param.cursor, param.start, param["end"], param.endpoints,
      param.request_ids, param.api_keys, param.logins,
      param.expand({ "auth_method", "auth_method_structured" },
                   "who called, in words or as fields"),
    },
    paging = "keyset", list = "billing_events",
    item = { request_id = "string", endpoint_id = "string",
             timestamp = "string" },
    stands = param.stands(200, 400, 401, 403, 404, 429) },

  { name = "models.requests.delete_payloads", method = "DELETE",
    path = "/models/requests/{request_id}/payloads", key = "admin",
    doc = "deletes what a request was given and made, through the gate",
    params = { path("request_id", "id", "the request", { required = true }) },
    idempotent = true, changes = "irreversible", gated = true,
    list = "cdn_delete_results", item = { link = "string" },
    stands = param.stands(200, 400, 401, 403, 404, 429, 500) },

  { name = "models.requests.list", method = "GET",
    path = "/models/requests/by-endpoint", key = "list",
    doc = "a page of one's requests to endpoints; fal.requests walks it "
      .. "safely",
    params = {
      param.with(param.limit, { max = 100, default = 50,
                                doc = "items of a page" }),
      param.cursor, param.endpoints_needed, param.start, param["end"],
      query("status", "string", "only with this outcome",
            { values = { "success", "error", "user_error" } }),
      query("request_id", "id", "only this request"),
      param.expand({ "payloads" }, "payloads: what each was given and made"),
      query("sort_by", "string", "the order", { default = "ended_at",
            values = { "ended_at", "duration" } }),
    },
    paging = "cursor", list = "items",
    item = { request_id = "string", endpoint_id = "string",
             sent_at = "string", started_at = "string" },
    stands = param.stands(200, 400, 401, 403, 404, 429, 500) },

  { name = "models.requests.search", method = "GET",
    path = "/models/requests/search", key = "list",
    doc = "one's requests by what they made: words, an image or a video",
    params = {
      param.limit, param.cursor,
      query("query", "string", "words to look for"),
      query("image_url", "string", "an image to compare with"),
      query("video_url", "string", "a video to compare with"),
      param.endpoints,
      query("endpoint", "string", "an endpoint; old: use endpoint_id"),
      query("exclude_api_requests", "boolean", "leave out calls by API key"),
      query("only_api_requests", "boolean", "only calls by API key"),
      query("min_similarity", "number", "how near they must be",
            { min = 0, max = 1 }),
    },
    alone = { { "query", "image_url", "video_url" },
              { "exclude_api_requests", "only_api_requests" } },
    paging = "cursor", list = "results",
    item = { request_id = "string", endpoint_id = "string",
             sent_at = "string", started_at = "string" },
    stands = param.stands(200, 400, 401, 403, 429, 500) },
}
