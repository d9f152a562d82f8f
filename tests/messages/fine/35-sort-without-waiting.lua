local list = {}
for request in fal.requests { endpoint_id = "auto" } do
  list[#list + 1] = request
end
table.sort(list, function(a, b) return a.ended_at < b.ended_at end)
assert(#list == 3)
