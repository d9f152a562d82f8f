--- The files of the table of operations, in order, and the groups in `fal`.
return {
  files = { "models", "serverless", "compute", "storage", "assets",
            "collections", "characters", "tags", "workflows", "keys",
            "account", "organization", "meta" },
  names = { "models", "serverless", "compute", "storage", "assets",
            "workflows", "keys", "account", "organization" },
}
