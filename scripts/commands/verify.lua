--- falrun verify: the ledger's integrity.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local text = require "fal.text"

local function run()
  cli.none(host, "verify")
  if not host.ledger.there then
    host.usage(("there is no ledger at %s, so nothing was verified")
      :format(text.clean(host.ledger.path)))
  end
  local chain, err = host.ledger.verify()
  if not chain then
    if host.options.json then
      host.write(core.json.encode { ok = false, seq = err.seq,
                                    message = err.message } .. "\n")
    end
    error(err, 0)
  elseif host.options.json then
    host.write(core.json.encode { ok = true, events = chain.events,
                                  head = chain.head } .. "\n")
  else
    host.write(("%s: ok, %s\nhead %s\n"):format(text.clean(
      host.ledger.path), text.count(chain.events, "event", "events"),
      chain.head))
  end
end

return {
  summary = "check the ledger: its chain of hashes, its derived tables",
  usage = "falrun verify",
  help = [[
Every event carries the SHA-256 of the one before; this walks them all and
holds the derived tables against them. The head that is printed stands for the
whole history: keep it elsewhere, and a later change of the past shows.
Ends with 8 when something does not fit.
]],
  options = {},
  run = run,
}
