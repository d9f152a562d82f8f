local note = [[ -- here: part of the text, which runs to the end of the file
  Generations are erased after thirty days. ]
fal.requests { endpoint_id = "auto" }
