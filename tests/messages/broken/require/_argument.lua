local rules = {}
function rules.expired()
  return fal.requests { endpoint_id = "auto", older_than = 30 } -- here
end
return rules
