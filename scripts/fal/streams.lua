--- What is no single answer: streams of events, and whole files.
---
--- This falrun reads and sends a body as one piece, bounded in size, so it
--- can do none of them yet. Each says so, before anything is sent: a cut
--- stream must not look like a whole one, nor a part of a file like a file.
local core = require "core"

local streams = {}

local function refuse(row, what, instead)
  return nil, core.error("invalid", ("%s: falrun cannot %s yet; nothing was "
    .. "sent. %s"):format(row.name, what, instead))
end

--- Live events. Nil and an error.
function streams.stream(row)
  return refuse(row, "read a stream of events",
                "serverless.logs.history has the same lines, by pages")
end

--- A remote file, saved under a name. Nil and an error.
function streams.download(row)
  return refuse(row, "save a file", "Save it in fal's dashboard")
end

--- Sends a local file as a form: the change of a row whose one field of the
--- body is the file's path. Waits. Its result, or nil and an error.
function streams.upload(row, change, values)
  for _, spec in ipairs(row.params) do
    if spec.place == "body" then
      change.field, change.file = spec.name, values[spec.name]
    end
  end
  change.body = nil
  local result, err = core.change(change)
  if err and err.status == "refused" and err.code == "config" then
    err = core.error("config", ("%s: %s: %s; nothing was sent"):format(
      row.name, change.field, err.message), { status = "refused" })
  end
  return result, err
end

return streams
