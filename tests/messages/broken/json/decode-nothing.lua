print(json.decode()) -- here
