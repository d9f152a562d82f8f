test("the newest of a day and of a month stay", function(t)
  t.clock "2026-06-15T00:00:00Z"
  t.requests {
    { id = "may 1 late", ended_at = "2026-05-01T20:00:00Z" },
    { id = "may 1 early", ended_at = "2026-05-01T08:00:00Z" },
    { id = "april", ended_at = "2026-04-10T08:00:00Z" },
    { id = "last june", ended_at = "2025-05-10T08:00:00Z" },
    { id = "recent", ended_at = "2026-06-10T08:00:00Z" },
  }
  t.run "quality-sample.lua"
  t.deleted { "may 1 early" }
  t.kept("may 1 late", "daily 14")
  t.kept("april", "monthly 12")
  t.kept("recent", "not selected")
end)
