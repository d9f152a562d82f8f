local function rule(name, age)
  return fal.policy {
    name = name, reason = "by age",
    select = fal.requests { endpoint_id = "auto", older_than = age },
  }
end
return { rule("new", "30d"), rule("old", "100d") }
