erase everything older than thirty days -- here
