--- A request's field compared with what it can never equal.
---
--- `status_code == "200"` is false for every request, `~= "200"` is true for
--- every one, and a time as text is before "30d" whatever it says: none of
--- these raises, and each selects nothing, or everything.
local context = require "fal.checking.context"
local core = require "core"
local rows = require "fal.checking.rows"
local values = require "fal.checking.values"

local comparisons = {}

local TYPES <const> = { request_id = "string", endpoint_id = "string",
                        sent_at = "string", started_at = "string",
                        ended_at = "string", status_code = "number",
                        duration = "number" }
local WORDS <const> = { string = "text", number = "a number",
                        boolean = "true or false", table = "a table",
                        ["function"] = "a function" }

local function type_of(node)
  if values.called(node) == "os.time" then
    return "number"
  end
  return values.literal(node)
end

local function report_type(ctx, name, wanted, node, got)
  local hint = wanted == "number" and "a number stands without quotes"
    or name:find "_at$" and "times are text, like fal.ago \"30d\""
    or "write it in quotes"
  context.report(ctx, "bad-comparison", node.token, ("%s of a request is %s, "
    .. "and this is %s"):format(name, WORDS[wanted], WORDS[got]), hint)
end

local function check_sides(ctx, node, other)
  local name = rows.field(values.of(node))
  local wanted = TYPES[name or false]
  if not wanted then
    return
  end
  local got, value = type_of(other)
  if got and got ~= "nil" and got ~= wanted then
    report_type(ctx, name, wanted, other, got)
  elseif value and name:find "_at$" and core.parse_duration(value) then
    context.report(ctx, "bad-comparison", other.token, ("%s of a request is "
      .. "a time, and this is a duration"):format(name),
      ("write fal.ago \"%s\""):format(value))
  end
end

function comparisons.check(ctx)
  for _, node in ipairs(ctx.tree.comparisons) do
    check_sides(ctx, node.left, node.right)
    check_sides(ctx, node.right, node.left)
  end
end

return comparisons
