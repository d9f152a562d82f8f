--- Erases everything of one customer, who is named in the input.
---
---   falrun one-customer.lua CUSTOMER
---
--- For an erasure request (GDPR, article 17). It looks at the input of every
--- request that is older than a day, so it takes one call for each: the
--- input is where the application puts `metadata.customer`.

local customer = arg[1]
assert(customer and #customer > 0, "usage: falrun one-customer.lua CUSTOMER")

return fal.policy {
  name = "one-customer",
  select = fal.requests { endpoint_id = "auto", older_than = "1d" },
  where = function(request)
    local input = request.input
    local metadata = type(input) == "table" and input.metadata
    return type(metadata) == "table" and metadata.customer == customer
  end,
  limits = { max = 10000 },
  reason = "erasure request of a customer",     -- no name in the ledger
}
