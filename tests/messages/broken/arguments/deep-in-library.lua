local function expired(age)
  return fal.requests { endpoint_id = "auto", older_than = age } -- here
end
fal.delete_all(expired(30))
