--- The test files that the words of `falrun test` name.
---
---   FILE      taken as it is
---   FOLDER    every *_test.lua in it and below, hidden folders left out
local files = {}

local DEPTH_MOST <const> = 16
local FILES_MOST <const> = 10000

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local walk

local function take(host, found, path, name, kind, depth)
  if kind == "folder" and name:sub(1, 1) ~= "." and depth < DEPTH_MOST then
    return walk(host, found, path, depth + 1)
  elseif kind == "file" and name:find("_test%.lua$") then
    found[#found + 1] = path
  end
end

--- Adds what is in the folder; nil and an error where it cannot be read.
function walk(host, found, folder, depth)
  local names, err = host.list_dir(folder)
  if not names then
    return nil, err
  end
  local prefix = folder == "." and "" or folder:gsub("/*$", "/")
  for _, name in ipairs(sorted(names)) do
    local _, why = take(host, found, prefix .. name, name, names[name], depth)
    if why then
      return nil, why
    elseif #found > FILES_MOST then
      return nil, ("more than %d test files"):format(FILES_MOST)
    end
  end
  return found
end

--- The paths, each once, in order; or nil and what is wrong with a word.
---@param host table
---@param words string[]   files or folders; none: the current folder
function files.find(host, words)
  local found, seen = {}, {}
  for _, word in ipairs(words[1] and words or { "." }) do
    local list, err = { word }, nil
    if not word:find("%.lua$") then
      list, err = walk(host, {}, word, 0)
    end
    if not list then
      return nil, tostring(err)
    end
    for _, path in ipairs(list) do
      found[#found + 1] = not seen[path] and path or nil
      seen[path] = true
    end
  end
  return found
end

return files
