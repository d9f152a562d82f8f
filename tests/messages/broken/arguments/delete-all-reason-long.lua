fal.delete_all({ "019e6d0a-e5be-7b82-b329-35ae64296902" }, -- here
               { reason = ("x"):rep(5000) })
