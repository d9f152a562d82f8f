local dry_run = True -- here
print(dry_run)
