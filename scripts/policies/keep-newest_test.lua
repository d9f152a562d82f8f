test("the newest of each endpoint stay, whatever their age", function(t)
  t.requests {
    { id = "a1", ended = "10d" }, { id = "a2", ended = "20d" },
    { id = "a3", ended = "300d" }, { id = "recent", ended = "2d" },
    { id = "b1", ended = "400d", endpoint_id = "fal-ai/veo3" },
  }
  t.run("keep-newest.lua", { "2" })
  t.deleted { "a3" }
  t.kept("a1", "last 2")
  t.kept("b1", "last 2")
  t.kept("recent", "not selected")
end)

test("what is deleted does not count among the newest", function(t)
  t.requests { { id = "a1", ended = "10d" }, { id = "a2", ended = "20d" } }
  t.run("keep-newest.lua", { "1" })
  t.deleted { "a2" }
  t.run("keep-newest.lua", { "1" })
  t.deleted {}
end)
