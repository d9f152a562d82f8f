local request_ids = {}
for request in fal.requests { endpoint_id = "auto", older_than = "30d" } do
  request_ids[#request_ids + 1] = request.request_id
end
assert(#request_ids == 3)
