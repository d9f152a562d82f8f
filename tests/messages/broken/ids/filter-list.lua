fal.requests { endpoint_id = "auto", -- here
               request_id = { "019e6d0a-e5be-7b82-b329-35ae64296902" } }
