--- The options and words that a command parses itself.
---
---   --name value   --name=value   --flag   --   (then only words)
---
--- The host has taken the options of a run out of the line already. An
--- option that is not given is looked for in FALRUN_<NAME>.
local core = require "core"

local cli = {}

local function spec_of(options, name)
  for _, option in ipairs(options) do
    if option.name == name then
      return option
    end
  end
end

local function unknown(host, command, word, options)
  local names = {}
  for i, option in ipairs(options) do
    names[i] = option.name
  end
  local near = core.nearest((word:gsub("^%-+", "")), names)
  local shown = word:sub(1, 60):gsub("[^\x20-\x7e]", "?")
  host.usage(("falrun %s has no option %s%s"):format(command, shown, near
    and (" (did you mean --%s?)"):format(near)
    or ("; see falrun %s --help"):format(command)))
end

local function store(host, given, option, value)
  if value ~= true and not utf8.len(value) then
    host.usage(("--%s is not UTF-8"):format(option.name))
  elseif option.many then
    given[option.name] = given[option.name] or {}
    table.insert(given[option.name], value)
  else
    given[option.name] = value
  end
end

--- Takes the option at args[at]; returns the place of its last word.
local function take(host, command, options, given, at)
  local word = host.args[at]
  local name, value = word:match("^%-%-([^=]+)=(.*)$")
  name = name or word:match("^%-%-([^=]+)$")
  local option = name and spec_of(options, name)
  if not option then
    unknown(host, command, word:match("^[^=]*"), options)
  elseif option.flag then
    if value then
      host.usage(("--%s takes no value"):format(name))
    end
    store(host, given, option, true)
    return at
  elseif value then
    store(host, given, option, value)
    return at
  elseif not host.args[at + 1] then
    host.usage(("--%s needs a value: %s"):format(name, option.value))
  end
  store(host, given, option, host.args[at + 1])
  return at + 1
end

--- Flags say yes in the words that the host takes; anything else is wrong.
local function flag_value(host, variable, text)
  local word = text:lower()
  if word == "1" or word == "true" or word == "yes" or word == "on" then
    return true
  elseif word ~= "0" and word ~= "false" and word ~= "no" and word ~= "off"
    and word ~= "" then
    host.usage(("%s is \"%s\": write 1 or 0"):format(variable, word:sub(1,
      40):gsub("[^\x20-\x7e]", "?")))
  end
end

local function from_environment(host, options, given)
  for _, option in ipairs(options) do
    local variable = "FALRUN_" .. option.name:upper():gsub("%-", "_")
    local text = given[option.name] == nil and os.getenv(variable)
    if text and option.flag then
      given[option.name] = flag_value(host, variable, text)
    elseif text and text ~= "" then
      store(host, given, option, text)
    end
  end
end

--- The command's own options by name, and its words.
---@param host table             the host table: args, usage
---@param command string         "hold"
---@param options {name:string, value:string?, flag:boolean?, many:boolean?}[]
---@return table<string, any> given, string[] words
function cli.parse(host, command, options)
  local given, words = {}, {}
  local at, literal = 1, false
  while at <= #host.args do
    local word = host.args[at]
    if not literal and word == "--" then
      literal = true
    elseif not literal and #word > 1 and word:sub(1, 1) == "-" then
      at = take(host, command, options, given, at)
    else
      words[#words + 1] = word
    end
    at = at + 1
  end
  from_environment(host, options, given)
  return given, words
end

--- A command without words; its options, if it has any.
---@param options table[]?
function cli.none(host, command, options)
  local given, words = cli.parse(host, command, options or {})
  if words[1] then
    host.usage(("falrun %s takes no words, but got %q"):format(command,
      words[1]:sub(1, 60)))
  end
  return given
end

--- A whole number of at least 1, or ends the command.
function cli.count(host, name, value)
  local number = value:match("^%d+$") and math.tointeger(value)
  if not number or number < 1 then
    host.usage(("--%s is \"%s\": write a whole number of at least 1")
      :format(name, value:sub(1, 40):gsub("[^\x20-\x7e]", "?")))
  end
  return number
end

--- made(options), where what the library says about an argument is said about
--- the option of the command.
function cli.checked(host, made, options)
  local ok, result = pcall(made, options)
  if ok then
    return result
  end
  local name, why = tostring(result):match("bad argument '(.-)' to .-(%b())$")
  if not name then
    error(result, 0)
  end
  name = name == "endpoint_id" and "endpoint" or name:gsub("_", "-")
  host.usage(("--%s: %s"):format(name, why:sub(2, -2)))
end

return cli
