--- t.requests: what a test writes as a request, made a row of the sandbox.
---
---   { id = "a", ended = "40d", ... }  -->  { id = <UUID>, sent = ms, ... }
---
--- A label becomes a version 7 UUID of the time it was sent and of the label
--- itself, so that a test that runs again sees the same ids.
local core = require "core"

local rows = {}

local KNOWN <const> = {
  "id", "endpoint_id", "ended", "ended_at", "started_at", "sent_at",
  "duration", "status_code", "input", "output", "files", "collections",
  "tags", "favorite",
}
local ENDPOINT <const> = "fal-ai/flux/dev"
local FILES_MOST <const> = 100
local LABEL_MOST <const> = 100
local QUEUED <const> = 200              -- ms between sent_at and started_at

local function fail(format, ...)
  core.bad_argument(3, "t.requests", "requests", format:format(...))
end

local function check_known(spec)
  for name in pairs(spec) do
    local known = false
    for _, other in ipairs(KNOWN) do
      known = known or name == other
    end
    if not known then
      local near = type(name) == "string" and core.nearest(name, KNOWN)
      fail("a request has no field %s%s", tostring(name), near
        and (" (did you mean '%s'?)"):format(near) or
        "; its fields are " .. table.concat(KNOWN, ", "))
    end
  end
end

local function time(spec, name)
  local text = spec[name]
  local ms = type(text) == "string" and core.parse_time(text)
  if text ~= nil and not ms then
    fail("%s is a time, like \"2026-01-31T00:00:00Z\"", name)
  end
  return ms or nil
end

--- When it ended, in ms, or nil while it is running.
local function ended(spec, now)
  if spec.ended ~= nil and spec.ended_at ~= nil then
    fail("a request has ended or ended_at, not both")
  elseif spec.ended == false or spec.ended_at == false then
    return nil
  elseif spec.ended_at ~= nil then
    return time(spec, "ended_at")
  end
  local back = spec.ended == nil and "60d" or spec.ended
  local ms = type(back) == "string" and core.parse_duration(back)
  if not ms or ms > now then
    fail("ended is a duration before the clock, like \"40d\", or false while "
         .. "it is running")
  end
  return now - ms
end

local function seconds(spec)
  local value = spec.duration == nil and 2 or spec.duration
  if math.type(value) == nil or value < 0 or value > 1e9 then
    fail("duration is a number of seconds")
  end
  return math.floor(value * 1000)
end

--- Sent, started and ended, in ms.
local function times(spec, now)
  local stop = ended(spec, now)
  local start = time(spec, "started_at")
  local sent = time(spec, "sent_at")
  start = start or sent and sent + QUEUED
    or (stop or now - seconds(spec)) - (stop and seconds(spec) or 0)
  sent = sent or start - QUEUED
  if sent < 0 or start < sent or stop and stop < start then
    fail("a request is sent, then started, then ended")
  end
  return math.max(sent, 0), start, stop
end

--- An id of version 7: the time, then 74 bits that the label decides.
local function made_id(digest, sent)
  local bits = tonumber(digest:sub(1, 12), 16)
  return ("%08x-%04x-7%s-%x%s-%s"):format(sent >> 16, sent & 0xffff,
    digest:sub(1, 3), 8 | bits & 3, digest:sub(13, 15), digest:sub(16, 27))
end

local function files(spec, id, status)
  local given = spec.files
  if given == nil then
    given = status < 400 and 1 or 0
  end
  local list = {}
  if math.type(given) == "integer" and given >= 0 and given <= FILES_MOST then
    for i = 1, given do
      list[i] = ("https://v3.fal.media/files/sandbox/%s-%d.png"):format(id, i)
    end
    return list
  elseif type(given) ~= "table" or #given > FILES_MOST then
    fail("files is a list of links, or how many")
  end
  for i, link in ipairs(given) do
    if type(link) ~= "string" then
      fail("files is a list of links, or how many")
    end
    list[i] = link
  end
  return list
end

local function label_of(spec, count)
  local label = spec.id
  if label == nil then
    return ("#%d"):format(count)
  elseif type(label) ~= "string" or label == "" or #label > LABEL_MOST then
    fail("id is a request id, or a label of 1 to %d bytes", LABEL_MOST)
  end
  return label
end

local function status_of(spec)
  local status = spec.status_code == nil and 200 or spec.status_code
  if math.type(status) ~= "integer" or status < 100 or status > 599 then
    fail("status_code is 100 to 599")
  end
  return status
end

local function endpoint_of(spec)
  local name = spec.endpoint_id == nil and ENDPOINT or spec.endpoint_id
  if type(name) ~= "string" or not name:match("^[%w_./-]+$") then
    fail("endpoint_id is text like \"fal-ai/flux/dev\"")
  end
  return name
end

local function names(spec, name)
  local list = spec[name] == nil and {} or spec[name]
  for i = 1, type(list) == "table" and #list or 0 do
    list = type(list[i]) == "string" and list or nil
  end
  if type(list) ~= "table" then
    fail("%s is a list of names", name)
  end
  return list
end

--- What people marked in the dashboard: the first file of the request.
local function marks_of(spec, links)
  local marks = { collections = names(spec, "collections"),
                  tags = names(spec, "tags"), favorite = spec.favorite == true }
  local any = marks.favorite or marks.collections[1] or marks.tags[1]
  if any and not links[1] then
    fail("what is marked in the dashboard is a file, and it has none")
  end
  return any and marks or nil
end

--- The row and the label of one request. `count`: requests before it.
---@param kit {sha256: fun(text: string): string}
function rows.row(kit, spec, count, now)
  if type(spec) ~= "table" then
    fail("a list of requests is needed, and one of them is %s",
         spec == nil and "nothing" or "a " .. type(spec))
  end
  check_known(spec)
  local label = label_of(spec, count + 1)
  local sent, started, stop = times(spec, now)
  local status = status_of(spec)
  local id = core.parse_id(label:lower()) or
    made_id(kit.sha256(label), sent)
  local links = files(spec, id, status)
  local output = spec.output
  if output == nil and stop and #links > 0 then
    output = { files = core.json.array(table.move(links, 1, #links, 1, {})) }
  end
  return {
    id = id, endpoint_id = endpoint_of(spec), sent = sent, started = started,
    ended = stop, status = status, files = links, input = spec.input,
    output = output, marks = marks_of(spec, links),
  }, label
end

return rows
