try { -- here
  fal.delete_all({})
}
