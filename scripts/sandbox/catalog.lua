--- The catalogue of models and their prices: every endpoint of the history
--- costs the same for each picture, as its billing says.
local answer = require "sandbox.answer"
local core = require "core"
local query = require "sandbox.query"

local catalog = {}

local PRICE <const>, UNIT <const> = 0.01, "image"
local LIMIT <const>, LIMIT_MOST <const> = 50, 100
local SINCE <const> = "2025-01-01T00:00:00Z"

local function metadata(name)
  return { display_name = name:match("/(.*)$") or name,
    category = "text-to-image", status = "active", highlighted = false,
    description = "a model of the sandbox", tags = core.json.array {},
    updated_at = SINCE, date = SINCE, is_favorited = false, pinned = false,
    thumbnail_url = "https://v3.fal.media/files/sandbox/thumbnail.png",
    model_url = "https://fal.run/" .. name, license_type = "commercial",
    kind = "inference" }
end

local function model(name, expand)
  return { endpoint_id = name, metadata = metadata(name),
    openapi = expand["openapi-3.0"] and { openapi = "3.0.4",
      info = { title = name, version = "1.0.0" } } or nil,
    enterprise_status = expand.enterprise_status and "ready" or nil }
end

--- The first of these endpoints that there is not, as a 404.
local function unknown(state, names)
  for _, name in ipairs(names) do
    if not state.world:knows(name) then
      return answer.error(404, ("Endpoint %s not found"):format(
        answer.shown(name)))
    end
  end
end

local function has_words(name, values)
  local about = metadata(name)
  local text = (name .. " " .. about.description .. " " .. about.category)
    :lower()
  return (not values.q or text:find(values.q:lower(), 1, true) ~= nil)
    and (not values.category or values.category == about.category)
    and (not values.status or values.status == about.status)
end

local function list(state, values)
  local names, found, expand = values.endpoint_id, {}, {}
  local refused = names and unknown(state, names)
  local page, why = query.page(values)
  if refused or why then
    return refused or answer.error(400, why)
  end
  for _, name in ipairs(names or state.world.config.endpoints) do
    found[#found + 1] = has_words(name, values) and name or nil
  end
  for _, word in ipairs(values.expand or {}) do
    expand[word] = true
  end
  local first, last, more = query.slice({ page = page,
    limit = math.min(values.limit or LIMIT, LIMIT_MOST) }, #found)
  local models = {}
  for i = first, last do
    models[#models + 1] = model(found[i], expand)
  end
  return answer.json(200, query.paged({ models = core.json.array(models) },
                                      more))
end

local function pricing(state, values)
  local refused = unknown(state, values.endpoint_id)
  if refused then
    return refused
  end
  local prices = {}
  for i, name in ipairs(values.endpoint_id) do
    prices[i] = { endpoint_id = name, unit_price = PRICE, unit = UNIT,
                  currency = "USD" }
  end
  return answer.json(200, query.paged({ prices = core.json.array(prices) }))
end

local FIELDS <const> = { historical_api_price = "call_quantity",
                         unit_price = "unit_quantity" }

--- How many units an endpoint's part of an estimate is, or nil.
local function units_of(part, field)
  local units = type(part) == "table" and part[field]
  local whole = field == "unit_quantity" or math.tointeger(units)
  return type(units) == "number" and whole and units > 0 and units or nil
end

--- A picture for each call, so that both kinds are units times price.
local function estimate(state, values)
  local names, total, field = {}, 0, FIELDS[values.estimate_type]
  for name, part in pairs(values.endpoints) do
    local units = units_of(part, field)
    if not units then
      return answer.error(400, ("endpoints: each needs a %s above 0"):format(
        field))
    end
    names[#names + 1], total = name, total + units * PRICE
  end
  return unknown(state, names) or #names == 0 and
    answer.error(400, "endpoints names none") or
    answer.json(200, { estimate_type = values.estimate_type,
                       total_cost = total, currency = "USD" })
end

catalog.operations = {
  ["models.list"] = list, ["models.pricing"] = pricing,
  ["models.estimate"] = estimate,
}

return catalog
