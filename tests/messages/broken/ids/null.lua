fal.delete_payloads(nil) -- here
