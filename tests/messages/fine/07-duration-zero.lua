fal.sleep "0s"
