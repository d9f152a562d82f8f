--== core
-- expect: exit 1, "module 'core' was not found"
require "core"
--== host
-- expect: exit 1, "module 'host' was not found"
require "host"
--== a command
-- expect: exit 1, "module 'commands.hold' was not found"
require "commands.hold"
--== the sandbox
-- expect: exit 1, "module 'sandbox.main' was not found"
require "sandbox.main"
--== a folder above
-- expect: exit 1, "bad argument 'name'"
require "../canary"
--== a folder above, with dots
-- expect: exit 1, "bad argument 'name'"
require "...canary"
--== a whole path
-- expect: exit 1, "bad argument 'name'"
require "/etc/passwd"
--== the path of a file outside
-- expect: exit 1, "bad argument 'name'"
require(arg[1])
--== a NUL
-- expect: exit 1, "bad argument 'name'"
require "fal\0x"
--== nothing
-- expect: exit 1, "bad argument 'name'"
require ""
--== a name that is a giant
-- expect: exit 1, "bad argument 'name'"
require(("x"):rep(1 << 20))
--== a table that says it is a name
-- expect: exit 1, "require"
require(setmetatable({}, { __tostring = function() return "host" end }))
--== a name that changes
-- expect: exit 1, "require"
local n = 0
require(setmetatable({}, { __index = function() n = n + 1
  return n > 1 and "host" or "fal" end, __name = "host" }))
--== a percent sign
-- expect: exit 1, "bad argument 'name'"
require "%s%s%n"
--== the library cannot be changed through require
-- expect: exit 1, "cannot be set"
require("fal").ago = function() return "2099-01-01T00:00:00Z" end
--== no module of the library hands out core
-- expect: exit 0, "blocked"
for _, name in ipairs { "fal", "fal.check", "fal.cli", "fal.deletions",
  "fal.endpoints", "fal.facts", "fal.ids", "fal.init", "fal.intake",
  "fal.lint", "fal.pages", "fal.report", "fal.requests", "fal.row",
  "fal.selection", "fal.story", "fal.tasks", "fal.text", "fal.time",
  "fal.window" } do
  local ok, module = pcall(require, name)
  if ok and type(module) == "table" then
    for key, value in pairs(module) do
      assert(key ~= "core" and key ~= "host" and key ~= "preview"
             and key ~= "stop", name)
      assert(type(value) ~= "table" or getmetatable(value) == false, name)
    end
  end
end
print "blocked"
--== require of oneself
-- expect: exit 1, "policy"
require "policy"
--== a host of one's own gets nothing from the library
-- expect: exit 1, "what a policy may call is in fal"
require("fal.report").settle { settle = function() return nil, {} end }
