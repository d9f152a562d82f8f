--- falrun install-timer POLICY.lua: a service and a timer of systemd that
--- run a policy by the clock.
---
---   policy --> checked? --> can the service read it? --> unit files
local cli = require "fal.cli"
local core = require "core"
local due = require "fal.due"
local host = require "host"
local inspecting = require "fal.inspecting"
local standing = require "fal.standing"
local text = require "fal.text"
local unitfiles = require "fal.unitfiles"
local units = require "fal.units"

local OPTIONS <const> = {
  { name = "daily", flag = true, help = "every night at 03:00 (the default)" },
  { name = "weekly", flag = true, help = "on Sundays at 03:00" },
  { name = "hourly", flag = true, help = "every hour" },
  { name = "at", value = "HH:MM", help = "at this time, in place of 03:00" },
  { name = "on-calendar", value = "EXPR", help = "when, in systemd's words "
    .. "(systemd.time(7))" },
  { name = "random-delay", value = "DUR", help = "start up to this much "
    .. "later (30m; 5m for hourly and on-calendar)" },
  { name = "user", flag = true, help = "for you alone, by your own systemd" },
  { name = "name", value = "NAME", help = "falrun-NAME.timer (the file's "
    .. "name)" },
  { name = "program", value = "PATH", help = "the falrun to start (this one)" },
  { name = "root", value = "DIR", help = "for the system whose root is DIR" },
  { name = "print", flag = true, help = "show the files, write none" },
  { name = "force", flag = true, help = "in place of others that are there" },
}

--- Of the host's options, those that say how this command talks.
local NOT_HANDED_ON <const> = { json = true, quiet = true, yes = true,
  ["no-progress"] = true, ["no-input"] = true, help = true, version = true }

-- ---- what ------------------------------------------------------------------

local function refuse_options(user)
  local options = host.options
  if options.sandbox then
    host.usage "a timer is for the real API: leave out --sandbox"
  elseif options["read-only"] then
    host.usage("with --read-only (or FALRUN_READ_ONLY) every run would end "
      .. "with 2: leave it out, or install a plan with --dry-run")
  elseif options.ledger and not user then
    host.usage("the service has its ledger in /var/lib/falrun, for all "
      .. "policies: leave out --ledger (or FALRUN_LEDGER)")
  end
end

--- What the service reads is not this user's config file.
local function check_account(user)
  local options = host.options
  if (options.account or options.accounts) and not (user or options.config)
  then
    host.usage("the service has a config file of its own: name it, like "
      .. "--config /etc/falrun/config, whose accounts name their keys as "
      .. "admin-key = credential:fal_admin_key")
  end
end

local function absolute(path)
  if path:sub(1, 1) == "/" then
    return path
  end
  return assert(host.real_path ".") .. "/" .. path
end

--- The options of the run, as words. Files among them become absolute.
local function option_words(user)
  local words = { "--quiet" }
  for _, spec in ipairs(host.option_specs()) do
    local value = host.options[spec.name]
    if value and not spec.only and not NOT_HANDED_ON[spec.name] then
      if spec.value == "FILE" or spec.value == "PATH" then
        value = absolute(value)
        if not user and standing.hidden(value) then
          host.usage(("--%s: the service cannot see %s"):format(spec.name,
            text.clean(standing.hidden(value))))
        end
      end
      words[#words + 1] = "--" .. spec.name
      words[#words + 1] = spec.value and value or nil
    end
  end
  if not host.options["lock-wait"] then
    words[#words + 1] = "--lock-wait"
    words[#words + 1] = "1h"
  end
  return words
end

local function words_of(spec, path, args)
  local words, dashes = option_words(spec.user), false
  words[#words + 1] = path
  for _, word in ipairs(args) do
    dashes = dashes or word:sub(1, 1) == "-"
  end
  words[#words + 1] = dashes and "--" or nil
  table.move(args, 1, #args, #words + 1, words)
  for _, word in ipairs(words) do
    if not utf8.len(word) then
      host.usage(("%s is not UTF-8, and systemd takes nothing else"):format(
        text.clean(word:sub(1, 60))))
    end
  end
  return words
end

local function name_of(given, path)
  local name = given.name or path:match("([^/]*)$"):gsub("%.lua$", "")
    :gsub("[^%w._-]+", "-"):gsub("^[^%w]+", "")
  if #name == 0 or #name > 64 or not name:find "^%w[%w._-]*$" then
    host.usage(("\"%s\" is no name for a timer: give one of 1 to 64 letters, "
      .. "digits, '.', '_' or '-' by --name"):format(
      text.clean(name:sub(1, 60))))
  end
  return name
end

local function program_of(given, user)
  local path = given.program or assert(host.real_path "/proc/self/exe")
  if not path:find "^/[%w/._+-]+$" then
    host.usage(("%s cannot be named in a unit: give an absolute path of "
      .. "letters, digits, '/', '.', '_', '+' and '-' by --program"):format(
      text.clean(path)))
  elseif not user and standing.hidden(path) then
    host.usage(("the service cannot see %s: install falrun (cmake --install, "
      .. "or its package), or name an installed one by --program"):format(
      path))
  end
  return path
end

-- ---- the policy ------------------------------------------------------------

--- The policy as the service will name it: absolute, and where no link can
--- be turned to another file later.
local function policy_path(word, root)
  local path, err = host.real_path(root == "" and word or root .. word)
  if not path then
    host.usage(err.message)
  elseif root == "" then
    return path
  end
  local inside = path:sub(1, #root + 1) == root .. "/"
  if word:sub(1, 1) ~= "/" or not inside then
    host.usage(("with --root, the policy is an absolute path below %s"):format(
      text.clean(root)))
  end
  return path:sub(#root + 1)
end

local function check_standing(root, path)
  local hidden = standing.hidden(path)
  local shown = text.clean(path)
  if hidden then
    host.usage(("the service cannot see %s: copy the policy and what lies "
      .. "beside it to a folder of root's (install -D -m 644 %s "
      .. "/etc/falrun/policies/%s) and install that, or use --user"):format(
      hidden, shown, text.clean(path:match "[^/]*$")))
  end
  local sentence = standing.unreadable(host, root, path)
  if sentence then
    host.usage(sentence)
  end
  standing.warn(host, root, path)
end

--- A policy that check finds errors in is not installed.
local function check_policy(path)
  local file = inspecting.look(host, path)
  inspecting.tell(host, file)
  if file.errors > 0 then
    error(core.error("invalid", ("%s in the policy: nothing was written")
      :format(text.count(file.errors, "problem", "problems"))), 0)
  end
end

-- ---- what to do next -------------------------------------------------------

local function next_of(spec, root)
  local systemctl = spec.user and "systemctl --user" or root ~= ""
    and "systemctl --root " .. root or "systemctl"
  local key = spec.user and "~/.config/falrun/fal_admin_key"
    or root .. "/etc/falrun/fal_admin_key"
  local unit = "falrun-" .. spec.name
  local list = { ("the key, once:  install -D -m 600 /dev/stdin %s"):format(
    key) }
  if root ~= "" then
    list[2] = ("switch it on:   %s enable %s.timer"):format(systemctl, unit)
    return list
  end
  list[2] = "read the units: " .. systemctl .. " daemon-reload"
  list[3] = ("switch it on:   %s enable --now %s.timer"):format(systemctl, unit)
  list[4] = ("when is it due: %s list-timers 'falrun-*'"):format(systemctl)
  list[5] = ("one run now:    %s start %s.service"):format(systemctl, unit)
  list[6] = spec.user and "also when you are logged out: loginctl "
    .. "enable-linger" or "its ledger, for holds and history: "
    .. "--ledger /var/lib/falrun/ledger.db"
  return list
end

local function tell_next(list)
  core.log.info "next:"
  for _, line in ipairs(list) do
    core.log.info("  " .. line)
  end
end

-- ---- the command -----------------------------------------------------------

local function root_of(given)
  if given.root and given.user then
    host.usage "--root is for units of the system: leave out --user"
  end
  local root, err = host.real_path(given.root or "/")
  if not root then
    host.usage(err.message)
  end
  return root == "/" and "" or root
end

local function run()
  local given, words = cli.parse(host, "install-timer", OPTIONS)
  local word = table.remove(words, 1)
  if not word then
    host.usage("falrun install-timer takes a policy, like falrun "
      .. "install-timer /etc/falrun/policies/flux-30d.lua")
  end
  local root = root_of(given)
  refuse_options(given.user)
  check_account(given.user)
  local spec = { user = given.user, program = program_of(given, given.user) }
  due.read(host, given, spec)
  local path = policy_path(word, root)
  spec.name = name_of(given, path)
  check_policy(root .. path)
  if not given.user then
    check_standing(root, path)
  end
  spec.words = words_of(spec, path, words)
  local list = next_of(spec, root)
  local files = unitfiles.place(host, units.all(spec), spec.user, root)
  if not given.print then
    unitfiles.write(host, files, spec.user, given.force)
  end
  if host.options.json then
    unitfiles.show(host, files, list)
  elseif given.print then
    unitfiles.print(host, files)
  else
    tell_next(list)
  end
end

return {
  summary = "run a policy every night, by systemd",
  usage = "falrun install-timer POLICY.lua [--daily] [--user] [args...]",
  help = [[
Writes falrun-NAME.service and falrun-NAME.timer, and falrun-failed@.service,
which mails what a failed run said. The policy is checked first, as falrun check
does. Options of the run (--max-deletes, ...) and words after the policy become
part of the service. A file that is there and is another one is not replaced
without --force. Nothing is switched on: the commands for that are printed.

Without --user the service belongs to the system and is hardened: it cannot see
home folders, so the policy must lie elsewhere, where root alone can change it.

Examples:
  falrun install-timer --print /etc/falrun/policies/flux-30d.lua
  falrun install-timer --at 04:30 --max-runtime 5h /etc/falrun/policies/a.lua
  falrun install-timer --user --weekly flux-30d.lua
]],
  run_options = true,
  options = OPTIONS,
  run = run,
}
