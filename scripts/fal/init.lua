--- The table `fal` of every policy. scripts/types/fal.lua documents it.
local core = require "core"
local deletions = require "fal.deletions"
local requests = require "fal.requests"
local tasks = require "fal.tasks"
local time = require "fal.time"

return {
  delete_payloads = core.delete_payloads,
  delete_all = deletions.delete_all,
  each = tasks.each,
  requests = requests.list,
  limits = core.tighten,
  ago = time.ago,
  sleep = time.sleep,
  spawn = tasks.spawn,
  version = core.version,
}
