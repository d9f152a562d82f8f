--- falrun certificate: what the record proves about a request, or a run.
local certificate = require "fal.certificate"
local checkpoint = require "fal.checkpoint"
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local runs = require "fal.runs"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "html", value = "FILE",
    help = "write a page; - is standard output" },
  { name = "checkpoint", value = "FILE",
    help = "prove up to the newest checkpoint there, not to the head" },
}

--- The checkpoint that the proof leads to; nil after the run was marked.
local function anchor(chain, path)
  local newest
  for _, point in ipairs(path and checkpoint.read(host, path) or {}) do
    local why = checkpoint.against(host, chain, point)
    if why then
      core.mark("ledger", ("%s: %s (%s:%d)"):format(text.clean(
        host.ledger.path), why, text.clean(path), point.line))
      return nil
    elseif not newest or point.seq > newest.seq then
      newest = point
    end
  end
  return newest or checkpoint.of(chain)
end

local function of_run(word, point)
  local row = runs.find(host, word)
  local ids, seqs = certificate.of_run(host, row.run, point.seq)
  if not ids then
    host.usage(("run %d has more than %s requests: ask for a certificate of "
      .. "single ids"):format(row.run, text.number(certificate.MOST)))
  elseif not ids[1] then
    host.usage(("up to event %d, run %d has no event about a request, so "
      .. "there is nothing to certify"):format(point.seq, row.run))
  end
  local made = certificate.make(host, ids, point, seqs)
  made.run = row.run
  return made
end

local function of_id(word, point)
  local made, unknown = certificate.make(host, { word }, point, {})
  return made or host.usage(("up to event %d the ledger %s knows nothing of "
    .. "%s, so there is nothing to certify"):format(point.seq, text.clean(
      host.ledger.path), unknown))
end

local function put(made, path)
  if host.options.json then
    return host.write(core.json.encode(made) .. "\n")
  elseif not path then
    return require("fal.certificate_text").show(host, made)
  end
  local page = require("fal.certificate_page").of(made)
  if path == "-" then
    return host.write(page)
  end
  local ok, err = host.write_file(path, page)
  if not ok then
    host.usage(("the certificate was not written: %s"):format(err.message))
  end
end

local function check_words(given, words)
  if #words ~= 1 then
    host.usage("falrun certificate needs one request id, or one run: a number "
      .. "from falrun history, or last")
  elseif given.html and host.options.json then
    host.usage("--html and --json are two forms: one of them")
  elseif not host.ledger.there then
    host.usage(("there is no ledger at %s, so nothing can be certified")
      :format(text.clean(host.ledger.path)))
  end
end

local function run()
  local given, words = cli.parse(host, "certificate", OPTIONS)
  check_words(given, words)
  local chain, err = host.ledger.verify()
  if not chain then
    error(err, 0)
  end
  local point = anchor(chain, given.checkpoint)
  if not point then
    return
  end
  local made = (core.parse_id(words[1]) and of_id or of_run)(words[1], point)
  put(made, given.html)
  if made.erased < #made.requests then
    core.mark("failed", ("%s NOT erased"):format(#made.requests == 1 and
      "the request is" or ("%s of %s requests are"):format(text.number(
        #made.requests - made.erased), text.number(#made.requests))))
  end
end

return {
  summary = "what was erased, on whose answer, and the proof of the record",
  usage = "falrun certificate ID | RUN | last [--html FILE] "
    .. "[--checkpoint FILE]",
  help = [[
States for a request, or for each request that a run worked at: is it erased,
when, by which policy and reason, on whose answer (answered; replayed: the
cached answer to the same key; inferred: it was gone already), and what is left:
files that fal did not delete, input files, what probes saw. It says "confirmed
by the provider's API", and never more than that.

The ledger is verified first. --json, and the page of --html, have the proof:
the bytes of the events concerned, and the hashes that lead from them to the
root that falrun verify prints in its checkpoint. The script in
docs/certificate.md checks it offline, without falrun and without the ledger.
With --checkpoint they lead to the root of the newest checkpoint there, which
somebody else may have.

Ends with 3 when something of it is not erased, with 2 when the ledger knows
nothing of the id, and with 8 when the ledger does not fit.

Examples:
  falrun certificate 019e6d0a-e5be-7b82-b329-35ae64296902
  falrun certificate last --html erased.html
  falrun certificate 17 --json > run-17.json
]],
  options = OPTIONS,
  run = run,
}
