test("what is named goes, nothing else", function(t)
  local ids = t.requests { { id = "a", ended = "40d" },
                           { id = "b", ended = "40d" } }
  t.run("ids-from-arguments.lua", { ids[1] })
  t.deleted { "a" }
end)
