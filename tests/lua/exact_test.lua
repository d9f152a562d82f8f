--- Pieces of JSON as they are written.
local support = require "support"
local test, equal = support.test, support.equal

local function items(text)
  return require("fal.exact").items(text, "items")
end

local TEXTS <const> = {
  { '{"items":[]}', {} },
  { ' { "items" : [ \n ] } ', {} },
  { '{"items":[1, {"a":[]} ,[2,3],"x,]\\"y"]}',
    { "1", '{"a":[]}', "[2,3]", '"x,]\\"y"' } },
  { '{"a":{"items":[1]},"items":[12345678901234567890],"b":[{"items":[2]}]}',
    { "12345678901234567890" } },
  { '{"x":"items","y":[1],"items":[2]}', { "2" } },
  { '{"y":["items",[1]],"items":["\\\\"]}', { '"\\\\"' } },
  { '{"items2":[1],"items":[{"items":[5]}]}', { '{"items":[5]}' } },
  { '{"items":[1],"items":[2]}', { "2" } },
  { '{"items":null,"a":[1]}', {} },
  { '{"s":"\\"items\\":[1]","items":[3]}', { "3" } },
}

for _, pair in ipairs(TEXTS) do
  test("the items of " .. pair[1], function()
    equal(items(pair[1]), pair[2])
  end)
end

support.finish()
