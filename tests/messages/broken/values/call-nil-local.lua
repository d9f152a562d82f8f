local check
check() -- here
