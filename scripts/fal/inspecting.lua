--- A policy's file, looked at without running it: what check and
--- install-timer share.
---
---   path --> text --> does it load? --> what is certainly wrong with it
local core = require "core"
local checking = require "fal.checking"
local text = require "fal.text"

local inspecting = {}

local SOURCE_MAX <const> = 4 << 20
local SHOWN <const> = 100

local function lines_of(source)
  local lines = {}
  for line in (source .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Hints of a run for findings that have none, and the number of errors.
local function finish(host, file)
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

--- What is wrong with the file; ends the command where it cannot be read.
---@return table file   path, source, found, errors, raised?
function inspecting.look(host, path)
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
  return finish(host, file)
end

local function say(host, file, problem)
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

--- Says what was found; what does not load is told as a run tells it.
function inspecting.tell(host, file)
  if file.raised then
    host.guard(error, file.raised, 0)
    return
  end
  for _, problem in ipairs(file.found) do
    say(host, file, problem)
  end
end

return inspecting
