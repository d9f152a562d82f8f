fal.requests { endpoint_id = "auto", -- here
               request_id = "019E6D0A-E5BE-7B82-B329-35AE64296902" }
