--- Which files a request has, by the record; which links an input names; and
--- what becomes of a deletion whose files are asked for.
local t = require "support"
local test, equal = t.test, t.equal

local A <const>, B <const> = "https://v3.fal.media/a", "https://v3.fal.media/b"

local function outcome(state, ...)
  local files = {}
  for i, link in ipairs { ... } do
    files[i] = { link = link }
  end
  return { kind = "outcome", data = { state = state, files = files } }
end

local function probe(link, seen)
  return { kind = "probe", at = "2026-01-01T00:00:00Z",
           data = { link = link, seen = seen, http_status = 404 } }
end

local function files_of(...)
  local events = { ... }
  return require "fal.seen".files(function(f)
    for _, event in ipairs(events) do
      f(event)
    end
  end)
end

test("files are those of all answers, each once, with what was last seen",
     function()
  local files = files_of(outcome("partial", A, B), probe(A, "there"),
    outcome("failed", "https://v3.fal.media/c"), outcome("deleted", B, ""),
    probe(A, "gone"), probe("https://v3.fal.media/z", "gone"))
  equal(#files, 2)
  equal({ files[1].link, files[1].seen, files[2].link }, { A, "gone", B })
  equal(files[2].seen, nil)
  equal(files.looked, false)
end)

test("an input that names no file was looked at", function()
  local files = files_of({ kind = "input_files", data = { files = {} } })
  equal(files.looked, true)
  equal(#files, 0)
  files = files_of({ kind = "input_files", data = { files = { A } } },
                   outcome("deleted", B))
  equal({ files[1].link, files[1].input, files[2].input }, { A, true })
end)

test("what is in quarantine is hidden until it is released", function()
  local hide = { kind = "quarantine", data = { files = { A } } }
  equal(files_of(outcome("deleted", A, B), hide)[1].hidden, true)
  equal(files_of(outcome("deleted", A, B), hide)[2].hidden, nil)
  equal(files_of(hide, outcome("deleted", A))[1].hidden, true)
  equal(files_of(hide, { kind = "release", data = {} },
                 outcome("deleted", A))[1].hidden, nil)
end)

--- A world whose CDN answers seen[link], and whose ledger is a list.
local function erasing(world, seen)
  local record = {}
  world.core.mode, world.core.probes = "run", true
  world.core.is_cdn_link = function(text)
    return text:find("^https://v3%.fal%.media/") ~= nil
  end
  world.core.probe = function(link)
    local found = seen[link]
    if type(found) == "table" then
      found = table.remove(found, 1)
    end
    return { link = link, seen = found, http_status = 404 }
  end
  world.core.record = function(kind, id, data)
    record[#record + 1] = { kind, id, data }
    return true
  end
  world.core.mark = function(what)
    record.marked = what
  end
  return require "fal.erasure", record
end

test("a hidden file is never gone", function(world)
  local erasure, record = erasing(world, { [A] = "gone" })
  equal(erasure.ask("id", { link = A }).seen, "gone")
  equal(erasure.ask("id", { link = A, hidden = true }).seen, "unknown")
  equal(record[2][3].seen, "unknown")
  equal(record[2][3].why, "its access was closed: hidden is not gone")
end)

test("an input is walked to its end, and no further", function(world)
  erasing(world, {})
  local inputs = require "fal.inputs"
  equal(inputs.links { a = { { b = A } }, c = A, d = "http://v3.fal.media/x",
                       e = 7, f = true, g = "https://example.com/x" }, { A })
  equal(inputs.links("text"), {})
  local large = {}
  for i = 1, 100001 do
    large[i] = "x"
  end
  equal(inputs.links(large), nil)
  inputs.note("id", large)              -- nobody has looked at all of it
  equal(inputs.take("id"), nil)
  inputs.note("id", { image_url = B })
  equal(inputs.take("id"), { B })
  equal(inputs.take("id"), nil)
  inputs.note("id", nil)
  equal(inputs.take("id"), {})
end)
t.finish()
