--- The one question of a run on a terminal, before its first deletion.
---
--- Nobody is asked with --yes, with --no-input, or where input or the talk
--- are no terminal: cron must not wait for an answer.
local core = require "core"
local text = require "fal.text"

local consent = {}

local asker                     -- the host of the run whose changes ask

--- Whether somebody is there to answer.
local function is_asked(host)
  local options = host.options
  return core.mode == "run" and host.stdin_tty and host.stderr_tty and
    not options.yes and not options["no-input"]
end

--- True when the answer is yes, or when nobody is asked. A no is a safety
--- stop of the run.
local function ask(host, question, undone)
  if not is_asked(host) then
    return true
  end
  local account = host.options.account
  local answer = host.ask((account and ("Account %s: "):format(account) or "")
    .. question .. " It cannot be undone. [y/N] ")
  answer = answer and answer:lower():match("^%s*(.-)%s*$")
  if answer == "y" or answer == "yes" then
    return true
  end
  core.stop(("the answer was no: nothing was %s"):format(undone or "deleted"))
  return false
end

--- Of a declared policy, whose whole is known.
function consent.planned(host, count)
  return count == 0 or ask(host, ("Erase %s?"):format(
    count == 1 and "this request" or
    ("these %s requests"):format(text.number(count))))
end

--- Of a script that deletes by itself. `count` is what its first selection
--- has, as far as it was looked at.
function consent.script(host, count)
  if count == 0 then
    return true
  end
  return ask(host, count and ("%s is about to erase %s."):format(
    text.clean(host.policy.path), text.count(count, "request", "requests"))
    or ("%s is about to erase requests, one by one; how many is not known "
    .. "beforehand."):format(text.clean(host.policy.path)))
end

--- From here on, changes that cannot be undone ask here; nil: they do not.
function consent.begin(host)
  asker = host
end

--- Of an operation that cannot be undone. Unlike deletions, which limits
--- bound, it needs a --yes where nobody can be asked.
---@param name string      "keys.delete"
---@param target string?   what it is about
function consent.change(name, target)
  local host = asker
  if not host then
    return true
  elseif not is_asked(host) and core.mode == "run" and not host.options.yes then
    core.stop(name .. " cannot be undone, and nobody can be asked: --yes "
              .. "says yes beforehand")
    return false
  end
  return ask(host, ("%s: %s."):format(name, text.clean(target or
             "the whole account")), "changed")
end

return consent
