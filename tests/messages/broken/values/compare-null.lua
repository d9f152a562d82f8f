local value = json.decode '{ "n": null }'
if value.n > 3 then -- here
  print "more"
end
