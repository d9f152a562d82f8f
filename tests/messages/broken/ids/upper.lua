fal.delete_payloads "019E6D0A-E5BE-7B82-B329-35AE64296902" -- here
