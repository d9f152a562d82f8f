--- falrun verify-erasure: is what was deleted really gone from fal's CDN?
---
---   run(s) --> ids --> the files of each, by the ledger --> asked --> record
---
--- Ids are all that is in memory of a run (16 bytes each); what was seen of a
--- file is in the ledger before the next one of its request is asked for, so
--- a run that is killed goes on where it was.
local cli = require "fal.cli"
local core = require "core"
local erasure = require "fal.erasure"
local host = require "host"
local report = require "fal.report"
local runs_of = require "fal.runs"
local seen = require "fal.seen"
local story = require "fal.story"
local tasks = require "fal.tasks"
local text = require "fal.text"

local IDS_MAX <const> = 1000000         -- of which each is asked once
local FRESH_MS <const> = 3600000
local TOGETHER <const> = 16

local OPTIONS <const> = {
  { name = "since", value = "DURATION",
    help = "all runs that began within it, like 7d" },
  { name = "again", flag = true,
    help = "ask for what was seen within the hour, too" },
}

local COLUMNS <const> = {
  { title = "REQUEST ID", width = 36 },
  { title = "FILE", width = 6 },
  { title = "SEEN", width = 17 },
  { title = "HTTP", width = 4, right = true },
  { title = "LINK" },
  { title = "WHY" },
}

--- ---- which runs ------------------------------------------------------------

local function erased_something(run)
  local counts, found = run.summary, false
  if counts then
    return (counts.deleted or 0) + (counts.partial or 0)
      + (counts.settled or 0) > 0
  end
  host.ledger.events({ run = run.run }, function(event)
    found = seen.is_erasure(event)
    return found
  end)
  return found
end

local function last_run()
  for _, run in ipairs(runs_of.all(host)) do
    if run.command ~= host.command and erased_something(run) then
      return { run.run }
    end
  end
  host.usage("no run of the ledger deleted something: " .. host.ledger.path)
end

local function find_runs(given, words)
  if words[2] or words[1] and given.since then
    host.usage("falrun verify-erasure takes one run, or --since DURATION")
  end
  if words[1] and words[1] ~= "last" then
    return { runs_of.find(host, words[1]).run }
  elseif not given.since then
    return last_run()
  end
  local list = {}
  for _, run in ipairs(runs_of.since(host, given.since)) do
    list[#list + 1] = run.command ~= host.command and run.run or nil
  end
  return list
end

--- The ids that these runs erased, each once, and about how many files that
--- is.
local function collect(runs)
  local list, once, files = core.id_list(), core.id_set(IDS_MAX), 0
  for _, run in ipairs(runs) do
    host.ledger.events({ run = run }, function(event)
      if seen.is_erasure(event) and once:add(event.request_id) then
        list:add(event.request_id)
        files = files + #(story.value(event.data.files) or {})
      elseif event.kind == "input_files" then
        files = files + #event.data.files
      end
    end)
  end
  return list, files
end

--- ---- what is told ----------------------------------------------------------

local function counts()
  return { gone = 0, cached = 0, there = 0, unknown = 0 }
end

local function new_job(given, expected)
  return { again = given.again, expected = expected, requests = 0,
           blind = 0, unnamed = 0, output = counts(), input = counts() }
end

local function entry(id, file)
  return { request_id = id, link = file.link, seen = file.seen,
           file = file.input and "input" or "output", why = file.why,
           http_status = file.http_status, age_s = file.age_s,
           cache = file.cache,
           at = file.at_ms and core.format_time(file.at_ms) }
end

local WORDS <const> = { cached = "served by a cache", there = "still there",
                        unknown = "unknown" }

--- One line for what is left; in JSON an element of a list.
local function teller()
  if host.options.json then
    local list = report.list(host)
    host.write('{"left":')
    return function(id, file)
      list.add(entry(id, file))
    end, list.close
  end
  local put = text.stream(host, COLUMNS)
  return function(id, file)
    put(id, file.input and "input" or "output", WORDS[file.seen],
        file.http_status ~= 0 and file.http_status or nil, file.link,
        file.why)
  end, function() end
end

--- ---- asking ----------------------------------------------------------------

--- A probe without a result is no reason to wait for another.
local function is_fresh(job, file)
  return not job.again and file.at_ms and file.seen ~= "unknown" and
    core.at() - file.at_ms < FRESH_MS
end

local function ask(job, id, file)
  if is_fresh(job, file) then
    job.expected = math.max(job.expected - 1, 0)
    core.expect_files(job.expected)
    return file
  end
  local now, err = erasure.ask(id, file)
  if not now then
    job.stopped = err
    return nil
  end
  now.at_ms = core.at()
  return now
end

local function look(job, id)
  local files = seen.files(function(f)
    host.ledger.events({ request_id = id }, f)
  end)
  job.requests = job.requests + 1
  job.unnamed = job.unnamed + files.unnamed
  job.blind = job.blind + (files.looked and 0 or 1)
  for _, file in ipairs(files) do
    local now = not job.stopped and ask(job, id, file)
    if not now then
      return
    end
    local by = file.input and job.input or job.output
    by[now.seen] = by[now.seen] + 1
    if now.seen ~= "gone" then
      job.tell(id, now)
    end
  end
end

local function ask_all(job, list)
  core.expect_files(job.expected)
  tasks.run(function()
    return not job.stopped and list:take() or nil
  end, function(id)
    look(job, id)
  end, math.max(TOGETHER, math.tointeger(tonumber(
    host.options.concurrency or "")) or 0))
end

--- ---- the end ---------------------------------------------------------------

local function total(by)
  return by.gone + by.cached + by.there + by.unknown
end

local function print_totals(job)
  local any = total(job.output) > 0
  host.write(("%s of %s%s%s\n"):format(text.count(total(job.output), "file",
    "files"), text.count(job.requests, "request", "requests"), any and ": "
    or "", erasure.describe(job.output) or ""))
  if job.unnamed > 0 then
    host.write(("%s more, whose links are not in the record: nobody can ask "
      .. "for them\n"):format(text.count(job.unnamed, "file", "files")))
  end
  if total(job.input) > 0 then
    host.write(("%s, which fal keeps: %s\n"):format(text.count(total(
      job.input), "input file", "input files"), erasure.describe(job.input)))
  end
  if job.blind > 0 then
    host.write(("nobody looked at the input of %s: whether fal keeps files of "
      .. "it is not known\n"):format(text.count(job.blind, "request",
                                                "requests")))
  end
end

local function print_json(job, runs)
  host.write((',"runs":%s,"requests":%d,"files":%s,"unnamed":%d,'
    .. '"input_files":%s,"inputs_not_looked_at":%d,"complete":%s}\n')
    :format(core.json.encode(core.json.array(runs)), job.requests,
            core.json.encode(job.output), job.unnamed,
            core.json.encode(job.input), job.blind,
            job.stopped and "false" or "true"))
end

local function judge(job)
  local left = total(job.output) - job.output.gone + job.unnamed
  if job.stopped then
    core.mark("unavailable", ("%s; what was not asked for is asked for by "
      .. "falrun verify-erasure, again"):format(job.stopped.message))
  elseif left > 0 then
    core.mark("failed", ("%s not seen as gone"):format(text.count(left,
      "file was", "files were")))
  end
end

local function run()
  local given, words = cli.parse(host, "verify-erasure", OPTIONS)
  local runs = find_runs(given, words)
  local list, files = collect(runs)
  local job, tell, close = new_job(given, files), teller()
  job.tell = tell
  ask_all(job, list)
  close()
  if host.options.json then
    print_json(job, runs)
  else
    print_totals(job)
  end
  host.note("files", job.output)
  host.note("input_files", job.input)
  judge(job)
end

return {
  summary = "ask fal's CDN whether the files of a run are really gone",
  usage = "falrun verify-erasure [RUN | --since DURATION] [--again]",
  help = [[
Asks for each file that the answers of a run named: two small requests, one of
them past every cache, without any key. RUN is a number from falrun history;
without it, it is the last run that deleted something. What was seen is
recorded:

  gone     404 or 410, both times; the file leaves what falrun explain lists
  cached   a cache still serves it, and behind the cache it is gone
  there    it is still served
  unknown  no usable answer. Forbidden is not gone; nor is a redirect

Files of the input are fal's to keep. Where they are known (a policy looked at
request.input, or verify = true), they are asked for and listed, and no reason
to fail.

Ends with 3 when a file was not seen as gone, and with 7 when the CDN does not
answer. What was seen within the hour is not asked for again, so a command that
was ended goes on where it was. --rate and --concurrency set the pace (100
requests a second, 8 at a time).

Examples:
  falrun verify-erasure
  falrun verify-erasure 17 --again
  falrun verify-erasure --since 7d --json | jq '.left[].link'
]],
  options = OPTIONS,
  run = run,
}
