--- The files of /data, kept in memory and bounded.
local answer = require "sandbox.answer"
local bytes = require "sandbox.bytes"
local core = require "core"

local files = {}

local BYTES_MOST <const>, FILES_MOST <const> = 64 << 20, 1000

local function put(self, path, body)
  local old = self.by_path[path]
  local grows = #body - (old and #old.body or 0)
  if self.bytes + grows > BYTES_MOST or
     not old and self.count >= FILES_MOST then
    return answer.error(400, "the sandbox keeps 64 MiB and 1000 files")
  elseif self.folders[path] then
    return answer.error(400, "that is a folder")
  end
  local now = core.format_time(core.at())
  self.by_path[path] = { body = body, created = old and old.created or now,
                         updated = now }
  self.bytes, self.count = self.bytes + grows, self.count + (old and 0 or 1)
  for folder in path:gmatch("()/") do
    self.folders[path:sub(1, folder - 1)] = now
  end
  return answer.json(200, true)
end

local function data(state)
  if not state.files then
    state.files = { by_path = {}, folders = {}, bytes = 0, count = 0 }
    put(state.files, "readme.txt", "files of the sandbox\n")
    put(state.files, "models/weights.bin", bytes.of("weights", 4096))
    put(state.files, "models/small/config.json", "{}\n")
  end
  return state.files
end

local function entry(path, file, now)
  return { path = path, name = path:match("([^/]+)$"), is_file = file ~= nil,
    size = file and #file.body or 0, created_time = file and file.created or
    now, updated_time = file and file.updated or now }
end

--- What lies directly in a folder; "" is the top.
local function list(state, dir)
  local self, found = data(state), {}
  local function inside(path)
    return (path:match("^(.*)/[^/]+$") or "") == dir
  end
  for path, now in pairs(self.folders) do
    found[#found + 1] = inside(path) and entry(path, nil, now) or nil
  end
  for path, file in pairs(self.by_path) do
    found[#found + 1] = inside(path) and entry(path, file) or nil
  end
  table.sort(found, function(a, b) return a.path < b.path end)
  return answer.json(200, core.json.array(found))
end

local function download(state, values, request)
  local file = data(state).by_path[values.file]
  return file and bytes.reply(request, file.body, "application/octet-stream")
    or answer.error(404, "there is no such file")
end

--- Nothing is fetched: the file says where it would have come from.
local function upload_url(state, values)
  return put(data(state), values.file, bytes.of(values.url, 1024))
end

--- The bytes of the part `file_upload` of a form, or nil.
local function part_of(request)
  local kind = request.header("Content-Type") or ""
  local mark = kind:match('boundary="([^"]+)"') or
    kind:match("boundary=([^;%s]+)")
  local at = mark and 1
  while at do
    local _, start = request.body:find("--" .. mark .. "\r\n", at, true)
    local _, head = request.body:find("\r\n\r\n", start or #request.body,
                                      true)
    local stop = head and request.body:find("\r\n--" .. mark, head - 1, true)
    if stop and request.body:sub(start, head)
       :find('[ ;]name="file_upload"') then
      return request.body:sub(head + 1, stop - 1)
    end
    at = stop
  end
end

local function upload(state, values, request)
  local body = part_of(request)
  if not body then
    return answer.error(400, "the form needs a part file_upload")
  elseif values.unzip then
    return answer.error(400, "the sandbox unpacks nothing")
  end
  return put(data(state), values.target_path, body)
end

files.operations = {
  ["serverless.files.list"] = function(state) return list(state, "") end,
  ["serverless.files.list_dir"] = function(state, values)
    return list(state, values.dir)
  end,
  ["serverless.files.download"] = download,
  ["serverless.files.upload_url"] = upload_url,
  ["serverless.files.upload"] = upload,
}

return files
