--- Is what was deleted really gone? Fal's CDN is asked, and the answer kept.
---
---   files of the input known? --> recorded --> the deletion
---     --> each file of its answer: gone, cached, there, unknown --> recorded
---
--- A deletion whose files are still served is no success, whatever its answer
--- said: it becomes "partial". A cache that serves a file for a while is told
--- and is none of it.
local core = require "core"
local hooks = require "fal.hooks"
local inputs = require "fal.inputs"
local later = require "fal.later"
local payload = require "fal.payload"
local text = require "fal.text"
local veto = later "fal.veto"

local erasure = {}

local AGAIN_MS <const> = 2000   -- the CDN may be slower than the answer
local LINK_MOST <const> = 65536 -- that the record takes; nobody has such files
local FILES_MOST <const> = 1000  -- of one answer, as many as the record keeps
local SEENS <const> = { "gone", "cached", "there", "unknown" }
local WORDS <const> = { gone = "gone", cached = "served by a cache",
                        there = "still there", unknown = "unknown" }

local totals = { gone = 0, cached = 0, there = 0, unknown = 0 }

--- What the files of this run were seen as, so far.
function erasure.totals()
  return totals
end

--- "gone 12, still there 1"; nil where no file was asked for.
function erasure.describe(counts)
  local parts = {}
  for _, seen in ipairs(SEENS) do
    if counts[seen] and counts[seen] > 0 then
      parts[#parts + 1] = WORDS[seen] .. " " .. text.number(counts[seen])
    end
  end
  return parts[1] and table.concat(parts, ", ")
end

local function record(kind, id, data)
  local ok, err = core.record(kind, id, data)
  if not ok then
    error(err, 0)
  end
end

--- ---- one file --------------------------------------------------------------

--- What is seen of a link now, recorded. nil, err: the CDN does not answer.
--- `file`: {link, input?, hidden?}; hidden: access to it was taken away, so
--- that a 404 says nothing. `seen`: what core.probe has just said of it.
function erasure.ask(id, file, seen)
  local err
  if not seen then
    seen, err = core.probe(file.link)
  end
  if not seen then
    return nil, err
  elseif file.hidden and seen.seen == "gone" then
    seen.seen = "unknown"
    seen.why = "its access was closed: hidden is not gone"
  end
  seen.input = file.input or nil
  if file.link ~= "" and #file.link <= LINK_MOST then
    record("probe", id, seen)
  end
  return seen
end

--- The links of a request in quarantine, as a set.
local function hidden_of(id)
  local hidden = {}
  for _, row in ipairs(core.quarantined(id)) do
    for _, link in ipairs(row.data.files) do
      hidden[link] = true
    end
  end
  return hidden
end

--- A file that is there right after its deletion is asked for once more.
local function ask_patiently(id, file)
  local first = core.probe(file.link)
  if first and first.seen == "there" then
    core.sleep(AGAIN_MS)
  end
  local seen, err = erasure.ask(id, file, first and first.seen ~= "there"
                                and first or nil)
  return seen or { link = file.link, seen = "unknown", why = err.message }
end

--- ---- one deletion ----------------------------------------------------------

--- Records which files of fal's CDN the input names, where that is known.
--- With `verify` the input is looked at for that; one that cannot be read is
--- nobody's look.
function erasure.before(item, id, verify)
  if core.mode ~= "run" or not core.probes or not core.parse_id(id) then
    return
  end
  local links = inputs.take(id)
  if not links and not verify or core.preview(id) ~= "planned" then
    return
  elseif not links and type(item) == "table" and
    type(rawget(item, "endpoint_id")) == "string" then
    pcall(function()
      return payload.item(item).input
    end)
    links = inputs.take(id)
  end
  if links then
    record("input_files", id, { files = links })
  end
end

local function check(id, outcome, hidden)
  local files, there = {}, 0
  for i, result in ipairs(outcome.cdn_delete_results or {}) do
    local link = result.link or ""
    local seen = i > FILES_MOST and { link = link, seen = "unknown",
      why = "the answer has more files than are asked for" } or
      ask_patiently(id, { link = link, hidden = hidden[link] })
    files[i] = { link = seen.link, seen = seen.seen, why = seen.why,
                 http_status = seen.http_status, age = seen.age_s }
    totals[seen.seen] = totals[seen.seen] + 1
    there = there + (seen.seen == "there" and 1 or 0)
  end
  outcome.files = core.json.array(files)
  return there
end

local function not_gone(id, result, there)
  local sentence = ("%s: the answer says deleted, but %s; falrun "
    .. "verify-erasure asks again"):format(id, there == 1 and
    "a file is still served" or there .. " files are still served")
  local fields = { result = result }
  for name, value in pairs(result) do
    fields[name] = value
  end
  fields.status = "partial"
  core.mark("failed", sentence)
  core.log.warn(sentence)
  return core.error("partial", sentence, fields)
end

--- Asks for the files of a deletion that was answered. What is returned takes
--- the place of `result, err`.
local function after(id, hidden, result, err)
  local outcome = result or err
  if outcome.status ~= "deleted" and outcome.status ~= "partial" then
    return result, err
  end
  local there = check(id, outcome, hidden)
  if err and err.result then
    err.result.files = err.files
  elseif result and there > 0 then
    return nil, not_gone(id, result, there)
  end
  return result, err
end

--- One request through the gate, and then its files. Waits.
---@param item table|string    the request, or its id
---@param id string
---@param options table?       `verify` among them
function erasure.delete(item, id, options)
  local given = type(options) == "table" and options or {}
  local verify = given.verify == true
  erasure.before(item, id, verify)
  if hooks.vetoes() then
    veto.check(item, id, { reason = given.reason, policy = given.policy })
  end
  if not verify or core.mode ~= "run" or not core.probes or
    not core.parse_id(id) then
    return core.delete_payloads(id, options)
  end
  local hidden = hidden_of(id)          -- a deletion ends a quarantine
  return after(id, hidden, core.delete_payloads(id, options))
end

return erasure
