local dry_run = flase -- here
print(dry_run)
