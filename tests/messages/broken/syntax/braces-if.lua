local age = arg[1]
if (age == nil) { -- here
  age = "30d"
}
