local age = "30d"
--[[ thirty days are the rule -- here: it runs to the end of the file
fal.requests { endpoint_id = "auto", older_than = age }
