test("failures after a week, the rest after a month", function(t)
  t.requests {
    { id = "failed", status_code = 500, ended = "8d" },
    { id = "just failed", status_code = 500, ended = "6d" },
    { id = "fine", ended = "8d" }, { id = "old", ended = "31d" },
  }
  t.run "failed-sooner.lua"
  t.deleted { "failed", "old" }
  t.kept("fine", "not selected")
end)
