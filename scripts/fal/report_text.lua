--- A report as text: Markdown, CSV, and a few lines for a terminal.
local reporting = require "fal.reporting"
local story = require "fal.story"
local text = require "fal.text"

local words = {}

local function n(value)
  return text.number(value or 0)
end

--- "deleted 1,234, held 2"; `always` is named even when there is none.
function words.outcomes(outcomes, always)
  local parts = {}
  for _, name in ipairs(reporting.OUTCOMES) do
    local value = outcomes[name] or 0
    if value > 0 or name == always then
      parts[#parts + 1] = name .. " " .. n(value)
    end
  end
  return table.concat(parts, ", ")
end

-- ---- Markdown --------------------------------------------------------------

local function cell(value)
  return (text.clean(value == nil and "" or value):gsub("[\\|<>&`*_%[%]]",
    { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ["\\"] = "\\\\",
      ["|"] = "\\|", ["`"] = "\\`", ["*"] = "\\*", ["_"] = "\\_",
      ["["] = "\\[", ["]"] = "\\]" }))
end

local function add_table(out, columns, rows)
  local function line(cells)
    out[#out + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  local titles, rules = {}, {}
  for i, column in ipairs(columns) do
    titles[i], rules[i] = cell(column), i == 1 and "---" or "---:"
  end
  line(titles)
  line(rules)
  for _, row in ipairs(rows) do
    local cells = {}
    for i = 1, #columns do
      cells[i] = cell(row[i])
    end
    line(cells)
  end
end

local function add_counted(out, title, field_name, rows)
  if not rows[1] then
    return
  end
  out[#out + 1] = ("\n## %s\n"):format(title)
  local names, lines = reporting.occurring(rows), {}
  for i, row in ipairs(rows) do
    lines[i] = { row[field_name] }
    for _, name in ipairs(names) do
      lines[i][#lines[i] + 1] = n(row[name])
    end
  end
  add_table(out, { field_name, table.unpack(names) }, lines)
end

--- The whole report; a text.
function words.markdown(made)
  local out = { "# What was erased\n", ("%s in %s; ledger %s.")
    :format(words.outcomes(made.outcomes, "deleted"),
            text.count(#made.runs, "run", "runs"), cell(made.ledger)),
    ("\nOpen now: %s. Files that are left: %s. Input files that fal keeps: "
     .. "%s."):format(n(made.open_now), n(made.residue.files),
                      n(made.input_files)) }
  add_counted(out, "By day", "day", made.days)
  add_counted(out, "By endpoint", "endpoint", made.endpoints)
  add_counted(out, "Not deleted, by cause", "cause", made.causes)
  add_counted(out, "Held", "hold", made.holds)
  out[#out + 1] = "\n## Runs\n"
  local rows = {}
  for i, run in ipairs(made.runs) do
    rows[i] = { run.run, run.began_at, run.command, run.policy,
                run.exit_code or "none", n(run.erased) }
  end
  add_table(out, { "run", "began", "command", "policy", "exit", "erased" },
            rows)
  return table.concat(out, "\n") .. "\n"
end

-- ---- CSV -------------------------------------------------------------------

local CSV <const> = { "run", "at", "request_id", "outcome", "evidence",
  "http_status", "attempts", "endpoint", "policy", "reason" }

--- A field. What a spreadsheet takes for a formula gets a ' before it.
local function field(value)
  local s = value == nil and "" or text.clean(value)
  if s:find "^[=+%-@]" then
    s = "'" .. s
  end
  return s:find '[",]' and '"' .. s:gsub('"', '""') .. '"' or s
end

--- Writes a line for each outcome of the runs.
function words.csv(host, runs)
  host.write(table.concat(CSV, ",") .. "\r\n")
  reporting.each(host, runs, function(run, event, outcome, intent)
    local data, about = event and event.data or {}, intent and intent.data
    local from = event or intent
    local cells = { run.run, from.at, from.request_id, outcome,
      story.value(data.evidence), story.value(data.http_status),
      story.value(data.attempts), about and story.value(about.endpoint),
      about and story.value(about.policy), story.value(data.reason) or
        about and story.value(about.reason) }
    for i = 1, #CSV do
      cells[i] = field(cells[i])
    end
    host.write(table.concat(cells, ",") .. "\r\n")
  end)
end

-- ---- a terminal ------------------------------------------------------------

local function rows_of(rows, name_field)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = { row[name_field], words.outcomes(row) }
  end
  return list
end

--- A screen of it.
function words.show(host, made)
  host.write(("%s\n"):format(words.outcomes(made.outcomes, "deleted")))
  host.write(("%s; open now: %s; files that are left: %s\n"):format(
    text.count(#made.runs, "run", "runs"), n(made.open_now),
    n(made.residue.files)))
  for _, part in ipairs { { "DAY", made.days, "day" },
                          { "ENDPOINT", made.endpoints, "endpoint" },
                          { "NOT DELETED", made.causes, "cause" },
                          { "HELD", made.holds, "hold" } } do
    if part[2][1] then
      host.write("\n")
      text.table(host, { { title = part[1], always = true, shrink = true },
                         { title = "REQUESTS", shrink = true } },
                 rows_of(part[2], part[3]))
    end
  end
end

return words
