--- The account, and the organization that it is the root team of. Another
--- team is there, and has used nothing.
local answer = require "sandbox.answer"
local apps = require "sandbox.apps"
local billing = require "sandbox.billing"
local buckets = require "sandbox.buckets"
local core = require "core"
local own = require "sandbox.own"

local account = {}

local DAY <const> = 86400000
local OTHER <const> = "sandbox-lab"
local CREDITS <const> = 1000            -- before what was used
local EVENTS_MOST <const> = 100
local PRODUCTS <const> = { model_apis = true, serverless = true,
                           compute = true }

-- ---- reports ---------------------------------------------------------------

local function csv(lines)
  local reply = answer.text(200, table.concat(lines, "\n") .. "\n")
  reply.headers["Content-Type"] = "text/csv"
  return reply
end

--- One line of costs for each endpoint that was used in [start, stop).
local function add_charges(lines, state, start, stop)
  local ask = { expand = {} }
  for _, one in ipairs(billing.records(state.world, ask, start, stop)) do
    lines[#lines + 1] = ("%s,%s,%s,%s,%s,USD,%s,%s,%s"):format(own.USER,
      core.format_time(start), core.format_time(stop), one.endpoint_id,
      "Usage", one.cost_total, one.quantity, one.unit)
  end
end

--- The window of what is charged: a month of an invoice, or as asked.
local function charged(values)
  if values.source == "invoice" then
    local month = values.charge_month or values.billing_month or
      core.format_time(core.at()):sub(1, 7)
    local start = core.parse_time(month .. "-01")
    if values.billing_month and not values.charge_month and start then
      start = buckets.begins(start - 1, "month")        -- invoiced later
    end
    return start, start and buckets.after(start, "month", 1),
      not start and "there is no such month" or nil
  end
  local start, stop, why = buckets.window(values, DAY)
  if values.billing_month or values.charge_month then
    why = "billing_month and charge_month go with source invoice"
  elseif stop - start > 90 * DAY then
    why = "the window may span 90 days at most"
  end
  return start, stop, why
end

local function focus(state, values)
  local start, stop, why = charged(values)
  if why then
    return answer.error(400, why)
  end
  local lines = { "SubAccountId,ChargePeriodStart,ChargePeriodEnd,ResourceId,"
    .. "ChargeCategory,BillingCurrency,BilledCost,ConsumedQuantity,"
    .. "ConsumedUnit" }
  local ask = buckets.bound({ start = start, stop = stop }, values.timeframe,
                            values.source == "estimate" and
                            values.bound_to_timeframe)
  local count, at = buckets.count(ask)
  if count > 3000 then
    return answer.error(400, "that are too many buckets: choose a longer "
                        .. "timeframe")
  end
  for _ = 1, values.team_username ~= OTHER and count or 0 do
    local ends = buckets.after(at, ask.frame, 1)
    add_charges(lines, state, math.max(at, ask.start),
                math.min(ends, ask.stop))
    at = ends
  end
  return csv(lines)
end

local function model_access(state)
  local lines = { "endpoint_id,access" }
  for _, name in ipairs(state.world.config.endpoints) do
    lines[#lines + 1] = name .. ",allowed"
  end
  return csv(lines)
end

-- ---- the account -----------------------------------------------------------

local function balance(state)
  local start, stop = state.world:bounds()
  local used = 0
  for _, one in ipairs(billing.records(state.world, { expand = {} }, start,
                                       stop)) do
    used = used + one.cost_total
  end
  return { current_balance = math.max(0, CREDITS - used), currency = "USD" }
end

local function billing_of(state, values)
  return answer.json(200, { username = own.USER,
    credits = values.expand and balance(state) or nil })
end

-- ---- the organization ------------------------------------------------------

--- Whether the root team is asked for; nil and a 404 for an unknown team.
local function root_wanted(names)
  local root = not names
  for _, name in ipairs(names or {}) do
    if name ~= own.USER and name ~= OTHER then
      return nil, answer.error(404, "there is no such team")
    end
    root = root or name == own.USER
  end
  return root
end

local function of_team(one, product)
  return { username = own.USER, product = product, unit = one.unit,
    endpoint_id = one.endpoint_id, quantity = one.quantity,
    unit_price = one.unit_price, cost = one.cost, currency = one.currency,
    auth_method = one.auth_method,
    auth_method_structured = one.auth_method_structured }
end

local function add_serverless(list, state, start, stop)
  local world = own.of(state).world
  for _, name in ipairs(own.APPS) do
    local seconds = apps.seconds(world, name, start, stop)
    list[#list + 1] = seconds > 0 and of_team({ endpoint_id = name,
      unit = "second", quantity = seconds, unit_price = own.PRICE,
      cost = seconds * own.PRICE, currency = "USD" }, "serverless") or nil
  end
end

local function products_of(list)
  local wanted = {}
  for _, word in ipairs(list or { "model_apis", "serverless" }) do
    if not PRODUCTS[word] then
      return nil, answer.error(400, "product must be model_apis, serverless "
                               .. "or compute")
    end
    wanted[word] = true
  end
  return wanted
end

function account.usage(state, one, many)
  local root, refused = root_wanted(many.team_username)
  local wanted
  if not refused then
    wanted, refused = products_of(many.product)
  end
  if refused then
    return refused
  end
  return billing.usage_by(one, many, function(ask, start, stop)
    local list = {}
    for _, record in ipairs(root and wanted.model_apis and
      billing.records(state.world, ask, start, stop) or {}) do
      list[#list + 1] = of_team(record, "model_apis")
    end
    if root and wanted.serverless and not ask.endpoints and not ask.nobody
    then
      add_serverless(list, state, start, stop)
    end
    return list
  end)
end

function account.events(state, one, many)
  local root, refused = root_wanted(many.team_username)
  if refused then
    return refused
  end
  many.api_key_id = root and many.api_key_id or not root and { "nobody" }
    or nil
  return billing.events_by(state, one, many, EVENTS_MOST, function(event)
    event.username = own.USER
    return event
  end)
end

local function teams()
  local list = {}
  for i, name in ipairs { own.USER, OTHER } do
    list[i] = { username = name, name = name, is_org_root = i == 1,
                created_at = "2025-01-01T00:00:00Z" }
  end
  return answer.json(200, { teams = core.json.array(list) })
end

account.operations = {
  ["account.billing"] = billing_of, ["account.focus"] = focus,
  ["account.model_access"] = model_access, ["organization.teams"] = teams,
  ["organization.focus"] = function(state, values)
    local _, refused = root_wanted(values.team_username and
                                   { values.team_username })
    return refused or focus(state, values)
  end,
}

return account
