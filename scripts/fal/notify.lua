--- fal.notify: ready functions for on_finish and on_failure.
---
---   on_failure = fal.notify.slack { url = os.getenv "SLACK_URL" }
---
--- A sink that is not reached is a warning of the run, once more tried before
--- where that may help, and never another exit code.
local core = require "core"
local check = require "fal.check"
local mail = require "fal.mail"
local net = require "fal.net"
local shapes = require "fal.shapes"
local text = require "fal.text"

local notify = {}

local AGAIN_MS <const> = 1000
local SHOWN <const> = 10                -- failures that a text names
local UNSET <const> = "https://unset.invalid"

local function not_arrived(where, why)
  core.log.warn(("the notification by %s did not arrive: %s"):format(where,
    text.clean(why)))
end

--- What could never arrive is told at the beginning, too: the end, when it
--- would matter, is late.
local function warn_early(why)
  if why and not net.is_planned() then
    core.log.warn("a notification of this policy cannot be sent: " .. why)
  end
end

--- A secret that is not in the environment of a test or a plan is no mistake
--- of these; a run must be able to tell.
local function check_url(func, url)
  if url == nil and net.is_planned() then
    return nil
  elseif type(url) ~= "string" or url == "" then
    check.fail(func, "url", "the URL of the webhook is needed, got %s%s",
               check.show(url), url == nil and
               " (is the variable set that it comes from?)" or "")
  end
  warn_early(core.net_fault(url))
  return url
end

local function attempt(request)
  local answer, err = net.request(request)
  if not answer then
    return nil, err.message, err.retryable
  elseif answer.status < 200 or answer.status > 299 then
    return nil, ("it answered HTTP %d"):format(answer.status),
      answer.status == 429 or answer.status >= 500
  end
  return true
end

local function post(request)
  if not request.url then
    net.plan({ method = "POST", body = request.body or
               core.json.encode(request.json) },
             "POST to nowhere, because its url is nil")
    return
  end
  local ok, why, again = attempt(request)
  if not ok and again then
    core.sleep(AGAIN_MS)
    ok, why = attempt(request)
  end
  if not ok then
    not_arrived(core.net_place(request.url), why)
  end
end

--- What people read of a run: its summary, why it stopped, what failed.
local function lines_of(run)
  local lines = { run.summary }
  if run.stopped or run.error then
    lines[#lines + 1] = run.stopped or run.error
  end
  for i = 1, math.min(#run.failures, SHOWN) do
    lines[#lines + 1] = "- " .. run.failures[i].message
  end
  if run.counts.failed + run.counts.partial > SHOWN then
    lines[#lines + 1] = "- further ones are in the ledger"
  end
  if run.run then
    lines[#lines + 1] = ("falrun show %d tells more"):format(run.run)
  end
  for i, line in ipairs(lines) do
    lines[i] = text.clean(line)
  end
  return lines
end

--- Posts the run as JSON, or what `body` makes of it.
---@param options fal.WebhookOptions
function notify.webhook(options)
  options = check.options("notify.webhook", options,
                          shapes.names "notify_webhook")
  local url = check_url("notify.webhook", options.url)
  local body = options.body ~= nil and
    check.callable("notify.webhook", "body", options.body) or nil
  net.check { url = url or UNSET, headers = options.headers,
              timeout = options.timeout }
  return function(run)
    local value = run
    if body then
      value = body(run)
    end
    post { url = url, headers = options.headers, timeout = options.timeout,
           method = "POST",
           body = type(value) == "string" and value or nil,
           json = type(value) ~= "string" and value or nil }
  end
end

--- Slack's own three characters; the rest is its text.
local function slack_text(run)
  local escapes <const> = { ["&"] = "&amp;", ["<"] = "&lt;",
                            [">"] = "&gt;" }
  local mark = run.ok and ":white_check_mark: " or ":rotating_light: "
  return mark .. table.concat(lines_of(run), "\n"):gsub("[&<>]", escapes)
end

--- Posts a text to an incoming webhook of Slack, or of what speaks the same
--- (Mattermost, Rocket.Chat, Discord under /slack).
---@param options fal.SlackOptions
function notify.slack(options)
  options = check.options("notify.slack", options,
                          shapes.names "notify_slack")
  local url = check_url("notify.slack", options.url)
  if options.channel ~= nil and type(options.channel) ~= "string" then
    check.fail("notify.slack", "channel", "text is needed, got %s",
               type(options.channel))
  end
  net.check { url = url or UNSET, timeout = options.timeout }
  return function(run)
    post { url = url, timeout = options.timeout,
           json = { text = slack_text(run), channel = options.channel } }
  end
end

--- Hands a mail to the program that --sendmail names.
---@param options fal.MailOptions
function notify.mail(options)
  options = check.options("notify.mail", options, shapes.names "notify_mail")
  local head = mail.head(options)
  warn_early(not core.mails and "add --sendmail /usr/sbin/sendmail" or nil)
  return function(run)
    local subject = options.subject or ("[falrun] %s: %s"):format(
      run.policy or run.command, run.ok and "done" or
      ("exit code %d"):format(run.exit_code))
    local ok, err = core.mail(mail.message(head, subject, lines_of(run)))
    if ok == "planned" then
      net.plan({ method = "MAIL", to = head.to, subject = subject,
                 body = table.concat(lines_of(run), "\n") },
               ("a mail to %s"):format(table.concat(head.to, ", ")))
    elseif not ok then
      not_arrived("mail", err.message)
    end
  end
end

return notify
