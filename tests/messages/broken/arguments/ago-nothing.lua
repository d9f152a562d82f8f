print(fal.ago()) -- here
