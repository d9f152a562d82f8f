--- What falrun doctor looks at, one finding after another.
---
---   config --> keys --> API and TLS --> clock --> what each key may do
---   storage
---   ledger --> its chain --> open work --> lock --> disk --> earlier runs
---
--- Nothing is changed: no deletion is tried, the lock is not taken. A finding
--- is {check, state = "ok"|"warning"|"failed"|"skipped", message, advice?,
--- fails?}; `fails` says which exit code a failure stands for.
local core = require "core"
local text = require "fal.text"

local health = {}

local CLOCK_MOST_MS <const> = 5 * 60 * 1000     -- the gate's own bound
local CLOCK_WARN_MS <const> = 30 * 1000
local DISK_LEAST <const>, DISK_WARN <const> = 16 << 20, 1 << 30
local RUNS_LOOKED_AT <const> = 20
local TIMEOUT <const> = "15s"

local function ok(message, ...)
  return { state = "ok", message = message:format(...) }
end

local function warning(message, advice)
  return { state = "warning", message = message, advice = advice }
end

local function failed(fails, message, advice)
  return { state = "failed", fails = fails, message = message,
           advice = advice }
end

local function skipped(message)
  return { state = "skipped", message = message }
end

local function ask(path, key, query)
  return core.read { path = path, key = key, query = query, trial = true,
                     timeout = TIMEOUT }
end

--- Which config file and account all that follows is about.
local function config(state)
  local setup = state.host.setup
  if not setup or not setup.path then
    return ok("no config file%s", setup and setup.usual and
              (", which would be " .. text.clean(setup.usual)) or "")
  end
  local chosen = setup.account and "account " .. setup.account or
    setup.accounts[1] and "none of its accounts is chosen" or "no accounts"
  if setup.account or not setup.accounts[1] then
    return ok("%s, %s", text.clean(setup.path), chosen)
  end
  return warning(("%s, %s"):format(text.clean(setup.path), chosen),
                 "choose one with --account, or all with --accounts all")
end

-- ---- keys and the API ------------------------------------------------------

local KEY_ADVICE <const> = "set FAL_ADMIN_KEY_FILE to a file (mode 0600) with "
  .. "a key of ADMIN scope, made on fal.ai/dashboard/keys"

local function keys(state)
  local about = state.host.health
  if about.keys_fault then
    return failed("config", about.keys_fault, KEY_ADVICE)
  elseif about.lacks_key "api" then
    return failed("config", "there is no key of fal", KEY_ADVICE)
  elseif about.lacks_key "admin" then
    return failed("config", "there is no key that may delete", KEY_ADVICE)
  elseif about.one_key() then
    return ok "one key, for reading and for deleting"
  end
  return ok "one key for reading, one for deleting"
end

local function api(state)
  local _, err = ask("/meta", "none")
  state.reached = not err or (err.http_status or 0) > 0
  if not err then
    local origin = state.host.origin
    return ok("%s answers%s", origin, origin:find("^https") and
              ", and its TLS is trusted" or "")
  elseif err.code == "tls" then
    return failed("unavailable", err.message, "--ca-file FILE names the "
      .. "certificates to trust, where a proxy has its own")
  elseif state.reached then
    return failed("unavailable", err.message, "fal has trouble of its own: "
      .. "try again later")
  end
  return failed("unavailable", err.message, "look at the network, "
    .. "--proxy and --api-url")
end

local function clock(state)
  local skew = state.reached and state.host.health.skew()
  if not skew then
    return skipped "no answer of the API told the time"
  end
  local size = math.abs(skew)
  local words = size < 1000 and "less than a second" or
    text.seconds(size / 1000)
  local message = ("%s %s fal's"):format(words,
    skew < 0 and "behind" or "ahead of")
  if size > CLOCK_MOST_MS then
    return failed("safety", message, "set the clock: nothing is deleted while "
      .. "ages cannot be trusted")
  elseif size > CLOCK_WARN_MS then
    return warning(message, "synchronise the clock (timedatectl)")
  end
  return ok(message)
end

--- What a refusal means, for both keys.
local function judge(err, done, refused, advice)
  if not err then
    return done
  elseif err.code == "auth" then
    return failed("auth", ("%s (HTTP %d)"):format(refused, err.http_status),
                  advice)
  elseif err.code == "config" then
    return skipped "there is no such key"
  end
  return warning("could not be found out: " .. err.message,
                 "try again later")
end

local function admin_key()
  local account, err = ask("/account/billing", "admin")
  local name = account and type(account.username) == "string" and
    text.clean(account.username)
  return judge(err, ok("it has ADMIN scope%s", name and ", account " .. name
                       or ""),
               "fal does not accept it for what needs ADMIN scope",
               "deleting payloads needs a key of ADMIN scope: "
                 .. "fal.ai/dashboard/keys")
end

local function api_key()
  local _, err = ask("/models/requests/search", "api", { { "limit", "1" } })
  return judge(err, ok "it may list requests",
               "fal does not let it list requests",
               "listing needs a valid key of the same account")
end

local function storage()
  local settings, err = ask("/storage/settings", "api")
  if not settings then
    local why = err.code == "config" and "there is no key" or err.message
    return skipped("what new files get could not be read: " .. why)
  end
  local after = settings.expiration_duration_seconds
  local acl = type(settings.initial_acl) == "table" and
    settings.initial_acl.default
  return ok("new files %s, and %s", math.type(after) == "integer" and
    "expire after " .. text.age(after) or "never expire by themselves",
    acl and acl ~= "allow" and "not everyone may read them (" ..
      text.clean(acl) .. ")" or "whoever has their link may read them")
end

-- ---- this machine ----------------------------------------------------------

local ORIGIN_ADVICE <const> = "--ledger PATH names another one, --api-url the "
  .. "API that it belongs to"

local function ledger(state)
  local about = state.host.health
  local place = text.clean(about.ledger)
  if about.ledger_fault then
    local origin = about.ledger_code == "origin"
    return failed(origin and "config" or "ledger", about.ledger_fault,
                  origin and ORIGIN_ADVICE or "restore it from a backup "
                    .. "before the next run; nothing is deleted without it")
  elseif not state.host.ledger.there then
    return ok("%s is not there yet; the first run makes it", place)
  end
  local chain, err = state.host.ledger.verify()
  if not chain then
    return failed("ledger", err.message, "keep the file as it is, restore the "
      .. "latest backup, and compare both with falrun verify")
  end
  state.ledger = true
  return ok("%s: %s, chain whole", place,
            text.count(chain.events, "event", "events"))
end

local function open_work(state)
  if not state.ledger then
    return skipped "there is no ledger to read"
  end
  local open = #state.host.ledger.open()
  if open > 0 then
    return warning(text.count(open, "deletion has", "deletions have") ..
      " no known outcome", "the next run settles them first of all")
  end
  return ok "no deletion is without an outcome"
end

local function lock(state)
  local pid = state.host.health.holder(state.host.health.ledger)
  if pid == nil then
    return skipped "nobody can say who holds it on this system"
  elseif not pid then
    return ok "free"
  end
  return warning(pid > 0 and ("held by process %d"):format(pid) or
    "held by a process elsewhere", "another run is under way; it ends by "
      .. "itself, and --lock-wait waits for that")
end

local function disk(state)
  local free, writable = state.host.health.disk(state.host.health.ledger)
  local words = free and ("%s MiB free"):format(text.number(free >> 20))
  if not free then
    return failed("ledger", "the folder of the ledger cannot be looked at: "
      .. tostring(writable), "name a place with --ledger PATH")
  elseif not writable then
    return failed("ledger", "the file system of the ledger is read only",
                  "name another place with --ledger PATH")
  elseif free < DISK_LEAST then
    return failed("ledger", words, "make room: without it no intent can be "
      .. "written, and nothing is deleted")
  elseif free < DISK_WARN then
    return warning(words, "make room; a million deletions take about 700 MiB")
  end
  return ok(words)
end

--- The newest runs that can delete; of these the last, and the last good one.
local function look_back(state)
  local last, good, bad = nil, nil, 0
  for _, run in ipairs(state.host.ledger.runs(RUNS_LOOKED_AT)) do
    last = last or run
    if run.exit_code == 0 then
      good = good or run
    elseif not good then
      bad = bad + 1
    end
  end
  return last, good, bad
end

local function runs(state)
  if not state.ledger then
    return skipped "there is no ledger to read"
  end
  local last, good, bad = look_back(state)
  if not last then
    return ok "none yet"
  elseif last == good then
    return ok("the last one, %d at %s, ended well", last.run, last.began_at)
  end
  local how = last.exit_code and ("ended with exit code %d")
    :format(last.exit_code) or "has no end: it is running, or was killed"
  return warning(("the last one, %d at %s, %s; %s"):format(last.run,
    last.began_at, how, good and ("the last good one was %d at %s"):format(
      good.run, good.began_at) or ("none of the last %d was good"):format(
      bad)), "falrun show " .. last.run)
end

--- The same of what needs an API that answers.
local function reached(check)
  return function(state)
    return state.reached and check(state) or
      skipped "the API does not answer"
  end
end

local CHECKS <const> = {
  { "config", config }, { "keys", keys }, { "API", api }, { "clock", clock },
  { "ADMIN key", reached(admin_key) }, { "API key", reached(api_key) },
  { "storage", reached(storage) }, { "ledger", ledger },
  { "open work", open_work },
  { "lock", lock }, { "disk", disk }, { "runs", runs },
}

--- Calls f with each finding, as soon as it is there. Waits.
function health.each(host, f)
  local state = { host = host }
  for _, check in ipairs(CHECKS) do
    local finding = check[2](state)
    finding.check = check[1]
    f(finding)
  end
end

return health
