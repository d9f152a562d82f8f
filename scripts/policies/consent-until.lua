--- Requests live as long as the consent in their input says, and at most a
--- year; without a consent, 30 days.
---
---   falrun consent-until.lua
---
--- The application writes `consent_until` (a date, like 2026-12-31) into the
--- input. Dates compare as text: both are RFC 3339.

local LONGEST <const> = "365d"
local WITHOUT <const> = "30d"

return fal.policy {
  name = "consent-until",
  select = fal.requests { endpoint_id = "auto", older_than = "1d" },
  where = function(request, now)
    local input = request.input
    local consent = type(input) == "table" and input.consent_until
    if request.ended_at < fal.ago(LONGEST, now) then
      return true
    elseif type(consent) == "string" and consent:find "^%d+%-%d%d%-%d%d" then
      return consent < now
    end
    return request.ended_at < fal.ago(WITHOUT, now)
  end,
  limits = { max = 10000 },
  reason = "the consent is over",
}
