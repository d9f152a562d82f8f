local rule = keep -- here
print(rule)
