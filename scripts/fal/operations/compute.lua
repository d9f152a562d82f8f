--- Operations of compute: machines with GPUs, by the hour.
local param = require "fal.operations.params"

local path <const>, body <const> = param.path, param.body

local ID <const> = path("id", "string", "the instance",
                        { required = true, min = 1 })
local INSTANCE <const> = { id = "string", instance_type = "string",
                           region = "string", status = "string" }
local ONE <const> = { 401, 403, 404, 429, 500 }

return {
  { name = "compute.list", method = "GET", path = "/compute/instances",
    key = "admin", doc = "the instances there are",
    params = { param.limit, param.cursor },
    paging = "cursor", list = "instances", item = INSTANCE,
    stands = param.stands(200, 401, 403, 429, 500) },

  { name = "compute.create", method = "POST", path = "/compute/instances",
    key = "admin", doc = "starts an instance; it costs money until deleted",
    params = {
      body("instance_type", "string", "the machine", { required = true,
           values = { "gpu_8x_h100_sxm5", "gpu_1x_h100_sxm5" } }),
      body("ssh_key", "string", "the public key that may log in",
           { required = true, min = 1 }),
      body("sector", "string", "for InfiniBand, of the machine with 8 GPUs",
           { values = { "sector_1", "sector_2", "sector_3" } }),
    },
    idempotent = true, changes = "reversible", target = "instance_type",
    answer = INSTANCE, stands = param.stands(201, 400, 401, 403, 429, 500) },

  { name = "compute.get", method = "GET", path = "/compute/instances/{id}",
    key = "admin", doc = "one instance: its address and its state",
    params = { ID }, answer = INSTANCE,
    stands = param.stands(200, table.unpack(ONE)) },

  { name = "compute.delete", method = "DELETE",
    path = "/compute/instances/{id}", key = "admin",
    doc = "ends an instance; what is on its disks is gone",
    params = { ID }, changes = "irreversible",
    stands = param.stands(204, table.unpack(ONE)) },
}
