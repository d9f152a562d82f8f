--- One request of a list, from the API's JSON to the table a policy sees.
local core = require "core"
local pages = require "fal.pages"

local row = {}

local function fail(path, place, name, field, wanted)
  pages.fail(path, "items[%d].%s is %s, not %s", place, name,
             pages.kind(field), wanted)
end

local function text(path, place, item, name)
  local field = pages.value(item[name])
  if field ~= nil and type(field) ~= "string" then
    fail(path, place, name, field, "a string")
  end
  return field
end

local function number(path, place, item, name)
  local field = pages.value(item[name])
  if field ~= nil and math.type(field) == nil then
    fail(path, place, name, field, "a number")
  end
  return field
end

--- A time as text that ends in Z, and in ms.
local function time(path, place, item, name)
  local field = text(path, place, item, name)
  if field == nil then
    return nil
  end
  local ms = core.parse_time(field)
  if not ms then
    fail(path, place, name, field, "a time")
  elseif not field:find("T.*Z$") then
    field = core.format_time(ms)
  end
  return field, ms
end

local function identity(path, place, item)
  local id, endpoint = item.request_id, item.endpoint_id
  if type(id) ~= "string" then
    fail(path, place, "request_id", id, "a string")
  elseif not core.parse_id(id) then
    fail(path, place, "request_id", id, "a UUID in lower case")
  elseif type(endpoint) ~= "string" or endpoint == "" then
    fail(path, place, "endpoint_id", endpoint, "the id of an endpoint")
  end
  return id, endpoint
end

--- The request of items[place], and when it ended in ms (nil: it has not).
function row.read(path, place, item)
  if type(item) ~= "table" then
    pages.fail(path, "items[%d] is %s, not an object", place,
               pages.kind(item))
  end
  local id, endpoint = identity(path, place, item)
  local ended_at, ended_ms = time(path, place, item, "ended_at")
  local status = number(path, place, item, "status_code")
  if status and not math.tointeger(status) then
    fail(path, place, "status_code", status, "a whole number")
  end
  return {
    request_id = id,
    endpoint_id = endpoint,
    sent_at = text(path, place, item, "sent_at"),
    started_at = text(path, place, item, "started_at"),
    ended_at = ended_at,
    status_code = status and math.tointeger(status),
    duration = number(path, place, item, "duration"),
  }, ended_ms
end

return row
