--- What `falrun test` tells: TAP 14, JUnit's XML, or JSON.
local core = require "core"
local text = require "fal.text"

local report = {}

--- ---- TAP -------------------------------------------------------------------

--- A description may not look like a directive, nor break its line.
local function description(name)
  return (text.clean(name):gsub("[\\#]", "\\%0"))
end

local function yaml_text(lines, name, value)
  if not value:find("[\n\r]") then
    lines[#lines + 1] = ("  %s: '%s'"):format(name, value:gsub("'", "''"))
    return
  end
  lines[#lines + 1] = ("  %s: |"):format(name)
  for line in (value:gsub("\n+$", "") .. "\n"):gmatch("(.-)\r?\n") do
    lines[#lines + 1] = "    " .. line
  end
end

--- The lines of one result.
function report.tap(number, result)
  local name = description(result.file .. ": " .. result.name)
  if result.ok then
    return ("ok %d - %s\n"):format(number, name)
  end
  local lines = { ("not ok %d - %s"):format(number, name), "  ---" }
  yaml_text(lines, "message", text.clean(result.message))
  if result.line then
    lines[#lines + 1] = ("  at: '%s:%d'"):format(
      text.clean(result.file):gsub("'", "''"), result.line)
  end
  if result.said ~= "" then
    yaml_text(lines, "said", report.plain(result.said))
  end
  lines[#lines + 1] = "  ..."
  return table.concat(lines, "\n") .. "\n"
end

--- Lines of text without what would steer a terminal.
function report.plain(said)
  local lines = {}
  for line in (said:gsub("\n+$", "") .. "\n"):gmatch("(.-)\r?\n") do
    lines[#lines + 1] = text.clean((line:gsub("\t", "    ")))
  end
  return table.concat(lines, "\n")
end

--- ---- JUnit -----------------------------------------------------------------

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
                           ['"'] = "&quot;", ["\n"] = "&#10;",
                           ["\t"] = "&#9;" }

--- Text for an attribute or an element; XML has no other control characters.
local function xml(value)
  if not utf8.len(value) then
    value = value:gsub("[\x80-\xff]", "?")
  end
  return (value:gsub("[\0-\8\11-\31\127]", "?"):gsub('[&<>"\n\t]', ENTITIES))
end

local function body(value)
  return (xml(value):gsub("&#10;", "\n"))
end

local function add_case(lines, result)
  lines[#lines + 1] = ('    <testcase classname="%s" name="%s" file="%s"'
    .. ' time="%.3f"%s'):format(xml(result.file), xml(result.name),
    xml(result.file), result.seconds, result.ok and "/>" or ">")
  if result.ok then
    return
  end
  lines[#lines + 1] = ('      <failure message="%s">%s%s</failure>'):format(
    xml(result.message), result.line and body(("%s:%d: "):format(result.file,
    result.line)) or "", body(result.message))
  if result.said ~= "" then
    lines[#lines + 1] = ("      <system-out>%s</system-out>"):format(
      body(report.plain(result.said)))
  end
  lines[#lines + 1] = "    </testcase>"
end

--- Results by file, in the order of the first of each.
local function by_file(results)
  local order, groups = {}, {}
  for _, result in ipairs(results) do
    local group = groups[result.file]
    if not group then
      group = { failed = 0, seconds = 0 }
      groups[result.file] = group
      order[#order + 1] = result.file
    end
    group[#group + 1] = result
    group.failed = group.failed + (result.ok and 0 or 1)
    group.seconds = group.seconds + result.seconds
  end
  return order, groups
end

--- The whole document.
function report.junit(results, totals)
  local lines = { '<?xml version="1.0" encoding="UTF-8"?>',
    ('<testsuites tests="%d" failures="%d" errors="0" time="%.3f">'):format(
      #results, totals.failed, totals.seconds) }
  local order, groups = by_file(results)
  for _, file in ipairs(order) do
    local group = groups[file]
    lines[#lines + 1] = ('  <testsuite name="%s" tests="%d" failures="%d"'
      .. ' errors="0" skipped="0" time="%.3f">'):format(xml(file), #group,
      group.failed, group.seconds)
    for _, result in ipairs(group) do
      add_case(lines, result)
    end
    lines[#lines + 1] = "  </testsuite>"
  end
  lines[#lines + 1] = "</testsuites>\n"
  return table.concat(lines, "\n")
end

--- ---- JSON ------------------------------------------------------------------

local function list_of(rows)
  for _, row in ipairs(rows or {}) do
    row.missing = core.json.array(row.missing)
  end
  return rows and core.json.array(rows)
end

--- The whole document; `rows` of the coverage, or nil.
function report.json(results, totals, rows)
  local list = {}
  for i, result in ipairs(results) do
    list[i] = { file = result.file, name = result.name, ok = result.ok,
      seconds = result.seconds, line = result.line,
      message = result.message, said = not result.ok and result.said or nil }
  end
  return core.json.encode { tests = core.json.array(list),
    passed = totals.passed, failed = totals.failed,
    seconds = totals.seconds, coverage = list_of(rows) } .. "\n"
end

return report
