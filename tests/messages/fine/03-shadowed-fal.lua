local requests = fal.requests
do
  local fal = { requests = requests }
  for _ in fal.requests { endpoint_id = "auto", older_than = "30d" } do
    break
  end
end
