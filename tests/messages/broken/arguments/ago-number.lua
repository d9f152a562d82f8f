print(fal.ago(30)) -- here
