--- Which operation a request is for, and what runs it: one table.
---
---   fal/operations: method, path, key, idempotent     the API's document
---   GROUPS:         name -> function(state, values, request) -> reply
---
--- A whole path is found at once; one with {parts} by its pattern, in the
--- order of the operations.
local account = require "sandbox.account"
local answer = require "sandbox.answer"
local apps = require "sandbox.apps"
local billing = require "sandbox.billing"
local core = require "core"
local listing = require "sandbox.listing"
local operations = require "fal.operations"

local routes = {}

local GROUPS <const> = {
  "assets", "collections", "characters", "tags", "storage", "catalog",
  "analytics", "apps", "logs", "files", "machines", "account",
}

local whole, patterns = {}, {}

--- The pattern of a path, and the names of its parts.
local function pattern_of(row)
  local names, files = {}, {}
  for _, spec in ipairs(row.params) do
    files[spec.name] = spec.type == "file"
  end
  local text = row.path:gsub("[%-.]", "%%%0"):gsub("{([%w_]+)}",
    function(name)
      names[#names + 1] = name
      return files[name] and "(.+)" or "([^/]+)"
    end)
  return "^" .. text .. "$", names
end

--- Adds what answers an operation. `loose`: it reads the query by itself.
function routes.add(name, run, loose)
  local row = assert(operations.find(name), name)
  local route = { row = row, run = run, loose = loose }
  if row.path:find("{", 1, true) then
    route.pattern, route.names = pattern_of(row)
    patterns[row.method] = patterns[row.method] or {}
    table.insert(patterns[row.method], route)
  else
    whole[row.method .. " " .. row.path] = route
  end
end

routes.add("meta", function()
  return answer.json(200, { webhook_ip_ranges =
                            core.json.array { "127.0.0.0/8" } })
end)

--- These read their query by themselves.
routes.add("models.requests.list", listing.by_endpoint, true)
routes.add("models.requests.search", listing.search, true)
routes.add("models.usage", billing.usage, true)
routes.add("models.billing_events", billing.events, true)
routes.add("serverless.requests.list", apps.requests, true)
routes.add("organization.usage", account.usage, true)
routes.add("organization.billing_events", account.events, true)

for _, group in ipairs(GROUPS) do
  for name, run in pairs(require("sandbox." .. group).operations) do
    routes.add(name, run)
  end
end

local function filled(route, path)
  local parts = { path:match(route.pattern) }
  if not parts[1] then
    return nil
  end
  local holes = {}
  for i, name in ipairs(route.names) do
    holes[name] = parts[i]
  end
  return holes
end

--- The route of a request and the parts of its path, or nil.
function routes.find(method, path)
  local route = whole[method .. " " .. path]
  if route then
    return route, {}
  end
  for _, other in ipairs(patterns[method] or {}) do
    local holes = filled(other, path)
    if holes then
      return other, holes
    end
  end
end

return routes
