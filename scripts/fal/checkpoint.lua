--- Checkpoints: where a ledger stood, kept somewhere else.
---
---   checkpoint seq=7 hash=... ledger=... at=... [root=...]     a line of a log
---   {"seq":7,"hash":"...","ledger":"...","at":"...","root":"..."}     JSON
---
--- The ledger must still have event `seq` with exactly this hash; then nothing
--- before it was cut off or rewritten since.
local core = require "core"
local text = require "fal.text"

local checkpoint = {}

local FILE_MOST <const> = 64 << 20

local function is_digest(value)
  return type(value) == "string" and #value == 64 and
    not value:find("[^0-9a-f]")
end

--- The parts of one line; nil and what is wrong with it.
local function fields_of(line)
  if line:find("^%s*{") then
    local value = core.json.decode(line)
    if type(value) ~= "table" then
      return nil, "it is no JSON object"
    end
    return value
  end
  local words = line:match("checkpoint (seq=.*)")
  if not words then
    return nil, "it has no \"checkpoint seq=\" and is no JSON object"
  end
  local fields = {}
  for name, value in words:gmatch("(%l+)=(%S+)") do
    fields[name] = value
  end
  fields.seq = fields.seq and fields.seq:find("^%d+$") and
    math.tointeger(fields.seq)
  return fields
end

--- One checkpoint; nil and what is wrong with the line.
function checkpoint.parse(line)
  local fields, why = fields_of(line)
  if not fields then
    return nil, why
  elseif math.type(fields.seq) ~= "integer" or fields.seq < 1 then
    return nil, "its seq is no number of an event"
  elseif not is_digest(fields.hash) then
    return nil, "its hash is not 64 hexadecimal digits"
  elseif type(fields.ledger) ~= "string" or
    not core.parse_id(fields.ledger) then
    return nil, "its ledger is no id"
  elseif fields.root ~= nil and not is_digest(fields.root) then
    return nil, "its root is not 64 hexadecimal digits"
  end
  return { seq = fields.seq, hash = fields.hash, ledger = fields.ledger,
           root = fields.root, at = type(fields.at) == "string" and
           core.parse_time(fields.at) and fields.at or nil }
end

--- All checkpoints of a file, each with its `line`; ends with usage otherwise.
--- Empty lines and those that begin with # are passed over.
function checkpoint.read(host, path)
  local all, err = host.read_file(path, FILE_MOST)
  if not all then
    host.usage(("the checkpoints in %s cannot be read: %s"):format(
      text.clean(path), err.message))
  end
  local list, number = {}, 0
  for line in all:gmatch("([^\n]*)\n?") do
    number = number + 1
    if line:find("%S") and not line:find("^%s*#") then
      local point, why = checkpoint.parse(line)
      if not point then
        host.usage(("%s:%d is no checkpoint: %s"):format(text.clean(path),
          number, why))
      end
      point.line = number
      list[#list + 1] = point
    end
  end
  if not list[1] then
    host.usage(("%s has no checkpoint: each is a line, as falrun verify and "
      .. "runs print it"):format(text.clean(path)))
  end
  return list
end

local function hash_of(host, seq)
  local hash
  host.ledger.events({ after_seq = seq - 1 }, function(event)
    hash = event.hash
    return true
  end)
  return hash
end

--- What the ledger, verified as `chain`, has against a checkpoint; or nil.
function checkpoint.against(host, chain, point)
  local when = point.at and " of " .. point.at or ""
  if point.ledger ~= chain.ledger then
    return ("this is another ledger: its id is %s, the checkpoint%s is of %s")
      :format(text.clean(chain.ledger), when, point.ledger)
  elseif point.seq > chain.events then
    return ("it was cut off: its newest event is %d, but the checkpoint%s "
      .. "says %d"):format(chain.events, when, point.seq)
  elseif hash_of(host, point.seq) ~= point.hash then
    return ("it was rewritten: event %d has another hash than the "
      .. "checkpoint%s says"):format(point.seq, when)
  elseif not point.root then
    return nil
  end
  local root = chain.root
  if point.seq < chain.events then
    local proof, err = host.ledger.prove({}, point.seq)
    root = proof and proof.root or error(err, 0)
  end
  return root ~= point.root and ("the root of its first %d events is another "
    .. "than the checkpoint%s says"):format(point.seq, when) or nil
end

--- A verified chain as a checkpoint.
function checkpoint.of(chain)
  return { seq = chain.events, hash = chain.head, root = chain.root,
           ledger = chain.ledger,
           at = core.format_time(chain.at_ms // 1000 * 1000) }
end

return checkpoint
