--- When systemd starts a policy next: what falrun status adds to a job.
---
---   systemctl show --> blocks of NAME=VALUE --> timer --> its service --> the
---   policy among the words of its ExecStart
---
--- A timer that is not loaded is none, and without systemd there is no answer.
local timers = {}

--- A block for each unit: {Id, Unit, ExecStart, NextElapseUSecRealtime}.
local function blocks(shown)
  local units = {}
  for block in (shown .. "\n\n"):gmatch "(.-)\n\n+" do
    local unit = {}
    for name, value in ("\n" .. block):gmatch "\n(%w+)=([^\n]*)" do
      unit[name] = value
    end
    if unit.Id then
      units[unit.Id] = unit
    end
  end
  return units
end

local function next_ms(unit)
  local at = math.tointeger(unit.NextElapseUSecRealtime and
    unit.NextElapseUSecRealtime:match "^@(%d+)$")
  return at and at * 1000
end

--- Is the path one of the words that the service runs?
local function runs(service, policy)
  local words = service and service.ExecStart and
    service.ExecStart:match "argv%[%]=(.-) ; "
  return words and (" " .. words .. " "):find(" " .. policy .. " ", 1, true)
end

--- Sets next_ms of the jobs whose policy a timer runs: the earliest.
function timers.add(host, jobs)
  local units = blocks(host.timers() or "")
  for _, unit in pairs(units) do
    local at = next_ms(unit)
    for _, job in ipairs(at and jobs or {}) do
      if job.command == "run" and job.policy and
        runs(units[unit.Unit], job.policy) then
        job.next_ms = math.min(job.next_ms or at, at)
      end
    end
  end
end

return timers
