--- falrun --help: all commands, or one.
local commandline = require "fal.commandline"
local core = require "core"
local host = require "host"
local reference = require "fal.reference"

local function bold(text)
  return host.color and "\27[1m" .. text .. "\27[0m" or text
end

local function title(text)
  host.write("\n" .. bold(text) .. "\n")
end

local function rows(list, width)
  for _, row in ipairs(list) do
    host.write(("  %-" .. width .. "s  %s\n"):format(row[1], row[2]))
  end
end

--- The host's options of a group: "run", "output".
local function option_rows(group)
  local list = {}
  for _, option in ipairs(host.option_specs()) do
    if option.group == group then
      local letter = option.letter and ("-%s, "):format(option.letter) or ""
      local value = option.value and " " .. option.value or ""
      list[#list + 1] = { letter .. "--" .. option.name .. value,
                          option.help }
    end
  end
  return list
end

local function exists(name)
  for _, command in ipairs(host.commands()) do
    if command == name then
      return true
    end
  end
  return false
end

local function summary_of(name)
  return name == "help" and "this text, or that of a command"
    or require("commands." .. name).summary or ""
end

--- Commands that no group names, so that a new file shows without a change.
local function others()
  local named, list = {}, { "More" }
  for _, group in ipairs(commandline.groups) do
    for i = 2, #group do
      named[group[i]] = true
    end
  end
  for _, name in ipairs(host.commands()) do
    if not named[name] then
      list[#list + 1] = name
    end
  end
  return list
end

local function print_group(group)
  local list = {}
  for i = 2, #group do
    if exists(group[i]) then
      list[#list + 1] = { group[i], summary_of(group[i]) }
    end
  end
  if list[1] then
    title(group[1])
    rows(list, 14)
  end
end

local function overview()
  host.write(bold("falrun") .. " " .. host.version
    .. " - data retention on fal.ai, as Lua policies\n\n"
    .. "  falrun [options] POLICY.lua [args...]    run a policy\n"
    .. "  falrun [options] COMMAND [words...]\n"
    .. "  falrun [options] --accounts LIST         all policies of accounts\n"
    .. "  falrun COMMAND --help                    more on a command\n")
  for _, group in ipairs(commandline.groups) do
    print_group(group)
  end
  print_group(others())
  title("Options of a run, before or after the command")
  rows(option_rows "run", 17)
  title("Options of every command")
  rows(option_rows "output", 17)
  host.write("\nEvery option is also a variable: --max-deletes is "
    .. "FALRUN_MAX_DELETES.\nDurations have a unit: 90s, 36h, 30d.\n")
  title("Keys (there is no option that takes one)")
  host.write("  FAL_KEY, or FAL_KEY_ID and FAL_KEY_SECRET; FAL_ADMIN_KEY for "
    .. "what needs an\n  ADMIN key, deletions among it. Or files: "
    .. "FAL_KEY_FILE, FAL_ADMIN_KEY_FILE.\n  Or a config file names "
    .. "them: falrun config --help.\n")
  title("Exit codes")
  rows(commandline.exit_codes, 8)
end

local function print_options(options)
  local list = {}
  for i, option in ipairs(options) do
    list[i] = { ("--%s %s"):format(option.name, option.value or ""),
                option.help or "" }
  end
  if list[1] then
    title("Options")
    rows(list, 17)
  end
end

local function about(name)
  if not exists(name) then
    local near = core.nearest(name, host.commands())
    host.usage(("falrun has no command \"%s\"%s"):format(
      name:sub(1, 60):gsub("[^\x20-\x7e]", "?"), near
      and (" (did you mean %s?)"):format(near) or "; see falrun --help"))
  elseif name == "help" then
    return overview()
  end
  local command = require("commands." .. name)
  host.write(command.usage .. "\n\n" .. command.help)
  print_options(command.options or {})
  if command.run_options then
    title("Options of a run")
    rows(option_rows "run", 17)
  end
  host.write("\nfalrun --help lists the options of every command, the keys "
    .. "and the exit codes.\n")
end

local function run()
  if host.args[1] == "call" and host.args[2] and not host.args[3] then
    host.write(reference.help(host, host.args[2]))
  elseif host.args[2] then
    host.usage("falrun help takes one command, or call and an operation")
  elseif host.args[1] then
    about(host.args[1])
  else
    overview()
  end
end

return {
  summary = "this text, or that of a command",
  usage = "falrun help [COMMAND]",
  help = "",
  options = {},
  run = run,
}
