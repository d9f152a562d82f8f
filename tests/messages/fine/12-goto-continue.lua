local count = 0
for request in fal.requests { endpoint_id = "auto", older_than = "30d" } do
  if request.status_code ~= 200 then
    goto continue
  end
  count = count + 1
  ::continue::
end
assert(count == 3)
