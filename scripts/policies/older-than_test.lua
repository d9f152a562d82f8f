test("the age and the endpoint are arguments", function(t)
  t.requests {
    { id = "a", ended = "40d" }, { id = "b", ended = "95d" },
    { id = "c", ended = "95d", endpoint_id = "fal-ai/veo3" },
  }
  t.run("older-than.lua", { "90d", "fal-ai/veo3" })
  t.deleted { "c" }
  t.run "older-than.lua"
  t.deleted { "a", "b" }
end)

test("a hold of the ledger stays", function(t)
  t.requests { { id = "a", ended = "40d" }, { id = "b", ended = "41d" } }
  t.hold("a", "case 4711")
  t.run "older-than.lua"
  t.deleted { "b" }
  t.held("a", "case 4711")
end)
