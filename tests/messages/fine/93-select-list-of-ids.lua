return fal.policy {
  name = "listed", reason = "asked for",
  select = { "019e6d0a-e5be-4b82-b329-35ae64296900" },
}
