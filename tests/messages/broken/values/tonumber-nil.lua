print(tonumber()) -- here
