local function rows(t)
  t.clock "2026-06-01T00:00:00Z"
  t.requests {
    { id = "old", ended = "40d" }, { id = "new", ended = "29d" },
    { id = "of a case", ended = "40d", collections = { "legal-hold" } },
    { id = "no file", ended = "40d", files = 0 },
  }
end

test("hidden first, and erased a week later", function(t)
  rows(t)
  t.run "hidden-first.lua"
  t.deleted {}
  t.advance "6d"
  t.run "hidden-first.lua"
  t.deleted {}
  t.advance "1d1h"
  t.run "hidden-first.lua"
  t.deleted { "old", "no file" }
end)

test("what somebody puts on hold meanwhile stays", function(t)
  rows(t)
  t.run "hidden-first.lua"
  t.advance "8d"
  t.hold("old", "case 8")
  t.run "hidden-first.lua"
  t.deleted { "no file" }
end)
