--- What falrun check says about a policy that it does not run.
local t = require "support"
local test, equal, has = t.test, t.equal, t.has

local NOW <const> = 1780000000000               -- 2026-05-28
local ID <const> = "0123abcd-0123-4567-89ab-0123456789ab"

local function problems(source)
  assert(load((source:gsub("^#[^\n]*", ""))), source)
  return require "fal.checking".problems(source, NOW)
end

--- The rules found, each with its line and column.
local function found(source)
  local list = {}
  for i, problem in ipairs(problems(source)) do
    list[i] = ("%s %d:%d"):format(problem.rule, problem.line, problem.column)
  end
  return list
end

local function one(rule, source, piece)
  local list = problems(source)
  equal(#list, 1, source .. " finds")
  equal(list[1].rule, rule, source)
  equal(list[1].level, require "fal.checking.context".RULES[rule], source)
  if piece then
    has(list[1].message .. "; " .. (list[1].hint or ""), piece)
  end
end

--- A policy that is right but for what the fields say.
local function policy(fields)
  local at = { name = '"x"', reason = '"r"', limits = "{ max = 1 }",
    select = 'fal.requests { endpoint_id = "auto", older_than = "30d" }' }
  for name, value in pairs(fields) do
    at[name] = value
  end
  local text = "return fal.policy {"
  for name, value in pairs(at) do
    text = text .. (value and (" %s = %s,"):format(name, value) or "")
  end
  return text .. " }"
end

local function list(options)
  return ("local l = fal.requests { endpoint_id = 'auto', %s } return l")
    :format(options)
end

-- ---- one rule after the other ----------------------------------------------

test("names that do not exist, with the nearest", function()
  one("undefined-global", "prnt(1)", "print")
  one("undefined-global", "return fal.ago(x)")
  one("unknown-field", "fal.reqests {}", "requests")
  one("unknown-field", "local f = fal f.sleeep '1s'", "sleep")
  one("unknown-field", "return fal.keep.each {}")
  one("unknown-field", "return fal['hold'].fil 'x'", "file")
  one("unknown-field", "json.decod('1')", "decode")
  one("unknown-field", "local l <const> = log l.warning('x')", "warn")
  equal(found "log.info(1)\nx = 1; fal.y()", { "unknown-field 2:12" })
end)

test("unknown options, in every table", function()
  one("unknown-option", list "older_then = '1d'", "older_than")
  one("unknown-option", list "older_than = '1d', 'success'", "name = value")
  one("unknown-option", "fal.delete_all({}, { reasn = 'x' })", "reason")
  one("unknown-option", "fal.delete_payloads('" .. ID .. "', { policy = 1 })")
  one("unknown-option", "fal.each({}, print, { tasks = 2 })", "concurrency")
  one("unknown-option", "fal.limits { max_deletes = 3 }", "min_age")
  one("unknown-option", policy { wher = "print" }, "where")
  one("unknown-option", policy { limits = "{ maxx = 1 }" }, "max")
  one("unknown-option", policy { keep = "{ last = 1, dayly = 2 }" }, "daily")
  one("unknown-option", "local k = fal.keep return k.all { lst = 1 }", "last")
  one("duplicate-option", list "older_than = '1d', older_than = '2d'")
end)

test("what is needed", function()
  one("missing", policy { name = false }, "name")
  one("missing", policy { select = false }, "select")
  one("missing", policy { reason = false }, "reason")
  one("missing", policy { reason = "nil" }, "reason")
  one("missing", "fal.requests { older_than = '1d' }", "endpoint_id")
  one("missing", "fal.sleep()", "duration")
  one("missing", "fal.each({})", "f")
end)

test("durations", function()
  one("bare-number", list "older_than = 30", '"30d"')
  one("bare-number", "local DAYS <const> = 30 fal.sleep(DAYS)", "30")
  one("bare-number", policy { limits = "{ min_age = 7 }" })
  one("bare-number", "return fal.keep.any { within = 3 }")
  one("bare-number", "fal.delete_all({}, { timeout = 10 })")
  for text, hint in pairs { ["30 days"] = '"30d"', ["30D"] = '"30d"',
    ["1mo"] = '"30d"', ["2y"] = '"730d"', ["1 hour"] = '"1h"',
    ["30"] = '"30d"', [""] = "units", ["-3d"] = "units", ["1.5d"] = "whole",
    ["2026-01-02"] = "that is a time" } do
    one("bad-duration", ("fal.sleep '%s'"):format(text), hint)
  end
  one("wrong-type", "fal.sleep(true)", "duration")
  one("wrong-type", list "older_than = fal.ago '30d'", "alone")
end)

test("times and windows", function()
  one("bad-time", list "start = '30d'", 'fal.ago "30d"')
  one("bad-time", list "['end'] = 'yesterday'", "RFC 3339")
  one("wrong-type", list "start = 20260101")
  one("future-window", list "['end'] = '2026-05-29'")
  one("future-window", list "start = '2030-01-01'")
  one("empty-window", list "start = '2026-01-02', ['end'] = '2026-01-02'")
  one("empty-window", list "start = fal.ago '30d', older_than = '90d'")
  one("empty-window", list "start = '2026-05-20', older_than = '30d'")
  one("empty-window", list "older_than = '9000d'")
end)

test("ids, ranges, types, words", function()
  one("bad-id", "fal.delete_payloads 'abc'")
  one("bad-id", ("fal.delete_payloads '%s'"):format(ID:upper()), "lower")
  one("bad-id", list "request_id = '12'")
  one("bad-id", "fal.delete_all { 'abc' }", "item 1")
  one("out-of-range", list "limit = 101, older_than = '1d'")
  one("out-of-range", list "limit = 1.5, older_than = '1d'")
  one("out-of-range", "fal.delete_all({}, { retries = -1 })")
  one("out-of-range", policy { limits = "{ percent = 101 }" })
  one("out-of-range", "return fal.keep.any { last = 0 }")
  one("wrong-type", list "limit = '10', older_than = '1d'")
  one("wrong-type", "fal.delete_all(3)", "list")
  one("wrong-type", "fal.each({}, {})", "function")
  one("wrong-type", policy { where = "'x'" })
  one("wrong-type", policy { hold = "'holds.csv'" }, "fal.hold.file")
  one("wrong-type", policy { hold = "{ 'holds.csv' }" }, "fal.hold.file")
  one("wrong-type", policy { keep = "3" })
  one("wrong-type", "return fal.keep.any { 3 }")
  one("wrong-type", "local p = fal.policy 'x' return p")
  one("unknown-choice", list "status = 'sucess'", "success")
  one("unknown-choice", "return fal.keep.any { last = 1, by = 'endpoint' }")
  one("bad-value", "return fal.requests { endpoint_id = {} }")
  one("bad-value", "return fal.requests { endpoint_id = 'a,b' }")
  one("bad-value", "return fal.requests { endpoint_id = { 'auto' } }")
  one("bad-value", policy { name = "'a b'" })
  one("bad-value", policy { reason = "''" })
  one("bad-value", policy { hold = "{}" }, "empty")
  one("bad-value", policy { keep = "{ by = 'endpoint_id' }" }, "empty")
  one("bad-value", "return fal.keep.all {}", "empty")
  one("bad-value", "return fal.keep.any { within = '0d' }", "nothing")
  one("wrong-type", policy { verify = "'yes'" })
end)

test("a policy is returned, limited and narrow", function()
  local bare = policy {}:gsub("^return ", "")
  one("not-returned", bare, "return fal.policy")
  one("not-returned", "local p = " .. bare)
  one("not-returned", "local t = {} t[1] = " .. bare)
  one("not-returned", "local t = { " .. bare .. " } print(t)")
  one("no-limits", policy { limits = false }, "max")
  one("no-limits", policy { limits = "{}" })
  local whole = "fal.requests { endpoint_id = 'auto', start = '2025-01-01' }"
  one("selects-everything", policy { select = whole }, "all = true")
  one("selects-everything", policy { select = whole, all = "false" })
  one("selects-everything", "local l = " .. whole .. policy { select = "l" })
end)

test("a script that deletes all it lists", function()
  local whole = "fal.requests { endpoint_id = 'auto' }"
  one("deletes-everything", "fal.delete_all(" .. whole .. ")")
  one("deletes-everything", "local l = " .. whole .. " fal.delete_all(l)")
  one("deletes-everything", "for r in " .. whole .. " do "
    .. "local ok = fal.delete_payloads(r.request_id) print(ok) end")
  one("deletes-everything", "fal.each(" .. whole .. ", function(r) "
    .. "fal.delete_payloads(r.request_id, { reason = 'x' }) end)")
end)

test("calls that wait where nothing can", function()
  one("waits-in-callback", "table.sort({}, function(a, b) fal.sleep '1s' "
    .. "return a < b end)", "table.sort")
  one("waits-in-callback", "local function f(s) fal.delete_payloads(s) end "
    .. "string.gsub('x', 'x', f)", "string.gsub")
  one("waits-in-callback", "local s = 'x' s:gsub('x', function(id) "
    .. "return fal.delete_payloads(id) end)")
end)

test("fields that no request has", function()
  local lst = "fal.requests { endpoint_id = 'auto', older_than = '1d' }"
  one("unknown-request-field", "for r in " .. lst .. " do print(r.staus) end")
  one("unknown-request-field", "for r in " .. lst .. " do print(r['id']) end",
      "request_id")
  one("unknown-request-field", policy { where = "function(request) return "
    .. "request.model == 'x' end" }, "endpoint_id")
  one("unknown-request-field", policy { reason = "function(r) return "
    .. "r.ended end" }, "ended_at")
  one("unknown-request-field", "fal.each(" .. lst .. ", function(r) "
    .. "print(r.endpoint_idd) end)", "endpoint_id")
  one("wrong-type", "for r in " .. lst .. " do fal.delete_payloads(r) end",
      "r.request_id")
end)

local LIST <const> = "fal.requests { endpoint_id = 'auto', older_than = '1d' }"

local function loop(body)
  return "for r in " .. LIST .. " do " .. body .. " end"
end

test("comparisons that are never true, or always", function()
  one("bad-comparison", loop "print(r.status_code == '200')", "quotes")
  one("bad-comparison", loop "print(200 ~= r.endpoint_id)", "in quotes")
  one("bad-comparison", loop "print(r.status_code == true)")
  one("bad-comparison", loop "local c = r.status_code print(c ~= '200')")
  one("bad-comparison", loop "print(r.ended_at < os.time())", "fal.ago")
  one("bad-comparison", loop "print(r.ended_at < '30d')", 'fal.ago "30d"')
  one("bad-comparison", loop "print(not r.duration or r.duration > '5')")
  one("bad-comparison", policy { where = "function(r) return r.status_code "
    .. "~= '200' and r.duration end" })
  for _, fine in ipairs { "r.status_code == 200", "r.ended_at < '2025'",
    "r.duration == nil", "r.ended_at < fal.ago '1d'", "r.status_code == arg",
    "r.status_code .. '' == '200'", "'3' == r.status_code .. ''",
    "r.input == 3", "#r.endpoint_id == 3", "r.duration / 2 > 3",
    "r.ended_at:sub(1, 4) == '2025'" } do
    equal(found(loop("print(" .. fine .. ")")), {}, fine)
  end
end)

test("rules decide, and are looked at", function()
  local delete = "fal.delete_payloads(r.request_id)"
  one("rule-deletes", policy { where = "function(r) return " .. delete
    .. " end" })
  one("rule-deletes", policy { hold = "fal.hold.from(function(r) " .. delete
    .. " end)" })
  one("rule-deletes", policy { keep = "{ last = 1, by = function(r) "
    .. "return fal.delete_all { r } end }" })
  one("unknown-request-field", policy { keep = "{ last = 1, by = "
    .. "function(r) return r.user end }" })
  one("unknown-request-field", policy { keep = "fal.keep.all { last = 1, by "
    .. "= function(r) return r.user end }" })
  one("unknown-request-field", policy { hold = "{ fal.hold.file 'x', "
    .. "fal.hold.from(function(r) return r.user end) }" })
  equal(found(policy { select = "{ { user = 'x' } }",
    hold = "fal.hold.from(function(r) return r.user end)" }), {})
end)

test("requests that are used as something else", function()
  one("wrong-type", loop "fal.delete_all(r)", "{ request }")
  one("unknown-request-field", loop "r:delete()")
  one("one-value", "for i, r in " .. LIST .. " do print(i, r) end")
  equal(found("for r, _ in " .. LIST .. " do print(r) end"), {})
  equal(found(loop "r.show = print r:show()"), {})
end)

test("what the file returns", function()
  local bare = policy {}:gsub("^return ", "")
  one("same-name", "return { " .. bare .. ", " .. bare .. " }", "its own")
  one("not-returned", "return { " .. bare .. ", { name = 'y' } }")
  one("not-returned", "return { name = 'x', select = " .. LIST .. " }")
  equal(found "return { name = 'x', select = function() end }", {})
end)

test("the library is called as it is", function()
  one("unknown-field", "string.split('a', ',')")
  one("unknown-field", "math.flor(1.5)", "floor")
  one("not-a-function", "log 'x'", "debug")
  one("not-a-function", "fal.keep { last = 1 }", "any")
  one("called-with-colon", "fal:requests { endpoint_id = 'auto' }",
      "fal.requests")
  one("unknown-field", "fal:reqests {}", "requests")
  one("read-only", "fal.retries = 3", "local")
  one("read-only", "function log.fatal() end", "read-only")
  one("read-only", "fal = {}", "local")
  equal(found "local split = string.split or print split 'x'", {})
  equal(found "string.split = print string.split('x')", {})
  equal(found "local fal = {} fal.x = 3 fal:x()", {})
end)

test("sums and escapes are read", function()
  for _, odd in ipairs { "1e300", "1/0", "-(1/0)", "0/0", "-1", "1.5",
                         "9223372036854775807", "0x7fffffffffffffff + 1" } do
    one("bare-number", list("older_than = " .. odd))
    one("out-of-range", list("older_than = '1d', limit = 1000.5 + " .. odd))
  end
  one("bare-number", list "older_than = 30 * 24 * 3600", '"30d" if')
  one("bad-duration", list "older_than = '30' .. ' days'", '"30d"')
  one("bad-duration", list "older_than = '30\\x44'", '"30d"')
  equal(found(list "older_than = 30 .. 'd'"), {})
  equal(found(list "older_than = '1\\u{64}'"), {})
  equal(found(list "older_than = '1d', limit = 10 * 10"), {})
end)

test("a sum of sums is worked out once", function()
  local lines = { "local n0 <const> = 1" }
  for i = 1, 40 do
    lines[#lines + 1] = ("local n%d <const> = n%d + n%d"):format(i, i - 1,
      i - 1)
  end
  one("bare-number", table.concat(lines, "\n") .. "\nfal.sleep(n40)",
    "1099511627776s")
end)

test("more of values", function()
  one("bad-value", "return fal.requests { endpoint_id = '*' }", '"auto"')
  one("bad-value", "return fal.requests { endpoint_id = 'https://x/y' }")
  one("wrong-type", "return fal.requests { endpoint_id = { ['a/b'] = 1 } }")
  one("out-of-range", "fal.delete_all({}, { timeout = '11m' })", "10m")
  one("bad-value", policy { keep = "{ daily = 1, zone = 'CEST' }" })
  one("bad-value", "return fal.hold.file ''")
  one("wrong-type", list "start = os.time()", "os.date")
  one("wrong-type", "fal.delete_all { id = 'x' }")
  one("waits-in-callback", "table.sort({}, function(a, b) " .. loop "print(r)"
    .. " return a < b end)")
  one("waits-in-callback", "table.sort({}, function(a, b) "
    .. "coroutine.yield(a) return a < b end)")
end)

test("a comment silences its line, and no other", function()
  equal(found "fal.x() -- falrun: ignore\nfal.y()", { "unknown-field 2:5" })
  equal(found "fal.x() --falrun: ignore", {})
  equal(found "fal.x() --- falrun: ignore, it is known", {})
  equal(found "fal.x() -- falrun: ignored", { "unknown-field 1:5" })
  equal(found "fal.x('-- falrun: ignore')", { "unknown-field 1:5" })
  equal(found "fal.x() --[[ falrun: ignore ]]", { "unknown-field 1:5" })
end)

test("columns and lines are those of the text", function()
  equal(found "#!/usr/bin/env falrun\n\n  fal.x()", { "unknown-field 3:7" })
  equal(found "local s = [[\n\n]] fal.x(s)", { "unknown-field 3:8" })
  equal(found "print 'a\\\nb' fal.x()", { "unknown-field 2:8" })
  equal(found "--[[\n]] fal.x()", { "unknown-field 2:8" })
end)

test("what Lua's parser said becomes a problem", function()
  local checking = require "fal.checking"
  local problem = checking.syntax("local x = = 1", "p.lua:1: unexpected "
    .. "symbol near '='")
  equal({ problem.rule, problem.line, problem.column },
        { "syntax", 1, 9 })
  equal(checking.syntax("", "no line").line, 1)
end)

-- ---- nothing is wrong ------------------------------------------------------

local FINE <const> = require "fine"

test("valid snippets have no finding", function()
  for _, source in ipairs(FINE) do
    equal(found(source), {}, source)
  end
  equal(#FINE >= 60, true, "there are 60 snippets")
end)

test("the policies of falrun have no finding", function()
  local root = os.getenv("FALRUN_TEST_ROOT")
  local files = assert(io.popen("ls " .. root .. "/scripts/policies/*.lua"))
  local count = 0
  for path in files:lines() do
    if not path:find("_test%.lua$") then
      local file = assert(io.open(path))
      equal(found(file:read("a")), {}, path)
      file:close()
      count = count + 1
    end
  end
  files:close()
  equal(count > 8, true, "policies were found")
end)

-- ---- the shapes are those of the library -----------------------------------

local function names_of(value)
  local names = {}
  for name in pairs(value) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

test("the shapes name what the library has", function()
  local shapes, fal = require "fal.shapes", require "fal.init"
  fal.version = fal.version or "0"
  require("fal.checking.operations").add_shapes()
  getmetatable(fal.models).__open()
  for path, value in pairs { fal = fal, ["fal.keep"] = fal.keep,
                             ["fal.hold"] = fal.hold,
                             ["fal.models"] = fal.models,
                             ["fal.assets.tags"] = fal.assets.tags } do
    local known = table.move(shapes.fields[path], 1, 99, 1, {})
    table.sort(known)
    equal(known, names_of(value), path)
    for name, f in pairs(value) do
      equal(type(f) == "function", shapes.calls[path .. "." .. name] ~= nil,
            path .. "." .. name)
    end
  end
end)

test("every rule is documented, with its level", function()
  local file = assert(io.open(os.getenv("FALRUN_TEST_ROOT")
    .. "/docs/check.md"))
  local page = file:read("a")
  file:close()
  for rule, level in pairs(require "fal.checking.context".RULES) do
    has(page, ("| `%s` | %s |"):format(rule, level))
  end
end)

t.finish()
