local DAY = 24 * 60 * 60
fal.requests { endpoint_id = "auto", older_than = 30 * DAY } -- here
