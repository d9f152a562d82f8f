--- The table `fal` of every policy. scripts/types/fal.lua documents it.
local core = require "core"
local deletions = require "fal.deletions"
local groups = require "fal.operations.groups"
local hooks = require "fal.hooks"
local later = require "fal.later"
local tasks = require "fal.tasks"

local library = {
  policy = later("fal.policy", "declare"),
  keep = { any = later("fal.keep", "any"), all = later("fal.keep", "all") },
  hold = {},
  ids = later("fal.ids", "read"),
  before_delete = hooks.before_delete,
  on_finish = hooks.on_finish,
  on_failure = hooks.on_failure,
  net = { request = later("fal.net", "request") },
  notify = {
    webhook = later("fal.notify", "webhook"),
    slack = later("fal.notify", "slack"),
    mail = later("fal.notify", "mail"),
  },
  delete_payloads = deletions.delete_payloads,
  delete_all = deletions.delete_all,
  each = tasks.each,
  requests = later("fal.requests", "list"),
  limits = core.tighten,
  ago = later("fal.time", "ago"),
  sleep = later("fal.time", "sleep"),
  spawn = tasks.spawn,
  version = core.version,
}

for _, name in ipairs { "file", "from", "collection", "tag", "favourites",
                        "enforce" } do
  library.hold[name] = later("fal.hold", name)
end

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
