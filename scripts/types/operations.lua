--- ---- operations of the Platform API ----------------------------------------
--- What follows these classes is made from the table of operations.

---@class fal.CallOptions
---@field timeout fal.Duration?     of one attempt; default 60 s

---@class fal.SaveOptions : fal.CallOptions
---@field to string                 the file that it is saved into

---@class fal.ChangeOptions : fal.CallOptions
---@field reason string?            for the ledger, up to 1000 bytes
---@field dry_run boolean?          record what would be done, send nothing
---@field idempotency_key string?   where the API takes one; else it is made

--- What became of a change.
---@class fal.Change
---@field status "done"|"planned"
---@field value any                 what the API answered; nil where it is silent
---@field text string?             the same as it came
---@field http_status integer?
---@field attempts integer?
---@field evidence string?
---@field idempotency_key string?

