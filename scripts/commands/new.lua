--- falrun new NAME: a policy to begin with, its test, and editor settings.
local cli = require "fal.cli"
local core = require "core"
local host = require "host"

local OPTIONS <const> = {
  { name = "dir", value = "DIR", help = "where (default: here)" },
}

--- @NAME@ is the policy's name.
local POLICY <const> = [[
--- Erases generations that ended more than 30 days ago.
---
---   syntax, names, units; no network:    falrun check @NAME@.lua
---   its tests, offline:                  falrun test @NAME@_test.lua
---   what would go, why; deletes nothing: falrun plan @NAME@.lua
---   the run:                             falrun @NAME@.lua

return fal.policy {
  -- The ledger and the reports say by which rule a request was erased.
  name = "@NAME@",

  -- Which requests: "auto" means every endpoint that was used. A duration has
  -- its unit: "12h", "30d", "8w".
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },

  -- What the options of select cannot say. request.input and request.output
  -- are fetched when they are touched. `now` is the run's time, as text.
  where = function(request, now)
    return request.status_code ~= nil and request.ended_at < now
  end,

  -- What stays nevertheless: the newest ten of each endpoint.
  keep = fal.keep.any { last = 10, by = "endpoint_id" },

  -- Legal holds: `falrun hold add ID... --reason TEXT`, or a file of ids:
  -- hold = fal.hold.file "holds.csv",

  -- A run that would pass a limit stops before its first deletion (exit 4).
  limits = { max = 5000, growth = 5, min_age = "7d" },

  -- Kept in the ledger with every deletion.
  reason = "generations are erased after 30 days",
}
]]

local TEST <const> = [[
--- Tests of @NAME@.lua: `falrun test`. Nothing here touches a network.

test("what ended more than 30 days ago goes, the newest ten stay",
     function(t)
  t.clock "2026-06-01T03:00:00Z"
  t.requests(12, function(i)
    return { id = "old " .. i, ended = (30 + i) .. "d" }
  end)
  t.requests { { id = "young", ended = "29d" } }
  t.run "@NAME@.lua"
  t.deleted { "old 11", "old 12" }
  t.kept("old 1", "last 10")
  t.kept("young", "not selected")
end)

test("a legal hold stays", function(t)
  t.requests(11, function(i)
    return { id = "old " .. i, ended = (30 + i) .. "d" }
  end)
  t.hold("old 11", "case 4711")
  t.run "@NAME@.lua"
  t.deleted {}
  t.held("old 11", "case 4711")
end)
]]

local LUARC <const> = [[
{
  "runtime.version": "Lua 5.4",
  "workspace.library": [".falrun"],
  "diagnostics.globals": ["fal", "log", "json", "arg", "test"]
}
]]

local LUACHECKRC <const> = [[
std = "lua54"
read_globals = { "fal", "log", "json", "arg" }
files["*_test.lua"] = { read_globals = { "test" } }
exclude_files = { ".falrun" }
]]

local function check_name(word)
  local name = (word or ""):gsub("%.lua$", "")
  if name == "" or #name > 64 or not name:find("^[%w][%w._-]*$") then
    host.usage(("a policy's name is 1 to 64 letters, digits, '.', '_' or '-', "
      .. "got \"%s\""):format((word or ""):sub(1, 60)
      :gsub("[^\x20-\x7e]", "?")))
  end
  if name:find "_test$" then
    host.usage("a file whose name ends in _test is a test: choose another "
      .. "name")
  end
  return name
end

local function types()
  local parts = {}
  for _, name in ipairs { "fal", "policy", "testing" } do
    parts[#parts + 1] = host.text("types." .. name)
  end
  return table.concat(parts, "\n")
end

--- Creates a file.
local function create(path, text)
  local ok, err = host.create(path, text)
  if not ok then
    host.usage(err.message)
  end
  host.write("wrote " .. path .. "\n")
end

--- What a folder has by now, links that lead nowhere as well.
local function names_of(folder)
  local names, err = host.list_dir(folder == "" and "." or folder)
  if not names then
    host.usage(err.message)
  end
  return names
end

local function check_absent(there, folder, file)
  if there[file] then
    host.usage(("%s%s is there already: nothing was written; choose another "
      .. "name"):format(folder, file))
  end
end

--- Creates a file of the editor's; one that is there stays as it is.
local function settle(there, folder, file, text)
  if there[file] then
    host.write(("left %s%s as it is\n"):format(folder, file))
  else
    create(folder .. file, text)
  end
end

local function write_types(folder)
  local ok, err = host.make_dir(folder .. ".falrun")
  if not ok then
    host.usage(err.message)
  end
  folder = folder .. ".falrun/"
  settle(names_of(folder), folder, "fal.lua", types())
end

local function run()
  local given, words = cli.parse(host, "new", OPTIONS)
  if #words ~= 1 then
    host.usage("falrun new takes one name, like falrun new flux-30d")
  end
  local name = check_name(words[1])
  local folder = given.dir and given.dir:gsub("/*$", "/") or ""
  local policy, test = name .. ".lua", name .. "_test.lua"
  local there = names_of(folder)
  check_absent(there, folder, policy)
  check_absent(there, folder, test)
  create(folder .. policy, (POLICY:gsub("@NAME@", name)))
  create(folder .. test, (TEST:gsub("@NAME@", name)))
  settle(there, folder, ".luarc.json", LUARC)
  settle(there, folder, ".luacheckrc", LUACHECKRC)
  write_types(folder)
  policy, test = folder .. policy, folder .. test
  core.log.info(("next: falrun check %s && falrun test %s && falrun plan "
    .. "--sandbox %s"):format(policy, test, policy))
end

return {
  summary = "begin a policy: NAME.lua, its test, editor settings",
  usage = "falrun new NAME [--dir DIR]",
  help = [[
Writes NAME.lua, a commented policy; NAME_test.lua, its tests; and, where there
are none yet, .luarc.json, .luacheckrc and .falrun/fal.lua, so that editors know
the API. A file that is there is never changed: when NAME.lua or its test is,
nothing is written (exit 2).

Example:
  falrun new flux-30d
]],
  options = OPTIONS,
  run = run,
}
