--- A certificate: what the record says of requests, and the proof that it does.
---
---   events of each request --replay--> state, residue, on whose answer
---   their numbers --ledger.prove--> their bytes, and the way to the root
---
--- All of it is told from the events that are proven, never from a table, so
--- that whoever has the certificate can tell it again (docs/certificate.md).
local core = require "core"
local seen = require "fal.seen"
local story = require "fal.story"

local certificate = {}

certificate.MOST = 20000                -- requests; a run's limit is 10,000

local SECOND <const> = 1000

-- ---- the replay of one request ---------------------------------------------

local takes = {}

function takes.intent(facts, event)
  facts.state, facts.outcome, facts.intent = "open", nil, event
end

local function any(residue)
  return next(residue) ~= nil
end

function takes.outcome(facts, event)
  local data = event.data
  facts.state, facts.outcome, facts.settled = story.value(data.state), event,
    nil
  for _, file in ipairs(story.value(data.files) or {}) do
    facts.left[file.link] = story.value(file.exception)
  end
  local more = story.value(data.exceptions_left_out) or 0
  if more > 0 then
    facts.left[""] = ("%d more files"):format(more)
  end
end

function takes.probe(facts, event)
  local data = event.data
  if data.seen == "gone" then
    facts.left[data.link] = nil
    if facts.state == "partial" and not any(facts.left) then
      facts.state, facts.settled = "deleted", event
    end
  elseif data.seen == "there" and not data.input and facts.intent then
    facts.left[data.link] = ("still served: HTTP %d"):format(data.http_status)
    if facts.state == "deleted" or facts.state == "gone" then
      facts.state, facts.settled = "partial", event
    end
  end
end

function takes.held(facts, event)
  facts.skipped = event
end
takes.refused = takes.held

function takes.hold_add(facts, event)
  facts.hold = story.value(event.data.reason)
end

function takes.hold_remove(facts)
  facts.hold = nil
end

-- ---- on whose answer -------------------------------------------------------

local ANSWER <const> = {
  answered = "confirmed by the provider's API",
  replayed = "confirmed by the provider's API, which repeated its answer to "
    .. "the same Idempotency-Key",
}

local function why_erased(facts)
  local data = facts.outcome.data
  if facts.settled then
    return "in part confirmed by the provider's API; the files that it left "
      .. "were seen as gone from its CDN afterwards"
  elseif story.value(data.evidence) ~= "inferred" then
    return ANSWER[story.value(data.evidence)] or "no evidence is recorded"
  elseif facts.state == "gone" then
    return "inferred: the provider's API answered 404 for a request that this "
      .. "account had listed or had asked to delete before"
  end
  return "inferred: an attempt had no answer, and a later one found nothing "
    .. "left to delete"
end

local WHY_NOT <const> = {
  open = "it was asked for, and no answer is recorded; the next run settles "
    .. "it",
  failed = "the provider's API did not do it",
  refused = "the provider's API refused the key",
  unsent = "it was announced and never sent",
}

local function why_not(facts)
  if facts.state == "partial" then
    return facts.settled and "a file of it was still served afterwards"
      or "the provider's API left files"
  elseif facts.state then
    return WHY_NOT[facts.state] or "the record names no reason"
  elseif facts.skipped then
    return facts.skipped.kind == "held" and "it was selected, and a hold "
      .. "covered it" or "it was selected, and a limit forbade it"
  end
  return "it was never asked for"
end

--- Is it erased, as far as the record tells? On whose answer, or why not?
local function judge(facts)
  if (facts.state == "deleted" or facts.state == "gone") and
    not any(facts.left) then
    return true, why_erased(facts)
  end
  return false, why_not(facts)
end

-- ---- one request -----------------------------------------------------------

local function residue_of(left)
  local rows = core.json.array {}
  for link, why in pairs(left) do
    rows[#rows + 1] = { link = link, exception = why }
  end
  table.sort(rows, function(a, b) return a.link < b.link end)
  return rows
end

local function files_of(facts)
  local files = seen.files_in(facts.events)
  local inputs, probes = core.json.array {}, core.json.array {}
  for _, file in ipairs(files) do
    if file.input then
      inputs[#inputs + 1] = { link = file.link, seen = file.seen }
    end
    if file.seen then
      probes[#probes + 1] = { link = file.link, seen = file.seen,
        input = file.input, at = core.format_time(file.at_ms // SECOND
                                                  * SECOND) }
    end
  end
  return inputs, probes, files.looked
end

local function policy_of(facts, runs)
  local run = facts.intent and runs[facts.intent.run]
  local name = facts.intent and story.value(facts.intent.data.policy)
  if run and (name or run.policy) then
    return { name = name, file = run.policy, sha256 = run.policy_sha256 }
  end
end

local function request_of(facts, runs)
  local erased, why = judge(facts)
  local outcome, intent = facts.outcome, facts.intent
  local data = outcome and outcome.data or {}
  local request = { request_id = facts.request_id, erased = erased,
    state = facts.state or "none", why = why, hold = facts.hold,
    at = outcome and outcome.at, run = outcome and outcome.run,
    evidence = story.value(data.evidence),
    http_status = story.value(data.http_status),
    announced_at = intent and intent.at, announced_run = intent and intent.run,
    reason = intent and story.value(intent.data.reason),
    policy = policy_of(facts, runs), residue = residue_of(facts.left),
    events = core.json.array {} }
  request.input_files, request.probes, request.input_looked_at =
    files_of(facts)
  for i, event in ipairs(facts.events) do
    request.events[i] = event.seq
  end
  return request
end

--- What the events up to `size` say of a request; nil when there are none.
local function facts_of(host, id, size)
  local facts = { request_id = id, events = {}, left = {} }
  host.ledger.events({ request_id = id }, function(event)
    if event.seq > size then
      return true
    end
    facts.events[#facts.events + 1] = event
    local take = takes[event.kind]
    if take then
      take(facts, event)
    end
  end)
  return facts.events[1] and facts
end

-- ---- the whole -------------------------------------------------------------

local function begin_of(host, run)
  local seq
  host.ledger.events({ run = run }, function(event)
    seq = event.seq
    return true
  end)
  return seq
end

--- The numbers of all events concerned, rising: of the requests, of the runs
--- that worked at them, and the first of the ledger, which names it.
local function seqs_of(host, requests, also)
  local set, runs, list = { [1] = true }, {}, {}
  for _, request in ipairs(requests) do
    for _, seq in ipairs(request.events) do
      set[seq] = true
    end
    runs[request.run or 0], runs[request.announced_run or 0] = true, true
  end
  for run in pairs(runs) do
    set[run > 0 and begin_of(host, run) or 1] = true
  end
  for _, seq in ipairs(also) do
    set[seq] = true
  end
  for seq in pairs(set) do
    list[#list + 1] = seq
  end
  table.sort(list)
  return list
end

local function proof_of(host, seqs, point)
  local proof, err = host.ledger.prove(seqs, point.seq)
  if not proof then
    error(err, 0)
  end
  table.sort(proof.rest, function(a, b) return a.first < b.first end)
  local rest = core.json.array {}
  for i, part in ipairs(proof.rest) do
    rest[i] = part.hash
  end
  point.root = proof.root
  return { events = core.json.array(proof.events), rest = rest }
end

--- The certificate of these ids; nil and the first id that the events up to
--- the checkpoint do not know.
---@param point table     a checkpoint that the ledger contains
---@param also integer[]  further events that are part of it
function certificate.make(host, ids, point, also)
  local runs, requests = {}, core.json.array {}
  for _, run in ipairs(host.ledger.runs()) do
    runs[run.run] = run
  end
  local erased = 0
  for i, id in ipairs(ids) do
    local facts = facts_of(host, id, point.seq)
    if not facts then
      return nil, id
    end
    requests[i] = request_of(facts, runs)
    erased = erased + (requests[i].erased and 1 or 0)
  end
  local made = { certificate = 1, requests = requests, erased = erased,
                 made_by = "falrun " .. host.version,
                 made_at = core.format_time(core.at() // SECOND * SECOND) }
  made.proof = proof_of(host, seqs_of(host, requests, also), point)
  made.checkpoint = { seq = point.seq, hash = point.hash, root = point.root,
                      ledger = point.ledger, at = point.at }
  return made
end

--- The ids that a run worked at, and all of its events up to `size`; nil when
--- there are more than fit.
function certificate.of_run(host, run, size)
  local ids, known, seqs = {}, {}, {}
  host.ledger.events({ run = run }, function(event)
    if event.seq > size or #ids > certificate.MOST then
      return true
    end
    seqs[#seqs + 1] = event.seq
    if event.request_id and not known[event.request_id] then
      known[event.request_id] = true
      ids[#ids + 1] = event.request_id
    end
  end)
  return #ids <= certificate.MOST and ids or nil, seqs
end

return certificate
