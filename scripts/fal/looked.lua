--- What runs have looked at, and what is left for the next one.
---
---   a list reads its windows --> take --> the run deletes --> pieces: nothing
---     is left there --> recorded, with what earlier runs recorded beside it
---   since = "last": the span, less what is recorded for each endpoint --> left
---
--- A piece counts when its run ended with exit code 0, under the key of the
--- same account. Each doubt means that it is listed again (docs/decisions,
--- "When a window was looked at").
local core = require "core"

local looked = {}

local LEFT_OUT_MOST <const> = 20        -- pieces that a list leaves out

local HOLE_MS <const> = 60000

local noted = {}                        -- of this run: {group, list} each

-- ---- spans: lists of {from, to}, sorted, apart ------------------------------

local function merge(spans)
  table.sort(spans, function(a, b) return a.from < b.from end)
  local out = {}
  for _, span in ipairs(spans) do
    local last = out[#out]
    if last and span.from <= last.to then
      last.to = math.max(last.to, span.to)
    else
      out[#out + 1] = { from = span.from, to = span.to }
    end
  end
  return out
end

local function intersect(a, b)
  local out, i, j = {}, 1, 1
  while a[i] and b[j] do
    local from = math.max(a[i].from, b[j].from)
    local to = math.min(a[i].to, b[j].to)
    if from < to then
      out[#out + 1] = { from = from, to = to }
    end
    if a[i].to < b[j].to then
      i = i + 1
    else
      j = j + 1
    end
  end
  return out
end

--- The span without these.
local function subtract(span, spans)
  local out, from = {}, span.from
  for _, one in ipairs(spans) do
    if one.from > from then
      out[#out + 1] = { from = from, to = one.from }
    end
    from = math.max(from, one.to)
  end
  if from < span.to then
    out[#out + 1] = { from = from, to = span.to }
  end
  return out
end

--- Few long pieces: each one that is left out costs a request of its own.
local function longest(spans)
  table.sort(spans, function(a, b)
    return a.to - a.from > b.to - b.from
  end)
  return merge(table.move(spans, 1, math.min(#spans, LEFT_OUT_MOST), 1, {}))
end

-- ---- what is recorded ------------------------------------------------------

local function same_account(row)
  return (row.options and row.options.account) == core.account
end

--- What counts for an endpoint.
local function recorded(endpoint)
  local spans = {}
  for _, row in ipairs(core.looked(endpoint)) do
    if same_account(row) then
      spans[#spans + 1] = { from = row.from_ms, to = row.to_ms }
    end
  end
  return merge(spans)
end

--- The same without the last part, where rows may have come late. A gap of a
--- few seconds is around a row that was left, and no end.
local function settled(endpoint, overlap)
  local out, spans = {}, recorded(endpoint)
  for i, span in ipairs(spans) do
    local after = spans[i + 1]
    local to = after and after.from - span.to <= HOLE_MS and span.to or
      span.to - overlap
    if to > span.from then
      out[#out + 1] = { from = span.from, to = to }
    end
  end
  return out
end

--- The parts of a span that a list of these endpoints must read, oldest
--- first; none when all was looked at.
---@param overlap integer  ms
function looked.left(group, span, overlap)
  local done = { { from = span.from, to = span.to } }
  for _, endpoint in ipairs(group) do
    done = intersect(done, settled(endpoint, overlap))
  end
  return subtract(span, longest(done))
end

-- ---- what this run looks at ------------------------------------------------

--- Forgets an earlier run of this process.
function looked.reset()
  noted = {}
end

--- Where the windows of a group go that are read without a filter; nil where
--- nothing is recorded.
function looked.note(group)
  if core.mode ~= "run" then
    return nil
  end
  local list = core.looked_list()
  noted[#noted + 1] = { group = group, list = list }
  return list
end

--- A piece, and what is recorded on both sides of it.
local function widen(piece, spans)
  local wide = { from = piece.from_ms, to = piece.to_ms }
  for _, span in ipairs(spans) do
    if span.from <= wide.to and span.to >= wide.from then
      wide.from = math.min(wide.from, span.from)
      wide.to = math.max(wide.to, span.to)
    end
  end
  return wide
end

local function is_known(piece, spans)
  for _, span in ipairs(spans) do
    if span.from <= piece.from_ms and span.to >= piece.to_ms then
      return true
    end
  end
  return false
end

--- What the ledger says already is not written once more each night.
local function record(endpoint, pieces)
  local spans = recorded(endpoint)
  for _, piece in ipairs(pieces) do
    if not is_known(piece, spans) then
      local wide = widen(piece, spans)
      local ok, err = core.record("looked", nil, { endpoint = endpoint,
        from_ms = wide.from, to_ms = wide.to, rows = piece.rows })
      if not ok then
        error(err, 0)
      end
    end
  end
end

--- Records in which pieces nothing is left, at the end of a run that did all
--- it was to do.
function looked.record()
  for _, one in ipairs(noted) do
    local pieces, err = one.list:pieces()
    if not pieces then
      error(err, 0)
    end
    for _, endpoint in ipairs(one.group) do
      record(endpoint, pieces)
    end
  end
  noted = {}
end

return looked
