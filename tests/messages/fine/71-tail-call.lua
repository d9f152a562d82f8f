local function expired(age)
  return fal.requests { endpoint_id = "auto", older_than = age }
end
assert(expired("30d")().request_id)
