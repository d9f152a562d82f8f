--- A world of explicit rows, for tests: what world.lua computes from a seed
--- is looked up here.
---
---   rows, sorted by when they ended     1 (oldest) .......... N (newest)
---
--- A row that is still running stands where it was sent. Numbers change when
--- rows are added, so what became of a row is kept in the row.
local core = require "core"

local fixture = {}
fixture.__index = fixture

fixture.explicit = true                 -- see spans.lua

local function by_end(a, b)
  local first, second = a.ended or a.sent, b.ended or b.sent
  return first < second or first == second and a.place < b.place
end

--- An empty world. `endpoints` grow with the rows.
function fixture.new()
  local self = setmetatable({ config = { endpoints = {}, seed = 1 },
    index = {}, rows = {}, numbers = {}, count = 0, deletions = 0 }, fixture)
  self.left = setmetatable({}, { __index = function(_, number)
    return self.rows[number].left
  end })
  return self
end

local function add_endpoint(self, name)
  local names = self.config.endpoints
  if not self.index[name] then
    names[#names + 1] = name
    self.index[name] = #names
  end
end

--- Adds rows {id, endpoint_id, sent, started, ended?, status, files, input?,
--- output?}; times in ms. False and the id that is there already.
function fixture:add(rows)
  for _, row in ipairs(rows) do
    if self.numbers[row.id] then
      return false, row.id
    end
    self.count = self.count + 1
    row.place = self.count
    self.rows[self.count] = row
    self.numbers[row.id] = self.count
    add_endpoint(self, row.endpoint_id)
  end
  table.sort(self.rows, by_end)
  for number, row in ipairs(self.rows) do
    self.numbers[row.id] = number
  end
  return true
end

function fixture:number(id)
  return self.numbers[id]
end

function fixture:id(number)
  return self.rows[number].id
end

function fixture:endpoint(number)
  return self.rows[number].endpoint_id
end

function fixture:place(number)
  return self.index[self.rows[number].endpoint_id]
end

--- Any endpoint may be asked for: one without rows has an empty list.
function fixture.knows()
  return true
end

function fixture:is_gone(number)
  return self.rows[number].gone == true
end

function fixture:delete(number, left)
  local row = self.rows[number]
  row.gone, row.left = true, left or nil
  self.deletions = self.deletions + 1
end

function fixture:ended(number)
  local row = self.rows[number]
  return row.ended or row.sent
end

function fixture:sent(number)
  return self.rows[number].sent
end

function fixture:took(number)
  return self:ended(number) - self:sent(number)
end

function fixture:queued(number)
  local row = self.rows[number]
  return row.started - row.sent
end

function fixture:running(number)
  return self.rows[number].ended == nil
end

function fixture:status(number)
  return self.rows[number].status
end

function fixture:files(number)
  return table.move(self.rows[number].files, 1, #self.rows[number].files, 1,
                    {})
end

--- A window that holds everything.
function fixture:bounds()
  local last = self.count
  return 0, last > 0 and self:ended(last) + 1 or 1
end

--- The first number that ended at or after `ms`.
function fixture:number_at(ms)
  local low, high = 1, self.count + 1
  while low < high do
    local middle = (low + high) // 2
    if self:ended(middle) >= ms then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

--- The row of a listing; `payloads` adds input and output.
function fixture:row(number, payloads)
  local row = self.rows[number]
  local ended = row.ended
  local shown = {
    request_id = row.id, endpoint_id = row.endpoint_id,
    sent_at = core.format_time(row.sent),
    started_at = core.format_time(row.started),
    ended_at = ended and core.format_time(ended) or core.json.null,
    status_code = ended and row.status or core.json.null,
    duration = ended and (ended - row.started) / 1000 or core.json.null,
  }
  if payloads and not row.gone then
    shown.json_input = row.input
    shown.json_output = row.output
  end
  return shown
end

return fixture
