--- falrun manual: the manual page falrun(1), made from the tables of --help.
local cli = require "fal.cli"
local host = require "host"
local manual = require "fal.manual"

local function run()
  cli.none(host, "manual")
  host.write(manual.page(function(name)
    return require("commands." .. name)
  end, host.option_specs()))
end

return {
  summary = "the manual page falrun(1)",
  usage = "falrun manual",
  help = [[
Prints falrun(1), in mdoc, with every option and command. cmake --install and
the Debian package put it where man looks.

Examples:
  falrun manual | man -l -
]],
  options = {},
  run = run,
}
