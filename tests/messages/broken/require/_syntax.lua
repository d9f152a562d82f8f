local rules = {
  age = "30d"
  days = 30, -- here
}
return rules
