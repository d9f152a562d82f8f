--- fal.delete_all: the look ahead, the stream, the summary.
local t = require "support"
local test, equal, id = t.test, t.equal, t.id

local function delete_all(...)
  return require "fal.deletions".delete_all(...)
end

local function ids(count)
  local n = 0
  return function()
    n = n + 1
    return n <= count and id(n) or nil
  end
end

test("ids, requests and iterators are deleted, with the options",
     function(world)
  local summary = delete_all({ id(1), { request_id = id(2) } },
                             { reason = "why", retries = 2 })
  equal(summary.deleted, 2)
  equal(summary.total, 2)
  equal(world.deletions[2].id, id(2))
  equal(world.deletions[1].options.reason, "why")
  equal(world.deletions[1].options.retries, 2)
  equal(world.deletions[1].options.concurrency, nil)
  equal(delete_all(ids(5)).deleted, 5)
end)

test("not more at a time than asked", function(world)
  delete_all(ids(200), { concurrency = 7 })
  equal(#world.deletions, 200)
  equal(world.most_in_flight, 7)
end)

test("one more than the limit stops before the first deletion",
     function(world)
  world.room = 10
  local summary = delete_all(ids(11))
  equal(#world.deletions, 0)
  t.has(world.stopped, "at least 11 requests, but at most 10 may be deleted "
        .. "in one run: nothing was deleted")
  equal(summary.stopped, world.stopped)
  equal(summary.deleted, 0)
  equal(summary.errors[1].status, "refused")
end)

test("exactly the limit is deleted", function(world)
  world.room = 10
  equal(delete_all(ids(10)).deleted, 10)
  equal(world.stopped, nil)
end)

test("a dry run of one call is not limited", function(world)
  world.room = 1
  world.outcome = function() return { status = "planned" } end
  equal(delete_all(ids(5), { dry_run = true }).planned, 5)
end)

test("what is held or deleted already does not count", function(world)
  world.room = 2
  world.preview = function(request_id)
    local n = tonumber(request_id:sub(-4), 16)
    return n <= 5000 and "already_deleted" or n <= 5010 and "held"
      or "planned"
  end
  world.outcome = function(request_id)
    local fate = world.preview(request_id)
    if fate == "held" then
      return nil, world.core.error("held", "held", { status = "held" })
    end
    return { status = fate == "planned" and "deleted" or fate }
  end
  local next_id, reported = ids(5012), nil
  local summary = delete_all(function()
    local one = next_id()
    if one == id(5001) then
      reported = #world.deletions
    end
    return one
  end)
  equal(reported, 5000, "reported on the way")
  equal(summary.already_deleted, 5000)
  equal(summary.held, 10)
  equal(summary.deleted, 2)
  equal(summary.total, 5012)
  equal(#summary.errors, 10)
  equal(world.stopped, nil)
end)

test("a refused one goes first and nothing else goes", function(world)
  world.preview = function(request_id)
    return request_id == id(3) and "refused" or "planned"
  end
  world.outcome = function()
    return nil, world.core.error("too_young", "it is too young",
                                 { status = "refused" })
  end
  local summary = delete_all(ids(6))
  equal(#world.deletions, 1)
  equal(world.deletions[1].id, id(3))
  equal(summary.refused, 1)
  equal(summary.total, 1)
end)

test("after a refusal in the middle no more is taken", function(world)
  local sent = 0
  world.outcome = function()
    sent = sent + 1
    if sent > 20 then
      return nil, world.core.error("stopped", "the run was stopped",
                                   { status = "refused" })
    end
    return { status = "deleted" }
  end
  local summary = delete_all(ids(1000), { concurrency = 4 })
  equal(summary.deleted, 20)
  equal(#world.deletions <= 24, true, "few after the stop")
end)

test("failures are counted, and the first ten are kept", function(world)
  world.outcome = function()
    return nil, world.core.error("server_error", "no", { status = "failed" })
  end
  local summary = delete_all(ids(30))
  equal(summary.failed, 30)
  equal(#summary.errors, 10)
end)

test("an item that is none raises before anything is deleted",
     function(world)
  t.raises("item 3 is no request and no request id: \"nonsense\"",
           delete_all, { id(1), id(2), "nonsense" })
  t.raises("item 1 is no request and no request id: a table",
           delete_all, { {} })
  t.raises("a table with names; write { request }", delete_all,
           { request_id = id(1) })
  t.raises("write fal.requests", delete_all, { endpoint_id = "auto" })
  t.raises("item 2", delete_all, { id(1), 17 })
  equal(#world.deletions, 0)
end)

test("an id that comes twice is sent once", function(world)
  equal(delete_all({ id(1), id(2), id(1) }).total, 2)
  equal(#world.deletions, 2)
end)

test("a list that fails raises before anything is deleted", function(world)
  local n = 0
  t.raises("the API is down", delete_all, function()
    n = n + 1
    world.pause()
    if n == 50 then
      error(world.core.error("unavailable", "the API is down"), 0)
    end
    return id(n)
  end)
  equal(#world.deletions, 0)
end)

test("beyond the look ahead it streams", function(world)
  world.room = 1000000
  local pulled, most_ahead, first = 0, 0, nil
  local next_id = ids(100400)
  local summary = delete_all(function()
    pulled = pulled + 1
    if #world.deletions > 0 then
      first = first or pulled
      most_ahead = math.max(most_ahead, pulled - #world.deletions)
    end
    return next_id()
  end)
  equal(summary.deleted, 100400)
  equal(first, 100001, "taken when the first was deleted")
  equal(most_ahead < 100, true, "taken ahead while deleting")
end)

local function list_of(count)
  local list = require "core".id_list()
  for n = 1, count do
    list:add(id(n))
  end
  return list
end

test("a list of ids goes the same way", function(world)
  local delete_list = require "fal.deletions".delete_list
  local list = list_of(2500)
  list:add(id(7))
  world.room = 2500
  world.preview = function(request_id)
    return request_id == id(9) and "already_deleted" or "planned"
  end
  equal(delete_list(list).total, 2500, "each once")
  equal(world.deletions[1].id, id(9))
  equal(world.deletions[2].id, id(1))
  equal(#list, 0)
  world.deletions, world.room = {}, 2498
  local summary = delete_list(list_of(2500), {})
  equal(#world.deletions, 0)
  t.has(summary.stopped, "at least 2499 requests, but at most 2498")
  equal(summary.errors[1].status, "refused")
end)

test("where a function holds, it is asked about each of a list",
     function()
  local asked = {}
  local hold = require "fal.hold"
  hold.enforce(hold.from(function(request)
    asked[#asked + 1] = request.request_id
  end))
  equal(require "fal.deletions".delete_list(list_of(3)).deleted, 3)
  equal(table.concat(asked, " "), id(1) .. " " .. id(2) .. " " .. id(3))
  hold.reset()
end)

test("wrong options raise", function(world)
  t.raises("did you mean 'reason'?", delete_all, {}, { reson = "x" })
  t.raises("bad argument 'items' to 'fal.delete_all'", delete_all, nil)
  t.raises("text is needed", delete_all, {}, { reason = 5 })
  t.raises("from 1 to 1000", delete_all, {}, { concurrency = 1001 })
  t.raises("from 0 to 10", delete_all, {}, { retries = 11 })
  t.raises("bare number 30", delete_all, {}, { timeout = 30 })
  t.raises("true or false", delete_all, {}, { dry_run = 1 })
  equal(#world.deletions, 0)
end)

t.finish()
