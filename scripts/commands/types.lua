--- falrun types: the annotations of the Lua API, for editors.
local annotations = require "fal.annotations"
local cli = require "fal.cli"
local host = require "host"

local function run()
  cli.none(host, "types")
  for _, name in ipairs { "fal", "policy", "hooks", "testing",
                         "operations" } do
    host.write(host.text("types." .. name) or "")
  end
  host.write(annotations.text())
end

return {
  summary = "print the annotations of the Lua API, for editors",
  usage = "falrun types > fal.lua",
  help = [[
LuaCATS annotations (lua-language-server) of everything a policy can call.
Save them where your editor looks for libraries; nothing has to load them.
]],
  options = {},
  run = run,
}
