local summary = fal.delete_all(fal.requests { endpoint_id = "auto" } -- here: seen below
print(summary.deleted)
