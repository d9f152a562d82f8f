--- falrun report: what runs erased, kept and left, for people and programs.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local reporting = require "fal.reporting"
local runs_of = require "fal.runs"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "since", value = "DURATION",
    help = "all runs that began within it, like 30d" },
  { name = "html", value = "FILE",
    help = "write a page; - is standard output" },
  { name = "csv", flag = true, help = "a line for each request" },
  { name = "markdown", flag = true, help = "tables in Markdown" },
}

local function chosen(given, words)
  if words[2] or words[1] and given.since then
    host.usage "falrun report takes one run, or --since"
  elseif given.since then
    return runs_of.since(host, given.since)
  end
  return { runs_of.find(host, words[1] or "last") }
end

local function write_page(made, path)
  local page = require("fal.report_page").of(made, host.version, host.text)
  if path == "-" then
    return host.write(page)
  end
  local ok, err = host.write_file(path, page)
  if not ok then
    host.usage(("the report was not written: %s"):format(err.message))
  elseif not host.options.quiet then
    core.log.info(("%s: %s KiB"):format(text.clean(path),
                                        text.number(#page >> 10)))
  end
end

local function check_forms(given)
  local forms = {}
  for _, name in ipairs { "html", "csv", "markdown" } do
    forms[#forms + 1] = given[name] and "--" .. name
  end
  if host.options.json then
    forms[#forms + 1] = "--json"
  end
  if forms[2] then
    host.usage(table.concat(forms, " and ") .. " are two forms: one of them")
  end
end

local function run()
  local given, words = cli.parse(host, "report", OPTIONS)
  check_forms(given)
  local runs = chosen(given, words)
  if given.csv then
    return require("fal.report_text").csv(host, runs)
  end
  local made = reporting.collect(host, runs)
  if host.options.json then
    host.write(core.json.encode(made) .. "\n")
  elseif given.html then
    write_page(made, given.html)
  elseif given.markdown then
    host.write(require("fal.report_text").markdown(made))
  else
    require("fal.report_text").show(host, made)
  end
end

return {
  summary = "what runs erased, kept and left: a page, tables, JSON, CSV",
  usage = "falrun report [RUN|last | --since DURATION] [--html FILE | --csv | "
    .. "--markdown]",
  help = [[
Adds up what runs did: what was erased per day and endpoint and on whose
answer, what policies kept, what was held and why, what failed and for which
cause, which files are left, and how near the limits were. Without a form it is
shown as text; --json has the same as one object (docs/report.md).

--html writes one file that asks nothing of any other host: for a screen, in
light and dark, and for paper; each chart has its table. "deleted" in it is the
provider's answer, and nothing more; falrun verify-erasure asks the CDN, and
falrun certificate has the proof for one request.

Examples:
  falrun report
  falrun report --since 30d --html erased.html
  falrun report 7 --csv > run-7.csv
]],
  options = OPTIONS,
  run = run,
}
