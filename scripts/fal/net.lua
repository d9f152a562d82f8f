--- fal.net: HTTP to hosts outside fal, where falrun was started with
--- --allow-net HOST.
---
--- A client without keys sends it (runtime/net). In a plan and in tests
--- nothing is sent; the answer says `planned`.
local core = require "core"
local check = require "fal.check"
local shapes = require "fal.shapes"
local text = require "fal.text"

local net = {}

local METHODS <const> = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" }
local TIMEOUT_MOST <const> = 30000
local BODY_MOST <const> = 1 << 20
local KEPT <const> = 1000

local record                    -- on a stage: a list of what would be sent

--- From here on what is planned goes to the list, and is not logged. nil: it
--- is logged again.
function net.record(list)
  record = list
end

--- Whether nothing can be sent: a plan, or a test.
function net.is_planned()
  return record ~= nil or core.mode ~= "run"
end

--- Notes what would have been sent.
function net.plan(what, words)
  if record and #record < KEPT then
    record[#record + 1] = what
  elseif not record then
    core.log.info(("planned: %s; nothing was sent"):format(words))
  end
end

local function header_text(headers)
  if type(headers) ~= "table" then
    check.fail("net.request", "headers", "a table of names and values is "
               .. "needed, got %s", type(headers))
  end
  local names, lines = {}, {}
  for name, value in pairs(headers) do
    if type(name) ~= "string" or not name:find "^[%w!#$%%&'*+.^_`|~-]+$" then
      check.fail("net.request", "headers", "%s is no name of a header",
                 check.show(name))
    elseif type(value) ~= "string" or value:find "[^\x20-\x7e]" then
      check.fail("net.request", "headers", "the value of %s is not text of "
                 .. "printable ASCII", name)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    lines[i] = ("%s: %s\n"):format(name, headers[name])
  end
  return table.concat(lines)
end

local function check_body(options)
  local body = options.body
  if options.json ~= nil and body ~= nil then
    check.fail("net.request", "json", "there is a body, too: one of both")
  elseif options.json ~= nil then
    body = core.json.encode(options.json)
  elseif body ~= nil and type(body) ~= "string" then
    check.fail("net.request", "body", "text is needed, got %s; json = value "
               .. "sends a table", type(body))
  end
  if body and #body > BODY_MOST then
    check.fail("net.request", "body", "it is larger than 1 MiB")
  end
  return body
end

local function check_timeout(value)
  local ms = value ~= nil and check.duration("net.request", "timeout", value)
    or nil
  if ms and (ms < 1 or ms > TIMEOUT_MOST) then
    check.fail("net.request", "timeout", "\"1ms\" to \"30s\" is needed, got "
               .. "%s", check.show(value))
  end
  return ms
end

local function call_of(options)
  options = check.options("net.request", options, shapes.names "net_request")
  if type(options.url) ~= "string" or options.url == "" then
    check.fail("net.request", "url", "a URL is needed, got %s",
               check.show(options.url))
  elseif options.url:find "\0" then
    check.fail("net.request", "url", "it contains a NUL byte")
  end
  local body = check_body(options)
  local headers = options.headers ~= nil and header_text(options.headers)
    or ""
  if options.json ~= nil and not headers:lower():find "content%-type:" then
    headers = headers .. "Content-Type: application/json\n"
  end
  local method = options.method or (body and "POST" or "GET")
  return { url = options.url, body = body, headers = headers,
           method = check.choice("net.request", "method", method, METHODS),
           timeout_ms = check_timeout(options.timeout) }
end

--- Raises for options that net.request would not take.
function net.check(options)
  call_of(options)
end

--- One request to a host that --allow-net names. Waits.
---@param options fal.NetOptions
---@return fal.NetAnswer?, fal.Error?
function net.request(options)
  local call = call_of(options)
  local answer, err = core.net(call)
  if answer and answer.planned then
    net.plan({ method = call.method, url = call.url, body = call.body,
               headers = options.headers },
      ("%s to %s, %s"):format(call.method, core.net_place(call.url),
        text.count(#(call.body or ""), "byte", "bytes")))
  elseif err and err.code == "config" then    -- the run's own is another
    err = core.error("not_allowed", err.message)
  elseif err then
    err = core.error(err.code, ("%s: %s"):format(core.net_place(call.url),
      err.message), { retryable = err.retryable })
  end
  return answer, err
end

return net
