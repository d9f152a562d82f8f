for _, err in ipairs(fal.delete_all({}).error) do -- here
  print(err)
end
