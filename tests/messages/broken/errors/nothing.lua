error() -- here
