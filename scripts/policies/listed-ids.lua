--- Erases the requests that a list names: a file, or standard input.
---
---   falrun listed-ids.lua erase.csv
---   select_ids | falrun listed-ids.lua -
---
--- The file is CSV with a column request_id (others are ignored), or has one
--- id a line. One line that is no id, and nothing is erased.

local source = arg[1] or "-"

return fal.policy {
  name = "listed-ids",
  select = fal.ids(source),
  limits = { max = 10000 },
  reason = "erased by request, listed in " ..
    (source == "-" and "standard input" or source),
}
