--- falrun check POLICY.lua: does it load?
local core = require "core"
local host = require "host"
local lint = require "fal.lint"
local text = require "fal.text"

local SOURCE_MAX <const> = 4 << 20

--- The unknown globals of the policy, as sentences with their lines.
local function problems()
  local source, err = host.read_file(host.policy.path, SOURCE_MAX)
  if not source then
    error(err, 0)
  end
  local found = {}
  for _, name in ipairs(lint.globals(source)) do
    local near = core.nearest(name.name, lint.known)
    found[#found + 1] = {
      line = name.line,
      message = ("undefined global '%s'%s"):format(name.name, near
        and (" (did you mean '%s'?)"):format(near) or ""),
    }
  end
  return found
end

local function print_json(found)
  host.write(core.json.encode { policy = host.policy.path,
    sha256 = host.policy.sha256, ok = not found[1],
    problems = core.json.array(found) } .. "\n")
end

--- What does not even load is a problem like any other, in JSON too.
local function load_policy()
  local ok, err = pcall(host.load_policy)
  if not ok then
    local line, message = tostring(err):match(":(%d+): (.*)$")
    if host.options.json then
      print_json { { line = math.tointeger(tonumber(line)),
                     message = message or tostring(err) } }
    end
    error(err, 0)
  end
end

local function run()
  if host.args[1] then
    host.usage(("falrun check takes one policy, but got another word: \"%s\"")
      :format(text.clean(host.args[1]:sub(1, 60))))
  end
  load_policy()
  local found = problems()
  if host.options.json then
    print_json(found)
  elseif not found[1] then
    host.write(text.clean(host.policy.path) .. ": ok\n")
  end
  for _, problem in ipairs(found) do
    core.log.error(("%s:%d: %s"):format(host.policy.path, problem.line,
                                        problem.message))
  end
  if found[1] then
    error(core.error("invalid", text.count(#found, "problem", "problems")
      .. " in the policy"), 0)
  end
end

return {
  summary = "load a policy and look for undefined names; no network",
  usage = "falrun check POLICY.lua",
  help = [[
Checks the syntax, and that every global name exists (fal, log, json, arg and
the safe part of Lua's library). Nothing of the policy is executed, so what only
shows while it runs (a misspelt option, say) is not seen: falrun plan runs it
without deleting anything. Ends with 1 when something is wrong.

Example:
  falrun check older-than.lua
]],
  options = {},
  run = run,
}
