--- Plan files: what `falrun plan -o` writes and `falrun apply` carries out.
---
---   {"falrun_plan":1,
---   "head":{...},                     when, by which policy, which limits
---   "items":[
---   {"request_id":"...",...},         one a line, oldest first
---   ...
---   ],
---   "sha256":"..."}                   of every byte before this line
---
--- The digest finds what was damaged or edited by hand. It is no signature:
--- whoever can write the file can also make a digest.
local core = require "core"

local planfile = {}

planfile.MOST = 100000          -- items

local VERSION <const> = 1
local MOST_BYTES <const> = 200 << 20

--- The text of a plan file.
---@param sha256 fun(text:string): string
function planfile.text(head, items, sha256)
  local lines = {}
  for i, item in ipairs(items) do
    lines[i] = core.json.encode(item)
  end
  local body = ('{"falrun_plan":%d,\n"head":%s,\n"items":[\n%s\n],'):format(
    VERSION, core.json.encode(head), table.concat(lines, ",\n"))
  return ('%s\n"sha256":"%s"}\n'):format(body, sha256(body))
end

--- Writes it whole, or ends the command.
function planfile.write(host, path, head, items)
  if #items > planfile.MOST then
    host.usage(("the plan has %d items, and a plan file at most %d: narrow "
      .. "the policy"):format(#items, planfile.MOST))
  end
  local ok, err = host.write_file(path, planfile.text(head, items,
                                                      host.sha256))
  if not ok then
    host.usage(("--output: %s"):format(err.message))
  end
end

local HEAD <const> = {
  created_at = "string", expires_at = "string", origin = "string",
  policy = "table", modules = "table", args = "table", policies = "table",
  hold = "table",
}

--- Whether it has what apply reads; a hand that can make a digest may have
--- left something out.
local function is_head(head)
  if type(head) ~= "table" then
    return false
  end
  for name, kind in pairs(HEAD) do
    if type(head[name]) ~= kind then
      return false
    end
  end
  for _, about in ipairs(head.policies) do
    local totals = type(about) == "table" and about.totals
    if type(totals) ~= "table" or type(about.hold) ~= "table" or
      not math.tointeger(totals.scanned) or
      not math.tointeger(totals.already_deleted) then
      return false
    end
  end
  return type(head.policy.path) == "string"
end

local function items_of(lines)
  local items = {}
  for line in lines:gmatch("[^\n]+") do
    local item = core.json.decode((line:gsub(",$", "")))
    if type(item) ~= "table" or not core.parse_id(item.request_id) then
      return nil, ("item %d has no request id"):format(#items + 1)
    end
    items[#items + 1] = item
  end
  return items
end

--- The plan of a text, or nil and what is wrong with it.
---@param sha256 fun(text:string): string
---@return {head:table, items:table[]}?, string?
function planfile.parse(text, sha256)
  local body, digest = text:match('^(.*)\n"sha256":"(%x+)"}\n?$')
  if not body then
    return nil, "it is no plan file, or it was cut off"
  elseif sha256(body) ~= digest then
    return nil, "it is damaged, or it was changed after it was written"
  end
  local version, head, lines = body:match(
    '^{"falrun_plan":(%d+),\n"head":([^\n]+),\n"items":%[\n(.*)\n%],$')
  head = head and core.json.decode(head)
  if not head or math.tointeger(version) ~= VERSION then
    return nil, version and "another version of falrun wrote it"
      or "it is no plan file"
  elseif not is_head(head) then
    return nil, "its head is not whole"
  end
  local items, why = items_of(lines)
  return items and { head = head, items = items }, why
end

--- Ends the command when a plan would replace what is no plan: a policy, say.
function planfile.check_place(host, path)
  local there = host.read_file(path, MOST_BYTES)
  if there and there ~= "" and not there:find('{"falrun_plan":', 1, true) then
    host.usage(("--output is %s, which is there and is no plan: it stays as "
      .. "it is; choose another name"):format(path))
  end
end

--- Reads and checks a plan file, or ends the command.
function planfile.read(host, path)
  local text, err = host.read_file(path, MOST_BYTES)
  if not text then
    host.usage(err.message)
  end
  local plan, why = planfile.parse(text, host.sha256)
  if not plan then
    host.usage(("the plan %s is refused: %s; make a new one with falrun plan "
      .. "POLICY.lua -o FILE"):format(path, why))
  end
  return plan, host.sha256(text)
end

return planfile
