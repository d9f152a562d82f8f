return fal:policy { name = "flux-30d" } -- here
