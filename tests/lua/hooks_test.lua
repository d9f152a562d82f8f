--- before_delete, and who is told of an end: what each answer leads to.
local t = require "support"
local test, equal, has, raises, id = t.test, t.equal, t.has, t.raises, t.id

--- The hooks of a run whose host keeps what it reports in `world.told`.
local function begin(world)
  local hooks = require "fal.hooks"
  world.told = {}
  world.host.guard = function(f, ...)
    local ok, err = pcall(f, ...)
    if not ok then
      world.told[#world.told + 1] = tostring(err)
    end
    return ok
  end
  hooks.begin(world.host)
  return hooks, require "fal.veto"
end

test("true lets it go, and nothing else does", function(world)
  local hooks, veto = begin(world)
  local answer
  hooks.before_delete(function() return table.unpack(answer) end)
  for _, row in ipairs {
    { { true }, nil }, { { true, "why" }, nil },
    { { false }, "vetoed by before_delete" },
    { { false, "" }, "vetoed by before_delete" },
    { { false, "case 7" }, "vetoed by before_delete: case 7" },
  } do
    answer = row[1]
    equal(veto.ask(id(1), id(1), {}), row[2])
  end
  equal(#world.told, 0)
  for _, wrong in ipairs { {}, { "yes" }, { 1 }, { {} }, { false, 7 } } do
    answer = wrong
    has(veto.ask(id(1), id(1), {}), "before_delete failed: ")
  end
  equal(#world.told, 1, "a hook that fails is told of once")
  has(world.told[1], "return true to let it go")
end)

test("what it is told, and what of it counts", function(world)
  local hooks, veto = begin(world)
  local seen
  hooks.before_delete(function(...)
    seen = table.pack(...)
    seen[2].request_id = id(9)
    return false, "x\27[31m" .. ("y"):rep(500)
  end)
  local row = { request_id = id(1), endpoint_id = "a/b" }
  local why = veto.ask(row, id(1), { policy = "p" })
  equal(seen[1], id(1))
  equal(seen[2].endpoint_id, "a/b")
  equal(seen[3].policy, "p")
  has(why, "x?[31my")
  equal(#why <= 400, true)
  raises("has no field", function() return seen[2].endpont end)
end)

test("the first no counts, and each is asked once", function(world)
  local hooks, veto = begin(world)
  local asked = {}
  local function hook(name, answer)
    return function()
      asked[#asked + 1] = name
      return answer, name
    end
  end
  local first = hook("a", true)
  hooks.before_delete(first)
  hooks.before_delete(first)
  hooks.before_delete(hook("b", false))
  hooks.before_delete(hook("c", true))
  equal(veto.ask(id(1), id(1), {}), "vetoed by before_delete: b")
  equal(asked, { "a", "b" })
end)

test("the end of a task is no failure of a hook", function(world)
  local hooks, veto = begin(world)
  hooks.before_delete(function()
    error(world.core.error("cancelled", "the task was cancelled"), 0)
  end)
  raises("the task was cancelled", veto.ask, id(1), id(1), {})
  equal(#world.told, 0)
end)

test("a hook is a function", function(world)
  local hooks = begin(world)
  for _, name in ipairs { "before_delete", "on_finish", "on_failure" } do
    raises("a function is needed", hooks[name], "x")
    raises("a function is needed", hooks[name])
  end
  equal(hooks.vetoes(), false)
  equal(hooks.told(), false)
end)
