--- Quarantine: what the ledger has decides, and which files are hidden.
local t = require "support"
local test, equal, id = t.test, t.equal, t.id

local DAY <const> = 86400000
local ACTION <const> = { grace_ms = 7 * DAY, grace = "7d" }

--- A view of one quarantine, begun `days` ago; `events` tell what was hidden.
local function view(world, days, events, files)
  local at = world.core.at() - days * DAY
  world.quarantined = { { request_id = id(1), seq = 1,
    at = world.core.format_time(at), delete_after_ms = at + 7 * DAY,
    data = { files = files or { "https://v3.fal.media/a" }, acl = { "{}" } } } }
  world.host.ledger.events = function(filter, f)
    equal(filter.request_id, id(1))
    for _, event in ipairs(events) do
      f(event)
    end
  end
  return require "fal.quarantine".view(world.host)
end

local function change(seq, link)
  return { seq = seq, kind = "change", data = {
    operation = "storage.set_acl", target = link } }
end

local function done(seq, state, status)
  return { seq = seq + 1, kind = "change_outcome", data = {
    change = seq, state = state or "done", http_status = status or 200 } }
end

local HIDDEN <const> = { change(2, "https://v3.fal.media/a"), done(2) }

test("what is not in quarantine is to be hidden", function(world)
  local fate, words = view(world, 1, HIDDEN):fate(id(2), ACTION,
                                                  world.core.at())
  equal(fate, "quarantine")
  t.has(words, "erased 7d after that")
end)

test("it is due after the grace, and not a moment before", function(world)
  local now = world.core.at()
  equal(view(world, 7, HIDDEN):fate(id(1), ACTION, now), nil)
  equal(view(world, 7, HIDDEN):fate(id(1), ACTION, now - 1), "held")
end)

test("the longer grace counts, of the ledger's and the policy's",
     function(world)
  local now = world.core.at()
  local long = { grace_ms = 30 * DAY, grace = "30d" }
  local short = { grace_ms = DAY, grace = "1d" }
  equal(view(world, 8, HIDDEN):fate(id(1), long, now), "held")
  equal(view(world, 2, HIDDEN):fate(id(1), short, now), "held")
end)

--- What the ledger tells of a request whose grace is over.
local function after(name, wanted, events)
  test("after the grace: " .. name, function(world)
    equal(view(world, 8, events, { "https://v3.fal.media/a",
                                   "https://v3.fal.media/b" })
      :fate(id(1), ACTION, world.core.at()), wanted)
  end)
end

local A <const>, B <const> = "https://v3.fal.media/a", "https://v3.fal.media/b"
after("all hidden", nil, { change(2, A), done(2), change(4, B), done(4) })
after("one was not tried", "quarantine", { change(2, A), done(2) })
after("one has no outcome", "quarantine",
      { change(2, A), done(2), change(4, B) })
after("one failed", "quarantine",
      { change(2, A), done(2), change(4, B), done(4, "failed", 400) })
after("nobody knows of one", "quarantine",
      { change(2, A), done(2), change(4, B), done(4, "unknown", 0) })
after("fal did not have one any more", nil,
      { change(2, A), done(2), change(4, B), done(4, "failed", 404) })
after("hidden before a release only", "quarantine",
      { change(2, A), done(2), change(4, B), done(4),
        { seq = 6, kind = "release", data = {} } })
after("another change of it", "quarantine",
      { change(2, A), done(2), { seq = 4, kind = "change", data = {
        operation = "storage.sign", target = B } }, done(4) })

test("what the gate says of a grace is known as one", function(world)
  local _, words = view(world, 6, HIDDEN):fate(id(1), ACTION,
                                               world.core.at())
  t.has(words, "in quarantine since 2026-02-23T00:00:00Z, to be "
        .. "erased from 2026-03-02T00:00:00Z on")
  equal(require "fal.quarantine".is_grace(words), true)
end)

test("files of fal's CDN only, each once", function()
  local found = require "fal.hiding".links {
    images = { { url = A .. "?x=1" }, { url = A }, { url = B } },
    text = "see https://v3.fal.media/c",
    other = "https://example.com/https://v3.fal.media/d",
    near = "https://v3.fal.media.example.com/e",
    near_too = "https://notfal.media/e",
    plain = "http://v3.fal.media/f", old = "https://fal.media/files/g",
    v3b = "https://v3b.fal.media/h", n = 7, yes = true,
  }
  equal(found.old, 1)
  equal(table.move(found, 1, #found, 1, {}), { A, B,
        "https://v3b.fal.media/h" })
end)

test("actions are checked", function()
  local action = require "fal.quarantine".action
  equal(action(nil), nil)
  equal(action { quarantine = "0d", delete_after = "7d" }.grace_ms, 7 * DAY)
  t.raises("both are needed", action, { delete_after = "7d" })
  t.raises('"0d" is needed', action,
           { quarantine = "1d", delete_after = "7d" })
  t.raises("a grace is needed", action,
           { quarantine = "0d", delete_after = "0d" })
  t.raises("did you mean 'delete_after'", action, { delete_aftr = "7d" })
end)

t.finish()
