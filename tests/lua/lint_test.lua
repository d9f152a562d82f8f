--- The names a policy uses without having them.
local t = require "support"
local test, equal = t.test, t.equal

local function free(source)
  assert(load(source))
  local names = {}
  for i, use in ipairs(require "fal.lint".globals(source)) do
    names[i] = use.name .. ":" .. use.line
  end
  return names
end

test("misspelt names are found, with their lines", function()
  equal(free("lgo.info(1)\nlocal x = fla.ago '1d'\nprnt(x)"),
        { "lgo:1", "fla:2", "prnt:3" })
  equal(free("return { a = b, [c] = d }"), { "b:1", "c:1", "d:1" })
  equal(free("local f = function(a) return a, z end"), { "z:1" })
  equal(free("if true then local a = 1 end print(a)"), { "a:1" })
  equal(free("for i = 1, 2 do end print(i)"), { "i:1" })
end)

test("what is declared, given or assigned is not", function()
  equal(free [==[
    local a, b <const> = 1, 2
    function top(x, ...) return x + a, ... end
    local function rec(n) return rec(n - b) end
    made, also = 1, 2
    for k, v in pairs { key = 1; other = 2 } do print(k, v, made, also) end
    for i = 1, 3 do for j = i, 3 do print(i, j) end end
    while a do break end
    repeat local q = 1 until q == 1
    if a then local c = 1 print(c) elseif b then top() else rec(1) end
    goto done
    ::done::
    local o = { m = function(self, y) return self.field + y end }
    function o.n(z) return z end
    function o:p() return self end
    o:m(1); o.n(0x1F .. "nothing", 1e5, 3 ..'x')
    print("quoted name", 'it\'s', [[ long name ]], [=[ ]] name ]=]) -- words
    --[[ more
    words ]] --[=[ ]] ]=]
    print(arg[1], fal, log, json, string.format, table.unpack, _G, utf8)
  ]==], {})
end)

test("the scripts of falrun have none", function()
  local root = os.getenv("FALRUN_TEST_ROOT")
  local list = assert(io.popen("ls " .. root .. "/scripts/fal/*.lua "
    .. root .. "/scripts/commands/*.lua " .. root
    .. "/scripts/policies/*.lua"))
  local count = 0
  for path in list:lines() do
    local file = assert(io.open(path))
    local source = file:read("a"):gsub("^#[^\n]*", "")
    file:close()
    if path:find("_test%.lua$") then
      source = "local test\n" .. source
    end
    equal(free(source), {}, path)
    count = count + 1
  end
  list:close()
  equal(count > 20, true, "scripts were found")
end)

t.finish()
