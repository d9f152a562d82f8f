--- falrun completion: scripts that let a shell complete falrun's line.
local cli = require "fal.cli"
local completion = require "fal.completion"
local core = require "core"
local host = require "host"
local operations = require "fal.operations"

local SHELLS <const> = { "bash", "zsh", "fish" }

local function operation_names()
  local names = {}
  for _, row in operations.each() do
    names[#names + 1] = row.name
  end
  table.sort(names)
  return names
end

local function run()
  local _, words = cli.parse(host, "completion", {})
  local shell = words[1]
  local make = shell and completion[shell]
  if not make or shell == "model" or words[2] then
    local near = shell and core.nearest(shell, SHELLS)
    host.usage("falrun completion needs one of bash, zsh and fish"
      .. (near and ("; did you mean %s?"):format(near) or ""))
  end
  local function command(name)
    return require("commands." .. name)
  end
  host.write(make(completion.model(host.commands(), command,
    host.option_specs(), operation_names())))
end

return {
  summary = "completion of the command line for bash, zsh or fish",
  usage = "falrun completion bash|zsh|fish",
  help = [[
Prints a script that lets the shell complete commands, options, operations and
policies. cmake --install and the Debian package put it where shells look.

Examples:
  source <(falrun completion bash)
  falrun completion zsh > "${fpath[1]}/_falrun"
  falrun completion fish > ~/.config/fish/completions/falrun.fish
]],
  options = {},
  words = SHELLS,
  run = run,
}
