--- What looks sensitive in the input goes after three days, all else after
--- thirty.
---
---   falrun sensitive-sooner.lua
---
--- The words are an example: put yours in. The reason names the rule, never
--- what was found.

local WORDS <const> = { "passport", "patient", "diagnosis", "iban" }

local function is_sensitive(input)
  if type(input) ~= "table" then
    return false
  end
  local prompt = type(input.prompt) == "string" and input.prompt:lower() or ""
  for _, word in ipairs(WORDS) do
    if prompt:find(word, 1, true) then
      return true
    end
  end
  return input.contains_faces == true
end

return {
  fal.policy {
    name = "sensitive-3d",
    select = fal.requests { endpoint_id = "auto", older_than = "3d" },
    where = function(request) return is_sensitive(request.input) end,
    limits = { max = 10000 },
    reason = "sensitive input: erased after 3 days",
  },
  fal.policy {
    name = "rest-30d",
    select = fal.requests { endpoint_id = "auto", older_than = "30d" },
    limits = { max = 10000 },
    reason = "erased after 30 days",
  },
}
