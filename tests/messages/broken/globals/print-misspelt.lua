prnt "started" -- here
