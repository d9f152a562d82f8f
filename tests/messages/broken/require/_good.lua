return { age = "30d" }
