--- What the platform says of itself.
local param = require "fal.operations.params"

return {
  { name = "meta", method = "GET", path = "/meta", key = "none",
    doc = "the addresses that webhooks come from; needs no key", params = {},
    answer = { webhook_ip_ranges = "list" },
    stands = param.stands(200, 429, 500) },
}
