--- A report as one page of HTML: charts, and a table beside each.
local core = require "core"
local html = require "fal.html"
local reporting = require "fal.reporting"
local text = require "fal.text"

local page = {}

local CLASS <const> = { deleted = "good", gone = "good", partial = "odd",
                        failed = "bad", refused = "odd", open = "odd" }

local function n(value)
  return text.number(value or 0)
end

local function share(part)
  return part and ("%.0f %%"):format(part * 100) or ""
end

local function counted(caption, first, field, rows)
  local columns, cells = { { title = first } }, {}
  local names = reporting.occurring(rows)
  for i, name in ipairs(names) do
    columns[i + 1] = { title = name, right = true }
  end
  for i, row in ipairs(rows) do
    cells[i] = { row[field] }
    for _, name in ipairs(names) do
      cells[i][#cells[i] + 1] = n(row[name])
    end
  end
  return html.table(caption, columns, cells)
end

local function folded(title, body)
  return "<details><summary>" .. html.escape(title) .. "</summary>" .. body ..
    "</details>\n"
end

--- A chart with the table that says the same.
local function chart(part, label, table_html)
  return ('<figure><div class="chart"><canvas data-part="%s" role="img" '
    .. 'aria-label="%s"></canvas></div><figcaption>%s</figcaption></figure>\n')
    :format(part, html.escape(label), folded(label .. ", as a table",
                                             table_html))
end

local function section(title, ...)
  return "<section><h2>" .. html.escape(title) .. "</h2>\n" ..
    table.concat({ ... }) .. "</section>\n"
end

local function note(sentence)
  return "<p class=\"soft\">" .. html.escape(sentence) .. "</p>\n"
end

-- ---- the parts -------------------------------------------------------------

local function span_of(runs)
  local first, last = runs[1], runs[#runs]
  if not first then
    return "no run"
  elseif first == last then
    return ("run %d, %s"):format(first.run, first.began_at)
  end
  return ("%s, %s to %s"):format(text.count(#runs, "run", "runs"),
    first.began_at, last.ended_at or last.began_at)
end

local function head(made)
  return "<header><h1>What was erased</h1>\n" .. note(span_of(made.runs) ..
    "; ledger " .. made.ledger) .. "</header>\n"
end

local function figures(made)
  local list = {}
  for _, name in ipairs(reporting.OUTCOMES) do
    local value = made.outcomes[name] or 0
    if value > 0 or name == "deleted" then
      list[#list + 1] = { name, n(value), CLASS[name] }
    end
  end
  list[#list + 1] = { "open now", n(made.open_now),
                      made.open_now > 0 and "odd" or nil }
  list[#list + 1] = { "files left", n(made.residue.files),
                      made.residue.files > 0 and "odd" or nil }
  return html.figures(list) .. note("\"deleted\" is the provider's answer to "
    .. "the request to delete. fal keeps input files" ..
    (made.input_files > 0 and (": %s are known"):format(n(made.input_files))
     or "") .. ".")
end

local function evidence(made)
  local rows = {}
  for name, count in pairs(made.evidence) do
    rows[#rows + 1] = { name, n(count) }
  end
  table.sort(rows, function(a, b) return a[1] < b[1] end)
  return rows[1] and html.table("On whose answer: answered, replayed (the "
    .. "cached answer to the same key), inferred (it was gone already)",
    { { title = "evidence" }, { title = "requests", right = true } }, rows)
    or ""
end

local function erased(made)
  if not made.days[1] then
    return section("By day", note "Nothing was asked to be deleted.")
  end
  return section("By day", chart("days", "Requests by day and outcome",
      counted("Requests by day and outcome", "day", "day", made.days)),
    evidence(made)) ..
    section("By endpoint", chart("endpoints",
      "Requests by endpoint and outcome", counted(
        "Requests by endpoint and outcome", "endpoint", "endpoint",
        made.endpoints)))
end

local KEPT <const> = { "scanned", "planned", "kept", "held", "already_deleted",
                       "quarantine", "deleted" }

local function policies(made)
  if not made.policies[1] then
    return ""
  end
  local columns, rows = { { title = "policy" } }, {}
  for _, word in ipairs(KEPT) do
    columns[#columns + 1] = { title = word:gsub("_", " "), right = true }
  end
  for i, policy in ipairs(made.policies) do
    rows[i] = { policy.policy }
    for _, word in ipairs(KEPT) do
      rows[i][#rows[i] + 1] = n(policy[word])
    end
  end
  return section("By policy", html.table("What each policy looked at, and "
    .. "what became of it, over all runs", columns, rows))
end

local LEFT <const> = {
  { title = "request" }, { title = "run", right = true },
  { title = "outcome" }, { title = "why" }, { title = "at" },
}

local function left(made)
  local parts = {}
  if made.holds[1] then
    parts[1] = counted("Held, by the reason of the hold", "hold", "hold",
                       made.holds)
  end
  if made.causes[1] then
    parts[#parts + 1] = counted("Not deleted, by cause", "cause", "cause",
                                made.causes)
  end
  if not made.left[1] then
    return section("Not deleted", note "Everything that was selected was "
                   .. "deleted.")
  end
  local rows = {}
  for i, one in ipairs(made.left) do
    rows[i] = { one.request_id, one.run, one.outcome, one.cause, one.at }
  end
  parts[#parts + 1] = folded(("The requests (%s of %s)"):format(n(#rows),
    n(made.left_count)), html.table("Requests that were not deleted", LEFT,
                                    rows))
  return section("Not deleted", table.unpack(parts))
end

local function residue(made)
  if made.residue.files == 0 then
    return section("Files that are left", note "The ledger knows of none.")
  end
  local rows = {}
  for i, row in ipairs(made.residue.rows) do
    rows[i] = { row.request_id, row.link, row.exception }
  end
  local title = ("Files that fal did not delete, now (%s of %s)"):format(
    n(#rows), n(made.residue.files))
  return section("Files that are left", folded(title, html.table(title, {
    { title = "request" }, { title = "file" }, { title = "why" } }, rows)))
end

local function rate(made)
  if not made.rate then
    return ""
  end
  local rows = {}
  for i, point in ipairs(made.rate.points) do
    rows[i] = { point.at, n(point.deleted) }
  end
  local label = ("Requests deleted, in steps of %s"):format(text.seconds(
    made.rate.seconds))
  return section("Over time", chart("rate", label, html.table(label,
    { { title = "from" }, { title = "deleted", right = true } }, rows)))
end

local RUNS <const> = {
  { title = "run", right = true }, { title = "began" },
  { title = "took", right = true }, { title = "command" },
  { title = "policy" }, { title = "exit", right = true },
  { title = "erased", right = true }, { title = "limit", right = true },
  { title = "used", right = true },
}

local function runs(made)
  local rows = {}
  for i, run in ipairs(made.runs) do
    rows[i] = { run.run, run.began_at, run.seconds and
      text.seconds(run.seconds), run.command, run.policy,
      run.exit_code or "none", n(run.erased), run.max_deletes and
      n(run.max_deletes), share(run.limit_used) }
  end
  return section("Runs and their limits", html.table("Exit code 0: all done. "
    .. "\"used\" is how near a run came to its limit of deletions", RUNS,
    rows))
end

--- The page. `asset` gives the text of an embedded file.
function page.of(made, version, asset)
  local shown = html.data { outcomes = reporting.OUTCOMES, days = made.days,
                            endpoints = made.endpoints,
                            rate = made.rate or core.json.null }
  return html.page("What was erased", "<main>\n" .. head(made) ..
    figures(made) .. erased(made) .. policies(made) .. left(made) ..
    residue(made) .. rate(made) .. runs(made) .. "</main>\n<footer>" ..
    html.escape(("Made by falrun %s at %s from the ledger, which falrun "
      .. "verify checks."):format(version, made.made_at)) ..
    '</footer>\n<script type="application/json" id="data">' .. shown ..
    "</script>\n", { asset "assets.chart", asset "assets.report" })
end

return page
