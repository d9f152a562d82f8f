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

-- ---- looking ---------------------------------------------------------------

local function lines_of(source)
  local lines = {}
  for line in (source .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Hints of a run for findings that have none, and the number of errors.
local function finish(file)
  local lines = file.found[1] and lines_of(file.source)
  file.errors = 0
  for _, problem in ipairs(file.found) do
    local told = problem.told or problem.message
    problem.told = nil
    problem.hint = problem.hint or not told:find("did you mean", 1, true) and
      host.hint(("%s:%d: %s"):format(file.path, problem.line, told),
                lines[problem.line] or "", file.source) or nil
    file.errors = file.errors + (problem.level == "error" and 1 or 0)
  end
  file.lines = lines
  return file
end

--- A test of policies has the global `test` as well.
local function given_to(path)
  return path:find "_test%.lua$" and { "test" } or {}
end

local function look(path)
  local source, err = host.read_file(path, SOURCE_MAX)
  if not source then
    host.usage(err.message)
  end
  local file = { path = path, source = source }
  local ok, raised = pcall(host.load_test, path, source, {})
  if ok then
    file.found = checking.problems(source, core.at(), given_to(path))
  else
    file.found = { checking.syntax(source, tostring(raised)) }
    file.raised = raised
  end
  return finish(file)
end

-- ---- for people ------------------------------------------------------------

local function say(file, problem)
  local line = file.lines[problem.line]
  host.say(text.clean(("%s:%d: %s%s"):format(file.path, problem.line,
    problem.level == "error" and "" or problem.level .. ": ",
    problem.message)))
  if line then
    host.say(("%6d | %s"):format(problem.line, text.clean(line:sub(1, SHOWN))))
  end
  if problem.hint then
    host.say("         hint: " .. text.clean(problem.hint))
  end
end

--- What does not load is told as a run tells it.
local function tell(files)
  for _, file in ipairs(files) do
    if file.raised then
      host.guard(error, file.raised, 0)
    else
      for _, problem in ipairs(file.found) do
        say(file, problem)
      end
    end
    if file.errors == 0 then
      host.write(("%s: ok%s\n"):format(text.clean(file.path), file.found[1]
        and ", " .. text.count(#file.found, "warning", "warnings") or ""))
    end
  end
end

-- ---- for editors -----------------------------------------------------------

local function print_gcc(files)
  for _, file in ipairs(files) do
    for _, problem in ipairs(file.found) do
      host.write(text.clean(("%s:%d:%d: %s: %s%s [%s]"):format(file.path,
        problem.line, problem.column, problem.level, problem.message,
        problem.hint and "; " .. problem.hint or "", problem.rule)) .. "\n")
    end
  end
end

local function print_json(files)
  local all = { ok = true, policies = {} }
  for i, file in ipairs(files) do
    all.ok = all.ok and file.errors == 0
    all.policies[i] = { policy = file.path, sha256 = host.sha256(file.source),
      ok = file.errors == 0, problems = core.json.array(file.found) }
  end
  host.write(core.json.encode(files[2] and all or all.policies[1]) .. "\n")
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

local SHOW <const> = { text = tell, gcc = print_gcc, json = print_json }

local function run()
  local format, files, errors = format_of(), { look(host.policy.path) }, 0
  for _, path in ipairs(host.args) do
    files[#files + 1] = look(path)
  end
  SHOW[format](files)
  for _, file in ipairs(files) do
    errors = errors + file.errors
  end
  if files[1].raised and not files[2] and format ~= "text" then
    error(files[1].raised, 0)
  elseif errors > 0 then
    error(core.error("invalid", ("%s in the %s"):format(text.count(errors,
      "problem", "problems"), files[2] and "policies" or "policy")), 0)
  end
end

return {
  summary = "what is wrong with a policy, without running it; no network",
  usage = "falrun check POLICY.lua... [--format gcc|json]",
  help = [[
Nothing of the policy is executed, and nothing is asked of the API. Found are
syntax errors; names and options that do not exist; durations and times that
are none; windows that are empty or in the future; values out of range;
comparisons that are never true; policies without limits, without a return, or
that select everything. What is not written out (the result of a call, say) is
looked at when it runs: falrun plan runs a policy without deleting anything.

Errors end with 1; warnings are shown and end with 0. A comment at the end of
a line silences it:
  ... -- falrun: ignore

Example:
  falrun check older-than.lua
]],
  options = OPTIONS,
  run = run,
}
