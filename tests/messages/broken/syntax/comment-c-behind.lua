local age = "30d" // thirty days -- here: a division, up to the next line
fal.requests { endpoint_id = "auto", older_than = age }
