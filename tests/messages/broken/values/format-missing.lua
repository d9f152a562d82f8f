print(("%d requests"):format()) -- here
