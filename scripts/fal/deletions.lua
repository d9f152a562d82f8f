--- fal.delete_all: many ids through the gate, after a look ahead.
---
---   items --> look ahead: at most 100,000 ids --> stop, or
---             (the gate is asked about each)      delete, streaming on
---
--- A run that would pass its limit should stop before its first deletion, not
--- in the middle. So ids are first taken up to one more than the limit
--- allows. What the ledger has as deleted costs nothing and is reported at
--- once, so that a long history does not use up the look ahead.
local later = require "fal.later"
local core = require "core"
local check = later "fal.check"
local erasure = later "fal.erasure"
local hold = later "fal.hold"
local hooks = require "fal.hooks"
local inputs = later "fal.inputs"
local marks = later "fal.marks"
local payload = later "fal.payload"
local sending = later "fal.sending"
local shapes = later "fal.shapes"
local tasks = require "fal.tasks"
local veto = later "fal.veto"

local deletions = {}

local AHEAD <const> = 100000
local BATCH <const> = 1000
local ERRORS_KEPT <const> = 10
local RULES <const> = "while a declared policy is carried out: a rule only "
  .. "decides, the policy deletes"

local whole_room                -- of the run, before anything is deleted
local settle, consent           -- what a run does before its first deletion
local batch                     -- called after some have ended
local each                      -- called after each, where files are asked for
local closed                    -- why nothing may be deleted now, or nil

--- Begins a run. `first()` is called once, before the ledger is asked about
--- what a script wants to delete, and `agree(count)` once, before its first
--- deletion, with the number that is known to be selected, or nil.
function deletions.reset(first, agree)
  whole_room, closed = core.room(), nil
  settle = first and tasks.once(first)
  consent = agree and tasks.once(agree)
  batch, each = nil, nil
end

--- f(text) is called each time when some deletions are over, with a line for
--- each: its id, a tab, its status.
function deletions.after_batch(f)
  batch = f
end

--- f(id, result, err) is called for each deletion of delete_all with verify,
--- once its files were asked for.
function deletions.after_each(f)
  each = f
end

--- From here on nothing of the policy's code may delete or change anything.
--- `why` completes "fal.x was called"; without it a declared policy begins,
--- and what its rules do besides deciding would come before the limits.
function deletions.close(why)
  closed = why or RULES
end

--- Raises where a rule or a hook does more than decide, or tell.
function deletions.check_open(func)
  if closed then
    error(("%sfal.%s was called %s"):format(core.where(), func, closed), 0)
  elseif hooks.vetoes() then
    veto.check_outside(func)
  end
end

--- Whether somebody wants to see each request before it goes.
local function is_asked()
  return hold.enforced()[1] ~= nil or hooks.vetoes()
end

local function call(hook, ...)
  if hook then
    hook(...)
  end
end

--- ---- one ------------------------------------------------------------------

--- What the script's own sources of holds say, told to the gate.
local function note_hold(item, id)
  local sources = hold.enforced()
  if sources[1] and core.parse_id(id) then
    marks.check(hold.marks(sources))
    local reason = hold.ask(sources, payload.item(item),
      core.format_time(core.at() // 1000 * 1000), id)
    if reason then
      core.hold_id(id, reason)
    end
  end
end

local function send(item, id, options)
  note_hold(item, id)
  return erasure.delete(item, id, options)
end

--- fal.delete_payloads: one request through the gate. Waits.
---@param id fal.Id
---@param options fal.DeleteOptions?
---@return fal.Result?, fal.Error?
function deletions.delete_payloads(id, options)
  if type(options) == "table" then      -- else the gate's binding refuses it
    check.options("delete_payloads", options,
      shapes.names "delete_payloads")
  end
  deletions.check_open("delete_payloads")
  call(settle)
  call(consent)
  return send(id, id, options)
end

--- ---- options --------------------------------------------------------------

local function integer(options, name, most)
  if options[name] ~= nil then
    return check.integer("delete_all", name, options[name],
                         name == "retries" and 0 or 1, most)
  end
end

local function check_options(options)
  options = check.options("delete_all", options, shapes.names "delete_all")
  if options.reason ~= nil and type(options.reason) ~= "string" then
    check.fail("delete_all", "reason", "text is needed, got %s",
               type(options.reason))
  end
  for _, name in ipairs { "dry_run", "verify" } do
    if options[name] ~= nil and type(options[name]) ~= "boolean" then
      check.fail("delete_all", name, "true or false is needed, got %s",
                 type(options[name]))
    end
  end
  if options.timeout ~= nil then
    check.duration("delete_all", "timeout", options.timeout)
  end
  return {
    reason = options.reason,
    timeout = options.timeout,
    retries = integer(options, "retries", 10),
    dry_run = options.dry_run,
    verify = options.verify or nil,
  }, integer(options, "concurrency", 1000)
end

--- ---- ids ------------------------------------------------------------------

--- more(list): brings the next id of the items to the list, each once as far
--- as the look ahead reaches; false: there is none. Where functions hold, they
--- want to see the items: `job.items` keeps those.
local function from_items(job, next_item)
  local place, seen = 0, core.id_set(AHEAD)
  return function(list)
    while true do
      local item = next_item()
      if item == nil then
        return false
      end
      place = place + 1
      local id = type(item) == "table" and item.request_id or item
      local new = seen:add(id)
      if new == nil then
        check.fail("delete_all", "items", "item %d is no request and no "
                   .. "request id: %s", place, check.no_id(id))
      end
      if new then
        if is_asked() or job.options.verify then
          job.items[id] = item
        end
        return list:add(id)
      end
    end
  end
end

--- The same for many ids, which are all there.
local function from_list(_, ids)
  local seen = core.id_set(AHEAD)
  return function(list)
    return seen:move(ids, list, BATCH) > 0
  end
end

--- ---- deleting -------------------------------------------------------------

local function new_summary()
  return { deleted = 0, already_deleted = 0, planned = 0, partial = 0,
           held = 0, refused = 0, failed = 0, total = 0,
           errors = core.json.array {} }
end

local function note_error(summary, err)
  if #summary.errors < ERRORS_KEPT then
    summary.errors[#summary.errors + 1] = err
  end
end

local function taken(job, counts, errors, text)
  local summary = job.summary
  for status, count in pairs(counts) do
    summary[status] = (summary[status] or 0) + count
    summary.total = summary.total + count
  end
  for _, err in ipairs(errors) do
    note_error(summary, err)
  end
  job.stopped = job.stopped or counts.refused ~= nil
  call(batch, text)
end

--- Deletes what is in the list, and then what more(list) brings; after a
--- refusal nothing more is taken. Where nobody wants to see each id, many go
--- to the gate at once.
local function run(job, list, more)
  local function any()
    if #list == 0 and more and not job.stopped and not more(list) then
      more = nil
    end
    return not job.stopped and #list > 0
  end
  sending.run {
    options = job.options,
    limit = sending.limit(is_asked(), job.concurrency),
    marks = hold.marks(hold.enforced()),
    many = function()
      local unseen = not is_asked() and not inputs.any()
      return unseen and any() and list or nil
    end,
    next = function()
      local id = any() and list:take() or nil
      local item = id and job.items[id] or id
      if id then
        note_hold(item, id)
        job.items[id] = nil
      end
      return id, nil, item
    end,
    errors = function()
      return ERRORS_KEPT - #job.summary.errors
    end,
    lines = batch ~= nil,
    each = each,
    taken = function(...)
      taken(job, ...)
    end,
  }
end

--- ---- looking ahead --------------------------------------------------------

local function too_many(job, planned, room)
  local limit, left = "may be deleted in one run", "nothing was deleted"
  if room < whole_room then
    limit, left = "more may be deleted in this run", "none of these was"
  end
  local sentence = ("the policy selects at least %d requests, but at most %d "
    .. "%s: %s; raise it with --max-deletes N or narrow the policy")
    :format(planned, room, limit, left)
  core.stop(sentence)
  job.stopped, job.summary.stopped = true, sentence
  note_error(job.summary, core.error("limit", sentence,
                                     { status = "refused" }))
end

--- One id that does not wait for the others. What the gate would refuse stops
--- the run, in its own words; what the ledger has as deleted is reported in
--- batches on the way.
local function put_aside(job, past, fate, id)
  local list = fate == "refused" and core.id_list() or past
  list:add(id)
  if fate == "refused" or #past >= BATCH then
    run(job, list)
  end
end

--- Takes ids until the end, the limit, or the bound: those that are to go to
--- the gate.
local function look_ahead(job, more)
  local fresh, ahead, past = core.id_list(), core.id_list(), core.id_list()
  local room = job.options.dry_run and math.maxinteger or core.room()
  local planned = 0
  while not job.stopped and
    (#fresh > 0 or #ahead < AHEAD and more(fresh)) do
    local count, fate, id = core.look_ahead(fresh, ahead,
      math.min(AHEAD, room - planned) + 1)
    planned = planned + count
    if fate then
      put_aside(job, past, fate, id)
    end
    if planned > room then
      too_many(job, planned, room)
    end
  end
  run(job, past)
  return ahead
end

local function delete(from, items, options)
  local job = { summary = new_summary(), stopped = false, items = {} }
  job.options, job.concurrency = check_options(options)
  deletions.check_open("delete_all")
  whole_room = whole_room or core.room()
  call(settle)
  local more = from(job, items)
  core.phase "listing"
  local ahead = look_ahead(job, more)
  if not job.stopped then
    call(consent, #ahead)
    core.phase("deleting", #ahead < AHEAD and #ahead or nil)
    run(job, ahead, more)
  end
  return job.summary
end

--- Deletes what the items name, several at a time; a bounded part of them
--- is in memory. Waits.
---@param items table|fun(): string|fal.Request|nil
---@param options fal.DeleteAllOptions?
---@return fal.Summary
function deletions.delete_all(items, options)
  return delete(from_items, tasks.items("delete_all", items), options)
end

--- The same for a list of ids (core.id_list), which is empty afterwards.
function deletions.delete_list(list, options)
  return delete(from_list, list, options)
end

return deletions
