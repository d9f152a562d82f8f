--- Which endpoints a list was asked for, and which of them two groups share.
local asked = {}

--- The API was asked for some endpoints: a row of another is a broken
--- filter, and must not be deleted by a rule for these.
local function was_asked_for(group, endpoint)
  for _, id in ipairs(group) do
    if endpoint == id or endpoint:sub(1, #id + 1) == id .. "/" then
      return true
    end
  end
  return false
end

--- An endpoint may list what lies below it: whether another group than this
--- one could list it too.
local function is_shared(list, endpoint)
  local at = 0
  repeat
    at = endpoint:find("/", at + 1, true)
    if list.elsewhere[at and endpoint:sub(1, at - 1) or endpoint] then
      return true
    end
  until not at
  return false
end

--- What the endpoint of a row means for this group, looked up once: false
--- where it was not asked for, else whether it is shared.
function asked.endpoint(list, group, endpoint)
  local known = list.known[endpoint]
  if known == nil then
    known = was_asked_for(group, endpoint) and
      { shared = is_shared(list, endpoint) }
    list.known[endpoint] = known
  end
  return known
end

return asked
