--- fal.each, fal.spawn and shared iterators; fal.ago and fal.sleep.
local t = require "support"
local test, equal = t.test, t.equal

local function numbers(count, pause)
  local n = 0
  return function()
    if pause then
      pause()
    end
    n = n + 1
    return n <= count and n or nil
  end
end

test("each item goes to one task, never more than asked", function(world)
  local each = require "fal.tasks".each
  local seen, running, most = {}, 0, 0
  each(numbers(40), function(n)
    running = running + 1
    most = math.max(most, running)
    world.core.sleep(10)
    running = running - 1
    seen[n] = (seen[n] or 0) + 1
  end, { concurrency = 5 })
  equal(most, 5)
  for n = 1, 40 do
    equal(seen[n], 1)
  end
end)

test("an iterator that waits is asked by one task at a time",
     function(world)
  local each, inside, sum = require "fal.tasks".each, 0, 0
  local source = numbers(50, function()
    inside = inside + 1
    equal(inside, 1, "tasks inside the iterator")
    world.core.sleep(3)
    inside = inside - 1
  end)
  each(source, function(n)
    world.core.sleep(n % 7)
    sum = sum + n
  end)
  equal(sum, 50 * 51 // 2)
end)

test("a list works as well", function()
  local seen = {}
  require "fal.tasks".each({ "a", "b" }, function(item)
    seen[#seen + 1] = item
  end)
  equal(seen, { "a", "b" })
end)

test("the first error stops the taking, and is raised again",
     function(world)
  local finished, began, taken = 0, 0, 0
  local source = numbers(100, function() taken = taken + 1 end)
  t.raises("boom 3", require "fal.tasks".each, source, function(n)
    began = began + 1
    world.core.sleep(n)
    if n == 3 then
      error("boom 3")
    end
    finished = finished + 1
  end, { concurrency = 4 })
  equal(began < 10, true, "few began")
  equal(finished, began - 1)
  equal(taken, began)
end)

test("an iterator's error is raised again", function(world)
  local n = 0
  t.raises("the list broke", require "fal.tasks".each, function()
    n = n + 1
    world.pause()
    if n > 3 then
      error(world.core.error("protocol", "the list broke"), 0)
    end
    return n
  end, function() end)
  equal(n, 4)
end)

test("a task that is cancelled ends its workers", function(world)
  local each, running = require "fal.tasks".each, 0
  local task = world.core.spawn(function()
    each(numbers(10), function()
      running = running + 1
      world.core.sleep(1000000)
    end, { concurrency = 3 })
  end)
  world.core.sleep(10)
  equal(running, 3)
  task:cancel()
  local ok, err = task:wait()
  equal(ok, false)
  equal(err.kind, "cancelled")
  world.core.sleep(10)
  equal(world.now < 1000, true, "nobody slept to the end")
end)

test("wrong arguments raise", function()
  local tasks = require "fal.tasks"
  t.raises("bad argument 'items' to 'fal.each'", tasks.each, 5, print)
  t.raises("bad argument 'f' to 'fal.each'", tasks.each, {})
  t.raises("did you mean 'concurrency'", tasks.each, {}, print,
           { concurency = 2 })
  t.raises("from 1 to 1000", tasks.each, {}, print, { concurrency = 0 })
  t.raises("bad argument 'f' to 'fal.spawn'", tasks.spawn, "x")
end)

test("spawned tasks are waited for, or ended", function(world)
  local tasks, done = require "fal.tasks", 0
  local task = tasks.spawn(function(a, b)
    world.core.sleep(500)
    done = a + b
  end, 1, 2)
  equal(task:status(), "running")
  tasks.settle()
  equal(done, 3)
  tasks.spawn(function()
    world.core.sleep(500)
    done = 9
  end)
  world.pause()
  tasks.cancel()
  tasks.settle()
  equal(done, 3)
end)

test("ago is a time, and sleep needs a unit", function(world)
  local time = require "fal.time"
  equal(time.ago("30d"), "2026-01-30T00:00:00Z")
  equal(time.ago("1500ms"), "2026-02-28T23:59:58Z")
  t.raises("not the bare number 30", time.ago, 30)
  t.raises("before 1970", time.ago, "90000d")
  t.raises("a duration like", time.sleep)
  time.sleep("2s")
  equal(world.now, 2000)
end)

test("a module that few need is loaded when it is asked", function()
  local later = require "fal.later"
  package.loaded["fal.periods"] = nil
  local periods, of = later "fal.periods", later("fal.periods", "of")
  equal(package.loaded["fal.periods"], nil)
  equal(periods.nothing, nil)
  equal(package.loaded["fal.periods"] ~= nil, true)
  package.loaded["fal.periods"] = { of = function(...) return ..., "x" end }
  equal(select("#", of(1, nil)), 2)
  equal(select(2, of(1, nil)), "x")
end)

t.finish()
