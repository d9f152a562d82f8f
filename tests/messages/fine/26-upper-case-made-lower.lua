local id = "019E6D0A-E5BE-4B82-B329-35AE64296900"
assert(fal.delete_payloads(id:lower()))
