local summary = fal.delete_all {
  "019e6d0a-e5be-4b82-b329-35ae64296900",
  "019e6d0a-e5be-4b82-b329-35ae64296901",
}
assert(summary.planned == 2)
