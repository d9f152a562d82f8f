--- The files of one request, from all that the ledger says of it.
---
---   outcome --> files of the output    quarantine, release --> hidden or not
---   input_files --> files of the input          probe --> when, as what
---
--- What a probe may prove depends on what was done before: a file whose access
--- was closed answers like one that is gone.
local core = require "core"
local story = require "fal.story"

local seen = {}

local TOOK <const> = { deleted = true, partial = true, gone = true }

--- Whether an event says that a request was deleted, perhaps not whole.
function seen.is_erasure(event)
  return event.kind == "outcome" and TOOK[story.value(event.data.state)]
    or false
end

local function add(files, link, input)
  if link == "" or files.by_link[link] then
    return
  end
  local file = { link = link, input = input }
  files.by_link[link] = file
  files[#files + 1] = file
end

local takes = {}

function takes.outcome(files, data, event)
  if not seen.is_erasure(event) then
    return
  end
  for _, file in ipairs(story.value(data.files) or {}) do
    add(files, story.value(file.link) or "")
  end
  files.unnamed = math.max(files.unnamed,
                           story.value(data.files_left_out) or 0)
end

function takes.input_files(files, data)
  files.looked = true
  for _, link in ipairs(data.files) do
    add(files, link, true)
  end
end

function takes.probe(files, data, event)
  local file = files.by_link[data.link]
  if file then
    file.at_ms = core.parse_time(event.at)
    file.seen, file.why = data.seen, story.value(data.why)
    file.http_status = story.value(data.http_status)
    file.age_s, file.cache = data.age_s, data.cache
  end
end

--- A deletion of a file that was hidden leaves it hidden, as far as is known.
function takes.quarantine(files, data)
  for _, link in ipairs(story.value(data.files) or {}) do
    files.hidden[link] = true
  end
end

function takes.release(files)
  files.hidden = {}
end

--- A list of {link, input?, hidden?, seen?, at_ms?, ...} with `unnamed`, how
--- many more an answer had, and `looked`, whether the input was looked at.
---@param events fun(f: fun(event: table))   walks the events of the request
function seen.files(events)
  local files = { by_link = {}, hidden = {}, unnamed = 0, looked = false }
  events(function(event)
    local take = takes[event.kind]
    if take then
      take(files, event.data, event)
    end
  end)
  for _, file in ipairs(files) do
    file.hidden = files.hidden[file.link]
  end
  return files
end

--- The same of events that are a list already.
---@param list table[]
function seen.files_in(list)
  return seen.files(function(f)
    for _, event in ipairs(list) do
      f(event)
    end
  end)
end

return seen
