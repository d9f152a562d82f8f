print((("abc"):gsub("%a", function(letter)
  fal.sleep "1ms" -- here
  return letter
end)))
