fal.requests { endpoint_id = "auto", start = fal.ago "7d", -- here
               older_than = "30d" }
