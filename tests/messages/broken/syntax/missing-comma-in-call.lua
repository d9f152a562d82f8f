fal.delete_all(fal.requests { endpoint_id = "auto" }, -- here
  { reason = "thirty days" }
