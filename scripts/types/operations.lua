--- ---- operations of the Platform API ----------------------------------------
--- What follows these classes is made from the table of operations.

---@class fal.CallOptions
---@field timeout fal.Duration?     of one attempt; default 60 s

---@class fal.SaveOptions : fal.CallOptions
---@field to string                 the file that it is saved into
---@field replace boolean?          a file that is there is replaced

--- A file that was saved.
---@class fal.Saved
---@field path string
---@field bytes integer
---@field resumed integer           bytes of it that an earlier run had saved

--- One event of a stream.
---@class fal.Event
---@field data any                  decoded where it is JSON, else text
---@field event string              its type; "message" unless it has one
---@field id string?

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

