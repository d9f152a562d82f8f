--- The bytes of files, and parts of them, as a server of files answers.
local answer = require "sandbox.answer"
local core = require "core"

local bytes = {}

--- Bytes that a name always has.
function bytes.of(name, size)
  local line = name .. "\n"
  return line:rep(size // #line + 1):sub(1, size)
end

--- first and last of a Range header, counted from 0; nil: no range that
--- counts; false: one that the file does not reach.
local function range(text, size)
  local first, last = (text or ""):match("^bytes=(%d*)%-(%d*)$")
  if not first or first == "" and last == "" then
    return nil
  end
  if first == "" then
    local tail = math.tointeger(last) or size
    return tail > 0 and size > 0 and math.max(0, size - tail), size - 1
  end
  first, last = math.tointeger(first), math.tointeger(last) or size - 1
  if not first or last < first and last ~= size - 1 then
    return nil
  end
  return first < size and first, math.min(last, size - 1)
end

--- 200 with all of it, 206 with what Range asks for, or 416. Of another
--- version than If-Range names there is no part.
function bytes.reply(request, body, kind)
  local tag = ('"%s"'):format(core.sha256(body):sub(1, 32))
  local wanted = request.header("If-Range")
  local same = not wanted or wanted == tag
  local first, last = range(same and request.header("Range"), #body)
  local reply = answer.text(200, body)
  reply.headers["Content-Type"] = kind
  reply.headers["ETag"] = tag
  reply.headers["Accept-Ranges"] = "bytes"
  if first == false then
    reply.status, reply.body = 416, ""
    reply.headers["Content-Range"] = ("bytes */%d"):format(#body)
  elseif first then
    reply.status, reply.body = 206, body:sub(first + 1, last + 1)
    reply.headers["Content-Range"] = ("bytes %d-%d/%d"):format(first, last,
                                                               #body)
  end
  return reply
end

return bytes
