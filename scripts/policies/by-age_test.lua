test("what is older than 30 days goes, the rest stays", function(t)
  t.clock "2026-06-01T03:00:00Z"
  t.requests {
    { id = "old", ended = "31d" }, { id = "older", ended = "200d" },
    { id = "young", ended = "29d" }, { id = "younger", ended = "2d" },
  }
  t.run "by-age.lua"
  t.deleted { "old", "older" }
  t.kept("young", "not selected")
  t.advance "2d"
  t.run "by-age.lua"
  t.deleted { "young" }
end)

test("another age", function(t)
  t.requests { { id = "a", ended = "80d" }, { id = "b", ended = "95d" },
               { id = "c", ended = "85d" } }
  t.run("by-age.lua", { "90d" })
  t.deleted { "b" }
end)

test("five times more than usual is a mistake", function(t)
  t.requests { { id = "a", ended = "40d" } }
  t.run "by-age.lua"
  t.deleted { "a" }
  t.requests(6, function(i)
    return { id = "b" .. i, ended = "50d" }
  end)
  t.run "by-age.lua"
  t.exit(4)
  t.deleted {}
end)
