--- Many deletions under way at a time, in one task.
---
---   next() --> flight:add --> the gate --> flight:take --> taken(counts)
---
--- The flight is as wide as the gate likes it, so that intents are written in
--- large groups and the throttle never runs dry. The first failure of next()
--- stops the taking; what is under way is waited for, and the failure is
--- raised again.
local core = require "core"
local erasure = require "fal.erasure"
local hooks = require "fal.hooks"
local later = require "fal.later"
local marks = require "fal.marks"
local tasks = require "fal.tasks"
local veto = later "fal.veto"

local sending = {}

local ASKED <const> = 32        -- ahead, where functions hold
local VERIFIED <const> = 32     -- at a time, where files are asked for

--- How far ahead of the sending ids may be taken: a function that holds is
--- asked just before, so not far.
function sending.limit(asks, limit)
  if asks then
    return math.min(ASKED, limit or ASKED)
  end
  return limit or 0
end

--- Adds what there is room for. False when nothing more is to be taken.
local function fill(flight, job)
  local room = flight:room()
  while room and room > 0 do
    marks.check(job.marks)
    local many = job.many and job.many()
    if many then
      room = flight:add_all(many)
    else
      local id, reason, item = job.next()
      if id == nil then
        return false
      end
      erasure.before(item, id)
      if hooks.vetoes() and not job.asked then
        veto.check(item or id, id, { reason = reason or job.options.reason,
                                     policy = job.options.policy })
        marks.check(job.marks)          -- that may have taken its time
      end
      room = flight:add(id, reason)
    end
  end
  return room ~= nil
end

--- Where there is no gate, the first id is told why.
local function refused(job)
  local id = job.next()
  if id then
    local _, err = core.delete_payloads(id, job.options)
    job.taken({ refused = 1 }, { err }, id .. "\trefused\n")
  end
end

--- Each with a look at its files: a task stays with a request until all of
--- them were asked for.
local function run_verified(job)
  local _ <close> = marks.watch(job.marks)
  local function next_item()
    marks.check(job.marks)
    local id, reason, item = job.next()
    return id and { id = id, reason = reason, item = item }
  end
  local count = job.limit == 0 and VERIFIED or math.min(job.limit, 1000)
  tasks.run(next_item, function(one)
    local options = {}
    for name, value in pairs(job.options) do
      options[name] = value
    end
    options.reason = one.reason or options.reason
    local result, err = erasure.delete(one.item or one.id, one.id, options)
    local status = (result or err).status
    if job.each then
      job.each(one.id, result, err)
    end
    job.taken({ [status] = 1 }, { err }, one.id .. "\t" .. status .. "\n")
  end, count)
end

--- Deletes what job.next() gives: an id, perhaps a reason of its own, and the
--- request where it is known; with job.options.verify their files are asked
--- for, too. Of what has ended job.taken(counts by status, errors, text) is
--- told, with as many errors as job.errors() asks for, and a line for each id
--- where job.lines is set. After a refusal nothing more is taken. `marks` are
--- kept up to date meanwhile. Where job.many() gives a list of ids, the flight
--- takes of it what it has room for, and nobody looks at each. Waits.
---@param job {options:table, limit:integer, next:function, many:function?,
---  taken:function, marks:table[], errors:function?, lines:boolean?,
---  asked:boolean?, each:function?}  asked: no before_delete is to be any more;
---  each: told of each id, result and error, with
---  job.options.verify only
function sending.run(job)
  if job.options.verify and core.mode == "run" and core.probes then
    return run_verified(job)
  end
  local flight <close> = core.flight(job.options, job.limit, job.lines)
  if not flight then
    return refused(job)
  end
  local _ <close> = marks.watch(job.marks)
  local more, failure = true, nil
  while true do
    if more then
      local ok, problem = pcall(fill, flight, job)
      more = ok and problem
      failure = not ok and { problem } or nil
    end
    local counts, errors, text = flight:take(job.errors and job.errors() or 0)
    if counts then
      job.taken(counts, errors, text)
      more = more and not counts.refused
    elseif not more then
      break
    end
  end
  if failure then
    error(failure[1], 0)
  end
end

return sending
