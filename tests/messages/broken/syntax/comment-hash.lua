local age = "30d"
# thirty days are the rule -- here
fal.requests { endpoint_id = "auto", older_than = age }
