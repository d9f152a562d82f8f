--- A certificate as one page of HTML, with the whole of it as JSON inside.
local core = require "core"
local html = require "fal.html"
local words = require "fal.certificate_text"

local page = {}

local SHOWN <const> = 1000              -- events in the table

local EVENTS <const> = {
  { title = "event", right = true }, { title = "at" },
  { title = "run", right = true }, { title = "kind" }, { title = "request" },
  { title = "hash", raw = true },
}

local FACTS <const> = { { title = "fact" }, { title = "as recorded" } }

local function code(value)
  return "<code>" .. html.escape(value) .. "</code>"
end

local function request_part(request)
  return ("<section><h2 class=\"%s\"><span class=\"id\">%s</span> %s</h2>\n")
    :format(request.erased and "good" or "bad", html.escape(
      request.request_id), request.erased and "erased" or "NOT erased")
    .. html.table(request.why, FACTS, words.facts(request)) .. "</section>\n"
end

local function events_part(made)
  local rows, all = {}, made.proof.events
  for i = 1, math.min(#all, SHOWN) do
    local event = all[i]
    rows[i] = { event.seq, core.format_time(event.at_ms // 1000 * 1000),
                event.run, event.kind, event.request_id, code(event.hash) }
  end
  return html.table(#all > SHOWN and ("The first %d of %d events; all are in "
    .. "this file"):format(SHOWN, #all) or "The events that say so", EVENTS,
    rows)
end

local function proof_part(made)
  local lines, note = words.proof(made)
  local out = { "<section><h2>Proof</h2>\n" }
  for _, line in ipairs(lines) do
    out[#out + 1] = "<p>" .. code(line) .. "</p>\n"
  end
  out[#out + 1] = "<p class=\"soft\">" .. html.escape(note) .. "</p>\n"
    .. "<p class=\"soft\">This file contains the proof as JSON; the script in "
    .. "falrun's docs/certificate.md checks it without falrun, and says by "
    .. "itself what the events say. Believe that, not this page.</p>\n"
  return table.concat(out) .. events_part(made) .. "</section>\n"
end

function page.of(made)
  local parts = {}
  for i, request in ipairs(made.requests) do
    parts[i] = request_part(request)
  end
  local title = words.title(made)
  return html.page(title, ("<main>\n<header><h1 class=\"%s\">%s</h1>\n"
    .. "<p class=\"soft\">%s; made %s by %s</p></header>\n"):format(
      made.erased == #made.requests and "good" or "bad", html.escape(title),
      html.escape(words.about(made)), html.escape(made.made_at),
      html.escape(made.made_by)) .. table.concat(parts) .. proof_part(made) ..
    '</main>\n<script type="application/json" id="certificate">' ..
    html.data(made) .. "</script>\n")
end

return page
