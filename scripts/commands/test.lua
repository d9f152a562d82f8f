--- falrun test [PATH...]: policy tests, offline, on a virtual clock.
local check = require "fal.testing_check"
local cli = require "fal.cli"
local core = require "core"
local coverage = require "fal.testing_coverage"
local files = require "fal.testing_files"
local fixture = require "sandbox.fixture"
local host = require "host"
local offline = require "sandbox.offline"
local report = require "fal.testing_report"
local testing = require "fal.testing"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "tap", flag = true, help = "TAP 14 on standard output (the "
    .. "default)" },
  { name = "junit", value = "FILE", help = "JUnit XML into FILE, too" },
  { name = "coverage", flag = true, help = "tell which lines of the policies "
    .. "ran" },
  { name = "filter", value = "TEXT", help = "only tests whose name has "
    .. "TEXT" },
}

local FILE_MOST <const> = 4 << 20
local TESTS_MOST <const> = 100000

--- ---- what a test stands on -------------------------------------------------

local function open(at)
  local world = fixture.new()
  return offline.open(host, { at = at, world = world })
end

--- Whether the API has nothing left of it.
local function is_gone(state, id)
  local number = state.world:number(id)
  return number ~= nil and state.world:is_gone(number)
    and not state.world.left[number]
end

local kit = { host = host, open = open, set_faults = offline.set_faults,
                  mark = offline.mark,
              sha256 = host.sha256, is_gone = is_gone, policies = {} }

--- ---- loading ---------------------------------------------------------------

local function add_test(list, file, name, f)
  if type(name) ~= "string" or name == "" then
    core.bad_argument(2, "test", "name", "text is needed")
  elseif type(f) ~= "function" then
    core.bad_argument(2, "test", "f", "a function is needed: "
                      .. "test(\"name\", function(t) ... end)")
  elseif #list >= TESTS_MOST then
    core.bad_argument(2, "test", "name", ("there are more than %d tests")
                      :format(TESTS_MOST))
  end
  list[#list + 1] = { file = file, name = name, f = f }
end

--- Takes the tests of a file; one that does not load is a failed test.
local function load(list, file)
  local source, err = host.read_file(file, FILE_MOST)
  if not source then
    host.usage(tostring(err))
  end
  local talk <close> = host.capture()
  local ok, why = pcall(function()
    host.load_test(file, source, { test = function(name, f)
      add_test(list, file, name, f)
    end })()
  end)
  if not ok and type(why) == "table" and why.code == "cancelled" then
    error(why, 0)
  elseif not ok then
    list[#list + 1] = { file = file, name = "loads", broken = why,
                        said = talk:text() }
  end
end

local function collect(given, words)
  local found, why = files.find(host, words)
  if not found then
    host.usage("falrun test: " .. why)
  elseif not found[1] then
    host.usage("falrun test: no test file was found; their names end in "
               .. "_test.lua")
  end
  local list, kept = {}, {}
  for _, file in ipairs(found) do
    load(list, file)
  end
  for _, case in ipairs(list) do
    local wanted = not given.filter or case.broken or
      case.name:find(given.filter, 1, true)
    kept[#kept + 1] = wanted and case or nil
  end
  if not kept[1] then
    host.usage(given.filter and ("falrun test: no test has \"%s\" in its "
      .. "name"):format(text.clean(given.filter)) or
      "falrun test: the test files have no tests")
  end
  return kept
end

--- ---- running ---------------------------------------------------------------

--- What an error says, and the line of the file that it names.
local function explain(err, file)
  local message = type(err) == "table" and err.message or tostring(err)
  local where = type(err) == "table" and err.where or message
  local line = where:match(":(%d+): ")
  local prefix = file .. ":" .. (line or "") .. ": "
  if message:sub(1, #prefix) == prefix then
    message = message:sub(#prefix + 1)
  end
  return message, math.tointeger(tonumber(line))
end

local function perform(test)
  local case, t = testing.case(kit, test.file:match("^.*/") or "")
  test.labels = case.labels
  local _ <close> = setmetatable({}, { __close = function()
    if case.stage then
      case.stage:close()
    end
  end })
  test.f(t)
  check.settled(case)
  if case.asserted == 0 then
    error("the test asserts nothing: t.deleted, t.kept, t.exit, ... do", 0)
  end
end

local function run_one(test)
  local began = os.clock()
  local result = { file = test.file, name = test.name, said = test.said }
  local ok, err = false, test.broken
  if not err then
    local talk <close> = host.capture()
    ok, err = pcall(perform, test)
    result.said = talk:text()
  end
  if not ok and type(err) == "table" and err.code == "cancelled" then
    error(err, 0)
  end
  result.ok, result.seconds = ok, os.clock() - began
  if not ok then
    local labels = test.labels or {}
    result.message, result.line = explain(err, test.file)
    result.message = check.labelled(labels, result.message)
    result.said = check.labelled(labels, result.said)
  end
  return result
end

local function run_all(tests, told)
  local results = {}
  local totals = { passed = 0, failed = 0, seconds = 0 }
  for i, test in ipairs(tests) do
    local result = run_one(test)
    results[i] = result
    totals[result.ok and "passed" or "failed"] =
      totals[result.ok and "passed" or "failed"] + 1
    totals.seconds = totals.seconds + result.seconds
    told(i, result)
  end
  return results, totals
end

--- ---- telling ---------------------------------------------------------------

local function write_junit(path, results, totals)
  local ok, err = host.write_file(path, report.junit(results, totals))
  if not ok then
    host.usage("--junit: " .. tostring(err))
  end
end

--- Rows of what ran, or nil where nobody asked.
local function covered(noted, tests)
  if not noted then
    return nil
  end
  local own = {}
  for _, test in ipairs(tests) do
    own[test.file] = true
  end
  return coverage.rows(host, noted:hits(), own)
end

local function tell_coverage(rows)
  for _, row in ipairs(rows or {}) do
    host.say(coverage.line(row))
  end
end

local function run()
  local given, words = cli.parse(host, "test", OPTIONS)
  local json = host.options.json
  local noted = given.coverage and host.coverage()
  local tests = collect(given, words)
  if not json then
    host.write(("TAP version 14\n1..%d\n"):format(#tests))
  end
  local results, totals = run_all(tests, function(number, result)
    if not json then
      host.write(report.tap(number, result))
    end
  end)
  local rows = covered(noted, tests)
  if json then
    host.write(report.json(results, totals, rows))
  else
    tell_coverage(rows)
  end
  if given.junit then
    write_junit(given.junit, results, totals)
  end
  if totals.failed > 0 then
    error(core.error("invalid", ("%d of %s failed"):format(totals.failed,
      text.count(#results, "test", "tests"))), 0)
  elseif not host.options.quiet then
    core.log.info(("%s passed in %s"):format(text.count(totals.passed, "test",
      "tests"), text.seconds(totals.seconds)))
  end
end

return {
  summary = "run policy tests, offline and on a virtual clock",
  usage = "falrun test [options] [PATH...]",
  help = [[
A test file's name ends in _test.lua. It calls test(name, function(t) ... end);
t makes the requests, runs a policy that lies beside it, and says what must
have been deleted and what not. Folders are searched; without a PATH, the
current one. No network is used, no key and no ledger: each test has an API,
a ledger and a clock of its own, in memory. docs/testing.md tells more.

Ends with 0 when all passed, 1 when one failed, 2 when there is no test.

Examples:
  falrun test
  falrun test policies/ --filter "30 days" --coverage
  falrun test policies/flux_test.lua --junit results.xml
]],
  options = OPTIONS,
  run = run,
}
