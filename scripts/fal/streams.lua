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

--- A local file, sent as a form. Nil and an error.
function streams.upload(row)
  return refuse(row, "send a file", "Where the file has a public URL, use "
                .. "serverless.files.upload_url")
end

return streams
