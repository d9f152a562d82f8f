local options = {
  endpoint_id = "auto" -- here: the next line is where Lua sees it
  older_than = "30d",
}
fal.requests(options)
