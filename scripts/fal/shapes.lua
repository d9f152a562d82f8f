--- The shape of the public API: functions, their options, kinds of values.
---
--- The one list of names; fal/checking/operations.lua adds the operations of
--- the Platform API from their own table. The library refuses what is not here
--- when it is called; fal.checking reports it without running anything.
local shapes = {}

shapes.STATUSES = { "success", "error", "user_error" }
shapes.GROUPS = { "endpoint_id", "status_code", "sent_at", "started_at",
                  "ended_at", "duration" }
shapes.BEGINNING = "2021-01-01T00:00:00Z"

local MOST <const> = 1000000000

local function count(name)
  return { name = name, kind = "integer", least = 1, most = MOST }
end

local REASON <const> = { name = "reason", kind = "text" }
local TIMEOUT <const> = { name = "timeout", kind = "duration", least = 1,
                          most = 600000, words = '"1ms" to "10m"' }
local RETRIES <const> = { name = "retries", kind = "integer", least = 0,
                          most = 10 }
local DRY_RUN <const> = { name = "dry_run", kind = "boolean" }
local CONCURRENCY <const> = { name = "concurrency", kind = "integer",
                              least = 1, most = 1000 }
local VERIFY <const> = { name = "verify", kind = "boolean" }

local URL <const> = { name = "url", kind = "any" }
local SINK_TIMEOUT <const> = { name = "timeout", kind = "duration", least = 1,
                               most = 30000, words = '"1ms" to "30s"' }

--- Tables of options, in the order in which messages name them.
shapes.options = {
  requests = {
    { name = "endpoint_id", kind = "endpoint", needed = true },
    { name = "older_than", kind = "duration" },
    { name = "start", kind = "time" },
    { name = "end", kind = "time" },
    { name = "since", kind = "choice", of = { "last" } },
    { name = "overlap", kind = "duration" },
    { name = "status", kind = "choice", of = shapes.STATUSES },
    { name = "request_id", kind = "id" },
    { name = "limit", kind = "integer", least = 1, most = 100 },
  },
  delete_payloads = {
    { name = "reason", kind = "text", most = 1000 },
    { name = "idempotency_key", kind = "text" },
    TIMEOUT, RETRIES, DRY_RUN, VERIFY,
  },
  delete_all = { REASON, CONCURRENCY, TIMEOUT, RETRIES, DRY_RUN, VERIFY },
  each = { CONCURRENCY },
  call = { TIMEOUT },
  call_saves = { TIMEOUT, { name = "to", kind = "text", most = 4000,
                            needed = true },
                 { name = "replace", kind = "boolean" } },
  call_changes = {
    TIMEOUT, { name = "reason", kind = "text", most = 1000 }, DRY_RUN,
    { name = "idempotency_key", kind = "text", most = 200 },
  },
  limits = {
    { name = "max", kind = "integer", least = 0, most = math.maxinteger },
    { name = "min_age", kind = "duration" },
  },
  policy = {
    { name = "name", kind = "name", needed = true },
    { name = "select", kind = "items", needed = true },
    { name = "where", kind = "function" },
    { name = "keep", kind = "rule" },
    { name = "hold", kind = "sources" },
    { name = "limits", kind = "options", of = "policy_limits" },
    { name = "action", kind = "options", of = "policy_action" },
    { name = "reason", kind = "reason", needed = true, most = 1000 },
    VERIFY,
    { name = "all", kind = "boolean" },
    { name = "before_delete", kind = "function" },
    { name = "on_finish", kind = "function" },
    { name = "on_failure", kind = "function" },
  },
  net_request = {
    { name = "url", kind = "text", needed = true, most = 2047 },
    { name = "method", kind = "choice", of = { "GET", "HEAD", "POST", "PUT",
                                               "PATCH", "DELETE" } },
    { name = "headers", kind = "table" },
    { name = "body", kind = "text" }, { name = "json", kind = "any" },
    SINK_TIMEOUT,
  },
  notify_webhook = { URL, { name = "headers", kind = "table" },
                     { name = "body", kind = "function" }, SINK_TIMEOUT },
  notify_slack = { URL, { name = "channel", kind = "text" }, SINK_TIMEOUT },
  notify_mail = { { name = "to", kind = "any", needed = true },
                  { name = "from", kind = "text" },
                  { name = "subject", kind = "text" } },
  policy_action = {
    { name = "quarantine", kind = "duration", needed = true },
    { name = "delete_after", kind = "duration", positive = true,
      needed = true },
  },
  policy_limits = {
    { name = "max", kind = "integer", least = 0, most = MOST },
    { name = "percent", kind = "number", least = 0, most = 100 },
    { name = "growth", kind = "number", least = 1, most = 1000000 },
    { name = "min_scanned", kind = "integer", least = 0, most = MOST },
    { name = "min_age", kind = "duration" },
  },
  keep = {
    count "last", count "hourly", count "daily", count "weekly",
    count "monthly", count "yearly",
    { name = "within", kind = "duration", positive = true },
    { name = "by", kind = "by", of = shapes.GROUPS },
    { name = "zone", kind = "zone" },
    positional = "rule",
  },
}

local function options(of, needed)
  return { name = "options", kind = "options", of = of, needed = needed }
end

local ITEMS <const> = { name = "items", kind = "items", needed = true }
local LIST <const> = { name = "items", kind = "list", needed = true }
local F <const> = { name = "f", kind = "function", needed = true }
local PATH <const> = { name = "path", kind = "text", needed = true,
                       most = 4096 }

local MARK <const> = { name = "name", kind = "text", needed = true,
                       most = 200 }

--- Functions and their arguments.
shapes.calls = {
  ["fal.policy"] = { options("policy", true) },
  ["fal.requests"] = { options("requests", true) },
  ["fal.delete_payloads"] = { { name = "id", kind = "id", needed = true },
                              options "delete_payloads" },
  ["fal.delete_all"] = { ITEMS, options "delete_all" },
  ["fal.each"] = { LIST, F, options "each" },
  ["fal.spawn"] = { F },
  ["fal.limits"] = { options("limits", true) },
  ["fal.ago"] = { { name = "duration", kind = "duration", needed = true },
                  { name = "now", kind = "time" } },
  ["fal.sleep"] = { { name = "duration", kind = "duration", needed = true } },
  ["fal.ids"] = { PATH },
  ["fal.keep.any"] = { options("keep", true) },
  ["fal.keep.all"] = { options("keep", true) },
  ["fal.before_delete"] = { F },
  ["fal.on_finish"] = { F },
  ["fal.on_failure"] = { F },
  ["fal.net.request"] = { options("net_request", true) },
  ["fal.notify.webhook"] = { options("notify_webhook", true) },
  ["fal.notify.slack"] = { options("notify_slack", true) },
  ["fal.notify.mail"] = { options("notify_mail", true) },
  ["fal.hold.file"] = { PATH },
  ["fal.hold.from"] = { F, { name = "title", kind = "text" } },
  ["fal.hold.collection"] = { MARK },
  ["fal.hold.tag"] = { MARK },
  ["fal.hold.favourites"] = {},
  ["fal.hold.enforce"] = { { name = "sources", kind = "sources",
                             needed = true } },
}

--- The fields of tables that refuse others.
shapes.fields = {
  fal = { "policy", "requests", "delete_payloads", "delete_all", "each",
          "spawn", "limits", "ago", "sleep", "ids", "keep", "hold",
          "before_delete", "on_finish", "on_failure", "net", "notify",
          "version" },
  ["fal.net"] = { "request" },
  ["fal.notify"] = { "webhook", "slack", "mail" },
  ["fal.keep"] = { "any", "all" },
  ["fal.hold"] = { "file", "from", "collection", "tag", "favourites",
                   "enforce" },
  json = { "decode", "encode", "array", "null" },
  log = { "error", "warn", "info", "debug" },
}

--- What waits, and so cannot be called by a callback of C.
shapes.waits = {
  ["fal.delete_payloads"] = true, ["fal.delete_all"] = true,
  ["fal.each"] = true, ["fal.sleep"] = true, ["fal.hold.enforce"] = true,
  ["fal.net.request"] = true,
}

local names = {}

--- The names of a table of options, in order.
function shapes.names(of)
  local list = names[of]
  if not list then
    list = {}
    for i, option in ipairs(shapes.options[of]) do
      list[i] = option.name
    end
    names[of] = list
  end
  return list
end

return shapes
