test("sensitive inputs go first", function(t)
  t.requests {
    { id = "passport", ended = "4d", input = { prompt = "My Passport photo" } },
    { id = "faces", ended = "4d", input = { contains_faces = true } },
    { id = "cat", ended = "4d", input = { prompt = "a cat" } },
    { id = "old cat", ended = "31d", input = { prompt = "a cat" } },
    { id = "new passport", ended = "2d", input = { prompt = "passport" } },
  }
  t.run "sensitive-sooner.lua"
  t.deleted { "passport", "faces", "old cat" }
  t.kept("cat", "where said no")
  t.kept("new passport", "not selected")
end)
