--- The table of operations, and what comes from it.
local support = require "support"
local test, equal, raises, has = support.test, support.equal, support.raises,
                                 support.has

local function load_operations()
  return require "fal.operations"
end

local function call(name, given, options)
  local operations = load_operations()
  return operations.call(operations.find(name), given, options)
end

local function items(name, given)
  local operations = load_operations()
  return support.all(operations.items(operations.find(name), given))
end

-- ---- the rows --------------------------------------------------------------

local TYPES <const> = { string = 1, integer = 1, number = 1, boolean = 1,
  object = 1, list = 1, time = 1, month = 1, id = 1, url = 1, slug = 1,
  file = 1, any = 1 }

local function check_param(row, spec)
  local where = row.name .. "." .. spec.name
  assert(TYPES[spec.type], where)
  assert(spec.doc and #spec.doc > 3 and #spec.doc < 100, where)
  assert(not spec.doc:find "%.$" and not spec.doc:find "^%u[^%u]", where)
  if spec.place == "path" then
    assert(row.path:find("{" .. spec.name .. "}", 1, true), where)
    assert(spec.required, where)
  end
  assert(not (spec.place == "body" and row.method == "GET"), where)
end

test("every row is whole", function()
  local names, count = {}, 0
  local groups = {}
  for _, name in ipairs(require("fal.operations.groups").names) do
    groups[name] = true
  end
  for _, row in load_operations().each() do
    count = count + 1
    assert(row.name:find "^[%l_.]+$", row.name)
    assert(groups[row.name:match "^[^.]+"] or row.name == "meta", row.name)
    assert(not names[row.method .. row.path], row.name)
    names[row.method .. row.path] = true
    assert(#row.doc < 90 and not row.doc:find "%.$", row.name)
    assert(row.stands[1] // 100 == 2 and row.stands[#row.stands] >= 429)
    local known = {}
    for _, spec in ipairs(row.params) do
      check_param(row, spec)
      assert(not known[spec.name], row.name)
      known[spec.name] = true
    end
    for name in row.path:gmatch "{(.-)}" do
      assert(known[name], row.name)
    end
    assert(not row.target or known[row.target], row.name)
    assert(not row.paging or row.list, row.name)
    assert((row.paging == "offset") == (known.offset or false), row.name)
    assert((row.paging == "cursor" or row.paging == "keyset")
      == (known.cursor or false), row.name)
  end
  equal(count, 82)
end)

test("all but GETs and the reading POSTs change something", function()
  local reads = { ["/models/pricing/estimate"] = true,
    ["/serverless/logs/history"] = true, ["/serverless/logs/stream"] = true }
  for _, row in load_operations().each() do
    equal(row.changes == nil, row.method == "GET" or reads[row.path] or false,
          row.name)
    equal(row.changes == "irreversible", row.method == "DELETE" and
      not row.one, row.name)
  end
end)

test("no name is a group, and no function hides another", function()
  local library = load_operations().library {}
  local count = 0
  local function walk(tree)
    for _, value in pairs(tree) do
      if type(value) == "table" then
        walk(value)
      else
        count = count + 1
      end
    end
  end
  walk(library)
  local wanted = 82
  for _, row in load_operations().each() do
    wanted = wanted + (row.paging and 1 or 0)
  end
  equal(count, wanted)
end)

-- ---- arguments -------------------------------------------------------------

local WRONG <const> = {
  { "models.pricing", nil, "'endpoint_id' to 'fal.models.pricing' (it is "
    .. "missing: the endpoints)" },
  { "models.pricing", 5, "a table is needed, got number" },
  { "models.pricing", { "a" }, "a value without a name" },
  { "models.pricing", { endpoint_ids = "a" }, "did you mean 'endpoint_id'?" },
  { "models.pricing", { zzzz = "a" }, "the options are: endpoint_id" },
  { "models.pricing", { endpoint_id = {} }, "the list is empty" },
  { "models.pricing", { endpoint_id = { "a", 5 } }, "'endpoint_id[2]'" },
  { "models.pricing", { endpoint_id = { a = 1 } }, "a table with names" },
  { "models.pricing", { endpoint_id = "a\255" }, "not UTF-8" },
  { "models.pricing", { endpoint_id = "a\0b" }, "has a NUL" },
  { "models.list", { limit = "5" }, 'a whole number is needed, got "5"' },
  { "models.list", { limit = 1.5 }, "a whole number is needed, got 1.5" },
  { "models.list", { limit = 0 }, "a whole number of at least 1 is needed" },
  { "models.list", { endpoint_id = "a", status = "activ" },
    "did you mean 'active'?" },
  { "models.list", { q = true }, "text is needed, got true" },
  { "models.list", { expand = "enterprise" }, 'is none of "openapi-3.0"' },
  { "models.requests.list", { endpoint_id = "a", limit = 101 },
    "from 1 to 100 is needed, got 101" },
  { "models.requests.list", { endpoint_id = "a", request_id = "x" },
    "is no id; a UUID" },
  { "models.requests.list", { endpoint_id = "a", start = "30d" },
    'write fal.ago "30d"' },
  { "models.requests.list", { endpoint_id = "a", start = 5 }, "a time like" },
  { "models.requests.search", { min_similarity = 1.5 },
    "a number from 0 to 1 is needed, got 1.5" },
  { "models.requests.search", { min_similarity = 0 / 0 }, "a number is" },
  { "models.requests.search", { query = "a", image_url = "b" },
    "only one of query, image_url, video_url" },
  { "models.requests.search", { only_api_requests = "yes" },
    'true or false is needed, got "yes"' },
  { "compute.get", { id = "" }, "it is empty" },
  { "compute.get", { id = ".." }, '".." is no name' },
  { "compute.get", { id = "a/../b" }, "it would be another path" },
  { "compute.delete", { id = "a\\b" }, "it would be another path" },
  { "workflows.get", { username = "a/b", workflow_name = "c" },
    "letters, digits, '_' and '-'" },
  { "serverless.files.list_dir", { dir = "a/../b" }, "without . or .." },
  { "serverless.files.list_dir", { dir = "/a" }, "without a slash" },
  { "account.focus", { source = "invoice", billing_month = "2026-13x" },
    'a month like "2026-01"' },
  { "storage.acl", { url = "v3.fal.media/x" }, "a whole address" },
  { "storage.set_acl", { url = "https://a/b", default = "allow",
    rules = { user = "x" } }, "a list is needed, got a table with names" },
  { "storage.set_acl", { url = "https://a/b", default = "allow",
    rules = { { user = "x" } } }, "'rules[1].decision'" },
  { "storage.set_acl", { url = "https://a/b", default = "allow",
    rules = { { usr = "x", decision = "hide" } } }, "did you mean 'user'?" },
  { "storage.set_settings", {}, "there is nothing to change" },
  { "storage.set_settings", { initial_acl = { rules = {} } },
    "'initial_acl.default'" },
  { "storage.set_settings", { initial_acl = { 1 } }, "a table with names" },
  { "assets.tags.update", { tag_id = "t" }, "there is nothing to change" },
  { "assets.favorite", {}, "exactly one of asset_id, request_id, vector_id" },
  { "assets.favorite", { asset_id = "a", vector_id = "v" }, "exactly one of" },
  { "assets.tags.create", { name = ("x"):rep(51) }, "50 characters at most" },
}

for _, wrong in ipairs(WRONG) do
  test("refused before anything is sent: " .. wrong[3], function(world)
    raises(wrong[3], call, wrong[1], wrong[2])
    equal(#world.calls + #world.changes, 0)
  end)
end

test("more than fifty endpoints are refused", function()
  local many = {}
  for i = 1, 51 do
    many[i] = "e" .. i
  end
  raises("50 at most can be given at a time, got 51", call, "models.pricing",
         { endpoint_id = many })
end)

test("options of a call are checked, too", function()
  raises("did you mean 'timeout'?", call, "meta", {}, { timout = "1s" })
  raises("a duration needs a unit", call, "meta", {}, { timeout = 5 })
  raises('"1ms" to "10m" is needed', call, "meta", {}, { timeout = "1h" })
  raises("there is no option", call, "meta", {}, { reason = "x" })
  raises("1 to 1000 bytes", call, "keys.delete", { key_id = "k" },
         { reason = "" })
  raises("visible ASCII", call, "keys.delete", { key_id = "k" },
         { idempotency_key = "a\nb" })
  raises("true or false", call, "keys.delete", { key_id = "k" },
         { dry_run = 1 })
end)

test("values are sent as the API reads them", function(world)
  world.answer = function() return { has_more = false, time_series = {} } end
  call("models.usage", { endpoint_id = { "a", "b" }, start = "2026-01-02",
    bound_to_timeframe = false, limit = 5.0 })
  local sent = {}
  for i, pair in ipairs(world.calls[1].pairs) do
    sent[i] = pair[1] .. "=" .. tostring(pair[2])
  end
  equal(table.concat(sent, "&"), "limit=5&start=2026-01-02T00:00:00Z"
    .. "&bound_to_timeframe=false&endpoint_id=a&endpoint_id=b")
  equal(world.calls[1].key, "admin")
  equal(world.calls[1].body, nil)
end)

test("a path holds what is given, and no more", function(world)
  world.answer = function() return { queue_size = 3 } end
  call("serverless.queue", { owner = "a b?x#y", name = "ä" })
  equal(world.calls[1].path, "/serverless/apps/a%20b%3Fx%23y/%C3%A4/queue")
  world.answer = function() return {} end
  call("serverless.files.list_dir", { dir = "a b/c" })
  equal(world.calls[2].path, "/serverless/files/list/a%20b/c")
end)

test("a body that is a list is one, and null is null", function(world)
  world.answer = function() return { has_more = false, items = {} } end
  call("serverless.logs.history", { limit = 5, filters = {
    { key = "app", value = "x" } } })
  equal(world.calls[1].method, "POST")
  equal(world.calls[1].body, { { key = "app", value = { "x" } } })
  call("storage.set_settings", { expiration_duration_seconds = world.null })
  equal(world.changes[1].body, { expiration_duration_seconds = world.null })
end)

-- ---- what comes back -------------------------------------------------------

local ODD <const> = {
  { "models.pricing", { endpoint_id = "a" }, {}, "prices is missing" },
  { "models.pricing", { endpoint_id = "a" }, { prices = "x" },
    "prices is text, not a list" },
  { "models.pricing", { endpoint_id = "a" }, { prices = { a = 1 } },
    "prices is an object, not a list" },
  { "models.pricing", { endpoint_id = "a" }, { prices = { 5 } },
    "prices[1] is a number, not an object" },
  { "models.pricing", { endpoint_id = "a" }, { prices = { {
    endpoint_id = "a", unit = "image", currency = "USD",
    unit_price = "free" } } }, "prices[1].unit_price is text, not a number" },
  { "models.list", {}, { models = {} }, "has_more is missing" },
  { "serverless.queue", { owner = "a", name = "b" }, { queue_size = 1.5 },
    "queue_size is a number, not a whole number" },
  { "serverless.queue", { owner = "a", name = "b" }, "x",
    "it is text, not an object" },
  { "serverless.files.list", {}, { a = 1 }, "it is an object, not a list" },
  { "serverless.files.list", {}, { { path = "a" } }, "it[1]." },
  { "models.usage", {}, { has_more = false, time_series = 5 },
    "time_series is a number, not a list" },
}

for _, odd in ipairs(ODD) do
  test("an answer that is not as documented: " .. odd[4], function(world)
    world.answer = function() return odd[3] end
    local value, err = call(odd[1], odd[2])
    equal(value, nil)
    equal(err.code, "protocol")
    has(err.message, odd[4])
    has(err.message, "nothing of it was used")
  end)
end

test("what the world did wrong is returned", function(world)
  world.answer = function()
    return nil, world.core.error("not_found", "fal answered 404")
  end
  local value, err = call("compute.get", { id = "i" })
  equal(value, nil)
  equal(err.code, "not_found")
end)

-- ---- pages -----------------------------------------------------------------

local function paged(pages)
  local at = 0
  return function(seen)
    at = at + 1
    local page = pages[at]
    if page and page.wants then
      equal(seen.query.cursor or seen.query.offset, page.wants)
    end
    return page or error("too many pages were asked for")
  end
end

local function models(...)
  local list = {}
  for i, id in ipairs { ... } do
    list[i] = { endpoint_id = id }
  end
  return list
end

test("cursors are followed to the end", function(world)
  world.answer = paged {
    { models = models("a", "b"), has_more = true, next_cursor = "x" },
    { models = {}, has_more = true, next_cursor = "y", wants = "x" },
    { models = models "c", has_more = false, wants = "y" },
  }
  local ids = {}
  for _, item in ipairs(items("models.list", { q = "v" })) do
    ids[#ids + 1] = item.endpoint_id
  end
  equal(ids, { "a", "b", "c" })
  equal(world.calls[3].query.q, "v")
end)

test("a walk can begin at a cursor", function(world)
  world.answer = paged {
    { models = models "a", has_more = true, next_cursor = "y", wants = "x" },
    { models = models "b", has_more = false, wants = "y" },
  }
  equal(#items("models.list", { cursor = "x" }), 2)
  equal(#world.calls[2].pairs, 1)
end)

local HOSTILE <const> = {
  { "the same next_cursor came twice", {
    { models = models "a", has_more = true, next_cursor = "x" },
    { models = models "b", has_more = true, next_cursor = "x" } } },
  { "a page came twice", {
    { models = models "a", has_more = true, next_cursor = "x" },
    { models = models "a", has_more = true, next_cursor = "y" } } },
  { "there is no next_cursor", {
    { models = models "a", has_more = true } } },
  { "has_more is text", { { models = models "a", has_more = "no" } } },
  { "next_cursor is a number", {
    { models = models "a", has_more = true, next_cursor = 2 } } },
  { "models is missing", {
    { models = models "a", has_more = true, next_cursor = "x" },
    { has_more = false } } },
  { "models[2] is text", {
    { models = { { endpoint_id = "a" }, "b" }, has_more = false } } },
}

for _, hostile in ipairs(HOSTILE) do
  test("a walk never ends quietly: " .. hostile[1], function(world)
    world.answer = paged(hostile[2])
    raises(hostile[1], items, "models.list", {})
  end)
end

test("a page that fails raises", function(world)
  local first = true
  world.answer = function()
    if first then
      first = false
      return { models = models "a", has_more = true, next_cursor = "x" }
    end
    return nil, world.core.error("server", "fal answered 500")
  end
  raises("fal answered 500", items, "models.list", {})
end)

test("empty pages without end are an error", function(world)
  local n = 0
  world.answer = function()
    n = n + 1
    return { models = {}, has_more = true, next_cursor = "c" .. n }
  end
  raises("101 pages in a row are empty", items, "models.list", {})
end)

local function collections(...)
  local list = {}
  for i, id in ipairs { ... } do
    list[i] = { id = id, name = "n" }
  end
  return { collections = list }
end

test("offsets are counted until a page is empty", function(world)
  local sent = {}
  local answers = { collections("a", "b"), collections "c", collections() }
  world.answer = function(seen)
    sent[#sent + 1] = tostring(seen.query.offset) .. "/" .. seen.query.limit
    return table.remove(answers, 1)
  end
  equal(#items("assets.collections.list", {}), 3)
  equal(sent, { "nil/100", "2/100", "3/100" })
end)

test("an API that does not know the offset is found out", function(world)
  world.answer = function() return collections("a", "b") end
  raises("a page came twice", items, "assets.collections.list", {})
end)

test("a walk by offset begins where it is told", function(world)
  local sent = {}
  local answers = { collections "c", collections() }
  world.answer = function(seen)
    sent[#sent + 1] = seen.query.offset
    return table.remove(answers, 1)
  end
  items("assets.collections.list", { offset = 7, limit = 1 })
  equal(sent, { 7, 8 })
end)

test("of an answer with two lists, one is walked", function(world)
  world.answer = function()
    return { has_more = false, time_series = {}, summary = { { unit = "x" } } }
  end
  equal(#items("models.usage", { expand = { "summary", "auth_method" } }), 1)
  equal(#items("models.usage", {}), 0)
  raises("not both", items, "models.usage",
         { expand = { "summary", "time_series" } })
  raises("not none", items, "models.analytics",
         { endpoint_id = "a", expand = { "request_count" } })
end)

-- ---- changes ---------------------------------------------------------------

test("a change goes through core.change, with all it needs", function(world)
  world.change = function()
    return { status = "done", value = { collection = { id = "c" } } }
  end
  local result = call("assets.collections.update",
    { collection_id = "c1", name = "legal-hold" }, { reason = "ticket" })
  equal(result.value.collection.id, "c")
  local sent = world.changes[1]
  equal(sent.operation, "assets.collections.update")
  equal(sent.method .. " " .. sent.path, "PATCH /assets/collections/c1")
  equal(sent.body, { name = "legal-hold" })
  equal(sent.key, "api")
  equal(sent.idempotent, true)
  equal(sent.irreversible, false)
  equal(sent.target, "collection_id c1")
  equal(sent.reason, "ticket")
end)

test("a change names the request that it is about", function(world)
  local id = support.id(5)
  call("assets.collections.remove", { collection_id = "c", request_id = id })
  equal(world.changes[1].request_id, id)
  call("assets.collections.remove", { collection_id = "c", asset_id = "a" })
  equal(world.changes[2].request_id, nil)
end)

test("the target has no secret in it", function(world)
  world.change = function() return { status = "planned" } end
  call("compute.create", { instance_type = "gpu_1x_h100_sxm5",
                           ssh_key = "ssh-ed25519 AAAA" })
  equal(world.changes[1].target, "instance_type gpu_1x_h100_sxm5")
end)

test("a target is no longer than the record takes", function(world)
  call("compute.delete", { id = ("x"):rep(5000) })
  equal(#world.changes[1].target < 1000, true)
end)

test("what was planned has no answer to check", function(world)
  world.change = function() return { status = "planned" } end
  equal(call("keys.create", { alias = "x" }).status, "planned")
end)

test("a change with an odd answer says that it was done", function(world)
  world.change = function() return { status = "done", value = {} } end
  local result, err = call("keys.create", { alias = "x" })
  equal(result, nil)
  equal(err.status, "done")
  has(err.message, "keys.create was done, but its answer")
end)

test("a rule of a declared policy changes nothing", function(world)
  require("fal.deletions").close()
  raises("fal.keys.delete was called while a declared policy", call,
         "keys.delete", { key_id = "k" })
  raises("while a declared policy", call, "models.requests.delete_payloads",
         { request_id = support.id(1) })
  equal(#world.changes + #world.deletions, 0)
end)

test("the deletion is the gated one", function(world)
  local result = call("models.requests.delete_payloads",
                      { request_id = support.id(3) }, { reason = "r" })
  equal(result.status, "deleted")
  equal(world.deletions[1].id, support.id(3))
  equal(world.deletions[1].options.reason, "r")
  equal(#world.changes, 0)
end)

test("what cannot be undone asks, or needs --yes", function(world)
  local consent = require "fal.consent"
  local host = world.host
  consent.begin(host)
  local result, err = call("keys.delete", { key_id = "k" })
  equal(result, nil)
  equal(err.status, "refused")
  has(world.stopped, "--yes")
  equal(#world.changes, 0)
  host.options.yes = "true"
  equal(call("keys.delete", { key_id = "k" }).status, "done")
  host.options, host.stdin_tty, host.stderr_tty = {}, true, true
  world.reply = "n"
  equal(call("keys.delete", { key_id = "k" }), nil)
  has(world.asked, "keys.delete: key_id k. It cannot be undone.")
  world.reply = "y"
  equal(call("keys.delete", { key_id = "k" }).status, "done")
  world.asked = nil
  call("keys.delete", { key_id = "k" }, { dry_run = true })
  call("assets.tags.create", { name = "x" })
  equal(world.asked, nil)
end)

test("what is no JSON is handed to those who read it", function(world)
  local seen = {}
  package.preload["fal.streams"] = function()
    return {
      stream = function(row, sent)
        seen[#seen + 1] = row.name .. sent.path .. #sent.query .. #sent.body
        return function() end
      end,
      download = function(_, sent) return sent.path .. sent.options.to end,
      upload = function(_, change, values)
        seen[#seen + 1] = change.path .. values.file_upload
        return { status = "done", value = true }
      end,
    }
  end
  package.preload["fal.csv"] = function()
    return { rows = function(text) return { text } end }
  end
  package.preload["fal.prometheus"] = function()
    return { read = function(text) return { metrics = text } end }
  end
  call("serverless.logs.stream", { level = "info",
                                   filters = { { key = "a", value = "b" } } })
  equal(seen[1], "serverless.logs.stream/serverless/logs/stream11")
  equal(call("serverless.files.download", { file = "a/b" }, { to = "c" }),
        "/serverless/files/file/a/bc")
  equal(call("serverless.files.upload", { target_path = "x",
             file_upload = "here" }).status, "done")
  equal(seen[2], "/serverless/files/file/local/xhere")
  world.answer = function(sent)
    equal(sent.accept, "text")
    return "a,b"
  end
  equal(call("account.focus", { source = "invoice" }), { "a,b" })
  equal(call("serverless.metrics").metrics, "a,b")
  for _, name in ipairs { "streams", "csv", "prometheus" } do
    package.preload["fal." .. name] = nil
  end
end)

-- ---- a new operation is a new row ------------------------------------------

local MADE_UP <const> = {
  name = "models.made_up", method = "GET", path = "/models/{id}/made-up",
  key = "api", doc = "what nobody asked for", paging = "cursor",
  list = "things", item = { id = "string" }, stands = { 200, 429 },
  params = {
    { name = "id", place = "path", type = "string", required = true,
      doc = "the thing" },
    { name = "size", place = "query", type = "integer", min = 1, max = 9,
      doc = "how big", default = 3 },
    { name = "cursor", place = "query", type = "string", doc = "where" },
  },
}

test("a row is all that a new operation needs", function(world)
  local operations = load_operations()
  operations.add(MADE_UP)
  local library = operations.library {}
  world.answer = function()
    return { things = { { id = "t" } }, has_more = false }
  end
  equal(library.models.made_up({ id = "x", size = 2 }).things[1].id, "t")
  equal(world.calls[1].path, "/models/x/made-up")
  equal(support.all(library.models.made_up_each { id = "x" })[1].id, "t")
  raises("from 1 to 9 is needed, got 10", library.models.made_up,
         { id = "x", size = 10 })
  world.answer = function() return { has_more = false } end
  has(select(2, library.models.made_up { id = "x" }).message,
      "things is missing")
  local reference = require "fal.reference"
  has(reference.help(world.host, "models.made_up"), "whole number, 1 to 9")
  has(reference.page(), "GET /models/{id}/made-up")
  has(require("fal.annotations").text(), "function fal.models.made_up(")
  local shapes = require "fal.shapes"
  require("fal.checking.operations").add_shapes()
  equal(shapes.options["models.made_up"][2].most, 9)
  equal(shapes.calls["fal.models.made_up_each"] ~= nil, true)
end)

test("unknown operations name the nearest", function(world)
  local row, near = load_operations().find "models.pricng"
  equal(row, nil)
  equal(near, "models.pricing")
  raises("did you mean keys.create?", require("fal.reference").find,
         world.host, "keys.creat")
end)

support.finish()
