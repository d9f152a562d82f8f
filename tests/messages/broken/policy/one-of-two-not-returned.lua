local function rule(name, age)
  return fal.policy { -- here
    name = name, reason = "by age",
    select = fal.requests { endpoint_id = "auto", older_than = age },
  }
end
local _, old = rule("new", "30d"), rule("old", "90d")
return old
