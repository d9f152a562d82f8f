print(os.now()) -- here
