local function three(t)
  t.requests { { id = "a", ended_at = "2026-01-03T00:00:00Z" },
               { id = "b", ended_at = "2026-01-02T00:00:00Z" },
               { id = "c", ended_at = "2026-01-01T00:00:00Z" } }
end

test("nothing on a Friday", function(t)
  t.clock "2026-06-05T03:00:00Z"
  three(t)
  t.run "weekend-budget.lua"
  t.exit(0)
  t.deleted {}
end)

test("on Saturday the oldest up to the budget, on Sunday the rest",
     function(t)
  t.clock "2026-06-06T03:00:00Z"
  three(t)
  t.run("weekend-budget.lua", { "2" })
  t.deleted { "c", "b" }
  t.exit(0)
  t.advance "1d"
  t.run("weekend-budget.lua", { "2" })
  t.deleted { "a" }
end)
