--- The files of units: where they lie, and how they come to lie there.
---
--- A file that is there and is the same stays; another one is replaced only
--- by force, and what is decided for all is decided before the first is
--- written.
local core = require "core"
local text = require "fal.text"

local unitfiles = {}

local SYSTEM_DIR <const> = "/etc/systemd/system"
local UNIT_MAX <const> = 1 << 20

local function folder_of(host, user, root)
  if not user then
    return root .. SYSTEM_DIR
  end
  local config, home = os.getenv "XDG_CONFIG_HOME", os.getenv "HOME"
  if config and config:sub(1, 1) == "/" then
    return config .. "/systemd/user"
  elseif not home or home:sub(1, 1) ~= "/" then
    host.usage "HOME is not set, so there is no place for units of yours"
  end
  return home .. "/.config/systemd/user"
end

--- Gives each file its path.
---@param files {name:string, text:string, shared:boolean?}[]   of fal.units
---@param root string   where the system's own root lies: "" or a folder
function unitfiles.place(host, files, user, root)
  local folder = folder_of(host, user, root)
  for _, file in ipairs(files) do
    file.path, file.state = folder .. "/" .. file.name, "not written"
  end
  return files
end

local function fail(host, err, user)
  host.usage(err.message .. (user and ""
    or "; units of the system are root's: use sudo, or --user"))
end

local function make_folders(host, path, user)
  for at in path:gmatch "()/" do
    local folder = path:sub(1, at - 1)
    if folder ~= "" and not host.stat(folder) then
      local ok, err = host.make_dir(folder)
      if not ok then
        fail(host, err, user)
      end
    end
  end
end

local function decide(host, file, force)
  local there = host.read_file(file.path, UNIT_MAX)
  if there == file.text then
    return "unchanged"
  elseif force or not there and not host.stat(file.path) then
    return "written"
  elseif file.shared then
    return "left as it is"
  end
  host.usage(("%s is there already, and is another one: nothing was written; "
    .. "choose another --name, or --force"):format(text.clean(file.path)))
end

function unitfiles.write(host, files, user, force)
  for _, file in ipairs(files) do
    file.state = decide(host, file, force)
  end
  make_folders(host, files[1].path, user)
  for _, file in ipairs(files) do
    if file.state == "written" then
      local ok, err = host.create(file.path, file.text, force)
      if not ok then
        fail(host, err, user)
      end
    end
    if not host.options.json then
      host.write(("%s: %s\n"):format(file.state, text.clean(file.path)))
    end
  end
end

--- As `systemctl cat` shows them.
function unitfiles.print(host, files)
  for i, file in ipairs(files) do
    host.write(("%s# %s\n%s"):format(i > 1 and "\n" or "",
      text.clean(file.path), file.text))
  end
end

--- As JSON: the files, and what to do next.
function unitfiles.show(host, files, next_steps)
  local rows = {}
  for i, file in ipairs(files) do
    rows[i] = { path = file.path, state = file.state, text = file.text }
  end
  host.write(core.json.encode { files = core.json.array(rows),
    next = core.json.array(next_steps) } .. "\n")
end

return unitfiles
