--- fal.before_delete: the last word of a policy before a deletion.
---
---   what would be sent --> each function --> true, all of them --> the gate
---                             |--> false, why        held for this run
---                             \--> raises            the same, and exit 1
---
--- It can only take away: a veto is a hold of this run, so that the gate
--- itself keeps the request, records why, and counts it. Whatever is not
--- clearly a yes is a no.
local core = require "core"
local hooks = require "fal.hooks"
local payload = require "fal.payload"
local text = require "fal.text"

local veto = {}

local WHY_MOST <const> = 400

local inside = setmetatable({}, { __mode = "k" })   -- coroutines in a hook
local told = setmetatable({}, { __mode = "k" })     -- hooks that have failed

--- Raises where a before_delete deletes by itself: it would ask about that,
--- too, and so on.
function veto.check_outside(func)
  if inside[coroutine.running()] then
    error(("%sfal.%s was called by a before_delete: it decides, and deletes "
      .. "nothing"):format(core.where(), func), 0)
  end
end

--- The first failure of a hook is told; the record has all.
local function failed(hook, err)
  if not told[hook] then
    told[hook] = true
    hooks.fail(hook, "before_delete", err)
  end
  local shown = type(err) == "table" and rawget(err, "message") or err
  return "before_delete failed: " .. tostring(shown)
end

local function call(hook, ...)
  local this = coroutine.running()
  inside[this] = true
  local ok, verdict, why = pcall(hook.f, ...)
  inside[this] = nil
  if not ok and hooks.is_over(verdict) then   -- of the task, not of the hook
    error(verdict, 0)
  elseif not ok then
    return failed(hook, verdict)
  elseif verdict == true then
    return nil
  elseif verdict ~= false then
    return failed(hook, ("%sbefore_delete returned %s: return true to let it "
      .. "go, or false, \"why\""):format(hook.place, type(verdict)))
  elseif why ~= nil and type(why) ~= "string" then
    return failed(hook, ("%sbefore_delete returned a %s as its reason: text "
      .. "is needed"):format(hook.place, type(why)))
  end
  return "vetoed by before_delete" .. (why and why ~= "" and ": " .. why
    or "")
end

--- Why it must not be deleted, or nil. Waits where a function does.
---@param item table|string   the request, or its id
---@param about {reason:string?, policy:string?, open:boolean?}   open: an
---  earlier run announced it, and may have sent it
function veto.ask(item, id, about)
  local request = payload.item(item)
  for _, hook in ipairs(hooks.list "before_delete") do
    local why = call(hook, id, request, about)
    if why then
      return text.cut(text.clean(why), WHY_MOST)
    end
  end
end

--- Asks about what the gate would send, and holds it there after a no. To be
--- called just before it is given to the gate, without a wait in between.
function veto.check(item, id, about)
  if not core.parse_id(id) or core.preview(id) ~= "planned" then
    return
  end
  local why = veto.ask(item, id, about)
  if why then
    local ok, err = core.hold_id(id, why)
    if not ok then
      error(err, 0)
    end
  end
end

return veto
