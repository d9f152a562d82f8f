--- Hides the files of what is older than N days (30), and erases it a week
--- later, unless somebody has said no: falrun release ID.
---
---   falrun hidden-first.lua [AGE]
---
--- Whoever still needs a file notices while it can be brought back. What is in
--- the collection "legal-hold" of fal's dashboard is neither hidden nor erased;
--- without such a collection nothing is, and falrun says so.

return fal.policy {
  name = "hidden-first",
  select = fal.requests { endpoint_id = "auto", older_than = arg[1] or "30d" },
  hold = fal.hold.collection "legal-hold",
  action = { quarantine = "0d", delete_after = "7d" },
  limits = { max = 10000 },
  reason = "files are hidden after 30 days and erased a week later",
}
