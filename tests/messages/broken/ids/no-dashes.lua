fal.delete_payloads "019e6d0ae5be7b82b32935ae64296902" -- here
