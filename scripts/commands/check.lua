--- falrun check POLICY.lua: what is wrong with it, without running it?
local core = require "core"
local host = require "host"
local checking = require "fal.checking"
local text = require "fal.text"

local SOURCE_MAX <const> = 4 << 20
local SHOWN <const> = 100
local OPTIONS <const> = {
  { name = "format", value = "F", help = "gcc (path:line:column: error: "
    .. "message) or json" },
}

-- ---- for people ------------------------------------------------------------

local function say(problem, lines)
  host.say(text.clean(("%s:%d: %s%s"):format(host.policy.path, problem.line,
    problem.level == "error" and "" or problem.level .. ": ",
    problem.message)))
  if lines[problem.line] then
    host.say(("%6d | %s"):format(problem.line,
      text.clean(lines[problem.line]:sub(1, SHOWN))))
  end
  if problem.hint then
    host.say("         hint: " .. text.clean(problem.hint))
  end
end

local function lines_of(source)
  local lines = {}
  for line in (source .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

local function tell(found, errors, source)
  local lines = found[1] and lines_of(source)
  for _, problem in ipairs(found) do
    say(problem, lines)
  end
  if errors == 0 then
    host.write(("%s: ok%s\n"):format(text.clean(host.policy.path), found[1]
      and ", " .. text.count(#found, "warning", "warnings") or ""))
  end
end

-- ---- for editors -----------------------------------------------------------

local function print_gcc(found)
  for _, problem in ipairs(found) do
    host.write(text.clean(("%s:%d:%d: %s: %s%s [%s]"):format(host.policy.path,
      problem.line, problem.column, problem.level, problem.message,
      problem.hint and "; " .. problem.hint or "", problem.rule)) .. "\n")
  end
end

local function print_json(found, errors)
  host.write(core.json.encode { policy = host.policy.path,
    sha256 = host.policy.sha256, ok = errors == 0,
    problems = core.json.array(found) } .. "\n")
end

-- ---- the command -----------------------------------------------------------

local function format_of()
  local format = host.options.format
  if host.options.json then
    if format and format ~= "json" then
      host.usage("--json and --format " .. text.clean(format:sub(1, 20))
        .. " are two formats: choose one")
    end
    return "json"
  elseif format and format ~= "gcc" and format ~= "json" then
    host.usage(("--format is gcc or json, not \"%s\""):format(
      text.clean(format:sub(1, 60))))
  end
  return format or "text"
end

local function count_errors(found)
  local count = 0
  for _, problem in ipairs(found) do
    count = count + (problem.level == "error" and 1 or 0)
  end
  return count
end

local function show(format, found, source)
  local errors = count_errors(found)
  if format == "gcc" then
    print_gcc(found)
  elseif format == "json" then
    print_json(found, errors)
  else
    tell(found, errors, source)
  end
  return errors
end

local function read()
  local source, err = host.read_file(host.policy.path, SOURCE_MAX)
  if not source then
    error(err, 0)
  end
  return source
end

local function run()
  if host.args[1] then
    host.usage(("falrun check takes one policy, but got another word: \"%s\"")
      :format(text.clean(host.args[1]:sub(1, 60))))
  end
  local format, source = format_of(), read()
  local ok, err = pcall(host.load_policy)
  if not ok then
    if format ~= "text" then
      show(format, { checking.syntax(source, tostring(err)) }, source)
    end
    error(err, 0)
  end
  local errors = show(format, checking.problems(source, core.at()), source)
  if errors > 0 then
    error(core.error("invalid", text.count(errors, "problem", "problems")
      .. " in the policy"), 0)
  end
end

return {
  summary = "what is wrong with a policy, without running it; no network",
  usage = "falrun check POLICY.lua [--format gcc|json]",
  help = [[
Nothing of the policy is executed, and nothing is asked of the API. Found are
syntax errors; names and options that do not exist; durations and times that
are none; windows that are empty or in the future; values out of range;
policies without limits, without a return, or that select everything. What is
not written out (the result of a call, say) is looked at when it runs:
falrun plan runs a policy without deleting anything.

Errors end with 1; warnings are shown and end with 0. A comment at the end of
a line silences it:
  ... -- falrun: ignore

Example:
  falrun check older-than.lua
]],
  options = OPTIONS,
  run = run,
}
