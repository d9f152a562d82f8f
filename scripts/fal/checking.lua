--- What is certainly wrong with a policy, without running any of it.
---
---   text --> reader: calls, names, returns --> rules --> problems
---
--- When a value is not written out nothing is said about it: a false alarm
--- is worse than a miss, and the runtime checks again.
local callbacks = require "fal.checking.callbacks"
local calls = require "fal.checking.calls"
local comparisons = require "fal.checking.comparisons"
local context = require "fal.checking.context"
local kinds = require "fal.checking.kinds"
local library = require "fal.checking.library"
local operations = require "fal.checking.operations"
local lint = require "fal.lint"
local rows = require "fal.checking.rows"
local rules = require "fal.checking.rules"

local checking = {}

operations.add_shapes()

local function globals(ctx, given)
  for _, token in ipairs(lint.unknown(ctx.tree, given)) do
    context.report(ctx, "undefined-global", token, ("undefined global '%s'%s")
      :format(token.text, kinds.near(token.text, lint.known)))
  end
end

local function is_before(a, b)
  if a.line ~= b.line then
    return a.line < b.line
  elseif a.column ~= b.column then
    return a.column < b.column
  end
  return a.message < b.message
end

--- Problems in the order of the text: {rule, level, line, column, message,
--- hint?}.
---@param source string   Lua that has passed the parser
---@param now integer     ms since 1970, for windows
---@param given string[]? more globals that there are
function checking.problems(source, now, given)
  local ctx = context.new(source, now)
  globals(ctx, given)
  library.check_writes(ctx)
  if context.is_plain(ctx) then
    rows.mark(ctx)
    calls.fields(ctx)
    calls.check(ctx)
    library.check(ctx)
    rows.check(ctx)
    rows.check_uses(ctx)
    comparisons.check(ctx)
    rules.policies(ctx)
    rules.scripts(ctx)
    rules.results(ctx)
    callbacks.check(ctx)
    callbacks.check_rules(ctx)
  end
  table.sort(ctx.found, is_before)
  return ctx.found
end

--- What Lua's own parser said, as a problem.
---@param message string   "policy.lua:2: unexpected symbol near 'x'"
function checking.syntax(source, message)
  local line, what = message:match(":(%d+): (.*)$")
  local at, column = math.tointeger(tonumber(line)), nil
  local near = what and what:match("near '(.*)'$")
  local count = 0
  for text in (source .. "\n"):gmatch "([^\n]*)\n" do
    count = count + 1
    if count == at then
      column = near and text:find(near, 1, true)
    end
  end
  return { rule = "syntax", level = "error", line = at or 1,
           column = column or 1, message = what or message }
end

return checking
