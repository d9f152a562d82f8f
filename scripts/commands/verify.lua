--- falrun verify: the ledger's integrity.
local checkpoint = require "fal.checkpoint"
local cli = require "fal.cli"
local core = require "core"
local host = require "host"
local text = require "fal.text"

local OPTIONS <const> = {
  { name = "checkpoint", value = "FILE",
    help = "checkpoints that must fit, a line each" },
}

local function refuse(err, message)
  if host.options.json then
    host.write(core.json.encode { ok = false, seq = err and err.seq,
                                  message = message } .. "\n")
  end
end

--- The newest of the checkpoints, all of which the ledger contains.
local function check_points(chain, path, points)
  local newest
  for _, point in ipairs(points) do
    local why = checkpoint.against(host, chain, point)
    if why then
      local sentence = ("%s: %s (%s:%d)"):format(text.clean(
        host.ledger.path), why, text.clean(path), point.line)
      refuse(nil, sentence)
      core.mark("ledger", sentence)
      return nil
    elseif not newest or point.seq > newest.seq then
      newest = point
    end
  end
  return newest
end

local function print_json(chain, anchor)
  local made = checkpoint.of(chain)
  made.ok, made.events, made.head = true, chain.events, chain.head
  made.anchor = anchor and anchor.seq or core.json.null
  host.write(core.json.encode(made) .. "\n")
end

local function print_text(chain, anchor, count)
  host.write(("%s: ok, %s\n"):format(text.clean(host.ledger.path),
    text.count(chain.events, "event", "events")))
  if anchor then
    host.write(("anchored: %s, the newest of them event %d%s\n"):format(
      text.count(count, "checkpoint fits", "checkpoints fit"), anchor.seq,
      anchor.at and " of " .. anchor.at or ""))
  else
    host.write("unanchored: whether events were cut off, or all rewritten from "
      .. "some event on,\nonly --checkpoint shows\n")
  end
  host.write(("head %s\n%s\n"):format(chain.head, chain.checkpoint))
end

local function run()
  local given = cli.none(host, "verify", OPTIONS)
  if not host.ledger.there then
    host.usage(("there is no ledger at %s, so nothing was verified")
      :format(text.clean(host.ledger.path)))
  end
  local points = given.checkpoint and checkpoint.read(host, given.checkpoint)
  local chain, err = host.ledger.verify()
  if not chain then
    refuse(err, err.message)
    error(err, 0)
  end
  local anchor = points and check_points(chain, given.checkpoint, points)
  if points and not anchor then
    return
  elseif host.options.json then
    print_json(chain, anchor)
  else
    print_text(chain, anchor, points and #points)
  end
end

return {
  summary = "check the ledger: its chain of hashes, its derived tables",
  usage = "falrun verify [--checkpoint FILE]",
  help = [[
Every event carries the SHA-256 of the one before; this walks them all and
holds the derived tables against them. Ends with 8 when something does not fit.

That alone is "unanchored": whoever can write the file can cut off its newest
events, or rewrite everything from some event on. So keep what is printed in
the last line, the checkpoint, where they cannot write. With --checkpoint the
ledger must still contain each of the file: a line "checkpoint seq=..." with
anything before it, as runs print it at their end and a log keeps it, or the
object that --json prints.

Examples:
  falrun verify
  falrun verify --json >> /mnt/elsewhere/checkpoints
  falrun verify --checkpoint /mnt/elsewhere/checkpoints
  journalctl -u falrun | grep -o 'checkpoint seq=.*' > points
]],
  options = OPTIONS,
  run = run,
}
