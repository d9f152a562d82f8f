test("a list that is not there stops before anything", function(t)
  t.requests { { id = "a", ended = "40d" } }
  t.run("listed-ids.lua", { "no-such-file.csv" })
  t.exit(1)
  t.deleted {}
end)
