--- Declared policies: what a declaration must have, how it is planned, which
--- limits stop it, and in which order it is deleted.
local t = require "support"
local test, equal, id = t.test, t.equal, t.id

local DAY <const> = 86400

--- A list of the API whose rows end `days[i]` days before the world's now.
local function list(world, ages, fields)
  local items = {}
  for n, days in ipairs(ages) do
    items[n] = t.item(n, (59 - days) * DAY, fields and fields(n))
  end
  world.answer = function(call)
    if call.query.request_id then
      for _, item in ipairs(items) do
        if item.request_id == call.query.request_id then
          world.fetched = (world.fetched or 0) + 1
          local row = {}
          for key, value in pairs(item) do
            row[key] = value
          end
          row.json_input = { n = item.request_id }
          return { items = { row }, has_more = false,
                   next_cursor = world.null }
        end
      end
    end
    return { items = items, has_more = false, next_cursor = world.null }
  end
end

local function select(age)
  return require "fal.init".requests { endpoint_id = "a/b",
                                  older_than = age or "1d" }
end

--- Runs a file that declares what `make(fal)` returns.
local function run(world, make, options)
  local outcome = require "fal.runner".run(world.host, function(...)
    return make(require "fal.init", ...)
  end, {}, options)
  if not outcome.ok then
    error(world.guarded, 0)
  end
  return outcome
end

local function new(world, make)
  world.host.guard = function(f, ...)
    local ok, err = pcall(f, ...)
    world.guarded = err
    return ok
  end
  return function(options)
    return run(world, make, options)
  end
end

local function deleted(world)
  local ids = {}
  for i, deletion in ipairs(world.deletions) do
    ids[i] = deletion.id
  end
  return ids
end

local function policy(fields)
  return function(fal)
    local options = { name = "p", reason = "why", select = select() }
    for name, value in pairs(fields(fal)) do
      options[name] = value
    end
    return fal.policy(options)
  end
end

test("a rule only decides: it cannot delete", function(world)
  list(world, { 40 })
  local fal = require "fal.init"
  t.raises("fal.delete_payloads was called while a declared policy", new(world,
    policy(function()
      return { where = function() fal.delete_payloads(id(7)) end }
    end)))
  equal(#world.deletions, 0)
end)

test("a policy is planned whole and deleted oldest first", function(world)
  list(world, { 40, 50, 30 })
  local outcome = new(world, policy(function() return {} end))()
  equal(deleted(world), { id(2), id(1), id(3) })
  equal(world.deletions[1].options, { reason = "why", policy = "p" })
  equal(world.declared, { planned = 3, scanned = 3 })
  equal(outcome.plans[1].outcomes.deleted, 3)
  equal(world.notes.policies.p.deleted, 3)
end)

test("where decides, with the request and the run's time", function(world)
  list(world, { 40, 50, 30 })
  local seen = {}
  new(world, policy(function()
    return { where = function(request, now)
      seen[#seen + 1] = now
      local goes = request.request_id ~= id(2)
      request.request_id = id(9)        -- changes nothing of what is deleted
      return goes
    end }
  end))()
  equal(deleted(world), { id(1), id(3) })
  equal(seen[1], "2026-03-01T00:00:00Z")
end)

test("payloads are fetched when touched, several at a time", function(world)
  local ages = {}
  for n = 1, 40 do
    ages[n] = 30
  end
  list(world, ages)
  new(world, policy(function()
    return { where = function(request)
      return request.input.n ~= id(7) and request.input.n ~= nil
    end }
  end))()
  equal(#world.deletions, 39)
  equal(world.fetched, 40)
end)

test("a rule that does not look at payloads fetches none", function(world)
  list(world, { 40, 50 })
  new(world, policy(function()
    return { where = function(request) return request.duration > 1 end }
  end))()
  equal(world.fetched, nil)
  equal(#world.deletions, 2)
end)

test("what the ledger has is no candidate, and not scanned for percent",
     function(world)
  list(world, { 40, 50, 30, 20 })
  world.preview = function(which)
    return which == id(2) and "already_deleted" or "planned"
  end
  local outcome = new(world, policy(function()
    return { limits = { percent = 100 } }
  end))()
  equal(deleted(world), { id(1), id(3), id(4) })
  equal(world.declared, { planned = 3, scanned = 3 })
  equal(outcome.plans[1].already, 1)
end)

local function stopped(world, sentence, fields)
  new(world, policy(function() return fields end))()
  equal(#world.deletions, 0)
  t.has(world.stopped, sentence)
  t.has(world.stopped, "policy 'p' was stopped")
  t.has(world.stopped, "nothing was deleted")
end

test("limits: max", function(world)
  list(world, { 40, 50, 30 })
  stopped(world, "it selects 3 requests, and its limits.max is 2",
          { limits = { max = 2 } })
end)

test("limits: percent, of what is still there", function(world)
  list(world, { 40, 50, 30, 60 })
  stopped(world, "3 of 4 requests that are still there, which is 75.0 "
    .. "percent, and its limits.percent is 74", {
    limits = { percent = 74 },
    where = function(request) return request.request_id ~= id(1) end })
end)

test("limits: min_scanned", function(world)
  list(world, {})
  stopped(world, "its selection has 0 requests, and its limits.min_scanned "
    .. "is 1", { limits = { min_scanned = 1 } })
end)

test("limits: min_age", function(world)
  list(world, { 40, 5, 30 })
  stopped(world, "1 request younger than its limits.min_age of 7d ("
    .. id(2), { limits = { min_age = "7d" } })
  equal(world.tightened, { min_age = "7d" })
end)

test("limits: growth, against the median of earlier runs", function(world)
  list(world, { 40, 50, 30, 60, 70 })
  local function history()
    return { 1, 9, 2 }
  end
  local make = policy(function() return { limits = { growth = 2 } } end)
  new(world, make) { history = history }
  equal(#world.deletions, 0)
  t.has(world.stopped, "5 requests, more than 2 times the 2 that its last 3 "
        .. "runs deleted (the median)")
end)

test("limits: growth without earlier runs is no limit", function(world)
  list(world, { 40, 50, 30 })
  new(world, policy(function() return { limits = { growth = 1 } } end))()
  equal(#world.deletions, 3)
end)

test("the age floor of the run stops before the first deletion",
     function(world)
  list(world, { 40, 2 })
  world.preview = function(which)
    if which == id(2) then
      return "refused", "too_young"
    end
    return "planned"
  end
  new(world, policy(function() return {} end))()
  equal(#world.deletions, 0)
  t.has(world.stopped, "1 request younger than the age floor of the run ("
        .. id(2))
end)

test("keep: what is kept says why, the rest goes", function(world)
  list(world, { 40, 50, 30 })
  local outcome = new(world, policy(function(fal)
    return { keep = fal.keep.any { last = 1 } }
  end)) { notes = true }
  equal(deleted(world), { id(2), id(1) })
  t.has(outcome:why(id(3)), "kept: last 1")
  equal(outcome:why(id(1)), nil)
  equal(outcome:why(id(8)), "not selected")
end)

test("hold: a function is asked when planned and when sent", function(world)
  list(world, { 40, 50, 30 })
  local asked = {}
  local outcome = new(world, policy(function(fal)
    return { hold = fal.hold.from(function(request)
      local key = request.request_id
      asked[key] = (asked[key] or 0) + 1
      if key == id(1) then
        return "case 4711"
      end
      return asked[id(3)] == 2 and key == id(3)  -- it came in the meantime
    end) }
  end)) { notes = true }
  equal(outcome:why(id(1)), "held: case 4711")
  equal(asked[id(1)], 1)
  equal(asked[id(2)], 2)
  equal(world.held[id(3)], "a hold of the policy")
  t.has(outcome:why(id(3)), "a hold covers it")
end)

test("hold: one that the gate knows is named by its reason", function(world)
  list(world, { 40, 50, 30 })
  world.preview = function(which)
    if which == id(2) then
      return "held", nil, "case 42"
    end
    return "planned"
  end
  local outcome = new(world, policy(function() return {} end))
    { notes = true }
  equal(outcome:why(id(2)), "held: case 42")
  equal(deleted(world), { id(1), id(3) })
end)

test("hold: ids in a list or with reasons", function(world)
  list(world, { 40, 50, 30 })
  local names = { [id(2)] = "the audit" }
  local outcome = new(world, policy(function(fal)
    return { hold = { fal.hold.from(function() return { id(1) } end),
                      fal.hold.from(function() return names end) } }
  end)) { notes = true }
  equal(deleted(world), { id(3) })
  equal(outcome:why(id(2)), "held: the audit")
end)

test("hold: a source that raises stops everything", function(world)
  list(world, { 40, 50 })
  local run_it = new(world, policy(function(fal)
    return { hold = fal.hold.from(function() error("no answer", 0) end,
                                  "the case file") }
  end))
  t.raises("the case file cannot be asked: no answer; nothing is deleted",
           run_it)
  equal(#world.deletions, 0)
  t.has(world.stopped, "the case file cannot be asked")
end)

test("hold: files are the gate's, opened before anything is settled",
     function(world)
  list(world, { 40 })
  local order = {}
  new(world, policy(function(fal)
    return { hold = { fal.hold.file "a.csv", fal.hold.file "b.csv" } }
  end)) { settle = function() order[1] = #world.hold_files end }
  equal(order[1], 2)
end)

test("hold: a file that cannot be read stops everything", function(world)
  list(world, { 40 })
  world.hold_error = "the holds of a.csv cannot be read"
  local run_it = new(world, policy(function(fal)
    return { hold = fal.hold.file "a.csv" }
  end))
  t.raises("a.csv cannot be read", run_it)
  equal(#world.deletions, 0)
end)

test("several policies: the first has an id, all limits before any deletion",
     function(world)
  list(world, { 40, 50 })
  local function make(fal)
    local function one(name, age, max)
      return fal.policy { name = name, reason = name, select = select(age),
                          limits = { max = max } }
    end
    return { one("a", "45d", 9), one("b", "1d", 9) }
  end
  new(world, make)()
  equal(world.deletions[1].options.policy, "a")
  equal(world.deletions[2].options, { reason = "b", policy = "b" })
  equal(#world.deletions, 2)
  equal(world.declared.planned, 2)
end)

test("several policies: one that is stopped stops all", function(world)
  list(world, { 40, 50 })
  new(world, function(fal)
    return {
      fal.policy { name = "a", reason = "a", select = select "45d" },
      fal.policy { name = "b", reason = "b", select = select "1d",
                   limits = { max = 0 } } }
  end)()
  equal(#world.deletions, 0)
end)

test("ids instead of a list: doubles go, a wrong one raises", function(world)
  local outcome = new(world, policy(function()
    return { select = { id(1), id(2), id(1) } }
  end))()
  equal(#world.deletions, 2)
  equal(outcome.plans[1].scanned, 2)
  t.raises("item 2 is no request and no request id", new(world,
    policy(function() return { select = { id(1), "x" } } end)))
end)

test("ids from a file", function(world)
  world.input = { id(4), id(5) }
  new(world, policy(function(fal)
    return { select = fal.ids "ids.csv" }
  end))()
  equal(deleted(world), { id(4), id(5) })
end)

test("a reason may be a function", function(world)
  list(world, { 40, 50 })
  new(world, policy(function()
    return { reason = function(request) return "of " .. request.endpoint_id
    end }
  end))()
  equal(world.deletions[1].options.reason, "of a/b")
  t.raises("the reason of policy 'p' returned a nil", new(world,
    policy(function() return { reason = function() end } end)))
end)

test("on a terminal it asks once; no is a stop", function(world)
  list(world, { 40, 50 })
  world.host.stdin_tty, world.host.stderr_tty = true, true
  world.reply = "n"
  new(world, policy(function() return {} end))()
  equal(#world.deletions, 0)
  t.has(world.asked, "Erase these 2 requests? It cannot be undone.")
  t.has(world.stopped, "the answer was no")
end)

test("on a terminal: yes, --yes and --no-input", function(world)
  list(world, { 40 })
  local make = policy(function() return {} end)
  world.host.stdin_tty, world.host.stderr_tty = true, true
  world.reply = " Yes"
  new(world, make)()
  equal(#world.deletions, 1)
  t.has(world.asked, "Erase this request?")
  world.asked = nil
  world.host.options = { yes = "true" }
  new(world, make)()
  world.host.options = { ["no-input"] = "true" }
  new(world, make)()
  equal(#world.deletions, 3)
  equal(world.asked, nil)
end)

test("on a terminal a script is asked for once, before its first deletion",
     function(world)
  list(world, { 40, 50 })
  world.host.stdin_tty, world.host.stderr_tty = true, true
  world.reply = "y"
  new(world, function(fal)
    fal.delete_all(select())
    fal.delete_payloads(id(3))
  end)()
  t.has(world.asked, "policy.lua is about to erase 2 requests.")
  equal(#world.deletions, 3)
end)

test("a script settles first, once, and only when it runs", function(world)
  list(world, { 40 })
  local settled = 0
  local function settle()
    settled = settled + 1
    equal(#world.deletions, 0)
  end
  new(world, function(fal)
    fal.delete_all(select())
    fal.delete_payloads(id(3))
  end) { settle = settle }
  equal(settled, 1)
  new(world, function() end) {
    settle = function() settled = settled + 1 end }
  equal(settled, 2)
end)

-- ---- declarations ----------------------------------------------------------

local function refused(world, sentence, make)
  t.raises(sentence, new(world, make))
  equal(#world.deletions, 0)
end

local function wrong(world, sentence, fields)
  refused(world, sentence, policy(function() return fields end))
end

test("a list is read by one policy, from its beginning", function(world)
  list(world, { 40 })
  refused(world, "another policy reads the same list", function(fal)
    local shared = select()
    return { fal.policy { name = "a", reason = "r", select = shared },
             fal.policy { name = "b", reason = "r", select = shared } }
  end)
  refused(world, "this list has been read before", function(fal)
    local read = select()
    read()
    return fal.policy { name = "a", reason = "r", select = read }
  end)
  refused(world, "another policy reads the same list", function(fal)
    local function own() end
    return { fal.policy { name = "a", reason = "r", select = own },
             fal.policy { name = "b", reason = "r", select = own } }
  end)
end)

test("a declaration is checked whole", function(world)
  list(world, { 40 })
  refused(world, "a policy needs a name", function(fal)
    return fal.policy { reason = "r", select = select() }
  end)
  refused(world, "a policy needs a reason", function(fal)
    return fal.policy { name = "p", select = select() }
  end)
  refused(world, "a policy needs a selection", function(fal)
    return fal.policy { name = "p", reason = "r" }
  end)
  refused(world, "a table is needed: fal.policy {", function(fal)
    return fal.policy "p"
  end)
  wrong(world, "there is no option \"wher\"; did you mean 'where'?",
        { wher = 1 })
  wrong(world, "1 to 64 letters, digits", { name = "a b" })
  wrong(world, "a function is needed, got string", { where = "x" })
  wrong(world, "there is no option \"maks\"", { limits = { maks = 1 } })
  wrong(world, "a whole number from 0", { limits = { max = 1.5 } })
  wrong(world, "a number from 0 to 100", { limits = { percent = 101 } })
  wrong(world, "a duration needs a unit", { limits = { min_age = 7 } })
  wrong(world, "a source like fal.hold.file \"FILE\"",
        { hold = "holds.csv" })
  wrong(world, "entry 1 is no source of holds", { hold = { "h.csv" } })
  wrong(world, "the list is empty", { hold = {} })
  wrong(world, "true or false is needed", { verify = "yes" })
  wrong(world, "true or false is needed", { all = "yes" })
  wrong(world, "text of 1 to 1000 bytes", { reason = "" })
end)

test("a selection that nothing narrows must be said aloud", function(world)
  list(world, { 40 })
  local function make(more)
    return policy(function(fal)
      local fields = { select = fal.requests { endpoint_id = "a/b" } }
      for name, value in pairs(more) do
        fields[name] = value
      end
      return fields
    end)
  end
  refused(world, "nothing narrows it: every request would be erased",
          make {})
  new(world, make { all = true })()
  equal(#world.deletions, 1)
  new(world, make { where = function() return true end })()
  equal(#world.deletions, 2)
end)

test("what a file returns", function(world)
  list(world, { 40 })
  refused(world, "policy.lua:1: policy 'p' was declared but not returned",
    function(fal)
      fal.policy { name = "p", reason = "r", select = select() }
    end)
  refused(world, "two policies have the name 'p'", function(fal)
    local function one()
      return fal.policy { name = "p", reason = "r", select = select() }
    end
    return { one(), one() }
  end)
  refused(world, "entry \"x\" is no policy", function(fal)
    return { x = fal.policy { name = "p", reason = "r", select = select() } }
  end)
  refused(world, "policy.lua: it returned an empty table", function()
    return {}
  end)
  refused(world, "write return fal.policy { ... }", function()
    return { name = "p", select = select() }
  end)
end)

test("a request names what it has, and is strict about the rest",
     function(world)
  list(world, { 40 })
  local function touch(name, sentence)
    t.raises(sentence, new(world, policy(function()
      return { where = function(request) return request[name] end }
    end)))
  end
  touch("endpoint", "(did you mean 'endpoint_id'?)")
  touch("end_at", "(did you mean 'ended_at'?)")
  touch("created_at", "(did you mean 'sent_at'?)")
  touch("zzz", "a request has no field \"zzz\"; it has request_id")
  equal(#world.deletions, 0)
end)

t.finish()
