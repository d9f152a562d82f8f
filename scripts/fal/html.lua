--- Pages for people: one file, nothing asked of any other host.
---
---   parts of HTML --page--> a document with its style, for screen and paper
---
--- Whatever comes from outside goes through html.escape, or through html.data
--- where a script of the page reads it.
local core = require "core"
local text = require "fal.text"

local html = {}

local STYLE <const> = [[
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a;
  --paper: #fff; --line: #d0d7de; --band: #f6f8fa; --good: #1a7f37;
  --odd: #9a6700; --bad: #cf222e; --calm: #0969da; --other: #8250df; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6edf3;
  --soft: #9198a1; --paper: #0d1117; --line: #3d444d; --band: #151b23;
  --good: #3fb950; --odd: #d29922; --bad: #f85149; --calm: #4493f8;
  --other: #ab7df8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem;
  font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p { margin: .4rem 0; }
.soft { color: var(--soft); }
.good { color: var(--good); } .odd { color: var(--odd); }
.bad { color: var(--bad); }
code, .id { font-family: ui-monospace, monospace; font-size: .88em;
  overflow-wrap: anywhere; }
dl.figures { display: grid; gap: .75rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
dl.figures div { border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem .75rem; }
dl.figures dt { color: var(--soft); font-size: .85rem; }
dl.figures dd { margin: 0; font-size: 1.4rem; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding: .2rem 0; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: .75rem 0; }
.chart { position: relative; height: 16rem; }
details { margin: .5rem 0; } summary { cursor: pointer; }
footer { margin-top: 3rem; color: var(--soft); font-size: .88rem; }
@media print { body { max-width: none; padding: 0; }
  h2 { break-after: avoid; } tr, figure { break-inside: avoid; }
  details > summary { display: none; } }
]]

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
                           ['"'] = "&quot;", ["'"] = "&#39;" }

--- Text as HTML, for elements and for attributes in quotes; without what
--- steers a terminal or turns the direction of writing.
function html.escape(value)
  return (text.clean(value):gsub("[&<>\"']", ENTITIES))
end

local function escape_one(character)
  return ("\\u%04x"):format(utf8.codepoint(character))
end

--- A value as JSON that a <script type="application/json"> can hold.
function html.data(value)
  local json = core.json.encode(value):gsub("[<>&]", escape_one)
  for _, pattern in ipairs(text.MARKS) do
    json = json:gsub(pattern, escape_one)
  end
  return json
end

--- A table. A column is {title, right?, raw?}: raw cells are HTML already.
function html.table(caption, columns, rows)
  local out = { '<div class="scroll"><table><caption>', html.escape(caption),
                "</caption><thead><tr>" }
  local function add(...)
    for _, part in ipairs { ... } do
      out[#out + 1] = part
    end
  end
  for _, column in ipairs(columns) do
    add('<th scope="col"', column.right and ' class="n"' or "", ">",
        html.escape(column.title), "</th>")
  end
  add "</tr></thead><tbody>"
  for _, row in ipairs(rows) do
    add "<tr>"
    for i, column in ipairs(columns) do
      local cell = row[i] == nil and "" or tostring(row[i])
      add("<td", column.right and ' class="n"' or "", ">",
          column.raw and cell or html.escape(cell), "</td>")
    end
    add "</tr>\n"
  end
  add "</tbody></table></div>\n"
  return table.concat(out)
end

--- Figures side by side: {label, value, class?} each.
function html.figures(list)
  local out = { '<dl class="figures">' }
  for _, one in ipairs(list) do
    out[#out + 1] = ('<div><dt>%s</dt><dd class="%s">%s</dd></div>'):format(
      html.escape(one[1]), one[3] or "", html.escape(one[2]))
  end
  out[#out + 1] = "</dl>\n"
  return table.concat(out)
end

--- A whole document. `scripts`: texts of scripts, for its end.
function html.page(title, body, scripts)
  local out = { "<!doctype html>\n<html lang=\"en\"><head>"
    .. "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
    .. "content=\"width=device-width, initial-scale=1\">\n"
    .. "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    .. "'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    .. "img-src data:\">\n<title>", html.escape(title), "</title>\n<style>\n",
    STYLE, "</style></head>\n<body>\n", body }
  for _, script in ipairs(scripts or {}) do
    out[#out + 1] = "<script>\n" .. script .. "\n</script>\n"
  end
  out[#out + 1] = "</body></html>\n"
  return table.concat(out)
end

return html
