--- Different families of endpoints, different times: video is large and goes
--- after two weeks, images after a month, all else after three.
---
---   falrun by-endpoint-family.lua
---
--- One policy for each family, so that the ledger and the reports say which
--- rule erased a request. The first policy that selects a request has it.

local FAMILIES <const> = {
  { name = "video", age = "14d", prefixes = { "fal-ai/kling-video",
    "fal-ai/veo", "fal-ai/minimax" } },
  { name = "image", age = "30d", prefixes = { "fal-ai/flux",
    "fal-ai/recraft", "fal-ai/imagen" } },
  { name = "other", age = "90d", prefixes = { "" } },
}

local function family_of(endpoint)
  for _, family in ipairs(FAMILIES) do
    for _, prefix in ipairs(family.prefixes) do
      if endpoint:sub(1, #prefix) == prefix then
        return family.name
      end
    end
  end
end

local policies = {}
for i, family in ipairs(FAMILIES) do
  policies[i] = fal.policy {
    name = family.name .. "-" .. family.age,
    select = fal.requests { endpoint_id = "auto", older_than = family.age },
    where = function(request)
      return family_of(request.endpoint_id) == family.name
    end,
    limits = { max = 10000 },
    reason = ("%s: erased after %s"):format(family.name, family.age),
  }
end
return policies
