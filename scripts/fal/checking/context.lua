--- What a check has found, and how loud each rule is.
local reader = require "fal.checking.reader"
local lint = require "fal.lint"

local context = {}

--- Rules and their levels; docs/check.md tells each.
context.RULES = {
  ["syntax"] = "error",
  ["undefined-global"] = "error",
  ["unknown-field"] = "error",
  ["unknown-option"] = "error",
  ["duplicate-option"] = "warning",
  ["missing"] = "error",
  ["bare-number"] = "error",
  ["bad-duration"] = "error",
  ["bad-time"] = "error",
  ["future-window"] = "error",
  ["empty-window"] = "error",
  ["bad-id"] = "error",
  ["out-of-range"] = "error",
  ["wrong-type"] = "error",
  ["unknown-choice"] = "error",
  ["bad-value"] = "error",
  ["not-returned"] = "error",
  ["no-limits"] = "warning",
  ["selects-everything"] = "error",
  ["deletes-everything"] = "warning",
  ["waits-in-callback"] = "warning",
  ["unknown-request-field"] = "error",
  ["bad-comparison"] = "error",
  ["one-value"] = "error",
  ["rule-deletes"] = "error",
  ["same-name"] = "error",
  ["not-a-function"] = "error",
  ["called-with-colon"] = "error",
  ["read-only"] = "error",
}

--- Reads the text; `now` is ms since 1970.
function context.new(source, now)
  local tree = reader.read(source)
  return { tree = tree, now = now, found = {},
           assigned = lint.assigned(tree) }
end

--- Notes a finding at a token, unless a comment of its line silences it. What
--- a run says of it, in other words, finds a hint where there is none.
function context.report(ctx, rule, token, message, hint, told)
  if not ctx.tree.silent[token.line] then
    ctx.found[#ctx.found + 1] = { rule = rule, line = token.line,
      column = token.column, level = context.RULES[rule], message = message,
      hint = hint, told = told }
  end
end

--- Whether the globals of the API are what they seem to be.
function context.is_plain(ctx)
  for _, name in ipairs { "fal", "json", "log", "table", "string", "os",
                          "_ENV" } do
    if ctx.assigned[name] then
      return false
    end
  end
  return not ctx.tree.own_env
end

return context
