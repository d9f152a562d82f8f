local ok, err = pcall(function()
  local rules
  return rules.age -- here
end)
if not ok then
  error(err, 0)
end
