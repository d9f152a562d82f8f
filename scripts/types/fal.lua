---@meta
--- The Lua API of falrun, for editors (lua-language-server). Not executed.
--- `falrun types` prints this file; docs/lua-api.md tells the story.

--- A duration with its unit: "30d", "12h", "1h30m" (ms, s, m, h, d, w).
---@alias fal.Duration string
--- An RFC 3339 time: "2026-01-02T03:04:05Z", "2026-01-02".
---@alias fal.Time string
--- A request id: a UUID in lower case.
---@alias fal.Id string

---@class fallib
---@field version string?   of falrun
fal = {}

--- One request, as a list gave it.
---@class fal.Request
---@field request_id fal.Id
---@field endpoint_id string       "fal-ai/flux/dev"
---@field sent_at string?
---@field started_at string?
---@field ended_at string          a request without one is never listed
---@field status_code integer?     HTTP status of the request
---@field duration number?         seconds
---@field input any?               its payload, fetched when touched; may wait
---@field output any?              the same

---@class fal.RequestsOptions
---@field endpoint_id string|string[]   one, many, or "auto" for all
---@field older_than fal.Duration?      ended longer ago than this
---@field start fal.Time?               ended at or after; default 2021
---@field end fal.Time?                 ended before; default now
---@field since "last"|nil              only what no run has looked at yet
---@field overlap fal.Duration?         listed again with since; default 48h
---@field status "success"|"error"|"user_error"|nil
---@field request_id fal.Id?            only this one
---@field limit integer?                page size, 1 to 100

--- Requests that ended in a span of time, oldest first. Each step may wait.
--- Raises when the list fails: it never ends early.
---@param options fal.RequestsOptions
---@return fun(): fal.Request?
function fal.requests(options) end

---@class fal.DeleteOptions
---@field reason string?            for the ledger, up to 1000 bytes
---@field idempotency_key string?   belongs to this one id
---@field timeout fal.Duration?     of one attempt
---@field retries integer?          after the first attempt, 0 to 10
---@field dry_run boolean?          plan this one, whatever the mode
---@field verify boolean?           ask fal's CDN for each file afterwards

---@class fal.CdnFile
---@field link string
---@field exception string?         set: this file still exists

--- What was seen of a file after its deletion, with `verify`.
---@class fal.SeenFile
---@field link string
---@field seen "gone"|"cached"|"there"|"unknown"
---@field http_status integer?      0: no answer came
---@field age integer?              seconds, as a cache says
---@field why string?               unknown: why

---@class fal.Result
---@field status "deleted"|"already_deleted"|"planned"
---@field request_id fal.Id
---@field reason string?
---@field cdn_delete_results fal.CdnFile[]
---@field files fal.SeenFile[]?     with `verify`
---@field http_status integer?
---@field attempts integer
---@field idempotency_key string?
---@field evidence "answered"|"replayed"|"inferred"|nil
---@field elapsed number            seconds
---@field age number?               seconds since it ended, where known

---@class fal.Error
---@field code string               "timeout", "auth", "held", ...
---@field kind string               the same
---@field message string            one clear sentence; also tostring(err)
---@field retryable boolean
---@field status "partial"|"held"|"refused"|"failed"|nil   of a deletion
---@field request_id fal.Id?
---@field http_status integer?
---@field result fal.Result?
---@field cdn_delete_results fal.CdnFile[]?
---@field files fal.SeenFile[]?     with `verify`
---@field attempts integer?
---@field idempotency_key string?
---@field evidence string?
---@field elapsed number?

--- Deletes the payloads of one request, through the gate. Waits. Raises only
--- for misuse (no UUID, an unknown option).
---@param id fal.Id
---@param options fal.DeleteOptions?
---@return fal.Result?
---@return fal.Error? err
function fal.delete_payloads(id, options) end

---@class fal.DeleteAllOptions
---@field reason string?
---@field concurrency integer?      at a time, 1 to 1000; default: as it goes
---@field timeout fal.Duration?
---@field retries integer?
---@field dry_run boolean?
---@field verify boolean?           ask fal's CDN for each file afterwards

---@class fal.Summary
---@field deleted integer
---@field already_deleted integer
---@field planned integer
---@field partial integer
---@field held integer
---@field refused integer
---@field failed integer
---@field total integer             ids that were handed to the gate
---@field errors fal.Error[]        the first ten
---@field stopped string?           why nothing was deleted at all

--- Deletes what the items name, several at a time. Waits. Looks ahead: more
--- than the run's limit allows is a safety stop before the first deletion.
---@param items (fal.Id|fal.Request)[]|fun(): fal.Id|fal.Request|nil
---@param options fal.DeleteAllOptions?
---@return fal.Summary
function fal.delete_all(items, options) end

---@class fal.Limits
---@field max integer?             deletions in this run, at most
---@field min_age string?          nothing younger, where the age is known

--- Tightens the limits of this run; only options of falrun loosen them.
---@param limits fal.Limits
function fal.limits(limits) end

--- f(item) for every item, up to `concurrency` (16) at a time. Waits for
--- all; the first error stops the taking of items and is raised again.
---@generic T
---@param items T[]|fun(): T?
---@param f fun(item: T)
---@param options {concurrency: integer?}?
function fal.each(items, f, options) end

--- A task that fal.spawn started.
---@class fal.Task
local Task = {}
--- Waits until it is over: true and its results, or false and its error.
---@return boolean ok, any ...
function Task:wait() end
--- It gets a "cancelled" error where it waits.
function Task:cancel() end
---@return "running"|"waiting"|"done"|"failed"
function Task:status() end

--- f(...) as a task of its own. The run ends when all tasks are over.
---@param f fun(...)
---@return fal.Task
function fal.spawn(f, ...) end

--- Now minus a duration, as an RFC 3339 time in whole seconds. `now` stands
--- for another now, like the one that a rule is given.
---@param duration fal.Duration
---@param now fal.Time?
---@return fal.Time
function fal.ago(duration, now) end

--- Waits; other tasks go on.
---@param duration fal.Duration
---@return true
function fal.sleep(duration) end

--- One line on standard error; fields follow as name=value.
---@class loglib
---@field error fun(text: any, fields: table<string, any>?)
---@field warn fun(text: any, fields: table<string, any>?)
---@field info fun(text: any, fields: table<string, any>?)
---@field debug fun(text: any, fields: table<string, any>?)   with -v only
log = {}

---@class jsonlib
---@field null any   JSON's null in a decoded value
json = {}
--- The value, or nil and an error. Whole numbers are integers.
---@param text string
---@return any, fal.Error? err
function json.decode(text) end
--- Keys come sorted. Raises for what JSON cannot hold.
---@param value any
---@return string
function json.encode(value) end
--- Marks a table as a list, so that an empty one becomes [].
---@param list table?
---@return table
function json.array(list) end

--- arg[0] is the policy's path, arg[1] and on are the words after it.
---@type string[]
arg = {}
