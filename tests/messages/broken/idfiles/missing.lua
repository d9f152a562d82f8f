return fal.policy {
  name = "listed", reason = "asked for", select = fal.ids "absent.csv", -- here
}
