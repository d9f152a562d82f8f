--- What is no single answer: streams of events, and whole files.
---
---   core.stream --text--> events.reader --events--> the `for` loop
---        ^                                             |
---        +---- Last-Event-ID <---- pause <---- broke off, or ended
---
--- A stream that breaks off is gone on from where its events have ids. Where
--- they have none, nobody knows what was missed: the loop raises. It ends by
--- itself only where fal says that there is no more: at the `end` that was
--- asked for, or by 204.
local check = require "fal.check"
local core = require "core"
local events = require "fal.events"
local pages = require "fal.pages"

local streams = {}

local STALL <const> = "5m"              -- without an event or a heartbeat
local ATTEMPTS <const> = 8              -- at a head, when going on
local CUTS_MOST <const> = 5             -- in a row, without an event between
local PAUSE <const>, PAUSE_LEAST <const> = 1000, 100    -- ms
local PAUSE_MOST <const> = 30000
local ID_MOST <const> = 1000

-- ---- events ----------------------------------------------------------------

local Stream = {}
Stream.__index = Stream

local function raise(self, err)
  self:close()
  self.failed = err
  if err.retryable then
    core.mark("unavailable", err.message)
  end
  error(err, 0)
end

local function asked_for_end(query)
  for _, pair in ipairs(query) do
    if pair[1] == "end" then
      return true
    end
  end
  return false
end

--- The id to go on from, fit for a header; nil where there is none.
local function id_of(self)
  local id = self.reader.id
  return id and id ~= "" and #id <= ID_MOST and not id:find("[^\x20-\x7e]")
    and id or nil
end

local function check_head(self, handle)
  local kind = handle:header "Content-Type" or ""
  if handle:status() == 204 then
    self.over = true
    self:close()
  elseif not (kind:lower() .. ";"):match "^%s*text/event%-stream%s*;" then
    raise(self, pages.wrong(self.title, "it is no stream of events (%s)",
                            check.show(kind)))
  end
end

local function open(self)
  local call, id = self.call, id_of(self)
  local handle, err = core.stream {
    method = self.row.method, path = call.path, query = call.query,
    body = call.body, key = self.row.key, timeout = call.options.timeout,
    accept = "text/event-stream", last_event_id = id, stall = STALL,
    attempts = self.count > 0 and ATTEMPTS or nil }
  if not handle then
    raise(self, err)
  end
  self.handle = handle
  check_head(self, handle)
end

--- The pause that the server asked for, in bounds, doubled with each cut.
local function pause(self)
  local base = math.min(self.reader.retry_ms or PAUSE, PAUSE_MOST)
  base = math.max(base, PAUSE_LEAST) << (self.cuts - 1)
  core.sleep(math.min(base, PAUSE_MOST))
end

local function lost(self, err)
  return core.error("dropped", ("%s: %s, and its events have no id to go on "
    .. "from: what came after the first %d is not known"):format(
    self.row.name, err and err.message or "fal ended the stream, though no "
    .. "end was asked for", self.count), { retryable = true })
end

--- The stream ended, whole or with an error: over, gone on from, or raised.
local function ended(self, err)
  local whole = not err and not self.reader:pending()
  self:close()
  if err and not err.retryable then
    raise(self, err)
  elseif whole and self.ends then
    self.over = true
    return
  end
  self.cuts = self.cuts + 1
  if self.count > 0 and not id_of(self) then
    raise(self, lost(self, err))
  elseif self.cuts > CUTS_MOST then
    raise(self, err or core.error("unavailable", ("%s: fal ended the stream "
      .. "%d times in a row without an event"):format(self.row.name,
      self.cuts), { retryable = true }))
  end
  pause(self)
  local retry_ms = self.reader.retry_ms
  self.reader = events.reader { id = self.reader.id }
  self.reader.retry_ms = retry_ms
end

local function take(self, text)
  local list, why, before = self.reader:feed(text)
  self.list, self.at = list or before, 0
  if #self.list > 0 then
    self.cuts = 0
  end
  if not list then
    self.wrong = pages.wrong(self.title, "%s", why)
  end
end

--- One more event, or nil after the last one. Waits; raises.
function Stream:next()
  while true do
    self.at = self.at + 1
    if self.list[self.at] then
      self.count = self.count + 1
      return self.list[self.at]
    elseif self.failed or self.wrong then
      raise(self, self.failed or self.wrong)
    elseif self.over then
      return nil
    end
    self.list, self.at = {}, 0
    if not self.handle then
      open(self)
    else
      local text, err = self.handle:read()
      if text then
        take(self, text)
      else
        ended(self, err)
      end
    end
  end
end

function Stream:close()
  if self.handle then
    self.handle:close()
    self.handle = nil
  end
end

Stream.__close = Stream.close

--- The events of a call, as they come: {data = text, event, id}. An iterator
--- for a `for` loop, with what closes it at a break.
function streams.events(row, call)
  local self = setmetatable({ row = row, call = call, list = {}, at = 0,
    title = ("%s %s"):format(row.method, row.path), count = 0, cuts = 0,
    ends = asked_for_end(call.query), reader = events.reader() }, Stream)
  return function() return self:next() end, nil, nil, self
end

--- The data of an event, decoded where it is a JSON object or a list.
function streams.value(event)
  local value = event.data:find "^%s*[%[{]" and core.json.decode(event.data)
  return type(value) == "table" and value or event.data
end

--- The same with data decoded.
function streams.stream(row, call)
  local next_event, _, _, closer = streams.events(row, call)
  return function()
    local event = next_event()
    return event and { data = streams.value(event), event = event.event,
                       id = event.id }
  end, nil, nil, closer
end

-- ---- files -----------------------------------------------------------------

--- A remote file, saved under a name: {path, bytes, resumed}. Waits.
---@return table?, table? err
function streams.download(row, call)
  return core.download({ path = call.path, query = call.query, key = row.key,
    timeout = call.options.timeout, replace = call.options.replace },
    call.options.to)
end

--- Sends a local file as a form: the change of a row whose one field of the
--- body is the file's path. Waits. Its result, or nil and an error.
function streams.upload(row, change, values)
  for _, spec in ipairs(row.params) do
    if spec.place == "body" then
      change.field, change.file = spec.name, values[spec.name]
    end
  end
  change.body = nil
  local result, err = core.change(change)
  if err and err.status == "refused" and err.code == "config" then
    err = core.error("config", ("%s: %s: %s; nothing was sent"):format(
      row.name, change.field, err.message), { status = "refused" })
  end
  return result, err
end

return streams
