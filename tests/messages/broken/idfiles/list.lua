local ids = fal.ids { "absent.csv" } -- here
return ids
