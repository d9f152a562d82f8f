--- Operations of serverless: apps, their queues, files, logs and metrics.
local param = require "fal.operations.params"

local query <const>, path <const>, body <const> =
  param.query, param.path, param.body

local OWNER <const> = path("owner", "string", "the owner's username",
                           { required = true, min = 1 })
local NAME <const> = path("name", "string", "the app's name",
                          { required = true, min = 1 })
local APP <const> = param.stands(200, 400, 401, 403, 404, 429, 500)
local FILES <const> = param.stands(200, 400, 401, 429, 500)
local PLAIN <const> = param.stands(200, 401, 429, 500)

local CATEGORIES <const> = {
  "runner_started", "runner_failed", "runner_finished", "runner_pending",
  "runner_startup_failure", "runner_docker_pull", "runner_setup",
  "runner_draining", "runner_stopping", "deployment_started",
  "deployment_failed", "deployment_ended", "deployment_rolling_started",
  "deployment_rolling_failed", "deployment_rolling_ended",
  "deployment_recreate_applied", "config_changed",
}

local FILE <const> = { path = "string", name = "string", is_file = "boolean",
                       size = "number" }

--- What the lines of a log are chosen by, in both calls.
local LOG <const> = {
  param.start, param["end"],
  query("app_id", "string", "only of these apps, as owner/name",
        { many = true, most = 50 }),
  query("revision", "string", "only of this revision"),
  query("run_source", "string", "only of what was started this way",
        { values = { "grpc-run", "grpc-register", "gateway", "cron" } }),
  query("traceback", "boolean", "with tracebacks", { default = false }),
  query("search", "string", "words to look for"),
  query("level", "string", "this level and those above"),
  query("job_id", "string", "only of this job"),
  query("request_id", "string", "only of this request"),
  body("filters", "list", "labels: { key =, value =, condition_type = }",
       { whole = true, fields = {
         body("key", "string", "the label", { required = true }),
         body("value", "string", "its value, or several",
              { required = true, many = true }),
         body("condition_type", "string", "how they compare",
              { values = { "equals", "in", "not_equals", "not_in" } }),
       } }),
}

local function log_with(...)
  local list = { ... }
  return table.move(LOG, 1, #LOG, #list + 1, list)
end

return {
  { name = "serverless.analytics", method = "GET",
    path = "/serverless/analytics", key = "api",
    doc = "counts and latencies of all calls of one's own apps",
    params = {
      param.limit, param.cursor, param.start, param["end"], param.timezone,
      param.timeframe, param.bound, param.endpoints_needed,
      query("expand", "string", "what the answer holds: time_series or "
            .. "summary, and at least one metric, like request_count", {
            many = true, default = { "time_series", "request_count" } }),
    },
    paging = "cursor", list = { "time_series", "summary" }, stands = APP },

  { name = "serverless.apps", method = "GET", path = "/serverless/apps",
    key = "api", doc = "one's own apps",
    params = {
      query("environment", "string", "only of it; without it, the main one"),
      query("search", "string", "a part of the name"),
      param.expand({ "endpoints" }, "endpoints: the ids of their routes"),
    },
    list = "apps", item = { endpoint_id = "string", name = "string",
                            owner = "string" },
    stands = param.stands(200, 400, 401, 403, 429, 500) },

  { name = "serverless.queue", method = "GET",
    path = "/serverless/apps/{owner}/{name}/queue", key = "api",
    doc = "how many requests wait for an app", params = { OWNER, NAME },
    answer = { queue_size = "integer" },
    stands = param.stands(200, 401, 403, 404, 429, 500) },

  { name = "serverless.flush_queue", method = "DELETE",
    path = "/serverless/apps/{owner}/{name}/queue", key = "api",
    doc = "drops every request that waits for an app",
    params = { OWNER, NAME }, idempotent = true, changes = "irreversible",
    stands = param.stands(204, 400, 401, 403, 404, 429, 500) },

  { name = "serverless.runners", method = "GET",
    path = "/serverless/apps/{owner}/{name}/runners/history", key = "api",
    doc = "how many runners an app had, by time; 90 days back at most",
    params = {
      OWNER, NAME, param.start, param["end"], param.timeframe,
      query("aggregation", "string", "the most in a bucket, or the mean",
            { values = { "max", "avg" }, default = "max" }),
    },
    list = "history", item = { timestamp = "string", running = "number" },
    stands = APP },

  { name = "serverless.events", method = "GET",
    path = "/serverless/apps/{owner}/{name}/events", key = "api",
    doc = "what happened to an app's runners and deployments, newest first",
    params = {
      OWNER, NAME, param.start, param["end"],
      query("category", "string", "only of these kinds",
            { many = true, values = CATEGORIES }),
      param.with(param.limit, { max = 1000, default = 50,
                                doc = "items of a page" }),
      param.cursor,
    },
    paging = "cursor", list = "events",
    item = { event_id = "string", category = "string" }, stands = APP },

  { name = "serverless.revisions", method = "GET",
    path = "/serverless/apps/{owner}/{name}/revisions", key = "api",
    doc = "the revisions of an app, newest first",
    params = {
      OWNER, NAME,
      param.with(param.limit, { max = 100, default = 50,
                                doc = "items of a page" }),
      param.cursor,
    },
    paging = "cursor", list = "revisions",
    item = { revision_id = "string", is_current = "boolean" }, stands = APP },

  { name = "serverless.files.list", method = "GET",
    path = "/serverless/files/list", key = "api",
    doc = "the files at the top of /data", params = {}, answer = "list",
    item = FILE, stands = PLAIN },

  { name = "serverless.files.list_dir", method = "GET",
    path = "/serverless/files/list/{dir}", key = "api",
    doc = "the files of a folder of /data",
    params = { path("dir", "file", "the folder", { required = true }) },
    answer = "list", item = FILE, stands = FILES },

  { name = "serverless.files.download", method = "GET",
    path = "/serverless/files/file/{file}", key = "api", media = "bytes",
    doc = "a file of /data, into a file here",
    params = { path("file", "file", "the file", { required = true }) },
    stands = param.stands(200, 400, 401, 404, 429, 500) },

  { name = "serverless.files.upload_url", method = "POST",
    path = "/serverless/files/file/url/{file}", key = "api",
    doc = "has fal fetch an address into a file of /data",
    params = {
      path("file", "file", "the file that it becomes", { required = true }),
      body("url", "url", "where it is; everyone can read it",
           { required = true }),
    },
    answer = "boolean", changes = "reversible", stands = FILES },

  { name = "serverless.files.upload", method = "POST",
    path = "/serverless/files/file/local/{target_path}", key = "api",
    media = "multipart", doc = "sends a file from here into /data",
    params = {
      path("target_path", "file", "the file that it becomes",
           { required = true }),
      query("unzip", "boolean", "unpack it when it is a ZIP",
            { default = false }),
      body("file_upload", "string", "the path of the file here",
           { required = true, min = 1 }),
    },
    answer = "boolean", changes = "reversible", stands = FILES },

  { name = "serverless.metrics", method = "GET", path = "/serverless/metrics",
    key = "api", media = "text", doc = "the metrics of one's apps, as "
      .. "Prometheus reads them", params = {}, stands = PLAIN },

  { name = "serverless.logs.history", method = "POST",
    path = "/serverless/logs/history", key = "api",
    doc = "lines of logs, newest first; without a start, of the last 24 hours",
    params = log_with(param.with(param.limit, { max = 1000,
                      doc = "items of a page" }), param.cursor),
    paging = "keyset", list = "items",
    item = { timestamp = "string", message = "string" }, stands = PLAIN },

  { name = "serverless.logs.stream", method = "POST",
    path = "/serverless/logs/stream", key = "api", media = "events",
    doc = "lines of logs as they come", params = log_with(),
    stands = PLAIN },

  { name = "serverless.requests.list", method = "GET",
    path = "/serverless/requests/by-endpoint", key = "api",
    doc = "requests that others and oneself sent to one's own apps",
    params = {
      param.with(param.limit, { max = 100, default = 50,
                                doc = "items of a page" }),
      param.cursor, param.endpoints_needed, param.start, param["end"],
      query("status", "string", "only with this outcome",
            { values = { "success", "error", "user_error" } }),
      query("request_id", "id", "only this request"),
      param.expand({ "payloads", "billing" },
                   "payloads, or billing: the units billed"),
      query("sort_by", "string", "the order", { default = "ended_at",
            values = { "ended_at", "duration" } }),
    },
    paging = "cursor", list = "items",
    item = { request_id = "string", endpoint_id = "string",
             sent_at = "string", started_at = "string" }, stands = APP },

  { name = "serverless.usage", method = "GET", path = "/serverless/usage",
    key = "admin", doc = "seconds of machines that one's apps used",
    params = {
      param.limit, param.cursor, param.start, param["end"], param.timezone,
      param.timeframe, param.bound,
      query("app", "string", "only of these apps, by their whole names",
            { many = true, most = 50 }),
      query("search", "string", "a part of the app's name"),
      param.series { "time_series", "summary" },
    },
    paging = "cursor", list = { "time_series", "summary" }, stands = APP },
}
