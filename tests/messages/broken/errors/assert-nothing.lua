assert() -- here
