--- CSV reports: read whole or not at all.
local t = require "support"
local test, equal, has = t.test, t.equal, t.has

local function read(text)
  return require("fal.csv").rows(text)
end

local function refused(text, ...)
  local rows, why = read(text)
  equal(rows, nil, "rows")
  for _, piece in ipairs { ... } do
    assert(why:find(piece, 1, true), why)
  end
end

test("rows are tables by the names of the columns", function()
  local rows, names = read "a,b\r\n1,2\r\n,4\r\n"
  equal(rows, { { a = "1", b = "2" }, { a = "", b = "4" } })
  equal(names, { "a", "b" })
end)

test("quoted fields hold commas, quotes and line breaks", function()
  equal((read '"a,b",c\n"x ""y""\r\nz",""\n'),
        { { ["a,b"] = 'x "y"\r\nz', c = "" } })
  equal((read 'a,b\n"",","\n'), { { a = "", b = "," } })
end)

test("lines end in any way, the last one in none", function()
  for _, stop in ipairs { "\n", "\r\n", "\r" } do
    local text = table.concat({ "a,b", "1,2", "3,4" }, stop)
    equal((read(text)), { { a = "1", b = "2" }, { a = "3", b = "4" } })
    equal((read(text .. stop)), (read(text)))
    equal((read(text .. stop .. stop)), (read(text)))
  end
  equal((read "\xef\xbb\xbfa,b\n1,2"), { { a = "1", b = "2" } })
end)

test("an empty line is a row only where there is one column", function()
  equal((read "a\n\nx\n"), { { a = "" }, { a = "x" } })
  equal((read "a,b\n\n1,2\n"), { { a = "1", b = "2" } })
  equal(#(read "a,b\n"), 0)
end)

test("what is bent is an error with its line", function()
  refused("", "line 1", "names of the columns")
  refused("\na,b\n", "line 1", "names of the columns")
  refused("a,,b\n", "line 1", "column 2 has no name")
  refused("a,b,a\n", "line 1", "two columns are named 'a'")
  refused("a,b\n1,2\n3\n", "line 3", "1 fields, but there are 2 columns")
  refused("a,b\n1,2,3\n", "line 2", "3 fields")
  refused('a,b\n1,x"y"\n', "line 2", "does not begin with one")
  refused('a,b\n"1\n2",3\n4,"5', "line 4", "never closes")
  refused('a,b\n"1\n2"x,3\n', "line 3", "after a closing quote")
  refused(("a,"):rep(1001) .. "\n", "line 1", "more than 1000 columns")
end)

local function written(field)
  return '"' .. field:gsub('"', '""') .. '"'
end

--- A field of any bytes, those that matter to CSV most of all; without
--- quotes where it may be.
local function field_of(random)
  local bytes = {}
  for i = 1, random(0, 6) do
    bytes[i] = ({ ",", '"', "\r", "\n", "a", "\xc3", "\0", " " })[random(8)]
  end
  local value = table.concat(bytes)
  local bare = value ~= "" and not value:find '[,"\r\n]' and random(2) == 1
  return value, bare and value or written(value)
end

test("what is written is read back; a part is never more", function()
  local random = math.random
  math.randomseed(4180)
  for _ = 1, 2000 do
    local columns, lines, wanted, names = random(1, 4), {}, {}, {}
    for i = 1, columns do
      names[i] = "c" .. i
    end
    lines[1] = table.concat(names, ",")
    for i = 1, random(0, 5) do
      local texts, row = {}, {}
      for k = 1, columns do
        row["c" .. k], texts[k] = field_of(random)
      end
      wanted[i], lines[i + 1] = row, table.concat(texts, ",")
    end
    local text = table.concat(lines, random(2) == 1 and "\r\n" or "\n") .. "\n"
    local rows, why = read(text)
    assert(rows, why)
    equal(#rows, #wanted)
    for i, row in ipairs(wanted) do
      for name, value in pairs(row) do
        equal(rows[i][name], value, name)
      end
    end
    local cut = read(text:sub(1, random(0, #text)))
    assert(not cut or #cut <= #wanted)
  end
end)

test("a bent report is an error of the call", function(world)
  local operations = require "fal.operations"
  world.answer = function() return "a,b\n1,2\n3" end
  local value, err = operations.call(operations.find "account.focus",
                                     { source = "invoice" })
  equal(value, nil)
  equal(err.code, "protocol")
  has(tostring(err), "line 3: 1 fields, but there are 2 columns")
end)

t.finish()
