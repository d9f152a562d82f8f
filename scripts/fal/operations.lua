--- The Platform API, from one table.
---
---   operations/*.lua: rows --> find, each
---        |
---        +--> call    arguments --> core.read, core.change, streams --> shape
---        +--> items   arguments --> pages.walk --> item after item
---        +--> library fal.models.pricing{...}, fal.models.list_each{...}
---        +--> falrun call, falrun types, docs/operations.md, falrun check
---
--- A new operation is a new row, and nothing else. What a row says can add
--- no way around the gate: C knows which calls only read (fal/read.c).
local answers = require "fal.answers"
local arguments = require "fal.arguments"
local check = require "fal.check"
local consent = require "fal.consent"
local core = require "core"
local deletions = require "fal.deletions"
local groups = require "fal.operations.groups"
local pages = require "fal.pages"
local text = require "fal.text"

local operations = {}

local OFFSET_LIMIT <const> = 100
local TARGET_MOST <const> = 200         -- characters of each part

local rows, by_name = {}, {}

--- Adds a row. Names are unique, and no name is a group of another.
function operations.add(row)
  if by_name[row.name] then
    error(("there are two operations %s"):format(row.name), 0)
  end
  rows[#rows + 1], by_name[row.name] = row, row
end

for _, file in ipairs(groups.files) do
  for _, row in ipairs(require("fal.operations." .. file)) do
    operations.add(row)
  end
end

--- The rows, in order: index, row.
function operations.each()
  return ipairs(rows)
end

--- The row of this name; else nil, and the nearest name where there is one.
function operations.find(name)
  if by_name[name] then
    return by_name[name]
  end
  local names = {}
  for i, row in ipairs(rows) do
    names[i] = row.name
  end
  return nil, core.nearest(name, names)
end

--- Whether a row has iterators.
function operations.is_list(row)
  return row.paging ~= nil
end

-- ---- what is read ----------------------------------------------------------

local function title(row)
  return ("%s %s"):format(row.method, row.path)
end

local function wrong(row, value)
  local why = answers.wrong(row, value)
  return why and pages.wrong(title(row), "%s", why)
end

--- The answer of CSV and of metrics, read; or nil and an error.
local function decoded(row, body)
  local value, why
  if row.media == "csv" then
    value, why = require("fal.csv").rows(body)
  else
    value, why = require("fal.prometheus").read(body)
  end
  if not value then
    return nil, pages.wrong(title(row), "%s", why)
  end
  return value, body
end

local function send(row, call, accept)
  return core.read {
    method = row.method, path = call.path, query = call.query,
    body = call.body, key = row.key, timeout = call.options.timeout,
    accept = accept }
end

--- Value and text of an answer, or nil and an error.
local function read(row, call)
  if row.media == "csv" or row.media == "text" then
    local body, err = send(row, call, "text")
    if not body then
      return nil, err
    end
    return decoded(row, body)
  end
  local value, body = send(row, call, "both")
  local err = value ~= nil and wrong(row, value)
  if err then
    return nil, err
  end
  return value, body
end

-- ---- what changes something ------------------------------------------------

--- What a change is about, in words for the record.
local function target(row, values)
  local parts = {}
  for _, spec in ipairs(row.params) do
    local value = (spec.place == "path" or spec.name == row.target) and
      values[spec.name]
    if value then
      parts[#parts + 1] = ("%s %s"):format(spec.name, text.cut(value,
                                           TARGET_MOST))
    end
  end
  return parts[1] and table.concat(parts, ", ") or nil
end

local function refused(row, sentence)
  return nil, core.error("stopped", ("%s was not done: %s"):format(row.name,
                         sentence), { status = "refused" })
end

--- The result of a change; one whose answer is odd was done all the same.
local function changed(row, result, err)
  local why = result and result.status == "done" and
    answers.wrong(row, result.value)
  if why then
    return nil, core.error("protocol", ("%s was done, but its answer is not "
      .. "what the API documents: %s"):format(row.name, why),
      { status = "done", result = result })
  end
  return result, err
end

local function request_of(values)
  local id = values.request_id
  return type(id) == "string" and core.parse_id(id) or nil
end

local function change(row, call)
  local options, about = call.options, target(row, call.values)
  local final = row.changes == "irreversible"
  deletions.check_open(row.name)
  if final and not options.dry_run and not consent.change(row.name, about)
  then
    return refused(row, "it cannot be undone, and nobody said yes")
  end
  local given = { operation = row.name, method = row.method, path = call.path,
    query = call.query, body = call.body, key = row.key, target = about,
    idempotent = row.idempotent or false, irreversible = final,
    idempotency_key = options.idempotency_key, timeout = options.timeout,
    reason = options.reason, dry_run = options.dry_run,
    request_id = request_of(call.values) }
  if row.media == "multipart" then
    return changed(row, require("fal.streams").upload(row, given,
                                                      call.values))
  end
  return changed(row, core.change(given))
end

-- ---- calls -----------------------------------------------------------------

local function prepare(row, given, options)
  local path, query, body, values = arguments.read(row, given)
  return { path = path, query = query, body = body, values = values,
           options = arguments.options(row, options) }
end

--- Calls an operation. Waits. What it answers; of a change, its result
--- {status, value, ...}. Misuse raises.
---@param row table
---@param given table?    by the names of its parameters
---@param options table?  timeout; of a change reason, dry_run, ...
---@return any value, table? err
function operations.call(row, given, options)
  if row.gated then
    local _, _, _, values = arguments.read(row, given)
    return deletions.delete_payloads(values.request_id, options)
  end
  local call = prepare(row, given, options)
  if row.changes then
    return change(row, call)
  elseif row.media == "events" then
    return require("fal.streams").stream(row, call)
  elseif row.media == "bytes" then
    return require("fal.streams").download(row, call)
  end
  local value, more = read(row, call)
  if value == nil then
    return nil, more
  end
  return value
end

--- The events of a stream as they come, for a `for` loop: {data, event, id}.
function operations.events(row, given, options)
  return require("fal.streams").events(row, prepare(row, given, options))
end

--- The same of what is read, with the text that it came in; a decoded value
--- does not tell an empty list from an empty object, and rounds long numbers.
---@return any value, string text_or_err
function operations.exact(row, given, options)
  return read(row, prepare(row, given, options))
end

--- The body as it came, unread; of what is read.
function operations.raw(row, given, options)
  return send(row, prepare(row, given, options), "text")
end

--- The one list that is walked, of an answer that may have several.
local function list_of(row, values)
  if type(row.list) == "string" then
    return row.list
  end
  local found, asked = {}, values.expand
  for _, spec in ipairs(row.params) do
    asked = asked or spec.name == "expand" and spec.default
  end
  for _, name in ipairs(row.list) do
    for _, word in ipairs(asked or {}) do
      found[#found + 1] = word == name and name or nil
    end
  end
  if #found ~= 1 then
    check.fail(row.name, "expand", "one of %s is needed to walk it, not %s",
               table.concat(row.list, ", "), #found == 0 and "none" or "both")
  end
  return found[1]
end

--- Checks what a call is given, as the call does, or as a walk along its
--- pages does; raises likewise.
function operations.check(row, given, options, walked)
  local call = prepare(row, given, options)
  if walked then
    list_of(row, call.values)
  end
end

--- The offset counts rows, so that the length of a page is asked for.
local function with_limit(row, call)
  if row.paging == "offset" and call.values.limit == nil then
    call.query[#call.query + 1] = { "limit", OFFSET_LIMIT }
  end
  return call.query
end

--- Pages of a list: an iterator of their items. Waits, and raises where a
--- page fails: it never ends early. With `exact`, the third value of each step
--- is the page as text. Then the name of the list that is walked.
---@return (fun(): table?, boolean, string?), string
function operations.pages(row, given, options, exact)
  local call = prepare(row, given, options)
  local list = list_of(row, call.values)
  return pages.walk {
    method = row.method, path = call.path, body = call.body, key = row.key,
    query = with_limit(row, call), list = list, text = exact,
    paging = row.paging, unique = true, timeout = call.options.timeout,
    check = function(page)
      local err = wrong(row, page)
      if err then
        error(err, 0)
      end
    end }, list
end

--- The items of all pages of a list, one by one. Waits and raises likewise.
---@return fun(): any
function operations.items(row, given, options)
  local next_page = operations.pages(row, given, options)
  local items, at = {}, 0
  return function()
    while items do
      at = at + 1
      if items[at] ~= nil then
        return items[at]
      end
      items, at = next_page(), 0
    end
  end
end

-- ---- the functions ---------------------------------------------------------

local function put(library, name, f)
  local group, last = name:match "^(.-)%.?([^.]+)$"
  for part in group:gmatch "[^.]+" do
    library[part] = library[part] or {}
    library = library[part]
  end
  library[last] = f
end

--- fal.<group>.<name>(params, options) of every row, and <name>_each of those
--- that are walked, put into the table `library`.
function operations.library(library)
  for _, row in ipairs(rows) do
    put(library, row.name, function(given, options)
      return operations.call(row, given, options)
    end)
    if operations.is_list(row) then
      put(library, row.name .. "_each", function(given, options)
        return operations.items(row, given, options)
      end)
    end
  end
  return library
end

--- Whether one of these words names an operation that changes something.
--- C asks, before `falrun call` opens the ledger (bindings/operation.c).
function operations.changing(words)
  for _, word in ipairs(words) do
    if by_name[word] and by_name[word].changes then
      return true
    end
  end
  return false
end

return operations
