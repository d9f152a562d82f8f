---@meta
--- Tests of policies: what `falrun test` gives to a *_test.lua. Not executed.
--- docs/testing.md tells the story.

--- Declares a test. `f` runs with a stage of its own; it may wait.
---@param name string
---@param f fun(t: fal.Test)
function test(name, f) end

--- A request of the stage.
---@class fal.TestRequest
---@field id string?               a request id, or a label; default "#1", ...
---@field endpoint_id string?      default "fal-ai/flux/dev"
---@field ended fal.Duration|false|nil  before the clock; default "60d"; false: still running
---@field ended_at fal.Time?       in place of `ended`
---@field started_at fal.Time?     default: `duration` before it ended
---@field sent_at fal.Time?        default: 200 ms before it started
---@field duration number?         seconds; default 2
---@field status_code integer?     default 200
---@field input any                its stored input
---@field output any               its stored output; default: its files
---@field files integer|string[]|nil   links, or how many; default 1, and 0 for failures
---@field collections string[]?    of the dashboard, for its first file
---@field tags string[]?
---@field favorite boolean?

---@class fal.TestOptions
---@field [integer] string|integer words of the policy: its arg[1], ...
---@field args (string|integer)[]? the same, under a name
---@field max_deletes integer?     as --max-deletes
---@field max_percent integer?     as --max-percent
---@field min_age fal.Duration?    as --min-age

---@class fal.TestResult
---@field exit_code integer        who reads it has checked it, as t.exit does
---@field counts table<string, integer>
---@field stopped string?          why the run was stopped
---@field sent table[]             what would have left beside fal:
---                                {method =, url =, body =, headers =}, or
---                                of mail {method = "MAIL", to =, subject =,
---                                body =}
---@field message string?          the first reason for an exit code

--- Labels stand wherever ids do.
---@class fal.Test
---@field clock fun(at: fal.Time)  first of all; default 2026-01-01T00:00:00Z
---@field advance fun(by: fal.Duration)
---@field requests fun(list: fal.TestRequest[]|integer, make: (fun(i: integer): fal.TestRequest?)?): fal.Id[]
---@field hold fun(id: string, reason: string)     a hold of the ledger
---@field faults fun(list: string)                 as `falrun sandbox --faults`
---@field run fun(policy: string, options: fal.TestOptions?): fal.TestResult
---@field plan fun(policy: string, options: fal.TestOptions?): fal.TestResult
---@field deleted fun(ids: string[])               exactly these, by the last run
---@field planned fun(ids: string[])               exactly these, in plan mode
---@field kept fun(id: string, why: string?)       not deleted; the reason has `why`
---@field held fun(id: string, why: string?)       kept by a hold
---@field exit fun(code: integer)
---@field total fun(name: string, count: integer)  "deleted", "held", "failed", ...
---@field equal fun(got: any, wanted: any, what: string?)
---@field check fun(condition: any, what: string?)
