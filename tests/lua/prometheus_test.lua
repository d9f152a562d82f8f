--- Metrics in Prometheus' text format.
local t = require "support"
local test, equal, has = t.test, t.equal, t.has

local function read(text)
  return require("fal.prometheus").read(text)
end

local function one(line)
  local samples, why = read(line)
  assert(samples, why)
  equal(#samples, 1, "samples")
  return samples[1]
end

local function refused(text, ...)
  local samples, why = read(text)
  equal(samples, nil, "samples")
  for _, piece in ipairs { ... } do
    assert(why:find(piece, 1, true), why)
  end
end

test("samples have the help and the type of their family", function()
  local samples = read [[
# HELP fal_app_runners Number of fal app runners
# TYPE fal_app_runners gauge
fal_app_runners{application="my/app",machine_type="NVIDIA B200"} 21
other 3.5 1700000000000
]]
  equal(samples, {
    { name = "fal_app_runners", value = 21, type = "gauge",
      help = "Number of fal app runners",
      labels = { application = "my/app", machine_type = "NVIDIA B200" } },
    { name = "other", value = 3.5, type = "untyped", labels = {},
      at_ms = 1700000000000 },
  })
end)

test("a bucket belongs to its histogram, and only to one", function()
  local samples = read [[
# TYPE h histogram
# TYPE g gauge
h_bucket{le="+Inf"} 4
h_sum 9
g_sum 1
]]
  equal(samples[1].type, "histogram")
  equal(samples[1].labels.le, "+Inf")
  equal(samples[2].type, "histogram")
  equal(samples[3].type, "untyped")
end)

test("labels are unescaped, and may hold what ends others", function()
  local labels = one [[m{ a = "x\\\"\n}," , b="",} 1]].labels
  equal(labels.a, 'x\\"\n},')
  equal(labels.b, "")
  equal(one("m{} 1").labels, {})
end)

test("comments, empty lines and CRLF are nothing", function()
  equal(#read "", 0)
  equal(#read "# just a word\r\n\r\n  m 1\r\n#\n", 1)
  equal(one("# HELP m a\\nb\\\\c\nm 1").help, "a\nb\\c")
end)

test("what JSON has no number for is text", function()
  for word, wanted in pairs { NaN = "NaN", ["+Inf"] = "+Inf", Inf = "+Inf",
                              ["-Inf"] = "-Inf", ["1e999"] = "+Inf" } do
    equal(one("m " .. word).value, wanted)
  end
  equal(one("m -1.5e3").value, -1500.0)
end)

test("what is bent is an error with its line", function()
  refused("m 1\n{} 2\n", "line 2", "name of a metric")
  refused("m\n", "line 1", "value is missing")
  refused("m x\n", "line 1", "'x' is no number")
  refused("m 1 2 3\n", "line 1", "a time in milliseconds")
  refused('m{a="1} 2\n', "line 1", "never ends")
  refused('m{a="1\\', "line 1", "never ends")
  refused('m{a="1"', "line 1", "comma or a brace")
  refused('m{a="1" b="2"} 2\n', "line 1", "comma or a brace")
  refused('m{a="1",a="2"} 2\n', "line 1", "two labels are named 'a'")
  refused('m{a=1} 2\n', "line 1", 'name="value"')
  refused("# TYPE m what\n", "line 1", "'what' is no type")
end)

local function escaped(s)
  return (s:gsub('[\\"\n]', { ["\\"] = "\\\\", ['"'] = '\\"',
                              ["\n"] = "\\n" }))
end

test("what is written is read back", function()
  local random = math.random
  math.randomseed(4)
  for _ = 1, 2000 do
    local labels, texts = {}, {}
    for i = 1, random(0, 4) do
      local bytes = {}
      for k = 1, random(0, 6) do
        bytes[k] = ({ "\\", '"', "\n", "}", "{", ",", "n", "\xff" })[random(8)]
      end
      labels["l" .. i] = table.concat(bytes)
      texts[i] = ('l%d="%s"'):format(i, escaped(labels["l" .. i]))
    end
    local value = random(-1000, 1000)
    local sample = one(("m{%s} %d"):format(table.concat(texts, ","), value))
    equal(sample.value, value)
    for name, wanted in pairs(labels) do
      equal(sample.labels[name], wanted)
    end
  end
end)

test("bent metrics are an error of the call", function(world)
  local operations = require "fal.operations"
  world.answer = function() return "m 1\nm{" end
  local value, err = operations.call(operations.find "serverless.metrics")
  equal(value, nil)
  equal(err.code, "protocol")
  has(tostring(err), "line 2: a label is not written")
end)

t.finish()
