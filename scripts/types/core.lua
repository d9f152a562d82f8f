---@meta
--- The private tables behind the standard library: `core` and `host`.
---
--- Embedded files get them by `require "core"`; commands and the sandbox also
--- by `require "host"`. Policies cannot: their `require` knows neither.
--- Failures of the world are `nil, err` with an error table
--- `{code, kind, message, retryable}`; misuse raises.

---@class core
---@field mode "run"|"plan"
---@field fal table           the raw calls below
---@field json table          the global `json`
---@field log table           the global `log`
core = {}

--- Deletes through the gate; `fal.delete_payloads` itself. Waits.
function core.delete_payloads(id, opts) end
--- Many deletions under way at a time; `options` as above, without a key.
--- flight:add(id, reason?) starts one, flight:add_all(list) as many of a list of
--- ids as there is room for; they return the room left, nil after a
--- stop; flight:room(); flight:take(n) waits until some have ended: their
--- counts by status, the first n errors and the lines, or nothing when none
--- is left. `limit`: at most so many (1 to 1000); 0 as many as the gate likes.
--- `lines`: wanted is a text with "ID\tSTATUS\n" for each.
---@return table? flight, table? err
function core.flight(options, limit, lines) end
--- What the gate would say now: "planned", "already_deleted", "held" or
--- "refused", for "refused" the code ("too_young", "stopped"), and for "held"
--- the reason of the hold.
---@return string fate, string? code, string? held_by
function core.preview(id) end
---@return integer  deletions the run's limit still allows
function core.room() end
--- A safety stop of the run (exit 4) with one sentence: the rest is refused.
function core.stop(sentence) end
--- Tightens the run's limits: {max = integer?, min_age = "36h"?}.
function core.tighten(limits) end
--- The totals of a plan that is known whole, held against the run's limits:
--- {planned = integer, scanned = integer}. After a stop nil and the error.
---@return true?, table? err
function core.declare(whole) end
--- Holds the ids of a file for this run, at the gate, which reads it again
--- when it changes. After a failure the run is stopped.
---@return integer? count, table? err
function core.hold_file(path) end
--- Holds one id for this run.
---@return true?, table? err
function core.hold_id(id, reason) end
--- What is said of a request in the grace of a quarantine, which the gate
--- holds by itself: milliseconds since 1970, of its begin and its end.
---@return string
function core.grace_words(since, until_ms) end
--- The ids in a file (base/idfile.h); "-" is standard input.
---@return string[]?, table? err
function core.read_ids(path) end

--- Any call that changes something, through the gate and its ledger. Waits.
--- Announced before the first byte, closed by what was answered; repeated only
--- under an Idempotency-Key (`idempotent`: the API takes one, and one is made
--- unless it is given). Deleting payloads is core.delete_payloads alone.
--- result: {status = "done"|"planned", value = decoded JSON or nil,
--- http_status, attempts, evidence, idempotency_key}; where Lua cannot hold
--- the answer `unread` says why there is no value. err.status: "refused",
--- nothing was done; "failed", fal said no; "unknown", it left without an
--- answer that says what became of it: it may have happened.
--- `file`: a path here, whose bytes are sent as the part `field` of a form, in
--- place of a body; one that cannot be sent is "refused", code "config".
---@param call {operation:string, method:string, path:string, query:table?, body:table?, file:string?, field:string?, key:string?, idempotent:boolean?, idempotency_key:string?, timeout:string?, reason:string?, policy:string?, irreversible:boolean?, request_id:string?, target:string?, dry_run:boolean?}
---@return table? result, table? err
function core.change(call) end

--- Writes a fact into the run's ledger, synced; in a plan it is "planned" and
--- nothing is written. The kinds and their fields (docs/ledger.md):
---   "looked", nil, {endpoint, from_ms, to_ms, rows}
---   "quarantine", id, {files = {links}, acl = {JSON of each, as it was},
---     delete_after_ms, reason?}
---   "release", id, {reason?}
---   "probe", id, {link, seen, http_status?, age_s?, cache?, why?,
---     input?}  as core.probe gave it; input: of the request's input
---   "input_files", id, {files = {links}}  none: a look found none
---@param kind string
---@param id string?
---@param fields table
---@return "recorded"|"planned"|nil, table? err
function core.record(kind, id, fields) end
--- What the ledger knows of these; also in host.ledger. A failure raises.
--- Rows {endpoint, from_ms, to_ms, run, options} of runs that ended with 0.
function core.looked(endpoint) end
--- What runs under the same key have in common ("account" of their options).
core.account = "c0ffee"         --- or nil
--- looked:take(window, from, to), looked:pieces(): runtime/gate/looked.h.
function core.looked_list() end
--- Rows {request_id, at, run, seq, delete_after_ms, data}; of one id, or all.
function core.quarantined(id) end
function core.input_files(id) end   --- rows {request_id, link, seq}
--- Rows {seq, run, at, request_id?, state, data, outcome?, outcome_at?},
--- oldest first; `data` and `outcome` are those of the two events.
function core.changes(run) end

--- A reading call of the Platform API, retried; the decoded JSON, or nil and
--- an error. Waits. `query` is a list of {name, value} pairs; repeated names
--- are sent repeated. `key`: "none", "api", "admin", "list"
--- (the admin key where one is set) or "optional". With `window` a
--- page of requests that is as documented goes into it and comes without its
--- items; then the second value is the window's reach (fal/window.lua), with
--- `endpoints`, new ones by their places in the page, and whether the page
--- came `twice`. With `accept` "text" the body is whatever it is (CSV,
--- metrics): it comes as text, and its content type as the second value;
--- with "both" the text of the JSON is the second value. `trial`: a key that
--- is refused is an answer, and does not end the run.
---@param call {trial:boolean?, method:string?, path:string, query:{[1]:string,[2]:string}[]?, body:table?, key:string?, timeout:string?, window:table?, accept:"json"|"text"|"both"|nil}
---@return any value, table? reach_or_err
function core.read(call) end

--- A long answer as text, in pieces. Waits for its head (`timeout`, for each
--- of `attempts`). handle:read() waits: a text (perhaps "") of whole lines or
--- parts of a long one, keys blanked; nil at a whole end; or nil, err, after a
--- cut or `stall` (30s) without a byte. handle:status(), handle:header(name),
--- handle:close(). What nobody reads makes fal wait.
---@param call {method:string?, path:string, query:{[1]:string,[2]:string}[]?, body:table?, key:string?, timeout:string?, accept:string?, last_event_id:string?, attempts:integer?, stall:string?}
---@return table? handle, table? err
function core.stream(call) end

--- Saves the file that a GET answers, whole or not at all. Waits. `resumed`:
--- bytes that an earlier call had saved. What is there stays, or `replace`.
---@param call {path:string, query:table?, key:string?, timeout:string?, replace:boolean?}
---@return {path:string, bytes:integer, resumed:integer}?, table? err
function core.download(call, path) end

--- An empty window of a list: window:sort(), then window:next(before?) until
--- it returns nil: each row once, as fal/row.lua would make it, oldest first,
--- and when it ended in ms (-1: it has not); without those that the window
--- `before` has. window:has(id), window:close().
function core.window() end

--- Is this file still on fal's CDN? Waits. `seen`: "gone", "cached", "there"
--- or "unknown", with `why`. nil, err: the CDN does not answer, or this run has
--- none to ask (`core.probes` is false).
---@return {link:string, seen:string, http_status:integer, age_s:integer?, cache:string?, why:string?}?, table? err
function core.probe(link) end
core.probes = true
function core.is_cdn_link(text) end         --- may it be asked for?
function core.expect_files(count) end       --- of the progress line
--- A request to a host that --allow-net names (fal/net.lua). Waits. headers:
--- "Name: value\n" each. In a plan and on a stage nothing is sent: `planned`.
--- err.code "config": it may not be sent.
---@param call {method:string, url:string, headers:string?, body:string?, timeout_ms:integer?}
---@return {status:integer, headers:table, body:string, planned:true?}?, table? err
function core.net(call) end
function core.net_place(url) end            --- "https://host", to be shown
function core.net_fault(url) end            --- why it may not be asked, or nil
--- Hands a message to the program of --sendmail. Waits.
---@return "sent"|"planned"|nil, table? err
function core.mail(text) end
core.mails = true               --- there is such a program
--- Marks the run, for its exit code, with a sentence: "ledger" 8, "auth" 5,
--- "safety" 4, "unavailable" 7, "config" 2, "failed" 3.
function core.mark(what, sentence) end

--- Begins a phase of the run, for its progress. `total`: how many deletions
--- belong to it, where that is known.
---@param name string  "settling", "listing", "deleting"
function core.phase(name, total) end

function core.sleep(ms) end                 --- waits; ms is an integer
function core.spawn(f, ...) end             --- a task: cancel, wait, status
function core.now() end                     --- monotonic ms
function core.at() end                      --- wall clock, ms since 1970
function core.parse_time(text) end          --- ms, or nil
function core.format_time(ms) end           --- "2026-01-02T03:04:05Z"
function core.parse_duration(text) end      --- ms, or nil
function core.format_duration(ms) end       --- "30d"
function core.parse_id(text) end            --- the id itself, or nil
--- set:add(id): true the first time, false later, nil: no id. At most `limit`
--- ids are kept; further ones count as new.
--- set:move(from, to, most): a list's new ids go to another; how many went.
function core.id_set(limit) end
--- Many request ids, 16 bytes each, in the order they were added; #list.
---@class core.IdList
---@field add fun(list, text: any): boolean     false: it is no request id
---@field take fun(list): string?   the first one, which leaves the list
---@field at fun(list, n: integer): string?
---@return core.IdList
function core.id_list() end

--- Ids go from one list to another as long as the gate has not to be asked at
--- once: until `most` would be sent, or one is "refused" or "already_deleted";
--- that id is in neither list then.
---@return integer planned, string? fate, string? id
function core.look_ahead(from, to, most) end
function core.loaded(name) end              --- was that file required already?
function core.sha256(text) end              --- hexadecimal
function core.nearest(word, words) end      --- the nearest spelling, or nil
function core.error(code, message, fields) end  --- an error table
function core.where() end   --- "policy.lua:12: " of the policy's own line, or ""
--- Raises at the caller's level: "bad argument 'name' to 'function' (why)".
function core.bad_argument(level, func, argument, why) end

---@class host
---@field command string
---@field args string[]       words after the command
---@field options table<string, string>   known options, as text; flags "true"
---@field version string
---@field color boolean       standard output takes colour
---@field columns integer     of the terminal on standard output; 0: none
---@field stderr_tty boolean
---@field stdin_tty boolean
---@field policy {path:string, sha256:string}?
---@field origin string?      of the API: "https://api.fal.ai", "sandbox"
host = {}

--- Ends the command with exit code 2 and one sentence on standard error.
function host.usage(sentence) end
function host.write(text) end               --- to standard output
function host.say(text) end                 --- a line to standard error
--- Lines of standard input, without their ends, and their numbers; a line
--- longer than 64 KiB raises. With a list, lines that are a request id and
--- nothing else go there. Blocking: only before the first deletion.
---@return fun(list: core.IdList?): string?, integer?
function host.lines() end
function host.read_file(path, max_bytes) end    --- text | nil, err
--- A file opened for appending: methods write(text), close().
function host.append(path) end              --- file | nil, err
--- Writes a file whole, or not at all, in place of what was there (0600).
function host.write_file(path, text) end    --- true | nil, err
--- The same where there is no such file yet, unless it may replace one; 0644.
---@param replace boolean?
function host.create(path, text, replace) end   --- true | nil, err
function host.make_dir(path) end            --- true | nil, err
--- From the root on, without links, or nil, err.
function host.real_path(path) end
--- {kind = "file"|"folder"|"other", mode = 420, uid = 0} | nil, err
function host.stat(path) end
function host.text(module) end              --- an embedded file's text, or nil
function host.sha256(text) end              --- hexadecimal
function host.commands() end                --- names of the commands

--- The policy's main chunk, checked for syntax only; or raises.
---@return function
function host.load_policy() end
--- Names the policy of a command that had none on its line.
function host.use_policy(path, text) end
--- What to do about an error, by its message, the line of the source that it
--- names, and the whole source; or nil.
function host.hint(message, line, source) end
--- Calls f under the policy's error report: true and its results, or false
--- after the error was reported (exit code 1, or what the error stands for).
function host.guard(f, ...) end
--- Called with (id, result, nil) or (id, nil, err) for each deletion that a
--- script asked for, when it is over; `brief`: for failures only. Must not
--- wait.
---@param brief boolean?
function host.observe(f, brief) end
--- Asks on standard error; the line typed, or nil at the end of the input.
function host.ask(question) end
--- Adds a member to the summary that the ledger keeps of this run.
function host.note(name, value) end
--- The modules that the policy loaded: {name, path, sha256} each.
function host.modules() end
--- What systemctl shows of units that are named falrun-*; "" without it.
function host.timers() end
--- Sends again what earlier runs left open. Waits.
function host.settle() end
--- {deleted, already_deleted, planned, partial, held, refused, failed,
--- settled, open, age_unknown, changed, unchanged} of this run, integers.
function host.counts() end
--- {in_flight, waiting, concurrency, requests, retries, limited, paused_ms}
function host.figures() end
--- True once the run was stopped, and the sentence why.
function host.stopped() end
--- The exit code of the run as far as it is known, and its first reason.
---@return integer, string?
function host.verdict() end

--- For falrun doctor alone, which starts although keys or ledger fail.
---@class host.health
---@field ledger string       where it is, or would be
---@field keys_fault string?  why the keys cannot be used
---@field ledger_fault string?  why the ledger cannot be opened
---@field ledger_code string?   "corrupt", "io", "origin"
host.health = {}
function host.health.lacks_key(which) end   --- "api", "admin": boolean
function host.health.one_key() end          --- the same key for both
function host.health.skew() end             --- ms this clock is ahead, or nil
function host.health.holder(ledger) end     --- pid, false: free, nil: unknown
--- Free bytes where the path is or would be, and whether it may be written.
---@return integer? free, boolean|string writable_or_why
function host.health.disk(path) end

--- Serves HTTP on 127.0.0.1. `handler(request)` runs as a task for each
--- request {method, path, query = {{name, value}...}, header = function(name),
--- body} and returns {status, headers = {name = value}?, body = text?,
--- fault = "drop"|"truncate"|"stall"?, no_date = boolean?}. A body that is a
--- function is asked for text after text, and may wait; at nil it ends, with a
--- fault by a cut. A handler that raises answers 500. Returns {port, close()} | nil, err.
---@param config {port:integer, max_body:integer?, handler:function}
function host.serve(config) end

--- ---- tests and simulations -------------------------------------------------

--- What user code prints and logs is kept from now until the capture is
--- closed: text(), close(), a <close> variable.
function host.capture() end
--- The main chunk of a test file, in an environment of its own which also has
--- the names of `given`; or raises its syntax error.
function host.load_test(path, text, given) end
--- Notes which lines of the user's files run, in tasks that are resumed from
--- now on: hits() -> {path = {line = true}}.
function host.coverage() end
function host.dump(text) end                --- bytecode of a chunk
function host.list_dir(path) end    --- {name = "file"|"folder"|"other"} | nil, err

--- An API, a ledger and a clock of its own inside this process; for commands
--- without a ledger. From now on the process's clock is virtual and stands at
--- `at`; timers that are armed stay as far away as they were. `handler` is one
--- as for host.serve. `host.ledger` is the stage's while it is open, with
--- hold_add and hold_remove. One at a time; close() or a <close> variable.
---@class host.Stage
local stage = {}
---@param config {at:integer, handler:function}
---@return host.Stage?, table? err
function host.stage(config) end
--- Begins a run and returns the policy's main chunk, or raises its syntax
--- error, and the run is on even then. core.* and host.* (counts, stopped,
--- settle, observe, note, policy, load_policy, guard) act on it until
--- stage:finish; globals, modules and the verdict are its own. A policy that
--- hits a cap fails this run alone. Misuse raises, and no run is on.
---@param options {mode:"run"|"plan"|nil, policy:{path:string, text:string},
---  args:string[]?, max_deletes:integer?, max_percent:integer?, min_age:integer?}
---  min_age in ms; the limits' defaults are those of a run
---@return function
function stage:begin(options) end
--- Waits until the gate is idle, ends tasks that were started during the run
--- and are still there, writes the end of the run. What core.* and host.*
--- acted on before is back.
---@return {exit_code:integer, why:string?, counts:table<string, integer>}
function stage:finish() end
function stage:at() end                     --- ms
function stage:advance(ms) end              --- moves the clock on; waits
function stage:close() end
