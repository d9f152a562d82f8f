fal.requests { endpoint_id = "auto", start = "2024-02-01", -- here
               ["end"] = "2024-01-01" }
