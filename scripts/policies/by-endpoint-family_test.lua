test("each family has its own age", function(t)
  t.requests {
    { id = "video", endpoint_id = "fal-ai/veo3", ended = "15d" },
    { id = "image", endpoint_id = "fal-ai/flux/dev", ended = "31d" },
    { id = "new image", endpoint_id = "fal-ai/flux/dev", ended = "20d" },
    { id = "speech", endpoint_id = "fal-ai/whisper", ended = "60d" },
    { id = "old speech", endpoint_id = "fal-ai/whisper", ended = "91d" },
  }
  t.run "by-endpoint-family.lua"
  t.deleted { "video", "image", "old speech" }
  t.kept("new image", "its where said no")
  t.kept("speech", "its where said no")
end)
