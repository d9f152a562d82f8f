--- The operations of storage: who may read which file of the CDN.
local answer = require "sandbox.answer"
local assets = require "sandbox.assets"
local core = require "core"
local library = require "sandbox.library"
local world = require "sandbox.world"

local storage = {}

local ACLS_MOST <const> = 100000
local KNOWN <const> = { sandbox = true, ["sandbox-lab"] = true }

local function store(state)
  state.storage = state.storage or { acls = {}, count = 0, settings = {
    expiration_duration_seconds = core.json.null,
    initial_acl = core.json.null } }
  return state.storage
end

--- What became of a link: "there", "gone" (it was there) or nil; then the
--- number of its request, if it has one.
function storage.state_of(state, link)
  local id = link:match("^https://[%w.-]*fal%.media/files/sandbox/"
                        .. "(%x+%-%x+%-%x+%-%x+%-%x+)%-%d%.png$")
  local number = id and state.world:number(id)
  local i = math.tointeger(link:match("%-(%d)%.png$"))
  if not number then
    return assets.library(state).urls[link] and "there" or nil
  elseif state.world:files(number)[i] ~= link then
    return nil
  end
  return library.links(state.world, number)[i] and "there" or "gone", number
end

--- The access list of a link: its own, or that everyone may read.
function storage.acl(state, link)
  return store(state).acls[link] or
    { default = "allow", rules = core.json.array {} }
end

--- An access list as it is kept: rules of users who are known.
local function cleaned(values)
  local rules = {}
  for _, rule in ipairs(values.rules or {}) do
    rules[#rules + 1] = KNOWN[rule.user] and
      { user = rule.user, decision = rule.decision } or nil
  end
  return { default = values.default, rules = core.json.array(rules) }
end

--- A function of a link that is there, or a 404.
local function on(what)
  return function(state, values)
    if storage.state_of(state, values.url) ~= "there" then
      return answer.error(404, "there is no such file")
    end
    return what(state, values)
  end
end

local function get_acl(state, values)
  return answer.json(200, storage.acl(state, values.url))
end

local function set_acl(state, values)
  local self = store(state)
  if not self.acls[values.url] and self.count >= ACLS_MOST then
    return answer.error(400, ("the sandbox keeps %d access lists"):format(
      ACLS_MOST))
  end
  self.count = self.count + (self.acls[values.url] and 0 or 1)
  self.acls[values.url] = cleaned(values)
  return get_acl(state, values)
end

--- What a signature of a link is until a moment, in seconds.
function storage.signature(state, link, expires)
  local sum = expires
  for at = 1, #link do
    sum = world.mix(state.world.config.seed, sum, link:byte(at))
  end
  return ("%016x"):format(sum)
end

local function sign(state, values)
  local expires = core.at() // 1000 + values.expiration_seconds
  return answer.json(200, { signed_url = ("%s?expires=%d&signature=%s"):format(
    values.url, expires, storage.signature(state, values.url, expires)) })
end

local function get_settings(state)
  return answer.json(200, store(state).settings)
end

--- What is left out is reset.
local function set_settings(state, values)
  local acl = values.initial_acl
  store(state).settings = {
    expiration_duration_seconds = values.expiration_duration_seconds or
      core.json.null,
    initial_acl = acl and acl ~= core.json.null and cleaned(acl) or
      core.json.null,
  }
  return get_settings(state)
end

storage.operations = {
  ["storage.acl"] = on(get_acl), ["storage.set_acl"] = on(set_acl),
  ["storage.sign"] = on(sign), ["storage.settings"] = get_settings,
  ["storage.set_settings"] = set_settings,
}

return storage
