print(("a"):rep()) -- here
