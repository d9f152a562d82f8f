print(debug.traceback()) -- here
