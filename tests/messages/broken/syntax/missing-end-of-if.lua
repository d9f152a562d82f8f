local age = arg[1] or "30d"
if age == "" then -- here: it has no end, as the end of the file shows
  age = "30d"
fal.delete_all(fal.requests { endpoint_id = "auto", older_than = age })
