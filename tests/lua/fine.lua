--- Policies that are right, or that cannot be seen to be wrong. For
--- check_test.lua.
local LIST <const> = "fal.requests { endpoint_id = 'auto', older_than = "
  .. "'1d' }"
local WHOLE <const> = [[fal.requests { endpoint_id = "auto" }]]

local fine = {
  -- windows, durations, times
  [[fal.sleep "1h30m" fal.sleep("500ms") fal.sleep [=[2w]=] ]],
  [[fal.sleep(("%dd"):format(3)) fal.sleep(arg[1]) fal.sleep(arg[1] or 30)]],
  [[local d = 30 d = d .. "d" fal.sleep(d)]],
  [[local d = "30" .. "d" return fal.ago(d)]],
  [[return fal.ago("30d", "2026-01-01")]],
  [[local now = fal.ago "0s" return fal.ago("30d", now)]],
  [[fal.sleep(f()) function f() return "1s" end]],
  [[fal.sleep(...)]],
  [[fal.each({ 1, 2 }, print, { concurrency = 2 })]],
  [[local _ENV = { print = print } print(nothing)]],
  [[fal.sleep "\49s"]],
  [[return fal.requests { endpoint_id = "a/b", start = "2026-01-01" }]],
  [[return fal.requests { endpoint_id = "a/b", ["end"] = "2026-01-01" }]],
  [[return fal.requests { endpoint_id = "a/b", start = fal.ago "90d",
    older_than = "30d" }]],
  [[return fal.requests { endpoint_id = "a/b", start = arg[1],
    older_than = "30d", ["end"] = arg[2] }]],
  [[return fal.requests { endpoint_id = "a/b", start = "2020-01-01",
    ["end"] = "2020-06-01" }]],
  [[return fal.requests { endpoint_id = "a/b", older_than = nil,
    status = nil, limit = 100 }]],
  [[return fal.requests { endpoint_id = { "a/b", "c/d" } }]],
  [[return fal.requests { endpoint_id = arg[1] or "auto" }]],
  [[return fal.requests { ["endpoint_id"] = "auto", limit = 0x10 }]],
  [[return fal.requests { endpoint_id = arg, limit = 1e1 }]],
  -- options that are not written out
  [[local o = {} o.endpoint_id = "auto" return fal.requests(o)]],
  [[local o = { older_than = 3 } o.older_than = "3d" o.endpoint_id = "auto"
    return fal.requests(o)]],
  [[local k = "endpoint_id" .. "" return fal.requests { [k] = "auto" }]],
  [[local k <const> = "endpoint_id" return fal.requests { [k] = "auto" }]],
  [[return fal.requests(setmetatable({}, {}))]],
  [[local function make(t) return t end return fal.policy(make {})]],
  [[local t = { name = "x" } for k, v in pairs(arg) do t[k] = v end
    return fal.policy(t)]],
  [[local add = {} add.last = 1 return fal.keep.any(add)]],
  -- names
  [[local fal = { x = print } fal.x() fal.requests(3)]],
  [[local t = { fal = {} } t.fal = { x = print } t.fal.x()]],
  [[local function f(fal) return fal.anything end return f]],
  [[local _ENV = { fal = {} } fal.x()]],
  [[local name = arg[1] return fal[name] ]],
  [[print(fal.version, json.null, log.debug)]],
  [[local log = { trace = print } log.trace(1)]],
  [[do local json = {} json.pretty = 1 end return json.encode {}]],
  [[local r = fal.requests local e = fal.each e(r { endpoint_id = "auto" },
    print, { concurrency = 8 })]],
  -- deleting
  [[for _, id in ipairs(arg) do fal.delete_payloads(id, { reason = "x" }) end]],
  [[fal.delete_payloads "0123abcd-0123-4567-89ab-0123456789ab"]],
  [[fal.delete_payloads("0123abcd-0123-4567-89ab-0123456789ab",
    { reason = "x", retries = 0, timeout = "10s", dry_run = true,
      idempotency_key = "k" })]],
  [[fal.delete_all(fal.ids "-", { reason = "x", concurrency = 1000 })]],
  [[fal.delete_all { "0123abcd-0123-4567-89ab-0123456789ab" }]],
  [[fal.delete_all { { request_id =
    "0123abcd-0123-4567-89ab-0123456789ab" } }]],
  [[local function where(l, f) return f and l end
    fal.delete_all(where(]] .. WHOLE .. [[, print))]],
  "for r in " .. WHOLE .. " do if r.duration then "
    .. "fal.delete_payloads(r.request_id) end end",
  "for r in " .. WHOLE .. " do if r.duration then goto next end "
    .. "fal.delete_payloads(r.request_id) ::next:: end",
  "for r in " .. WHOLE .. " do if not r.duration then break end "
    .. "fal.delete_payloads(r.request_id) end",
  "for r in " .. WHOLE .. " do local _ = r.duration and "
    .. "fal.delete_payloads(r.request_id) end",
  "for r in " .. WHOLE .. " do print(r.request_id) end",
  "local n = 0 fal.each(" .. WHOLE .. ", function() n = n + 1 end)",
  "fal.each(" .. WHOLE .. ", function(r) if r.duration then return end "
    .. "fal.delete_payloads(r.request_id) end)",
  -- requests
  "for r in " .. LIST .. " do print(r.input and r.input.anything.else_) end",
  "for r in " .. LIST .. " do r.mine = 1 print(r.mine) end",
  "for r in " .. LIST .. " do r = { x = 1 } print(r.x) end",
  "for r in " .. LIST .. " do local s = { x = r } print(s.y) end",
  "for r in " .. LIST .. " do print(r[arg[1]], rawget(r, 'x')) end",
  "for r in ipairs(arg) do print(r.x) end",
  [[local rows = { { request_id = "x", mine = 1 } }
    for _, r in ipairs(rows) do print(r.mine) end]],
  -- declared policies
  "return fal.policy { name = 'x', select = { { request_id = arg[1], a = 1 } },"
    .. " where = function(r) return r.a == 1 end, reason = 'x', "
    .. "limits = { max = 1 } }",
  "return fal.policy { name = 'x', select = " .. WHOLE .. ", all = true, "
    .. "reason = 'x', limits = { percent = 0.5, growth = 1.5 } }",
  "return fal.policy { name = 'x', select = " .. WHOLE .. ", all = arg[1] == "
    .. "'all', reason = 'x', limits = { max = 1 } }",
  "return fal.policy { name = 'x', select = " .. WHOLE .. ", reason = "
    .. "function(r, now) return r.ended_at .. now end, where = function(r) "
    .. "return r.status_code == 200 end, limits = { min_age = '7d' } }",
  "return fal.policy { name = 'x', select = " .. WHOLE .. ", keep = { last = 3"
    .. " }, reason = 'x', limits = arg.limits }",
  "fal.limits { max = 3 } return fal.policy { name = 'x', select = " .. LIST
    .. ", reason = 'x' }",
  "local p = fal.policy { name = 'x', select = " .. LIST .. ", reason = 'x', "
    .. "limits = { max = 1 }, verify = false } return { p }",
  "local list = {} for i = 1, 2 do list[i] = fal.policy { name = 'x' .. i, "
    .. "select = " .. LIST .. ", reason = 'x', limits = { max = 1 } } end "
    .. "return list",
  "local function make(age) return fal.policy { name = 'x', select = "
    .. "fal.requests { endpoint_id = 'auto', older_than = age }, reason = 'x',"
    .. " limits = { max = 1 } } end return { make '1d', make '2d' }",
  "return fal.policy { name = 'x', select = " .. LIST .. ", hold = { "
    .. "fal.hold.file 'h.csv', fal.hold.from(function() end, 'mine') }, "
    .. "reason = 'x', limits = { max = 0, min_scanned = 1 } }",
  "return fal.policy { name = 'x', select = fal.requests { endpoint_id = "
    .. "'auto', [arg[1]] = arg[2] }, reason = 'x', limits = { max = 1 } }",
  -- keep and hold
  [[return fal.keep.any { last = 10, fal.keep.all { daily = 7, within = "30d" },
    by = "endpoint_id", zone = "Europe/Berlin" }]],
  [[return fal.keep.any { last = 1, by = function(r) return r.id end }]],
  [[local inner = fal.keep.all { hourly = 1 } return fal.keep.any { inner }]],
  [[fal.hold.enforce { fal.hold.file "h.csv" }]],
  [[fal.hold.enforce(fal.hold.from(function() return true end))]],
  -- callbacks
  [[table.sort(arg, function(a, b) return a < b end)]],
  [[table.sort(arg, function(a) fal.spawn(function() fal.sleep "1s" end)
    return a end)]],
  [[local s = string.gsub("x", "x", "y") fal.sleep "1s" return s]],
  [[local s = string.gsub("x", "x", function(c) return fal.ago "1d" .. c end)
    return s]],
  -- Lua
  [[local a <const>, b = 1, 2; ::top:: if a then goto done end ::done::
    return -a ^ -b .. "x" .. 1 // 2 ~ 3 << 4, not a == b, #arg, ~1]],
  [[local t = { f = function(self, ...) return self, ... end, [1] = 2; 3 }
    function t.g() end function t:h(x) return self.f(self, x) end
    return (t:h "x"), t["f"](t), t.g {}]],
  [[repeat local x = fal.ago "1d" until x while false do break end
    for i = 3, 1, -1 do print(i) end]],
}

return fine
