--- The one question of a run on a terminal, before its first deletion.
---
--- Nobody is asked with --yes, with --no-input, or where input or the talk
--- are no terminal: cron must not wait for an answer.
local core = require "core"
local text = require "fal.text"

local consent = {}

--- Whether somebody is there to answer.
local function is_asked(host)
  local options = host.options
  return core.mode == "run" and host.stdin_tty and host.stderr_tty and
    not options.yes and not options["no-input"]
end

--- True when the answer is yes, or when nobody is asked. A no is a safety
--- stop of the run.
local function ask(host, question)
  if not is_asked(host) then
    return true
  end
  local answer = host.ask(question .. " It cannot be undone. [y/N] ")
  answer = answer and answer:lower():match("^%s*(.-)%s*$")
  if answer == "y" or answer == "yes" then
    return true
  end
  core.stop("the answer was no: nothing was deleted")
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

return consent
