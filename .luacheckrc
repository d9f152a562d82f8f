-- luacheck: `scripts/dev/check` runs it on all Lua of the project.
std = "lua54"
max_line_length = 80
codes = true

-- Annotations declare, they do not run; attacks on falrun are not tidy, and
-- broken policies are broken.
exclude_files = { "scripts/types/*.lua", "tests/e2e/escapes/*.lua",
                  "tests/messages" }

-- What falrun leaves out of Lua's library.
files["scripts"] = {
  not_globals = { "io", "debug", "package", "dofile", "loadfile", "warn" },
}

-- Policies see falrun's globals; the library requires what it uses.
files["scripts/policies"] = {
  read_globals = { "fal", "log", "json", "arg" },
}
files["scripts/policies/*_test.lua"] = {
  read_globals = { "test" },
}
files["tests/e2e"] = {
  read_globals = { "fal", "log", "json", "arg" },
  allow_defined_top = true,
}
