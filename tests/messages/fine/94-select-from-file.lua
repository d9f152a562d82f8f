return fal.policy {
  name = "listed", reason = "asked for", select = fal.ids "held.csv",
}
