local address = "https://fal.run/fal-ai/flux" --[[
  a comment of two lines ]]
assert(address)
