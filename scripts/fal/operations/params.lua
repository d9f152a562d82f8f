--- The rows of the table of operations, and how they name their parameters.
---
---   name, method, path   "models.pricing", "GET", "/models/pricing"
---   key         "none", "optional", "api", "admin", or "list": the admin key
---               where one is set, so that the gate knows whose requests
---   params      see below
---   media       of the answer: "csv", "text" (Prometheus), "bytes", "events";
---               "multipart": of what is sent; else JSON
---   answer      fields that it must have by kind, or the kind of the whole
---   list, item  the field that is a list (of several: their names), and the
---               fields of what is in it by kind
---   paging      "cursor", "keyset" or "offset"
---   changes     "reversible" or "irreversible"; nothing: it only reads
---   idempotent  the API takes an Idempotency-Key; target: the parameter that
---               says what a change is about, beside those of the path
---   alone, one  parameters that shut each other out; of which one is needed
---   stands      statuses of the answer, the good one first; doc: one line
---
---   param.query("limit", "integer", "items of a page", { min = 1 })
---
--- types:  string, integer, number, boolean, object, list
---         time    RFC 3339, sent in UTC          month   "2026-01"
---         id      a request id                   url     an address, whole
---         any     whatever JSON can say
---         slug    letters, digits, "_" and "-"   file    a path of a file
--- more:   required, default, doc; many: one value or a list of them, and
---         then least and most; min and max: of a number, or the length of
---         a text; values: the only ones; null: json.null is a value;
---         fields: the parameters of an object; whole: it is the body itself
local param = {}

local function maker(place)
  return function(name, type, doc, more)
    local made = { name = name, place = place, type = type, doc = doc }
    for key, value in pairs(more or {}) do
      made[key] = value
    end
    return made
  end
end

param.query = maker "query"
param.path = maker "path"
param.body = maker "body"

--- The same parameter with other properties.
function param.with(made, more)
  local copy = {}
  for _, from in ipairs { made, more } do
    for key, value in pairs(from) do
      copy[key] = value
    end
  end
  return copy
end

--- The statuses of the answers: the good one, and those of failures.
function param.stands(good, ...)
  return { good, ... }
end

local query <const> = param.query

param.limit = query("limit", "integer",
  "items of a page; the API has a limit of its own", { min = 1 })
param.cursor = query("cursor", "string",
  "where to go on: the next_cursor of the page before")
param.offset = query("offset", "integer", "so many items are left out",
                     { min = 0, default = 0 })
param.start = query("start", "time", "from this time on; without it, the last "
                    .. "24 hours")
param["end"] = query("end", "time", "before this time; without it, now")
param.timezone = query("timezone", "string", "the time zone of the buckets",
                       { default = "UTC" })
param.timeframe = query("timeframe", "string", "the length of a bucket; "
  .. "without it, by the span",
  { values = { "minute", "hour", "day", "week", "month" } })
param.bound = query("bound_to_timeframe", "boolean", "move start and end to "
                    .. "the edges of buckets", { default = true })
param.endpoints = query("endpoint_id", "string", "only these endpoints",
                        { many = true, most = 50 })
param.endpoints_needed = param.with(param.endpoints, { required = true,
                                    doc = "the endpoints" })
param.request_ids = query("request_id", "string", "only these requests",
                          { many = true, most = 50 })
param.api_keys = query("api_key_id", "string", "only by these API keys",
                       { many = true, most = 50 })
param.logins = query("login_username", "string", "only by these members of "
                     .. "the team", { many = true, most = 50 })
param.teams = query("team_username", "string", "only of these teams",
                    { many = true })

--- Of the asset library.
param.MEDIA = { "image", "video", "audio", "3d" }
param.ASSET_ROW = { vector_id = "string", type = "string" }
param.hundred = param.with(param.limit, { max = 100, default = 50,
                                          doc = "items of a page" })
param.words = query("q", "string", "words to look for")
param.image = query("search_image_url", "url", "an image that fal hosts, to "
                    .. "compare with")
param.video = query("search_video_url", "url", "a video that fal hosts, to "
                    .. "compare with")
param.media_type = query("media_type", "string", "only of these kinds",
                         { many = true, values = param.MEDIA })
param.source_of = query("source", "string", "only uploads, or what was made",
                        { many = true, values = { "upload", "response" } })
param.section = query("section", "string", "a part of the library",
  { default = "all-media",
    values = { "all-media", "uploads", "favorites", "generated" } })
param.character = query("character_identifier", "string", "only with these "
                        .. "characters", { many = true })
param.tag_id = query("tag_id", "string", "only with these tags",
                     { many = true })
param.tag_mode = query("tag_mode", "string", "with any of the tags, or all",
                       { values = { "any", "all" }, default = "any" })

--- The statuses of all operations of the library.
function param.of_assets(good)
  return param.stands(good, 400, 401, 403, 404, 409, 422, 429, 500, 502)
end

--- How an asset is named: by exactly one of these, after other parameters.
param.WHICH = { "asset_id", "request_id", "vector_id" }
function param.which(...)
  local list = { ... }
  for _, made in ipairs {
    param.body("asset_id", "string", "the asset", { min = 1 }),
    param.body("request_id", "string", "a request: what it made becomes an "
               .. "asset first", { min = 1 }),
    param.body("vector_id", "string", "the asset by its vector; better by "
               .. "asset_id", { min = 1 }),
  } do
    list[#list + 1] = made
  end
  return list
end

--- Of reports on costs.
param.source = query("source", "string", "what was invoiced, or estimates of "
  .. "what was used", { required = true, values = { "invoice", "estimate" } })
param.billing_month = query("billing_month", "month", "of invoices issued in "
                            .. "this month; with source invoice")
param.charge_month = query("charge_month", "month", "of charges of this "
                           .. "month; with source invoice")

--- What else an answer holds: one or several of these words.
function param.expand(values, doc, more)
  return param.with(query("expand", "string", doc,
                          { many = true, values = values }), more or {})
end

--- Counted by time: which lists an answer has, and what is in their rows.
function param.series(values)
  return param.expand(values, "what the answer holds: time_series and "
    .. "summary are lists of their own", { default = { "time_series" } })
end

return param
