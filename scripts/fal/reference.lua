--- The table of operations for people: help, lists, the reference page.
local operations = require "fal.operations"
local text = require "fal.text"

local reference = {}

local KEYS <const> = { none = "no key", api = "an API key",
  optional = "no key, and with one may be asked more often",
  list = "an API key, or the ADMIN key where one is set",
  admin = "an ADMIN key" }
local TYPES <const> = { integer = "whole number", boolean = "true or false",
  string = "text", time = "time", id = "request id", url = "address",
  month = "month", slug = "name", file = "path", object = "object",
  list = "list of objects", any = "anything", number = "number" }
local CHANGES <const> = { reversible = "it changes something",
  irreversible = "it cannot be undone" }
local MEDIA <const> = { csv = "CSV", text = "the text of metrics",
  bytes = "a file", events = "events", multipart = "JSON", json = "JSON" }

--- What a parameter takes, in few words.
function reference.takes(spec)
  local words = spec.values and table.concat(spec.values, ", ") or
    TYPES[spec.type]
  if not spec.values and spec.min and spec.max and spec.type ~= "string" then
    words = ("%s, %s to %s"):format(words, spec.min, spec.max)
  elseif spec.type == "integer" and spec.min then
    words = ("%s, %s or more"):format(words, spec.min)
  end
  if spec.many then
    words = words .. (spec.most and ("; %d at most"):format(spec.most) or
                      "; one or several")
  end
  return words .. (spec.null and "; or null" or "")
end

local function default_of(spec)
  local value = spec.default
  return type(value) == "table" and table.concat(value, ", ") or
    value ~= nil and tostring(value) or nil
end

--- The scope of the key in one word: "none", "api" or "admin".
function reference.key(row)
  return (row.key == "list" or row.key == "optional") and "api" or row.key
end

--- What else is said of a row, in sentences.
function reference.facts(row)
  local facts = { ("needs %s"):format(KEYS[row.key]) }
  facts[#facts + 1] = CHANGES[row.changes]
  if row.gated then
    facts[#facts + 1] = "it passes the gate, like falrun delete"
  elseif row.changes then
    facts[#facts + 1] = row.idempotent and "repeats of it are safe" or
      "it is never sent again when its answer is lost"
  end
  facts[#facts + 1] = ("answers %s"):format(MEDIA[row.media or "json"])
  if operations.is_list(row) then
    facts[#facts + 1] = ("pages by %s"):format(row.paging)
  end
  return facts
end

local function unknown(host, name)
  local _, near = operations.find(name)
  for _, row in operations.each() do
    if row.name:sub(1, #name + 1) == name .. "." then
      host.usage(("%s is a group: falrun call --list %s"):format(name, name))
    end
  end
  host.usage(("there is no operation \"%s\"%s"):format(text.clean(
    name:sub(1, 60)), near and (" (did you mean %s?)"):format(near) or
    "; falrun call --list shows all"))
end

--- The row of this name, or the end of the command.
function reference.find(host, name)
  return operations.find(name) or unknown(host, name)
end

--- The text of falrun call NAME --help.
function reference.help(host, name)
  local row = reference.find(host, name)
  local lines = { ("falrun call %s [name=value ...]"):format(row.name), "",
    ("%s: %s."):format(row.name, row.doc),
    ("%s %s; %s."):format(row.method, row.path,
                          table.concat(reference.facts(row), "; ")) }
  if row.params[1] then
    lines[#lines + 1] = "\nParameters"
  end
  for _, spec in ipairs(row.params) do
    local default = default_of(spec)
    lines[#lines + 1] = ("  %-20s %s%s\n  %-20s   %s%s"):format(spec.name,
      spec.doc, spec.required and " (needed)" or "", "",
      reference.takes(spec), default and ("; default " .. default) or "")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The rows of a group ("assets", "assets.tags"), or all; none is the end.
function reference.group(host, group)
  local found = {}
  for _, row in operations.each() do
    if not group or row.name == group or
      row.name:sub(1, #group + 1) == group .. "." then
      found[#found + 1] = row
    end
  end
  return found[1] and found or unknown(host, group)
end

-- ---- docs/operations.md ----------------------------------------------------

local function cell(words)
  return (tostring(words):gsub("|", "\\|"))
end

local function each_of(row)
  return operations.is_list(row) and (" `fal.%s_each` walks its pages.")
    :format(row.name) or ""
end

local function page_of(row, add)
  add(("### %s\n"):format(row.name))
  add(("%s%s. `%s %s`: %s. Statuses: %s.%s\n"):format(
    row.doc:sub(1, 1):upper(), row.doc:sub(2), row.method, row.path,
    table.concat(reference.facts(row), "; "),
    table.concat(row.stands or {}, ", "), each_of(row)))
  if not row.params[1] then
    return
  end
  add "| parameter | takes | |"
  add "| --- | --- | --- |"
  for _, spec in ipairs(row.params) do
    local default = default_of(spec)
    add(("| `%s`%s | %s | %s%s |"):format(spec.name, spec.required and
      " (needed)" or "", cell(reference.takes(spec)), cell(spec.doc),
      default and ("; default `%s`"):format(default) or ""))
  end
  add ""
end

local HEAD <const> = [[
# Operations of the Platform API

Made by `falrun call --reference > docs/operations.md` from the table of
operations (`scripts/fal/operations/`); a test fails when it is out of date.
[platform-api.md](platform-api.md) says how they are called.
]]

--- The reference page.
function reference.page()
  local lines, group = { HEAD }, nil
  for _, row in operations.each() do
    local name = row.name:match "^[^.]+"
    if name ~= group then
      lines[#lines + 1] = ("## %s\n"):format(name)
      group = name
    end
    page_of(row, function(line) lines[#lines + 1] = line end)
  end
  return (table.concat(lines, "\n"):gsub("\n+$", "")) .. "\n"
end

return reference
