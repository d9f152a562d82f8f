test("the date in the input decides, and a year at most", function(t)
  t.clock "2026-06-01T00:00:00Z"
  local function row(id, ended, date)
    return { id = id, ended = ended, input = { consent_until = date } }
  end
  t.requests {
    row("over", "10d", "2026-05-31"), row("running", "200d", "2026-12-31"),
    row("too long", "366d", "2030-01-01"), row("none, old", "31d"),
    row("none, new", "29d"), row("nonsense", "29d", "soon"),
  }
  t.run "consent-until.lua"
  t.deleted { "over", "too long", "none, old" }
  t.advance "3d"
  t.run "consent-until.lua"
  t.deleted { "none, new", "nonsense" }
end)
