--- Texts that are right, and in which falrun check finds nothing at all.
---
--- A false alarm teaches people to ignore the alarm. Each of these looks in
--- some way like a mistake.
local t = require "support"
local test = t.test

local NOW <const> = 1780000000000               -- 2026-05-28
local ID <const> = "019e6d0a-e5be-7b82-b329-35ae64296902"

local FINE <const> = {
  -- values that are not known
  "fal.requests { endpoint_id = arg[1], older_than = arg[2] }",
  "fal.requests { endpoint_id = arg[1] or 'auto', older_than = arg[2] or "
    .. "'30d' }",
  "local age = '30d'\nage = arg[1] or age\nfal.requests { endpoint_id = "
    .. "'auto', older_than = age }",
  "local age = 30\nif arg[1] then age = '30d' end\nfal.sleep(age)",
  "local age\nage = '30d'\nfal.sleep(age)",
  "local days <const> = 30\nfal.sleep(days .. 'd')",
  "fal.sleep(('%dd'):format(30))",
  "local function age() return '30d' end\nfal.sleep(age())",
  "for _, age in ipairs { '1s', '2s' } do fal.sleep(age) end",
  "for n = 1, 3 do fal.sleep(n .. 's') end",
  "local function nap(d) fal.sleep(d) end\nnap '1s'",
  "local o = { endpoint_id = 'auto' }\no.older_than = '1d'\nfal.requests(o)",
  "local o = { older_than = '1d' }\nfal.requests(setmetatable({ endpoint_id "
    .. "= 'auto' }, { __index = o }))",
  "local key = 'older_than'\nfal.requests { endpoint_id = 'auto', [key] = "
    .. "'1d' }",
  "fal.requests { ['endpoint_id'] = 'auto', ['older_than'] = '1d', }",
  "fal.requests { endpoint_id = { 'a/b', arg[1] }; older_than = '1d' }",
  "fal.requests { endpoint_id = { table.unpack(arg) }, older_than = '1d' }",
  "fal.requests { endpoint_id = 'auto', older_than = nil, status = 'error' }",
  "fal.requests { endpoint_id = 'auto', limit = 50 + 50 }",
  "fal.requests { endpoint_id = 'auto', limit = 0x20 }",
  "fal.requests { endpoint_id = 'auto', limit = 10.0 }",
  "fal.requests { endpoint_id = [[auto]], start = [==[2025-01-01]==] }",
  "fal.requests { endpoint_id = 'au\\x74o', start = '2025\\u{2d}01-01' }",
  "fal.requests { endpoint_id = 'auto', start = fal.ago '30d', ['end'] = "
    .. "fal.ago '7d' }",
  "fal.requests { endpoint_id = 'auto', start = '2025-01-01', ['end'] = "
    .. "'2025-02-01T00:00:00+02:00' }",
  "fal.requests { endpoint_id = 'auto', start = os.date '!%Y-%m-%d' }",
  "fal.requests { endpoint_id = 'auto', older_than = '1h30m' }",
  "print(fal.ago('30d', '2025-01-01'))",
  "fal.delete_payloads('" .. ID .. "', { reason = 'x', retries = 0, "
    .. "timeout = '10m', dry_run = true, idempotency_key = 'k' })",
  "fal.delete_payloads(arg[1])",
  "fal.delete_payloads(...)",
  "local id = table.unpack(arg)\nfal.delete_payloads(id)",
  "fal.spawn(print, 1, 2):wait()",
  "fal.each(fal.ids 'ids.csv', function(id) print(id) end)",
  "fal.each({ 1, 2 }, print, { concurrency = 2 })",
  "fal.limits { max = 5000000000, min_age = '7d' }",

  -- other names, other tables
  "local fal = { requets = print }\nfal.requets { older_then = 3 }",
  "local function f(fal) return fal.anything.at_all end\nf {}",
  "local requests = {}\nfunction requests.list(x) return x end\n"
    .. "requests.list { older_then = 3 }",
  "local log = { warning = print }\nlog.warning 'x'",
  "local my = { fal = {} }\nmy.fal.nothing = 3\nprint(my.fal.nothing)",
  "local json = json\nprint(json.encode { a = json.null })",
  "local o = {}\nfunction o:requests() return self end\no:requests()",
  "local s = string\nprint(s.format('%d', 3))",
  "local split = string.split or function() end\nprint(split)",
  "counter = 0\nlocal function up() counter = counter + 1 end\nup()",
  "function helper() return 1 end\nprint(helper())",
  "local f\nlocal function g() return f() end\nf = g\nprint(g)",
  "local t = table\nt.sort({ 2, 1 }, function(a, b) return a < b end)",
  "goto done\ndo print 'x' end\n::done::",
  "local x <const>, y <close> = 1, nil\nprint(x, y)",
  "print(#arg, -1, not 1, ~1, 2 ^ 3, 7 // 2, 1 << 2, 'a' .. 1)",
  "print(('x'):rep(3), ({ 1, 2 })[1], (function() return 1 end)())",
  "if not fal then return end\nprint(fal.version)",

  -- requests
  "for r in fal.requests { endpoint_id = 'auto', older_than = '1d' } do\n"
    .. "print(r.request_id, r.endpoint_id, r.sent_at, r.started_at,\n"
    .. "r.ended_at, r.status_code, r.duration, r.input, r.output)\nend",
  "for r in fal.requests { endpoint_id = 'auto', older_than = '1d' } do\n"
    .. "r.note = 'seen'\nprint(r.note)\nend",
  "for r in fal.requests { endpoint_id = 'auto', older_than = '1d' } do\n"
    .. "r = { tier = 'free' }\nprint(r.tier)\nend",
  "for r in fal.requests { endpoint_id = 'auto', older_than = '1d' } do\n"
    .. "print(r.input.prompt, r.output and r.output.images)\nend",
  "for r, _ in fal.requests { endpoint_id = 'auto' } do print(r) end",
  "for r in fal.requests { endpoint_id = 'auto' } do\n"
    .. "if r.status_code == 200 and r.endpoint_id ~= 'a/b' and\n"
    .. "r.ended_at < '2025' and r.ended_at >= fal.ago '90d' and\n"
    .. "r.duration ~= nil and r.status_code .. '' == '200' then\n"
    .. "print(r)\nend\nend",
  "fal.limits { max = 9 }\nfor r in fal.requests { endpoint_id = 'auto' } "
    .. "do\nif r.status_code then fal.delete_payloads(r.request_id) end\nend",
  "for r in fal.requests { endpoint_id = 'auto' } do\n"
    .. "while r.duration do fal.delete_payloads(r.request_id) break end\nend",
  "for _, item in ipairs { { endpoint = 'x' } } do print(item.endpoint) end",
  "local function show(item) print(item.name) end\nshow { name = 'x' }\n"
    .. "fal.each(fal.requests { endpoint_id = 'auto', older_than = '1d' },\n"
    .. "function(r) show { name = r.request_id } end)",
  "local function is_old(x) return x.age end\nprint(is_old { age = 1 })\n"
    .. "return fal.policy { name = 'p', reason = 'r', limits = {},\n"
    .. "select = {}, where = is_old }",
  "local items = {}\nfor r in fal.requests { endpoint_id = 'auto' } do\n"
    .. "items[#items + 1] = r\nend\ntable.sort(items, function(a, b)\n"
    .. "return a.ended_at < b.ended_at end)\nprint(#items)",
  "print((('x'):gsub('x', function(c) return c:upper() end)))",
  "table.sort({ 2, 1 }, function(a, b)\nlocal later = function() "
    .. "fal.sleep '1s' end\nreturn a < b, later end)",

  -- policies
  "return fal.policy { name = 'flux-30.d_', reason = 'r', limits = { max = "
    .. "1 },\nselect = fal.requests { endpoint_id = 'auto', older_than = "
    .. "'1d' } }",
  "local p = fal.policy { name = 'p', reason = 'r', limits = { percent = 20, "
    .. "growth = 1.5 },\nselect = {} }\nreturn p",
  "local list = {}\nlist[1] = fal.policy { name = 'p', reason = 'r', limits = "
    .. "{ min_scanned = 1 }, select = {} }\nreturn list",
  "local list = {}\nfor i, age in ipairs { '1d', '2d' } do\nlist[i] = "
    .. "fal.policy { name = 'p' .. i, reason = 'r', limits = {},\nselect = "
    .. "fal.requests { endpoint_id = 'auto', older_than = age } }\nend\n"
    .. "return list",
  "local function make(n, s) return fal.policy { name = n, reason = 'r', "
    .. "limits = {}, select = s } end\nreturn { make('a', {}), make('b', {}) "
    .. "}",
  "local options = { name = 'p', reason = 'r', select = {}, limits = {} }\n"
    .. "return fal.policy(options)",
  "return fal.policy { name = 'p', reason = function(r) return r.endpoint_id "
    .. "end, limits = {}, select = fal.ids 'ids.csv' }",
  "return fal.policy { name = 'p', reason = 'r', limits = {}, all = true,\n"
    .. "select = fal.requests { endpoint_id = 'auto' } }",
  "return fal.policy { name = 'p', reason = 'r', limits = {}, all = arg[1] "
    .. "== 'all',\nselect = fal.requests { endpoint_id = 'auto' } }",
  "return fal.policy { name = 'p', reason = 'r', limits = {},\nselect = "
    .. "fal.requests { endpoint_id = 'auto' }, keep = { last = 1 } }",
  "return fal.policy { name = 'p', reason = 'r', limits = {},\nselect = "
    .. "fal.requests { endpoint_id = 'auto' }, where = function(r) return "
    .. "r.duration end }",
  "local k = fal.keep\nreturn fal.policy { name = 'p', reason = 'r', limits "
    .. "= {}, select = {},\nkeep = k.any { last = 10, k.all { daily = 7, "
    .. "within = '30d' }, by = 'endpoint_id', zone = '+02:00' } }",
  "local inner = fal.keep.all { daily = 7 }\nlocal rule = fal.keep.any { "
    .. "inner }\nreturn fal.policy { name = 'p', reason = 'r', limits = {}, "
    .. "select = {}, keep = rule }",
  "return fal.policy { name = 'p', reason = 'r', limits = {}, select = {},\n"
    .. "keep = { last = 1, by = function(r) return r.endpoint_id:sub(1, 3) "
    .. "end } }",
  "local f = fal.hold.file\nreturn fal.policy { name = 'p', reason = 'r', "
    .. "limits = {}, select = {},\nhold = { f 'a.csv', fal.hold.from("
    .. "function(r) return r.endpoint_id == 'a/b' end, 'case') } }",
  "fal.hold.enforce { fal.hold.file 'holds.csv' }",
  "fal.hold.enforce(fal.hold.from(function() end))",
  "return { select = function(x) return x end, name = 'a module' }",
  "return { { name = 'not a policy' }, select = 3 }",
  "local _ENV = { print = print }\nprint(nothing.at.all)",
  "",
  "-- only a comment",
  "#!/usr/bin/env falrun\nprint 'x'",
  "\xef\xbb\xbfprint 'x'",
}

for i, source in ipairs(FINE) do
  test(("nothing is found in text %d"):format(i), function()
    source = source:gsub("limits( *)= {}", "limits%1= { max = 1 }")
    local loaded = source:gsub("^\xef\xbb\xbf", ""):gsub("^#[^\n]*", "")
    assert(load(loaded))
    for _, one in ipairs(require "fal.checking".problems(source, NOW)) do
      error(("%s\n%d:%d: %s [%s]"):format(source, one.line, one.column,
                                          one.message, one.rule), 0)
    end
  end)
end

test("there are many of them", function()
  t.equal(#FINE >= 90, true, #FINE .. " texts")
end)

t.finish()
