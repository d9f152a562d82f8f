fal.each({ 1 }, (item) => print(item)) -- here
