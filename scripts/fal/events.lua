--- Server-sent events (text/event-stream), read by the rules of the WHATWG
--- HTML standard, section 9.2.6, whatever the pieces that the text comes in.
---
---   pieces --feed--> lines --fields--> event {data, event, id}
---
--- Everything that grows has a limit: a line, and the data of one event. What
--- comes after a limit is passed is not read. An event that no empty line
--- ended is no event; `pending` says whether one was begun.
local events = {}

local LINE_MOST <const> = 1 << 20       -- bytes, unless told otherwise
local DATA_MOST <const> = 4 << 20
local BOM <const> = "\xef\xbb\xbf"

local Reader = {}
Reader.__index = Reader

local function add_data(reader, value)
  reader.size = reader.size + #value + 1
  if reader.size > reader.data_most then
    return nil, ("the data of an event has more than %d bytes"):format(
      reader.data_most)
  end
  reader.data[#reader.data + 1] = value
  return true
end

-- Fields that the standard does not name are passed over.
local FIELDS <const> = { data = add_data }

function FIELDS.event(reader, value)
  reader.event = value
  return true
end

function FIELDS.id(reader, value)
  if not value:find("\0", 1, true) then
    reader.next_id = value
  end
  return true
end

function FIELDS.retry(reader, value)
  local ms = #value < 16 and value:match "^%d+$"
  reader.retry_ms = ms and math.tointeger(ms) or reader.retry_ms
  return true
end

--- Ends the event that was begun; without data there is none.
local function dispatch(reader, list)
  reader.id = reader.next_id
  if #reader.data > 0 then
    list[#list + 1] = { data = table.concat(reader.data, "\n"),
      event = reader.event ~= "" and reader.event or "message",
      id = reader.id }
  end
  reader.data, reader.size, reader.event = {}, 0, ""
end

local function take(reader, line, list)
  if line == "" then
    dispatch(reader, list)
    return true
  end
  local name, value = line:match "^([^:]*):? ?(.*)$"
  local field = FIELDS[name]
  if not field then
    return true
  end
  return field(reader, value)
end

--- The text that is not yet lines, without a mark at the very beginning and
--- without the LF of a CRLF that was cut in two. Nil: more is needed.
local function cleaned(reader, text)
  if not reader.begun then
    if #text < #BOM and BOM:sub(1, #text) == text then
      return nil
    end
    reader.begun = true
    text = text:sub(1, #BOM) == BOM and text:sub(#BOM + 1) or text
  end
  if reader.after_cr and text ~= "" then
    reader.after_cr = false
    text = text:sub(1, 1) == "\n" and text:sub(2) or text
  end
  return text
end

local function too_long(reader)
  return ("a line has more than %d bytes"):format(reader.line_most)
end

--- Lines of `text` from the one that ends first at or after `from`.
local function lines_of(reader, text, from, list)
  local at = 1
  local stop = text:find("[\r\n]", from)
  while stop do
    if stop - at > reader.line_most then
      return nil, too_long(reader)
    end
    local ok, why = take(reader, text:sub(at, stop - 1), list)
    if not ok then
      return nil, why
    end
    local cr = text:byte(stop) == 0x0d
    at = stop + (cr and text:byte(stop + 1) == 0x0a and 2 or 1)
    reader.after_cr = cr and at > #text and at == stop + 1
    stop = text:find("[\r\n]", at)
  end
  return text:sub(at)
end

--- The next piece of the text; the events that it completes, in order, each
--- {data, event, id}. Or nil and a sentence, after which nothing more is
--- read; events before the wrong line are its third value.
---@param piece string
---@return table[]?, string? why, table[]? before
function Reader:feed(piece)
  if self.failed then
    return nil, self.failed, {}
  end
  local list, held = {}, #self.rest
  local text = cleaned(self, self.rest .. piece)
  if not text then
    self.rest = self.rest .. piece
    return list
  end
  local from = self.held_whole and held + 1 or 1
  local rest, why = lines_of(self, text, from, list)
  if rest and #rest > self.line_most then
    rest, why = nil, too_long(self)
  end
  self.rest, self.failed, self.held_whole = rest or "", why, true
  if not rest then
    return nil, why, list
  end
  return list
end

--- Whether an event was begun that never ended.
function Reader:pending()
  return self.rest ~= "" or #self.data > 0
end

--- A reader at the beginning of a stream. `id` is the last one of the stream
--- before it. Its field `id` is that of the last event that came whole, to go
--- on from; `retry_ms` is what the stream said last.
---@param options {id:string?, line_most:integer?, data_most:integer?}?
function events.reader(options)
  options = options or {}
  return setmetatable({ rest = "", data = {}, size = 0, event = "",
    id = options.id, next_id = options.id,
    line_most = options.line_most or LINE_MOST,
    data_most = options.data_most or DATA_MOST }, Reader)
end

return events
