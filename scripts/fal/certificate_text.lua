--- Certificates in words: what the screen and the page say alike.
local text = require "fal.text"

local words = {}

--- The title never reads like a proof of erasure where there is none.
function words.title(made)
  local all = #made.requests
  if made.erased == all then
    return "Certificate of erasure"
  elseif all == 1 then
    return "No certificate of erasure: the request is NOT erased"
  end
  return ("No certificate of erasure as a whole: %s of %s requests are NOT "
    .. "erased"):format(text.number(all - made.erased), text.number(all))
end

function words.about(made)
  return made.run and ("run %d: %s"):format(made.run, text.count(
    #made.requests, "request", "requests")) or made.requests[1].request_id
end

local function policy(request)
  local rule = request.policy
  if not rule then
    return request.announced_run and "none: a command" or nil
  end
  local parts = { rule.name }
  if rule.file then
    parts[#parts + 1] = ("%s, sha256 %s"):format(rule.file,
                                                 rule.sha256 or "unknown")
  end
  return table.concat(parts, ", ")
end

local function files_left(request)
  local rows = {}
  for i, file in ipairs(request.residue) do
    rows[i] = ("%s (%s)"):format(file.link == "" and "without a name"
      or file.link, file.exception)
  end
  if not rows[1] and request.erased then
    rows[1] = "none that the record knows of"
  end
  return rows
end

local function inputs(request)
  local rows = {}
  for i, file in ipairs(request.input_files) do
    rows[i] = ("%s (%s)"):format(file.link, file.seen and
      "seen: " .. file.seen or "fal keeps it")
  end
  if not rows[1] and request.announced_at then
    rows[1] = request.input_looked_at and "no file of the input"
      or "nobody looked whether fal keeps files of the input"
  end
  return rows
end

local function answer(request)
  if request.evidence and request.at then
    return request.evidence .. (request.http_status and
      (", HTTP %d"):format(request.http_status) or "")
  end
end

--- What there is to tell of a request: {name, value} each, in order.
function words.facts(request)
  local list = {}
  local function add(name, value)
    if value ~= nil and value ~= "" then
      list[#list + 1] = { name, value }
    end
  end
  add("state", (request.erased and "erased" or "NOT erased") .. " ("
    .. request.state .. ")")
  add(request.erased and "how" or "why", request.why)
  add("answer", answer(request))
  add("when", request.at)
  add("run", request.run)
  add("announced", request.announced_at and ("%s, run %d"):format(
    request.announced_at, request.announced_run))
  add("policy", policy(request))
  add("reason", request.reason)
  add("hold", request.hold)
  for _, row in ipairs(files_left(request)) do
    add("left", row)
  end
  for _, row in ipairs(inputs(request)) do
    add("input", row)
  end
  for _, probe in ipairs(request.probes) do
    add("probe", ("%s: %s at %s"):format(probe.link, probe.seen, probe.at))
  end
  add("events", table.concat(request.events, ", "))
  return list
end

--- What the proof is, and what it is not; a sentence each.
function words.proof(made)
  local point = made.checkpoint
  return {
    ("ledger %s, event %d of %s"):format(point.ledger, point.seq,
                                         point.at or "an unknown time"),
    "head " .. point.hash,
    "root " .. point.root,
  }, "What is confirmed is what the provider's API answered, no more. The "
    .. "proof shows that these events are in the record that has this root, "
    .. "not that it has no others about the same requests."
end

--- The certificate as text; `out` has write, as host.
function words.show(out, made)
  local function line(name, value)
    out.write(("%-10s %s\n"):format(name, text.clean(value)))
  end
  out.write(words.title(made) .. "\n")
  line("about", words.about(made))
  line("made", ("%s by %s"):format(made.made_at, made.made_by))
  for _, request in ipairs(made.requests) do
    out.write("\n" .. request.request_id .. "\n")
    for _, fact in ipairs(words.facts(request)) do
      line("  " .. fact[1], fact[2])
    end
  end
  local lines, note = words.proof(made)
  out.write("\n")
  for _, one in ipairs(lines) do
    out.write(one .. "\n")
  end
  out.write(note .. "\n--json and --html have the proof "
    .. "itself (docs/certificate.md)\n")
end

return words
