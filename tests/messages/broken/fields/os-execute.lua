os.execute "rm -rf /tmp/holds" -- here
