--- The CDN: the files of the history, without a key, as fal.media has them.
---
---   GET /cdn/files/sandbox/ID-1.png  is  https://v3.fal.media/files/...
---
---   there --> its access list (--cdn-acl) --> 200 or 206, 403, 404
---   gone  --> 404; with --cdn-cache, 200 from a cache for so long, unless a
---             query makes it another file to the cache
local answer = require "sandbox.answer"
local bytes = require "sandbox.bytes"
local core = require "core"
local query = require "sandbox.query"
local storage = require "sandbox.storage"

local cdn = {}

local HOST <const> = "https://v3.fal.media"
local STATUS <const> = { forbid = 403, hide = 404 }

--- Remembers when a request was deleted, where a cache will serve its files
--- for a while yet.
function cdn.deleted(state, number)
  if state.switches.cdn_cache_ms then
    state.cdn_gone = state.cdn_gone or {}
    state.cdn_gone[number] = core.at()
  end
end

local function refuse(status)
  return { status = status, body = "", headers = {
    ["Content-Type"] = "text/plain", ["x-cache"] = "MISS" } }
end

local function serve(request, link, number, age_s)
  local size = 256 + (number or 0) % 4096
  local reply = bytes.reply(request, bytes.of(link, size), "image/png")
  reply.headers["x-cache"] = age_s and "HIT" or "MISS"
  reply.headers["Age"] = tostring(age_s or 0)
  return reply
end

--- Seconds for which a cache has it, while it does; nil for none.
local function cached(state, request, number)
  local gone = state.cdn_gone and state.cdn_gone[number]
  local age = gone and core.at() - gone
  if age and age < state.switches.cdn_cache_ms and not request.query[1] then
    return age // 1000
  end
end

--- Whether the query carries a signature of this link that still counts.
local function signed(state, request, link)
  local one = query.read(request.query)
  local expires = math.tointeger(one.expires)
  return expires and expires * 1000 > core.at() and
    one.signature == storage.signature(state, link, expires)
end

--- The answer to a path below /cdn.
function cdn.handle(state, request)
  local link = HOST .. request.path:sub(#"/cdn" + 1)
  local became, number = storage.state_of(state, link)
  local status = STATUS[storage.acl(state, link).default]
  if request.method ~= "GET" then
    return answer.error(404)
  elseif became == "gone" then
    local age = cached(state, request, number)
    return age and serve(request, link, number, age) or refuse(404)
  elseif not became then
    return refuse(404)
  elseif status and state.switches.cdn_acl ~= "ignore" and
         not signed(state, request, link) then
    return refuse(status)
  end
  return serve(request, link, number)
end

return cdn
