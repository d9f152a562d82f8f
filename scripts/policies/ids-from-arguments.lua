#!/usr/bin/env falrun
--- Erases the requests that are named, and tells what became of each.
---
---   falrun ids-from-arguments.lua ID...
---
--- A model of handling the outcome of one deletion at a time: it is a value,
--- never an error, unless the call itself was wrong.

for _, id in ipairs(arg) do
  local result, err = fal.delete_payloads(id, { reason = "asked for by name" })
  if result then
    log.info(result.status, { id = id })
  elseif err.status == "partial" then
    for _, file in ipairs(err.cdn_delete_results) do
      if file.exception then
        log.warn("still there", { file = file.link, why = file.exception })
      end
    end
  else
    log.warn(err.message)
  end
end
