--- Events of the ledger as words for people.
local core = require "core"

local story = {}

--- JSON's null as nil.
function story.value(field)
  if field == core.json.null then
    return nil
  end
  return field
end

--- What an event means for its request: "deleted", "partial", "held", ...
function story.outcome(event)
  if event.kind == "outcome" then
    return story.value(event.data.state) or "unknown"
  elseif event.kind == "held" or event.kind == "refused" then
    return event.kind
  end
end

--- Those of these intents, by request, that are left, in their order.
local function left_of(open)
  local list = {}
  for _, intent in pairs(open) do
    list[#list + 1] = intent
  end
  table.sort(list, function(a, b) return a.seq < b.seq end)
  return list
end

--- Walks what a run did: f(event, outcome, intent) for each outcome of a
--- request; f(event) for each probe of a file; f(nil, "open", intent) at last
--- for what has no outcome. Intents in flight are all that is in memory.
function story.walk(host, run, f)
  local open = {}
  host.ledger.events({ run = run }, function(event)
    local id, outcome = event.request_id, story.outcome(event)
    if event.kind == "intent" then
      open[id] = event
    elseif event.kind == "probe" then
      f(event)
    elseif id and outcome then
      f(event, outcome, open[id])
      open[id] = nil
    end
  end)
  for _, intent in ipairs(left_of(open)) do
    f(nil, "open", intent)
  end
end

--- A change and its outcome as one flat row.
---@param row table   of core.changes
function story.change(row)
  local data, outcome = row.data, row.outcome or {}
  return {
    at = row.at, run = row.run, request_id = row.request_id,
    operation = story.value(data.operation),
    method = story.value(data.method), path = story.value(data.path),
    target = story.value(data.target), reason = story.value(data.reason),
    policy = story.value(data.policy),
    irreversible = data.irreversible or nil,
    idempotency_key = story.value(data.key), state = row.state,
    kind = story.value(outcome.kind), evidence = story.value(outcome.evidence),
    http_status = story.value(outcome.http_status),
    attempts = story.value(outcome.attempts), ended_at = row.outcome_at,
  }
end

--- What an event is called in the story of a request.
function story.name(event)
  if event.kind == "change_outcome" then
    return "change " .. (story.value(event.data.state) or "unknown")
  elseif event.kind == "probe" then
    return "seen " .. (story.value(event.data.seen) or "unknown")
  end
  return story.outcome(event) or event.kind
end

local function residue_note(data)
  local left = 0
  for _, file in ipairs(story.value(data.files) or {}) do
    local exception = type(file) == "table" and story.value(file.exception)
    left = left + (exception and 1 or 0)
  end
  left = left + (story.value(data.exceptions_left_out) or 0)
  if left > 0 then
    return left == 1 and "1 file was not deleted"
      or ("%d files were not deleted"):format(left)
  end
end

local function input_note(files)
  return files and (#files == 0 and "no files of fal's CDN" or
    #files == 1 and "1 file, which fal keeps" or
    ("%d files, which fal keeps"):format(#files))
end

--- The rest of an event in one line.
function story.details(event)
  local data, parts = event.data, {}
  local function add(format, field)
    field = story.value(field)
    if field ~= nil and field ~= "" and field ~= 0 then
      parts[#parts + 1] = format:format(field)
    end
  end
  add("%s", data.operation)
  add("%s", data.target)
  add("%s", data.link)
  add("%s", data.evidence)
  add("HTTP %s", data.http_status)
  add("%s", data.kind)
  add("attempts %s", data.attempts)
  add("generation %s", data.generation)
  add("key %s", data.key)
  add("erased from %s", data.delete_after_ms and
      core.format_time(data.delete_after_ms // 1000 * 1000))
  add("reason: %s", data.reason)
  if event.kind == "input_files" then
    add("%s", input_note(data.files))
  elseif event.kind == "probe" then
    add("seen %s", data.seen)
    add("%s", data.why)
    add("a cache had it for %s s", data.age_s)
    add("%s", data.input and "of the input" or nil)
    add("%s", data.link)
  else
    add("%s", residue_note(data))
  end
  return table.concat(parts, ", ")
end

--- How long a run took, in seconds; nil when it never ended orderly.
function story.took(run)
  local began = core.parse_time(run.began_at)
  local ended = run.ended_at and core.parse_time(run.ended_at)
  return began and ended and (ended - began) / 1000
end

return story
