--- The texts of systemd's units for a policy that runs by the clock.
---
---   falrun-NAME.timer --> falrun-NAME.service --exit code--> done
---                              |    ^ 7: again in 30 minutes, 8 times at most
---                              +----+--> falrun-failed@falrun-NAME.service
---
--- systemd has a language of its own: % begins a specifier everywhere, $ a
--- variable in ExecStart, and blanks, quotes and backslashes count there.
local units = {}

-- ---- systemd's language ----------------------------------------------------

local function escape(char)
  return ("\\x%02x"):format(char:byte())
end

--- One word of ExecStart, so that systemd hands on exactly this word.
function units.word(word)
  word = word:gsub("%%", "%%%%"):gsub("%$", "$$")
  if word:find "^[%w%%$%-+=:,./_@\x80-\xff]+$" then
    return word
  end
  word = word:gsub('[\\"]', "\\%0"):gsub("[\0-\x1f\x7f]", escape)
  return '"' .. word .. '"'
end

function units.line(words)
  local parts = {}
  for i, word in ipairs(words) do
    parts[i] = units.word(word)
  end
  return table.concat(parts, " ")
end

-- ---- the service -----------------------------------------------------------

local SERVICE <const> = [[
# Written by falrun install-timer (docs/nightly.md). Changes belong into a file
# of their own, which wins over this one:@SYSTEMCTL@edit @UNIT@.service
[Unit]
Description=falrun: what the policy @NAME@ erases
Documentation=man:falrun(1)
@ONLINE@OnFailure=falrun-failed@%N.service
@LIMIT@
[Service]
Type=oneshot
ExecStart=@EXEC@
@METRICS@@RETRY@# What is in flight when it is stopped is answered and recorded.
TimeoutStopSec=3min
@RIGHTS@
# Nothing else that the kernel can take away.
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
@WALLS@]]

local ONLINE <const> = [[
Wants=network-online.target
After=network-online.target
]]

local LIMIT <const> = [[
StartLimitIntervalSec=6h
StartLimitBurst=8
]]

local RETRY <const> = [[
# After 7, the API is not available, it starts again, until the limit of starts
# makes it a failure. All else is one at once.
Restart=on-failure
RestartSec=30min
RestartPreventExitStatus=1 2 3 4 5 6 8 9 70 130 143 203 226 238 243
]]

local METRICS <const> = [[
# The metrics, by root, also of what could not begin: the service itself may
# write nothing but its ledger.
ExecStopPost=-+@EXEC@
]]

--- All of falrun's services share one user and one ledger, so that a hold or
--- a deletion of one is known to all.
local SYSTEM_RIGHTS <const> = [[

# The key: a file that root alone can read, handed to this service alone.
LoadCredential=fal_admin_key:/etc/falrun/fal_admin_key
# The ledger is /var/lib/falrun/ledger.db, of a user that only these services
# are; one ledger for all policies.
DynamicUser=yes
User=falrun
StateDirectory=falrun
StateDirectoryMode=0700
]]

local USER_RIGHTS <const> = [[

# The key: a file that you alone can read. The ledger is where every run of
# yours has it: ~/.local/state/falrun/ledger.db
LoadCredential=fal_admin_key:%E/falrun/fal_admin_key
]]

--- A user's own manager has no rights to give these.
local SYSTEM_WALLS <const> = [[
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
RemoveIPC=yes
PrivateDevices=yes
PrivateIPC=yes
PrivateMounts=yes
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
]]

local TIMER <const> = [[
# Written by falrun install-timer (docs/nightly.md).
[Unit]
Description=falrun: when the policy @NAME@ erases
Documentation=man:falrun(1)

[Timer]
OnCalendar=@CALENDAR@
# Not all machines at the same second, and this one always at the same time.
RandomizedDelaySec=@DELAY@
FixedRandomDelay=yes
# A night that was slept through is made up for.
Persistent=yes

[Install]
WantedBy=timers.target
]]

-- ---- what tells of a failure -----------------------------------------------

--- The shell is given as it is (":" keeps systemd from its $), and one letter
--- after %: systemd's.
local FAILED <const> = [[
# Written by falrun install-timer (docs/nightly.md): one mail for a run that
# failed, to whom MAILTO names; without a sendmail, a line in the journal.
[Unit]
Description=falrun: tells that %i failed
Documentation=man:falrun(1)

[Service]
Type=oneshot
Environment=MAILTO=@MAILTO@
SyslogLevel=crit
ExecStart=:/bin/sh -c '\
  case "$MONITOR_EXIT_STATUS" in \
    1) why="the policy failed" ;; \
    2) why="wrong usage or configuration" ;; \
    3) why="some deletions failed or were partial; all are recorded" ;; \
    4) why="a safety stop: nothing was deleted after it" ;; \
    5) why="the API refused the key" ;; \
    6) why="another run held the lock" ;; \
    7) why="no API, or no time left; the next run goes on" ;; \
    8) why="the ledger cannot be written or is damaged" ;; \
    9) why="the policy used too much memory or time" ;; \
    70) why="a bug in falrun" ;; \
    130|143) why="it was interrupted; the next run goes on" ;; \
    203) why="falrun cannot be started: is it still installed?" ;; \
    243) why="the file of the key cannot be read" ;; \
    *) why="${MONITOR_SERVICE_RESULT:-no reason is known}" ;; \
  esac; \
  head="%i failed on %H: $why"; \
  lines() { \
    if [ -n "$MONITOR_INVOCATION_ID" ]; then \
      journalctl @JOURNAL@-q --no-pager -o cat -n 100 \
        "_SYSTEMD_INVOCATION_ID=$MONITOR_INVOCATION_ID" + \
        "@INVOCATION@=$MONITOR_INVOCATION_ID"; \
    else \
      journalctl @JOURNAL@-q --no-pager -o cat -n 100 -u "%i.service"; \
    fi; \
  }; \
  mail() { \
    printf "To: %%s\\nSubject: %%s\\n" "$MAILTO" "$head"; \
    printf "Content-Type: text/plain; charset=UTF-8\\n\\n"; \
    printf "%%s (exit code %%s).\\n\\n" "$head" "$MONITOR_EXIT_STATUS"; \
    lines; \
    printf "\\nAll of it: journalctl @JOURNAL@-u %i.service\\n"; \
    printf "What was done: @FALRUN@ history@LEDGER@\\n"; \
  }; \
  PATH=$PATH:/usr/sbin:/usr/lib; \
  if command -v sendmail >/dev/null; then mail | sendmail -t -i; \
  else printf "%%s; there is no sendmail to mail it\\n" "$head"; fi'
# What sendmail leaves behind to deliver the mail.
KillMode=process
]]

local function fill(text, values)
  return (text:gsub("@(%u+)@", values))
end

local function metrics(spec)
  return spec.textfile and fill(METRICS, { EXEC = spec.program .. " " ..
    units.line { "status", "--textfile", spec.textfile, "--ledger",
                 "/var/lib/falrun/ledger.db" } }) or ""
end

-- ---- the files -------------------------------------------------------------

function units.service(spec)
  return fill(SERVICE, {
    NAME = spec.name, UNIT = "falrun-" .. spec.name,
    SYSTEMCTL = spec.user and " systemctl --user " or " systemctl ",
    ONLINE = spec.user and "" or ONLINE,
    LIMIT = spec.retry and LIMIT or "", RETRY = spec.retry and RETRY or "",
    EXEC = spec.program .. " " .. units.line(spec.words),
    METRICS = metrics(spec),
    RIGHTS = spec.user and USER_RIGHTS or SYSTEM_RIGHTS,
    WALLS = spec.user and "" or SYSTEM_WALLS,
  })
end

function units.timer(spec)
  return fill(TIMER, { NAME = spec.name,
    CALENDAR = spec.calendar:gsub("%%", "%%%%"), DELAY = spec.delay })
end

--- One for all services, so it knows nothing of this one.
function units.failed(spec)
  return fill(FAILED, {
    MAILTO = spec.user and "%u" or "root",
    JOURNAL = spec.user and "--user " or "",
    INVOCATION = spec.user and "USER_INVOCATION_ID" or "INVOCATION_ID",
    FALRUN = spec.program,
    LEDGER = spec.user and "" or " --ledger /var/lib/falrun/ledger.db",
  })
end

--- The three files, in the order in which they are needed; `shared` may be
--- there already, and stays as somebody has changed it.
---@param spec table   name, program, words, calendar, delay; user?, retry?,
---  textfile?
---@return {name:string, text:string, shared:boolean?}[]
function units.all(spec)
  local unit = "falrun-" .. spec.name
  return {
    { name = unit .. ".service", text = units.service(spec) },
    { name = unit .. ".timer", text = units.timer(spec) },
    { name = "falrun-failed@.service", text = units.failed(spec),
      shared = true },
  }
end

return units
