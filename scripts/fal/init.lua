--- The table `fal` of every policy. scripts/types/fal.lua documents it.
local core = require "core"
local deletions = require "fal.deletions"
local groups = require "fal.operations.groups"
local hold = require "fal.hold"
local ids = require "fal.ids"
local keep = require "fal.keep"
local policy = require "fal.policy"
local requests = require "fal.requests"
local tasks = require "fal.tasks"
local time = require "fal.time"

local library = {
  policy = policy.declare,
  keep = { any = keep.any, all = keep.all },
  hold = { file = hold.file, from = hold.from, collection = hold.collection,
           tag = hold.tag, favourites = hold.favourites,
           enforce = hold.enforce },
  ids = ids.read,
  delete_payloads = deletions.delete_payloads,
  delete_all = deletions.delete_all,
  each = tasks.each,
  requests = requests.list,
  limits = core.tighten,
  ago = time.ago,
  sleep = time.sleep,
  spawn = tasks.spawn,
  version = core.version,
}

--- The operations of the Platform API. Most policies need none: the table is
--- read when one of its groups is first touched (bindings/readonly.c).
local opened = false
local function open()
  if not opened then
    opened = true
    require("fal.operations").library(library)
  end
end
for _, name in ipairs(groups.names) do
  library[name] = setmetatable({}, { __open = open })
end

function library.meta(...)
  open()
  return library.meta(...)
end

return library
