os.sleep(1) -- here
