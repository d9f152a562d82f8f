return fal.policy {
  name = "kept", reason = "thinned out",
  select = fal.requests { endpoint_id = "auto" },
  keep = fal.keep.any { last = 1, by = "endpoint_id",
                        fal.keep.all { daily = 7, within = "200d" } },
}
