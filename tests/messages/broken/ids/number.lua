fal.delete_payloads(17) -- here
