---@meta
--- What a policy is asked and told, and whom it may tell. Not executed.
--- docs/hooks.md tells the story.

--- What is known of a deletion beside the request.
---@class fal.About
---@field reason string?           for the ledger
---@field policy string?           the declared policy that selected it
---@field open true?               an earlier run announced it, and may have
---                                sent it: it would be sent once more

--- true lets it go; false, and perhaps why, keeps it for this run. Anything
--- else, and an error, keeps it too, and the policy has failed (exit 1).
---@alias fal.BeforeDelete fun(id: fal.Id, request: fal.Request, about: fal.About): boolean, string?

--- f is asked about each deletion, just before it is sent. May wait.
---@param f fal.BeforeDelete
function fal.before_delete(f) end

---@class fal.RunFailure
---@field request_id fal.Id
---@field status "failed"|"partial"
---@field kind string
---@field message string

--- How a run ended.
---@class fal.Run
---@field run integer?             its number in the ledger; nil in a plan
---@field command string           "run", "plan", "apply"
---@field mode "run"|"plan"
---@field policy string?           its path
---@field policies string[]?       names of declared policies
---@field exit_code integer        as far as it is known
---@field ok boolean               it is 0
---@field counts table<string, integer>   deleted, held, failed, ...
---@field seconds number
---@field at fal.Time
---@field stopped string?          why it was stopped before its end
---@field error string?            the first reason of an exit code but 0
---@field failures fal.RunFailure[]   the first twenty
---@field summary string           all of it in one sentence

--- f is told when everything was answered, before the ledger closes the run.
--- It has 30 seconds, together with the others; it cannot delete any more.
---@param f fun(run: fal.Run)
function fal.on_finish(f) end

--- The same, where the exit code is not 0.
---@param f fun(run: fal.Run)
function fal.on_failure(f) end

---@class fal.NetOptions
---@field url string               https, or http to a loopback address
---@field method "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE"|nil   default: POST with a body, else GET
---@field headers table<string, string>?
---@field body string?             up to 1 MiB
---@field json any?                a value that is sent as JSON, in its place
---@field timeout fal.Duration?    up to "30s"; default 10 s

---@class fal.NetAnswer
---@field status integer           a redirect is not followed
---@field headers table<string, string>   names in lower case
---@field body string
---@field planned true?            a plan or a test: nothing was sent

---@class netlib
fal.net = {}

--- One request to a host that --allow-net names, without any key of fal.
--- Waits. err.kind: "not_allowed", "timeout", "connect", ...
---@param options fal.NetOptions
---@return fal.NetAnswer?
---@return fal.Error? err
function fal.net.request(options) end

---@class fal.WebhookOptions
---@field url string
---@field headers table<string, string>?
---@field timeout fal.Duration?
---@field body (fun(run: fal.Run): any)?   text, or a value for JSON; default: the run

---@class fal.SlackOptions
---@field url string               of an incoming webhook
---@field channel string?
---@field timeout fal.Duration?

---@class fal.MailOptions
---@field to string|string[]       up to twenty addresses
---@field from string?             else the mailer's own
---@field subject string?          else "[falrun] POLICY: exit code N"

--- Ready functions for fal.on_finish and fal.on_failure. A sink that cannot
--- be reached is a warning, and no other exit code.
---@class notifylib
fal.notify = {}

--- Posts the run as JSON.
---@param options fal.WebhookOptions
---@return fun(run: fal.Run)
function fal.notify.webhook(options) end

--- Posts a text to Slack, or to what speaks the same.
---@param options fal.SlackOptions
---@return fun(run: fal.Run)
function fal.notify.slack(options) end

--- Hands a mail to the program of --sendmail.
---@param options fal.MailOptions
---@return fun(run: fal.Run)
function fal.notify.mail(options) end
