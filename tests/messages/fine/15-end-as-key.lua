for _ in fal.requests { endpoint_id = "auto", ["end"] = fal.ago "1d" } do
  break
end
