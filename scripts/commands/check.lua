--- falrun check POLICY.lua: what is wrong with it, without running it?
local core = require "core"
local host = require "host"
local inspecting = require "fal.inspecting"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "format", value = "F", help = "gcc (path:line:column: error: "
    .. "message) or json" },
}

-- ---- for people ------------------------------------------------------------

local function tell(files)
  for _, file in ipairs(files) do
    inspecting.tell(host, file)
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
  local format, files, errors = format_of(), { inspecting.look(host,
    host.policy.path) }, 0
  for _, path in ipairs(host.args) do
    files[#files + 1] = inspecting.look(host, path)
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
