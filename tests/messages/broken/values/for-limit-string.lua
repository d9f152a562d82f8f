for i = 1, "a" do -- here
  print(i)
end
