return require "_cycle_a" -- here
