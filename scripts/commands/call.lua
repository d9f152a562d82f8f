--- falrun call OPERATION: any operation of the Platform API.
local cli = require "fal.cli"
local consent = require "fal.consent"
local core = require "core"
local delete = require "commands.delete"
local exact = require "fal.exact"
local host = require "host"
local operations = require "fal.operations"
local reference = require "fal.reference"
local report = require "fal.report"
local streams = require "fal.streams"
local text = require "fal.text"
local words = require "fal.operation_words"

local OPTIONS <const> = {
  { name = "body", value = "JSON", help = "the body: JSON, @FILE, or - for "
    .. "standard input" },
  { name = "all-pages", flag = true, help = "the items of all pages, as one "
    .. "list" },
  { name = "output", value = "FILE", help = "where a file is saved" },
  { name = "replace", flag = true, help = "with it: a file that is there may "
    .. "go" },
  { name = "max-events", value = "N", help = "of a stream: stop after so many "
    .. "events" },
  { name = "raw", flag = true, help = "the answer as it came" },
  { name = "reason", value = "TEXT", help = "why, for the ledger" },
  { name = "idempotency-key", value = "KEY", help = "of a change: a key of "
    .. "your own" },
  { name = "timeout", value = "DUR", help = "of one attempt (60s)" },
  { name = "list", flag = true, help = "what operations there are" },
  { name = "reference", flag = true, help = "all of them, as a page of "
    .. "Markdown" },
}

local COLUMNS <const> = {
  { title = "OPERATION", width = 35 },
  { title = "KEY", width = 5 },
  { title = "CHANGES", width = 12 },
  { title = "WHAT IT DOES" },
}

local function write_json(value)
  host.write(core.json.encode(value) .. "\n")
end

-- ---- falrun call --list ----------------------------------------------------

local function described(row)
  return { name = row.name, method = row.method, path = row.path,
    key = reference.key(row), doc = row.doc,
    changes = row.changes, paging = row.paging, list = row.list,
    media = row.media or "json", idempotent = row.idempotent or false,
    statuses = row.stands, params = core.json.array(row.params) }
end

local function list(group)
  local rows = reference.group(host, group)
  if host.options.json then
    local all = report.list(host)
    for _, row in ipairs(rows) do
      all.add(described(row))
    end
    return all.close()
  end
  local put = text.stream(host, COLUMNS)
  for _, row in ipairs(rows) do
    put(row.name, reference.key(row), row.changes or "", row.doc)
  end
end

-- ---- what comes of a call ---------------------------------------------------

--- What the library says about an argument, said about the word.
local function check(row, given, options, walked)
  local ok, err = pcall(operations.check, row, given, options, walked)
  if ok then
    return
  end
  local name, why = tostring(err):match "bad argument '(.-)' to .-(%b())$"
  if not name then
    error(err, 0)
  end
  host.usage(("%s: %s%s"):format(row.name, name == "options" and "" or
    name:gsub("^idempotency_key$", "--idempotency-key") .. ": ",
    why:sub(2, -2)))
end

local function must(value, err)
  if value == nil then
    error(err, 0)
  end
  return value
end

--- What somebody else wrote, for standard output: exact, but on a terminal
--- nothing that drives it.
local function written(answer)
  if host.columns == 0 then
    return answer
  end
  return (answer:gsub("[^\n\t]+", text.clean))
end

--- JSON as it came, on lines of its own.
local function write_answer(json)
  host.write(written(json:match "^%s*(.-)%s*$") .. "\n")
end

local function print_items(row, given, options)
  local walk, name = operations.pages(row, given, options, true)
  local out, count = report.list(host), 0
  for items, _, page in walk do
    local texts = exact.items(page, name)
    assert(#texts == #items)
    for _, item in ipairs(texts) do
      out.add_text(written(item))
    end
    count = count + #items
  end
  out.close()
  if not host.options.quiet then
    core.log.info(text.count(count, "item", "items"))
  end
end

--- An event on a line: JSON, in which data that is JSON stays as it came.
local function event_line(event)
  local encode = core.json.encode
  local data = streams.value(event) == event.data and encode(event.data) or
    event.data:gsub("[\r\n]", " "):match "^%s*(.-)%s*$"
  return ('{"data":%s,"event":%s%s}'):format(data, encode(event.event),
    event.id and ',"id":' .. encode(event.id) or "")
end

local function print_events(row, given, options, how)
  local most, count = how["max-events"], 0
  most = most and cli.count(host, "max-events", most) or math.maxinteger
  for event in operations.events(row, given, options) do
    host.write(written(how.raw and event.data or event_line(event)) .. "\n")
    count = count + 1
    if count >= most then
      break
    end
  end
end

--- Says what was saved, on standard output as JSON.
local function save(row, given, options)
  local saved = must(operations.call(row, given, options))
  write_json(saved)
  if not host.options.quiet then
    core.log.info(("%s: %s%s"):format(saved.path, text.count(saved.bytes,
      "byte", "bytes"), saved.resumed == 0 and "" or
      (", %s of them from before"):format(text.number(saved.resumed))))
  end
end

local function print_read(row, given, options, how)
  if how["all-pages"] then
    print_items(row, given, options)
  elseif row.media == "events" then
    print_events(row, given, options, how)
  elseif row.media == "bytes" then
    save(row, given, options)
  elseif how.raw or row.media == "csv" and not host.options.json or
    row.media == "text" and not host.options.json then
    host.write(written(must(operations.raw(row, given, options))))
  else
    local value, answer = operations.exact(row, given, options)
    must(value, answer)
    if row.media then
      write_json(value)
    else
      write_answer(answer)
    end
  end
end

local function delete_payloads(row, given, options)
  report.refuse_percent(host)
  local began = core.now()
  if core.mode == "run" then
    report.settle(host)
  end
  host.observe(report.watcher(host), not host.options.verbose)
  local result, err = operations.call(row, given, options)
  write_json(delete.entry(given.request_id, result, err))
  report.finish(host, began)
end

--- What became of a change that came to nothing, or of which nobody knows.
--- The gate has recorded it, and the exit code is the gate's.
local function print_failure(err)
  if not err.status or err.status == "done" or
    err.status == "refused" and err.code == "config" then
    error(err, 0)
  end
  write_json { status = err.status, kind = err.kind, message = err.message,
               http_status = err.http_status, attempts = err.attempts }
  core.log.warn(err.message)
end

--- Prints what the API answered; where it is silent, what became of it.
local function change(row, given, options)
  consent.begin(host)
  local result, err = operations.call(row, given, options)
  if not result then
    return print_failure(err)
  elseif result.text then
    write_answer(result.text)
  else
    write_json { status = result.status }
  end
  if not host.options.quiet then
    core.log.info(("%s: %s; %s"):format(row.name, result.status,
      result.status == "planned" and "nothing was sent" or
      "ledger " .. host.ledger.path))
  end
end

--- Nobody is there to answer, and nothing was said beforehand.
local function check_consent(row)
  local asked = host.stdin_tty and host.stderr_tty and
    not host.options["no-input"]
  if row.changes == "irreversible" and not row.gated and core.mode == "run"
    and not host.options.yes and not asked then
    host.usage(row.name .. " cannot be undone, and nobody can be asked: add "
               .. "--yes")
  end
end

local function check_how(row, how)
  if how["all-pages"] and not operations.is_list(row) then
    host.usage(row.name .. " has no pages: leave out --all-pages")
  elseif how["all-pages"] and how.raw then
    host.usage("--raw is of one page: leave out --all-pages")
  elseif how.output and row.media ~= "bytes" then
    host.usage(row.name .. " answers no file: leave out --output")
  elseif row.media == "bytes" and not how.output then
    host.usage(row.name .. " needs --output FILE, where the file is saved")
  elseif row.media == "bytes" and how.raw then
    host.usage(row.name .. " saves a file as it came: leave out --raw")
  elseif how.replace and row.media ~= "bytes" then
    host.usage(row.name .. " answers no file: leave out --replace")
  elseif how["max-events"] and row.media ~= "events" then
    host.usage(row.name .. " answers no events: leave out --max-events")
  elseif row.changes and how.raw then
    host.usage(row.name .. " changes something: leave out --raw")
  elseif not row.changes and (how.reason or how["idempotency-key"]) then
    host.usage(row.name .. " only reads: leave out --reason and "
               .. "--idempotency-key")
  end
end

--- What C opened is what the table said to it. Should that have failed, no
--- plan may be taken for the deed.
local function check_mode(row)
  if row.changes and core.mode ~= "run" and not host.options["dry-run"] then
    host.usage(row.name .. " changes something, and this run was opened to "
               .. "read: nothing was sent; try again")
  end
end

local function call(list_of_words, how)
  local row = reference.find(host, list_of_words[1])
  local given = words.read(host, row, table.move(list_of_words, 2,
    #list_of_words, 1, {}), how.body)
  local options = { timeout = how.timeout, reason = how.reason,
                    idempotency_key = how["idempotency-key"],
                    to = how.output, replace = how.replace }
  check_how(row, how)
  check(row, given, options, how["all-pages"])
  check_consent(row)
  check_mode(row)
  if row.gated then
    delete_payloads(row, given, options)
  elseif row.changes then
    change(row, given, options)
  else
    print_read(row, given, options, how)
  end
end

local function run()
  local how, list_of_words = cli.parse(host, "call", OPTIONS)
  if how.reference then
    host.write(reference.page())
  elseif how.list then
    list(list_of_words[1])
  elseif not list_of_words[1] then
    host.usage("falrun call needs an operation, like models.pricing; falrun "
               .. "call --list shows all")
  else
    call(list_of_words, how)
  end
end

return {
  summary = "call any operation of the Platform API, JSON out",
  usage = "falrun call OPERATION [name=value ...] [options]\n"
    .. "falrun call --list [GROUP]",
  help = [[
Parameters are name=value, checked before anything is sent: falrun call
OPERATION --help names them. One of several values is given again, a value
that is no text is name:=JSON. Standard output has the answer as JSON; CSV and
metrics come as they are, and with --json as JSON, too.

A stream is printed event by event, each a line of JSON, until it ends, until
it is interrupted, or --max-events; --raw prints the data alone. A file is
saved as --output FILE: as FILE.part until it is whole, and the same command
goes on from there when it was cut off.

What only reads needs no ledger. What changes something is a run: it takes the
lock and is written into the ledger; --dry-run sends nothing. What cannot be
undone asks first, and needs --yes where nobody can be asked.
models.requests.delete_payloads is falrun delete: holds, limits and the ledger
apply.

Examples:
  falrun call models.pricing endpoint_id=fal-ai/flux/dev
  falrun call models.list q=video status=active --all-pages
  falrun call serverless.queue owner=acme name=upscale
  falrun call assets.collections.create name=legal-hold
  falrun call storage.set_settings expiration_duration_seconds:=null
  falrun call serverless.logs.stream app_id=acme/upscale level=error
  falrun call serverless.files.download file=a/b.bin --output b.bin
  falrun call --list assets
]],
  run_options = true,
  options = OPTIONS,
  run = run,
}
