fal.delete_payloads() -- here
