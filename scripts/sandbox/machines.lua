--- Compute instances, API keys and workflows: what people make and end.
local answer = require "sandbox.answer"
local core = require "core"
local own = require "sandbox.own"
local query = require "sandbox.query"
local shelf = require "sandbox.shelf"
local world = require "sandbox.world"

local machines = {}

local LIMIT <const>, LIMIT_MOST <const> = 50, 100
local STARTS_MS <const> = 5000          -- until an instance is ready

--- A page of records, each as `shown` has it.
local function page(values, list, name, shown)
  local at, why = query.page(values)
  if why then
    return answer.error(400, why)
  end
  local first, last, more = query.slice({ page = at,
    limit = math.min(values.limit or LIMIT, LIMIT_MOST) }, #list)
  local rows = {}
  for i = first, last do
    rows[#rows + 1] = shown(list[i])
  end
  return answer.json(200, query.paged({ [name] = core.json.array(rows) },
                                      more))
end

-- ---- instances -------------------------------------------------------------

local function instances(state)
  state.instances = state.instances or shelf.new("i-")
  return state.instances
end

local function instance(one)
  local ready = core.at() - core.parse_time(one.created_at) >= STARTS_MS
  return { id = one.id, instance_type = one.instance_type, region = "us-east",
    sector = one.sector, ip = ready and "192.0.2.1" or nil,
    status = ready and "ready" or "provisioning",
    creator_user_nickname = own.USER }
end

local function create_instance(state, values)
  if values.sector and values.instance_type ~= "gpu_8x_h100_sxm5" then
    return answer.error(400, "sector is for gpu_8x_h100_sxm5 alone")
  end
  local one, why = instances(state):add {
    instance_type = values.instance_type, sector = values.sector }
  return one and answer.json(201, instance(one)) or answer.error(400, why)
end

local function get_instance(state, values)
  local one = instances(state):get(values.id)
  return one and answer.json(200, instance(one)) or
    answer.error(404, "there is no such instance")
end

local function delete_instance(state, values)
  return instances(state):remove(values.id) and answer.empty() or
    answer.error(404, "there is no such instance")
end

-- ---- keys ------------------------------------------------------------------

local function keys(state)
  if not state.keys then
    state.keys = shelf.new("api-made-")
    state.keys:add { id = "sandbox-key", alias = "Sandbox key" }
  end
  return state.keys
end

local function list_keys(state, values)
  return page(values, keys(state).list, "keys", function(one)
    return { key_id = one.id, alias = one.alias, scope = "API",
      created_at = one.created_at,
      creator_nickname = values.expand and own.USER or nil,
      creator_email = values.expand and "sandbox@example.com" or nil }
  end)
end

local function create_key(state, values)
  local one, why = keys(state):add { alias = values.alias }
  if not one then
    return answer.error(400, why)
  end
  local seed = state.world.config.seed
  local secret = ("%016x%016x"):format(world.mix(seed, keys(state).last, 70),
                                       world.mix(seed, keys(state).last, 71))
  return answer.json(201, { key_id = one.id, key_secret = secret,
                            key = one.id .. ":" .. secret })
end

--- Whether a key that was made here was ended again.
function machines.ended(state, id)
  return id:find("^api%-made%-") ~= nil and not keys(state):get(id)
end

-- ---- workflows -------------------------------------------------------------

local function workflows(state)
  if not state.workflows then
    state.workflows = shelf.new("w-")
    state.workflows:add { name = "portrait", title = "A portrait",
      is_public = false, contents = { name = "portrait", version = "1.0.0",
        nodes = { picture = { app = state.world.config.endpoints[1] or
                              "fal-ai/flux/dev" } },
        output = { image = "$picture.images.0.url" },
        schema = { input = { prompt = { type = "string" } },
                   output = { image = { type = "string" } } } } }
  end
  return state.workflows
end

local function endpoints_of(one)
  local list = {}
  for _, node in pairs(one.contents.nodes) do
    list[#list + 1] = type(node.app) == "string" and node.app or nil
  end
  table.sort(list)
  return list
end

local function uses(one, names)
  local found = not names
  for _, name in ipairs(names or {}) do
    for _, used in ipairs(endpoints_of(one)) do
      found = found or used == name
    end
  end
  return found
end

local function list_workflows(state, values)
  local found = {}
  for _, one in ipairs(workflows(state).list) do
    local text = (one.name .. " " .. one.title):lower()
    local is = not values.search or
      text:find(values.search:lower(), 1, true) ~= nil
    found[#found + 1] = is and uses(one, values.used_endpoint_ids) and one
      or nil
  end
  return page(values, found, "workflows", function(one)
    return { name = one.name, title = one.title, user_nickname = own.USER,
      created_at = one.created_at, tags = core.json.array {},
      endpoint_ids = core.json.array(endpoints_of(one)) }
  end)
end

local function workflow(status, one)
  return answer.json(status, { workflow = { name = one.name,
    title = one.title, user_nickname = own.USER, created_at = one.created_at,
    is_public = one.is_public, contents = one.contents } })
end

local function find_workflow(state, name)
  for _, one in ipairs(workflows(state).list) do
    if one.name == name then
      return one
    end
  end
end

local function create_workflow(state, values)
  if find_workflow(state, values.name) then
    return answer.error(400, "there is a workflow of that name")
  end
  local one, why = workflows(state):add { name = values.name,
    title = values.title, contents = values.contents,
    is_public = values.is_public }
  return one and workflow(201, one) or answer.error(400, why)
end

local function get_workflow(state, values)
  local one = values.username == own.USER and
    find_workflow(state, values.workflow_name)
  return one and workflow(200, one) or
    answer.error(404, "there is no such workflow")
end

machines.operations = {
  ["compute.list"] = function(state, values)
    return page(values, instances(state).list, "instances", instance)
  end,
  ["compute.create"] = create_instance, ["compute.get"] = get_instance,
  ["compute.delete"] = delete_instance, ["keys.list"] = list_keys,
  ["keys.create"] = create_key,
  ["keys.delete"] = function(state, values)
    keys(state):remove(values.key_id)   -- an unknown one is no failure
    return answer.empty()
  end,
  ["workflows.list"] = list_workflows,
  ["workflows.create"] = create_workflow, ["workflows.get"] = get_workflow,
}

return machines
