--- Quarantine: hidden first, erased after a grace.
---
---   selected --> files found, their ACLs read --> event `quarantine`
---            --> each ACL set to "hide" --> grace --> erased by a later run
---                                             |
---                          falrun release ----+--> ACLs as they were, a hold
---
--- The event is written before the first file is hidden, so that what the
--- ACLs were is never lost. A request whose files are not all hidden by what
--- the ledger has is hidden again, and its grace begins anew: nothing is
--- erased that was not hidden for the whole of it. During the grace the gate
--- holds it. This file knows what the ledger says; hiding.lua changes the ACLs.
local core = require "core"
local check = require "fal.check"
local shapes = require "fal.shapes"

local quarantine = {}

local KNOWN <const> = shapes.names "policy_action"
local TARGET_MOST <const> = 900
quarantine.OPERATION = "storage.set_acl"
quarantine.RELEASED = "released from quarantine"
quarantine.NOT_HIDDEN = "not hidden: fal made another ACL of it than "
  .. "it was told"

-- ---- what a policy says --------------------------------------------------

--- The action of a policy: {grace_ms, grace}; nil: it erases at once.
function quarantine.action(value)
  if value == nil then
    return nil
  end
  local action = check.options("policy", value, KNOWN)
  if action.quarantine == nil or action.delete_after == nil then
    check.fail("policy", "action", "both are needed: action = { quarantine "
               .. "= \"0d\", delete_after = \"7d\" }")
  elseif check.duration("policy", "quarantine", action.quarantine) ~= 0 then
    check.fail("policy", "quarantine", "\"0d\" is needed: what is selected is "
               .. "hidden at once; older_than says how old that is")
  end
  local grace = check.duration("policy", "delete_after", action.delete_after)
  if grace == 0 then
    check.fail("policy", "delete_after", "a grace is needed, like \"7d\"; "
               .. "without one leave action out")
  end
  return { grace_ms = grace, grace = action.delete_after }
end

-- ---- what the ledger says ------------------------------------------------

local View = {}
View.__index = View

--- How a file is named in the record of a change: links may be long.
function quarantine.target(link)
  return #link <= TARGET_MOST and link or
    link:sub(1, TARGET_MOST - 100) .. "~" .. core.sha256(link)
end

--- What is said of a row; `due`: another end than the ledger's.
function quarantine.words(row, due)
  return core.grace_words(core.parse_time(row.at), due or row.delete_after_ms)
end

--- The quarantines of the ledger as they are now.
function quarantine.view(host)
  local view = setmetatable({ host = host, rows = {} }, View)
  for _, row in ipairs(core.quarantined()) do
    view.rows[row.request_id] = row
  end
  return view
end

--- Whether a hold that the gate tells of is only that of the grace.
function quarantine.is_grace(held_by)
  return held_by ~= nil and held_by:find("^in quarantine since ") ~= nil
end

--- Whether an event begins to show the files of its request again. A release
--- holds first, and nobody knows how far one came that has no end.
local function shows(event)
  return event.kind == "release" or event.kind == "hold_add" and
    tostring(event.data.reason):sub(1, #quarantine.RELEASED) ==
    quarantine.RELEASED
end

--- The files of a request that were hidden, as far as the ledger knows, or
--- that fal did not have any more.
function View:hidden(id)
  local asked, done = {}, {}
  self.host.ledger.events({ request_id = id }, function(event)
    local data = event.data
    if shows(event) then
      done = {}
    elseif event.kind == "probe" and data.why == quarantine.NOT_HIDDEN then
      done[quarantine.target(data.link)] = nil
    elseif event.kind == "change" and
      data.operation == quarantine.OPERATION then
      asked[event.seq] = data.target
    elseif event.kind == "change_outcome" and asked[data.change] and
      (data.state == "done" or data.http_status == 404) then
      done[asked[data.change]] = true
    end
  end)
  return done
end

local function is_whole(view, row)
  local done = view:hidden(row.request_id)
  for _, link in ipairs(row.data.files) do
    if not done[quarantine.target(link)] then
      return false
    end
  end
  return true
end

--- What becomes of a request now: "quarantine" or "held", and why; nil when
--- it is due.
function View:fate(id, action, now_ms)
  local row = self.rows[id]
  if not row then
    return "quarantine", ("its files are hidden first, and it is erased %s "
      .. "after that"):format(action.grace)
  elseif not is_whole(self, row) then
    return "quarantine", "not all of its files could be hidden yet"
  end
  local due = math.max(row.delete_after_ms,
                       core.parse_time(row.at) + action.grace_ms)
  if due > now_ms then
    return "held", quarantine.words(row, due)
  end
end

return quarantine
