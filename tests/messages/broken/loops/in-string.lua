for letter in "abc" do -- here
  print(letter)
end
