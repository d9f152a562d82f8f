local options = { endpoint_id = "fal-ai/flux/dev", start = "2024-01-01" }
options["end"] = fal.ago "30d"
for request in fal.requests(options) do assert(request.sent_at) end
