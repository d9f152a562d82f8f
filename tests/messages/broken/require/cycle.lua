print(require "_cycle_a")
