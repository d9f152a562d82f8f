--- The lists of requests: by-endpoint and search.
local answer = require "sandbox.answer"
local core = require "core"
local query = require "sandbox.query"
local spans = require "sandbox.spans"

local listing = {}

local DAY <const> = 86400000
local EXPANDS <const> = { "payloads" }

--- What is wrong with the words of by-endpoint, or nil.
local function misspelt(one)
  if one.status and not spans.knows_status(one.status) then
    return "status must be success, error or user_error"
  elseif one.sort_by and one.sort_by ~= "ended_at" and
         one.sort_by ~= "duration" then
    return "sort_by must be ended_at or duration"
  elseif one.request_id and not query.id(one.request_id) then
    return "request_id must be a UUID"
  end
end

--- Checks what by-endpoint documents; the question, or nil and why.
local function question(state, one, many)
  local why = misspelt(one)
  local ask = {
    status = one.status, by_duration = one.sort_by == "duration",
    request_id = one.request_id and query.id(one.request_id),
    descending = state.switches.sort == "desc",
  }
  ask.endpoints, why = query.list(many, "endpoint_id", why)
  if not why and not ask.endpoints then
    why = "endpoint_id is required, 1 to 50 of them"
  end
  ask.expand, why = query.words(many, "expand", state.expands or EXPANDS, why)
  ask.limit, why = query.integer(one, "limit", 50, 1, 100, why)
  ask.page, why = query.page(one, why)
  ask.start, ask.stop, why = query.window(one, one.request_id and 90 * DAY
                                          or DAY, why)
  return not why and ask or nil, why
end

local function one_request(state, ask)
  local number = state.world:number(ask.request_id)
  local _, wanted = spans.places(state.world, ask.endpoints)
  if number and wanted[state.world:place(number)] and
     spans.filter(state, ask)(number) then
    return 1, function() return number end
  end
  return 0
end

local function page(state, ask, name, total, at)
  local rows = {}
  local first, last, more = query.slice(ask, total)
  for position = first, last do
    rows[#rows + 1] = state.world:row(at(position), ask.expand.payloads,
                                      ask.expand.billing)
  end
  return answer.json(200, query.paged({ [name] = core.json.array(rows) },
                                      more))
end

function listing.by_endpoint(state, one, many)
  local ask, why = question(state, one, many)
  if not ask then
    return answer.error(400, why)
  end
  for _, name in ipairs(ask.endpoints) do
    if not state.world:knows(name) then
      return answer.error(404, ("Endpoint %s not found"):format(
        answer.shown(name)))
    end
  end
  state.listed = state.listed + 1
  return page(state, ask, "items",
              (ask.request_id and one_request or spans.find)(state, ask))
end

--- What is wrong with the filters of search, or nil. They are checked, but
--- nothing is looked at: the sandbox makes no pictures.
local function search_why(one, why)
  local wanted = 0
  for _, name in ipairs { "query", "image_url", "video_url" } do
    wanted = wanted + (one[name] and 1 or 0)
  end
  local least = one.min_similarity and tonumber(one.min_similarity)
  if wanted > 1 then
    return "query, image_url and video_url exclude each other"
  elseif one.min_similarity and not (least and least >= 0 and least <= 1) then
    return "min_similarity must be 0 to 1"
  end
  local flags = 0
  for _, name in ipairs { "exclude_api_requests", "only_api_requests" } do
    if one[name] and one[name] ~= "true" and one[name] ~= "false" then
      return name .. " must be true or false"
    end
    flags = flags + (one[name] == "true" and 1 or 0)
  end
  return flags > 1 and "exclude_api_requests and only_api_requests exclude "
    .. "each other" or why
end

--- Newest first; without start and end.
function listing.search(state, one, many)
  local ask = { expand = {}, descending = true }
  local why
  ask.start, ask.stop = state.world:bounds()
  ask.endpoints, why = query.list(many, "endpoint_id", search_why(one))
  if one.endpoint and not ask.endpoints then
    ask.endpoints = { one.endpoint }
  end
  ask.limit, why = query.integer(one, "limit", 50, 1, 1000, why)
  ask.page, why = query.page(one, why)
  if why then
    return answer.error(400, why)
  end
  state.listed = state.listed + 1
  return page(state, ask, "results", spans.find(state, ask))
end

return listing
