--- falrun config: what the config file says, and where each value comes from.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "origin", flag = true,
    help = "show: where each value comes from, file and line" },
}

local COLUMNS <const> = {
  { title = "OPTION", always = true },
  { title = "VALUE", always = true, shrink = true },
}
local WITH_ORIGIN <const> = {
  COLUMNS[1], COLUMNS[2], { title = "FROM", always = true },
}

--- A password within a URL is nobody's to see.
local function shown(value)
  return value and (value:gsub("(://)[^/@]*@", "%1***@"))
end

local function file_words(setup)
  if setup.path then
    return setup.path
  end
  return setup.usual and ("none (looked for %s)"):format(setup.usual)
    or "none"
end

-- ---- show ------------------------------------------------------------------

local function show_json(setup)
  local options = core.json.array {}
  for i, row in ipairs(setup.options) do
    options[i] = { name = row.name, value = shown(row.value) or core.json.null,
                   origin = row.origin, place = row.place or core.json.null }
  end
  local accounts = core.json.array {}
  table.move(setup.accounts, 1, #setup.accounts, 1, accounts)
  host.write(core.json.encode {
    config = setup.path or core.json.null,
    account = setup.account or core.json.null,
    accounts = accounts, options = options,
  } .. "\n")
end

local function show(given)
  local setup, rows = host.setup, {}
  if host.options.json then
    return show_json(setup)
  end
  for i, row in ipairs(setup.options) do
    rows[i] = { row.name, text.clean(shown(row.value) or "-"),
                row.place or row.origin }
  end
  host.write(("config file  %s\naccount      %s\naccounts     %s\n\n"):format(
    text.clean(file_words(setup)), setup.account or "none chosen",
    setup.accounts[1] and table.concat(setup.accounts, ", ") or "none"))
  text.table(host, given.origin and WITH_ORIGIN or COLUMNS, rows)
end

-- ---- check -----------------------------------------------------------------

local function check_json(setup)
  local problems = core.json.array {}
  for i, problem in ipairs(setup.problems) do
    problems[i] = { line = problem.line or core.json.null,
                    key = problem.name or core.json.null,
                    message = problem.words }
  end
  host.write(core.json.encode {
    ok = not problems[1], config = setup.path or core.json.null,
    problems = problems,
  } .. "\n")
end

local function print_problem(setup, problem)
  host.write(("%s:%s%s %s\n"):format(text.clean(setup.path),
    problem.line and problem.line .. ":" or "",
    problem.name and " " .. text.clean(problem.name) .. ":" or "",
    text.clean(problem.words)))
end

local function check()
  local setup = host.setup
  local count = #setup.problems
  if host.options.json then
    check_json(setup)
  else
    for _, problem in ipairs(setup.problems) do
      print_problem(setup, problem)
    end
  end
  if count > 0 then
    host.usage(("%s: %s"):format(setup.path, text.count(count,
      "problem", "problems")))
  elseif not host.options.quiet then
    core.log.info(setup.path and ("%s is sound: %s"):format(setup.path,
      text.count(#setup.accounts, "account", "accounts"))
      or "there is no config file: " .. file_words(setup))
  end
end

-- ---- the command -----------------------------------------------------------

local function run()
  local given, words = cli.parse(host, "config", OPTIONS)
  if words[2] or words[1] ~= "show" and words[1] ~= "check" then
    host.usage "falrun config takes one word: show or check"
  elseif words[1] == "show" then
    return show(given)
  elseif given.origin then
    host.usage "--origin belongs to falrun config show"
  end
  check()
end

return {
  summary = "the config file: what it says, and whether it is sound",
  usage = "falrun config show [--origin] [--account NAME]\n"
    .. "falrun config check",
  help = [[
The config file is the one that --config or FALRUN_CONFIG names, else
$XDG_CONFIG_HOME/falrun/config, else ~/.config/falrun/config. At its top stand
options of every run, without their dashes; a section [account NAME] says them
anew for an account, and names its keys and policies:

  max-deletes = 5000

  [account prod]
  admin-key = file:/etc/falrun/prod.key
  policies  = flux-30d.lua drafts-7d.lua

The command line counts before variables, these before the account, that before
the top. Keys and ledger of a chosen account are its section's alone.

show lists each option with its value; with --origin also where that comes
from. A key is shown as it is named, never itself. check reads all of it and
says every problem, with its line; commands that print keys are not run.

Examples:
  falrun config show --origin --account prod
  falrun config check
  falrun --account prod plan
  falrun --accounts all --quiet
]],
  options = OPTIONS,
  words = { "show", "check" },
  run = run,
}
