local AGE <const> = "30d"
AGE = arg[1] -- here
fal.requests { endpoint_id = "auto", older_than = AGE }
