local function main()
  local settings = { age = "30d" }
  return settings.endpoint.id -- here
end
main()
