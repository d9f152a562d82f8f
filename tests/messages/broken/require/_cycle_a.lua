return require "_cycle_b"
