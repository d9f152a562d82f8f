--- Hides the files of requests through the ACLs of fal's storage, and shows
--- them again. See quarantine.lua.
---
---   request.output --> links --> ACLs read --> event --> ACLs set
---
--- An ACL that is read is kept in the event, as text, before it is replaced.
local core = require "core"
local hold = require "fal.hold"
local marks = require "fal.marks"
local quarantine = require "fal.quarantine"
local tasks = require "fal.tasks"
local text = require "fal.text"

local hiding = {}

local PATH <const> = "/storage/files/acl"
local FILES_MOST <const> = 1000         -- of one event
local ACL_MOST <const> = 2000           -- bytes; and of a link: what the
local LINK_MOST <const> = 2048          -- ledger keeps whole
local DEEPEST <const> = 100
local TOGETHER <const> = 8
local SHOWN <const> = 10

-- ---- files ---------------------------------------------------------------

local function add_links(found, value, depth)
  if type(value) == "table" and depth < DEEPEST then
    for _, part in pairs(value) do
      add_links(found, part, depth + 1)
    end
    return
  elseif type(value) ~= "string" then
    return
  end
  local link = value:match "^https://[%w.-]*%.?fal%.media/[^?#%s]+"
  if not link or found.seen[link] then
    return
  end
  found.seen[link] = true
  local host = link:match "^https://([^/]+)/"
  if host:find "^v3%w*%.fal%.media$" then
    found[#found + 1] = link
  elseif host:find "^[%w-]+%.fal%.media$" or host == "fal.media" then
    found.old = found.old + 1
  end
end

--- Files of fal's CDN that an output names; `old` ones have no ACL.
function hiding.links(output)
  local found = { seen = {}, old = 0 }
  add_links(found, output, 0)
  table.sort(found)
  return found
end

local function get_acl(link)
  local acl, err = core.read { path = PATH, query = { { "url", link } },
                               key = "list" }
  if acl == nil then
    return nil, err
  end
  local words = type(acl) == "table" and type(acl.default) == "string" and
    core.json.encode { default = acl.default,
                       rules = core.json.array(acl.rules) }
  if not words or #words > ACL_MOST then
    return nil, core.error("protocol", ("the ACL of %s cannot be kept, so it "
      .. "is left as it is"):format(link))
  end
  return words
end

--- Sets the ACL of one file. True, "gone", or nil and an error; in a plan
--- nothing is sent.
local function set_acl(id, link, acl, reason)
  local result, err = core.change {
    operation = quarantine.OPERATION, method = "PUT", path = PATH,
    query = { { "url", link } }, body = acl, key = "admin",
    request_id = id, target = quarantine.target(link), reason = reason }
  if not result then
    return err.http_status == 404 and "gone" or nil, err
  end
  local is = result.value
  if result.status == "done" and (type(is) ~= "table" or
    is.default ~= acl.default or type(is.rules) ~= "table" or
    #is.rules ~= #acl.rules) then
    if acl.default == "hide" then
      core.record("probe", id, { link = link, seen = "unknown",
                                 why = quarantine.NOT_HIDDEN })
    end
    return nil, core.error("protocol", ("fal made another ACL of %s than it "
      .. "was told"):format(link))
  end
  return true
end

-- ---- hiding --------------------------------------------------------------

--- Files and ACLs of a request that is new; raises when one cannot be read.
local function look(request)
  local links = hiding.links(request.output)
  local files, acls = {}, {}
  for _, link in ipairs(links) do
    if #link > LINK_MOST then
      error(("the link of a file has %d bytes"):format(#link), 0)
    end
    local acl, err = get_acl(link)
    if acl then
      files[#files + 1], acls[#acls + 1] = link, acl
    elseif err.http_status ~= 404 then
      error(err, 0)
    end
  end
  if #files > FILES_MOST then
    error(("it has more than %d files"):format(FILES_MOST), 0)
  elseif links.old > 0 then
    core.log.warn("files on hosts without an ACL stay visible until they "
      .. "are erased", { id = rawget(request, "request_id"),
                         files = links.old })
  end
  return files, acls
end

--- From here on it is in its grace, in this run too.
local function record(job, id, files, acls)
  local ok, err = core.record("quarantine", id, {
    files = files, acl = acls, reason = job.reason,
    delete_after_ms = core.at() + job.action.grace_ms })
  if not ok then
    error(err, 0)
  end
end

local function hide(job, id, request)
  local row = job.view.rows[id]
  local done = row and job.view:hidden(id) or {}
  local files, acls
  if row then
    files, acls = row.data.files, row.data.acl
  else
    files, acls = look(request)
    record(job, id, files, acls)
  end
  local hidden = { default = "hide", rules = core.json.array {} }
  for _, link in ipairs(files) do
    if not done[quarantine.target(link)] then
      local ok, err = set_acl(id, link, hidden, job.reason)
      if not ok then
        error(err, 0)
      end
    end
  end
  if row then
    record(job, id, files, acls)        -- the grace begins now
  end
end

--- What a change failed at is in the exit code by itself (3, 7, ...).
local function note_failure(job, id, err)
  local about = type(err) == "table" and err or {}
  if about.code == "cancelled" then
    error(err, 0)
  end
  job.failed = job.failed + 1
  job.unmarked = job.unmarked or not about.status
  core.log[job.failed > SHOWN and "debug" or "error"](
    "not put into quarantine", { id = id, why = tostring(err) })
end

local function hide_one(job, plan, at)
  local id, request = plan.ids[at], plan.rows[at]
  local fate, _, held_by = core.preview(id)
  plan.rows[at] = nil
  if job.view.host.stopped() or
    fate == "held" and not quarantine.is_grace(held_by) then
    return
  end
  local ok, err = pcall(hide, job, id, request)
  if not ok then
    return note_failure(job, id, err)
  end
  job.count = job.count + 1
end

--- The places of those that a plan wants there.
local function each_place(plan)
  local at = 0
  return function()
    repeat
      at = at + 1
    until at > plan.size or plan.fates[at] == "quarantine"
    return at <= plan.size and at or nil
  end
end

--- Puts into quarantine what a plan wants there. Waits. Those that fail are
--- not erased, and the next run tries them again.
function hiding.run(plan, view)
  local reason = plan.policy.reason
  local job = { view = view, action = plan.policy.action, failed = 0,
                count = 0, reason = type(reason) == "string" and reason or nil }
  local _ <close> = marks.watch(hold.marks(plan.holds))
  tasks.run(each_place(plan), function(at)
    hide_one(job, plan, at)
  end, TOGETHER)
  if job.count > 0 then
    core.log.info(("policy %s: %s put into quarantine, to be erased after %s")
      :format(plan.policy.name, text.count(job.count, "request", "requests"),
              job.action.grace))
  end
  if job.unmarked then
    error(("policy %s: %s could not be put into quarantine; the next run "
      .. "tries again"):format(plan.policy.name, text.count(job.failed,
      "request", "requests")), 0)
  end
end

-- ---- lifting it ----------------------------------------------------------

--- Shows the files of a request again, as they were. True, or nil and the
--- first error; what was not shown then stays in quarantine. Waits.
function hiding.release(row, reason)
  for i, link in ipairs(row.data.files) do
    local acl = core.json.decode(row.data.acl[i])
    core.json.array(acl.rules)
    local ok, err = set_acl(row.request_id, link, acl, reason)
    if not ok then
      return nil, err
    end
  end
  return core.record("release", row.request_id, { reason = reason })
end

return hiding
