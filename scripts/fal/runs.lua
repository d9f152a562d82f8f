--- Which runs of the ledger a command is asked about.
local core = require "core"
local text = require "fal.text"

local runs = {}

local MOST <const> = 100000

--- All of them, newest first.
function runs.all(host)
  return host.ledger.runs(MOST)
end

--- The run that a word names: a number, or "last". Ends with usage otherwise.
function runs.find(host, word)
  if word == "last" then
    return host.ledger.runs(1)[1]
      or host.usage("the ledger has no runs: " .. host.ledger.path)
  end
  local number = word:match("^%d+$") and math.tointeger(word)
  if not number then
    host.usage(("%q is no run: a number from falrun history, or last, is")
      :format(text.clean(word:sub(1, 40))))
  end
  for _, row in ipairs(runs.all(host)) do
    if row.run == number then
      return row
    end
  end
  host.usage(("the ledger has no run %d; falrun history lists them")
    :format(number))
end

--- Those that began within a duration like "30d", oldest first; may be none.
function runs.since(host, since)
  local age, list = core.parse_duration(since), {}
  if not age then
    host.usage(("--since is \"%s\": write a duration with its unit, like 7d")
      :format(text.clean(since:sub(1, 40))))
  end
  for _, run in ipairs(runs.all(host)) do
    if core.parse_time(run.began_at) >= core.at() - age then
      table.insert(list, 1, run)
    end
  end
  return list
end

return runs
