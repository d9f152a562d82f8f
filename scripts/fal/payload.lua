--- What a request does beyond its row: request.input and request.output are
--- fetched when they are touched, and a misspelt field is an error.
---
---   request.input --> one list call for this request, with its payloads
---
--- A payload that the API does not have (never stored, or deleted) is nil.
--- One that cannot be fetched raises: a rule that cannot see what it asks
--- for must not decide.
local core = require "core"
local check = require "fal.check"
local inputs = require "fal.inputs"
local pages = require "fal.pages"

local payload = {}

local PATH <const> = "/models/requests/by-endpoint"
local SINCE <const> = "2021-01-01T00:00:00Z"
local SECOND <const> = 1000

local FIELDS <const> = {
  "request_id", "endpoint_id", "sent_at", "started_at", "ended_at",
  "status_code", "duration", "input", "output",
}
payload.FIELDS = FIELDS

local is_field = {}
for _, name in ipairs(FIELDS) do
  is_field[name] = true
end

local fetched = setmetatable({}, { __mode = "k" })

--- How many payloads were fetched: who decides on many requests asks for
--- several at a time once it is clear that a rule looks at them.
payload.count = 0

--- The row as the API has it now, with its payloads.
local function read(request)
  local id, endpoint = rawget(request, "request_id"),
    rawget(request, "endpoint_id")
  local ended = core.parse_time(rawget(request, "ended_at") or "")
  local spec = { path = PATH, list = "items", key = "list", query = {
    { "endpoint_id", endpoint }, { "request_id", id },
    { "start", SINCE }, { "expand", "payloads" },
    { "end", core.format_time(((ended or core.at()) // SECOND + 1) * SECOND) },
  } }
  for items in pages.walk(spec) do
    for _, item in ipairs(items) do
      if type(item) == "table" and item.request_id == id then
        return item
      end
    end
  end
  error(core.error("not_found", ("the payloads of %s cannot be looked at: "
    .. "the API does not list it any more"):format(id)), 0)
end

local function fetch(request)
  local found = fetched[request]
  if not found then
    if type(rawget(request, "endpoint_id")) ~= "string" then
      error(core.where() .. "only a request of a list has payloads to look "
        .. "at; this one was named by its id alone", 0)
    end
    local item = read(request)
    found = { input = pages.value(item.json_input),
              output = pages.value(item.json_output) }
    inputs.note(rawget(request, "request_id"), found.input)
    fetched[request] = found
    payload.count = payload.count + 1
  end
  return found
end

--- Words for a field that other APIs have, and nearest does not find.
local MEANT <const> = {
  id = "request_id", endpoint = "endpoint_id", model = "endpoint_id",
  app = "endpoint_id", status = "status_code", code = "status_code",
  created_at = "sent_at", submitted_at = "sent_at", ended = "ended_at",
  end_at = "ended_at", completed_at = "ended_at", age = "ended_at",
  finished_at = "ended_at",
  json_input = "input", payload = "input", prompt = "input",
  json_output = "output", result = "output", took = "duration",
}
payload.MEANT = MEANT

local meta = { __name = "request", __metatable = false }

function meta.__index(request, name)
  if name == "input" or name == "output" then
    return fetch(request)[name]
  elseif is_field[name] then
    return nil
  end
  local near = MEANT[name] or
    type(name) == "string" and core.nearest(name, FIELDS)
  error(("%sa request has no field %s%s; it has %s"):format(core.where(),
    check.show(name), near and (" (did you mean '%s'?)"):format(near) or "",
    table.concat(FIELDS, ", ")), 0)
end

--- Makes the row of a list what policies see of a request.
function payload.request(row)
  return setmetatable(row, meta)
end

--- The same for an item that a policy made itself, or for a bare id.
function payload.item(item)
  if type(item) ~= "table" then
    return setmetatable({ request_id = item }, meta)
  elseif getmetatable(item) == nil then
    return setmetatable(item, meta)
  end
  return item
end

return payload
