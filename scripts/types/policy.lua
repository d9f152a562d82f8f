---@meta
--- Declared policies: fal.policy and what goes into one. Not executed.
--- docs/policies.md and docs/keep.md tell the story.

--- What fal.policy returns; a policy file returns it, alone or in a list.
---@class fal.Policy

---@class fal.PolicyOptions
---@field name string              1 to 64 letters, digits, '.', '_', '-'
---@field select (fun(): fal.Request|fal.Id|nil)|(fal.Request|fal.Id)[]
---@field where (fun(request: fal.Request, now: fal.Time): any)?
---@field keep fal.KeepRule|fal.KeepOptions|nil
---@field hold fal.HoldSource|fal.HoldSource[]|nil
---@field limits fal.PolicyLimits?
---@field action fal.PolicyAction?   nil: erased at once
---@field reason string|fun(request: fal.Request, now: fal.Time): string
---@field verify boolean?          ask fal's CDN for each file afterwards
---@field all boolean?             nothing narrows the selection, on purpose
---@field before_delete fal.BeforeDelete?   as fal.before_delete
---@field on_finish fun(run: fal.Run)?      as fal.on_finish
---@field on_failure fun(run: fal.Run)?     as fal.on_failure

--- Hidden by the ACLs of its files first, and erased after the grace.
---@class fal.PolicyAction
---@field quarantine "0d"          at once
---@field delete_after fal.Duration   the grace

---@class fal.PolicyLimits
---@field max integer?             requests selected, at most
---@field percent number?          of the scanned rows that are still there
---@field growth number?           times the median of the last ten runs
---@field min_scanned integer?     rows of the listing, at least
---@field min_age fal.Duration?    nothing younger

--- Declares a policy. The file must return it.
---@param options fal.PolicyOptions
---@return fal.Policy
function fal.policy(options) end

---@class fal.KeepRule

--- A rule that does not name its own `by` or `zone` has that of the table
--- around it.
---@class fal.KeepOptions
---@field last integer?            the newest n of each group
---@field hourly integer?          the newest of each of the last n hours
---@field daily integer?
---@field weekly integer?
---@field monthly integer?
---@field yearly integer?
---@field within fal.Duration?     ended at most so long ago
---@field by string|(fun(request: fal.Request): string|number|boolean|nil)|nil
---@field zone string?             "UTC", "+02:00", "Europe/Berlin"
---@field [integer] fal.KeepRule   nested rules

---@class keeplib
fal.keep = {}

--- Keeps what at least one of its rules keeps.
---@param options fal.KeepOptions
---@return fal.KeepRule
function fal.keep.any(options) end

--- Keeps what every one of its rules keeps.
---@param options fal.KeepOptions
---@return fal.KeepRule
function fal.keep.all(options) end

---@class fal.HoldSource

---@class holdlib
fal.hold = {}

--- The ids of a file: CSV with a column request_id, or an id a line. A
--- relative path is beside the policy.
---@param path string
---@return fal.HoldSource
function fal.hold.file(path) end

--- f says of each request whether it is held: true or a reason; nil or false;
--- or a list of ids, or a table from id to reason.
---@param f fun(request: fal.Request, now: fal.Time): any
---@param title string?   what messages call it
---@return fal.HoldSource
function fal.hold.from(f, title) end

--- What is in a collection of fal's dashboard, and in the collections in it.
--- Marks are read whole before the first deletion, and again while the run
--- deletes; one that cannot be read, or is not there, stops the run.
---@param name string   or its id
---@return fal.HoldSource
function fal.hold.collection(name) end

--- What has a tag in fal's dashboard.
---@param name string   or its id
---@return fal.HoldSource
function fal.hold.tag(name) end

--- The favourite assets of fal's dashboard.
---@return fal.HoldSource
function fal.hold.favourites() end

--- For scripts that delete by themselves: from now on the sources hold.
---@param sources fal.HoldSource|fal.HoldSource[]
function fal.hold.enforce(sources) end

--- The ids in a file; "-" is standard input. A relative path is beside the
--- policy.
---@param path string
---@return fal.Id[]
function fal.ids(path) end
