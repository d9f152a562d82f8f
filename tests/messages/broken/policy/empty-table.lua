return {} -- here
