delete_payloads "019e6d0a-e5be-7b82-b329-35ae64296902" -- here
