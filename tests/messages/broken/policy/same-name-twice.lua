local function rule(age)
  return fal.policy { -- here
    name = "by-age", reason = "by age",
    select = fal.requests { endpoint_id = "auto", older_than = age },
  }
end
return { rule "30d", rule "90d" }
