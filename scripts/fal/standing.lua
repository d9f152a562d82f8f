--- Where a file stands that a service of the system is to use: can the
--- service reach it, and who may change it?
---
--- The service sees neither home folders nor the machine's temporary ones,
--- and is a user of its own, so it reads only what everybody may read.
local core = require "core"
local text = require "fal.text"

local standing = {}

local HIDDEN <const> = { "/home/", "/root/", "/run/user/", "/tmp/",
                         "/var/tmp/", "/dev/" }
local OTHERS_READ <const> = 4
local OTHERS_ENTER <const> = 1
local OTHERS_WRITE <const> = 18         -- group and others
local STICKY <const> = 512

--- The folder that hides the path from a service, or nil.
function standing.hidden(path)
  for _, folder in ipairs(HIDDEN) do
    if path:sub(1, #folder) == folder then
      return folder
    end
  end
end

--- The path itself and all that it lies in, below the root.
local function places(path)
  local found, at = { path }, path
  while at:find "^/.+/[^/]+$" do
    at = at:match "^(.*)/[^/]+$"
    found[#found + 1] = at
  end
  return found
end

--- A sentence when the service's user could not read it, or nil.
---@param root string   where the system's own root lies: "" or a folder
function standing.unreadable(host, root, path)
  for _, place in ipairs(places(path)) do
    local info, err = host.stat(root .. place)
    if not info then
      return err.message
    end
    local folder = info.kind == "folder"
    if info.mode & (folder and OTHERS_ENTER or OTHERS_READ) == 0 then
      return ("the service could not read %s: run chmod o+%s %s"):format(
        text.clean(path), folder and "x" or "r", text.clean(place))
    end
  end
end

--- Warns of whoever but root could change what the service runs.
function standing.warn(host, root, path)
  for _, place in ipairs(places(path)) do
    local info = host.stat(root .. place)
    local open = info and info.mode & OTHERS_WRITE ~= 0
      and info.mode & STICKY == 0
    if info and (open or info.uid ~= 0) then
      core.log.warn(("%s can be changed by others than root, and so can what "
        .. "is erased every night"):format(text.clean(place)))
    end
  end
end

return standing
