--- Completion for shells, made from the same tables as --help.
---
---   host's options, commands and theirs, operations --> model --> one script
---
--- What a value may be is told by the word that stands for it in the tables:
--- FILE and PATH are files, A|B is one of these; all else is typed.
local completion = {}

--- ---- what there is ---------------------------------------------------------

local function add_option(list, option)
  list[#list + 1] = { name = option.name, letter = option.letter,
                      value = option.value, help = option.help or "" }
end

--- Everything that can be completed.
---@param all string[]          the names of the commands
---@param command fun(name:string): table
---@param specs table[]         host.option_specs()
---@param operations string[]
function completion.model(all, command, specs, operations)
  local model = { options = {}, commands = {}, operations = operations }
  for _, spec in ipairs(specs) do
    if not spec.only then
      add_option(model.options, spec)
    end
  end
  for _, name in ipairs(all) do
    local file = name == "help" and { summary = "help for a command" }
      or command(name)
    local one = { name = name, summary = file.summary, options = {},
                  words = name == "help" and all
                    or name == "call" and operations or file.words or {},
                  policy = (file.usage or ""):find "POLICY" ~= nil }
    for _, option in ipairs(file.options or {}) do
      add_option(one.options, option)
    end
    if name ~= "run" then
      model.commands[#model.commands + 1] = one
    end
  end
  return model
end

--- "file", a list of words, or nil where the value is typed.
local function kind_of(value)
  if value and (value:find "FILE" or value:find "PATH" or value:find "DIR") then
    return "file"
  elseif value and value:find "^[%l-]+|" then
    local words = {}
    for word in value:gmatch "[^|]+" do
      words[#words + 1] = word
    end
    return words
  end
end

local function names_of(list)
  local names = {}
  for _, option in ipairs(list) do
    names[#names + 1] = "--" .. option.name
  end
  return table.concat(names, " ")
end

--- Every option that takes a value, by its kind of value.
local function by_value(model)
  local seen, typed, files, chosen = {}, {}, {}, {}
  local function take(option)
    local name = "--" .. option.name
    local kind = kind_of(option.value)
    if not option.value or seen[name] then
      return
    end
    seen[name] = true
    local list = kind == "file" and files or typed
    if type(kind) == "table" then
      chosen[#chosen + 1] = { name = name, words = kind }
    else
      list[#list + 1] = name
      list[#list + 1] = option.letter and "-" .. option.letter or nil
    end
  end
  for _, option in ipairs(model.options) do
    take(option)
  end
  for _, command in ipairs(model.commands) do
    for _, option in ipairs(command.options) do
      take(option)
    end
  end
  return typed, files, chosen
end

--- ---- bash ------------------------------------------------------------------

local BASH <const> = [=[
# bash completion of falrun; made by: falrun completion bash
_falrun() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command= word i skip= words= policy=
  COMPREPLY=()
  case $prev in
%s    %s) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    %s) return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [ -n "$skip" ]; then skip=; continue; fi
    case $word in
      %s|%s) skip=yes ;;
      -*) ;;
      *.lua|*/*) command=${command:-run} ;;
      *) command=${command:-$word} ;;
    esac
  done
  case $command in
    "") words="%s"; policy=yes ;;
%s  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "%s $(_falrun_options "$command")" -- "$cur"))
      return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [ -n "$policy" ]; then
    COMPREPLY+=($(compgen -f -X '!*.lua' -- "$cur"))
    COMPREPLY+=($(compgen -d -S / -- "$cur"))
  elif [ -z "$words" ]; then
    COMPREPLY+=($(compgen -f -- "$cur"))
  fi
}
_falrun_options() {
  case $1 in
%s  esac
}
complete -o filenames -F _falrun falrun
]=]

function completion.bash(model)
  local typed, files, chosen = by_value(model)
  local choices, words, options, names = {}, {}, {}, {}
  for i, one in ipairs(chosen) do
    choices[i] = ('    %s) COMPREPLY=($(compgen -W "%s" -- "$cur")); return '
      .. ";;\n"):format(one.name, table.concat(one.words, " "))
    typed[#typed + 1] = one.name
  end
  for i, command in ipairs(model.commands) do
    names[i] = command.name
    words[i] = ('    %s) words="%s"%s ;;\n'):format(command.name,
      table.concat(command.words, " "), command.policy and "; policy=yes"
      or "")
    options[i] = ('    %s) echo "%s" ;;\n'):format(command.name,
      names_of(command.options))
  end
  return BASH:format(table.concat(choices), table.concat(files, "|"),
    table.concat(typed, "|"), table.concat(files, "|"),
    table.concat(typed, "|"), table.concat(names, " "),
    table.concat(words), names_of(model.options), table.concat(options))
end

--- ---- zsh -------------------------------------------------------------------

--- Text between quotes of a shell; a colon would end a description's name.
local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function zsh_value(option)
  local kind = kind_of(option.value)
  if kind == "file" then
    return (":%s:_files"):format(option.value)
  elseif kind then
    return (":%s:(%s)"):format(option.value:gsub("[:|]", "_"),
                               table.concat(kind, " "))
  end
  return option.value and (":%s: "):format((option.value:gsub(":", "\\:")))
    or ""
end

local function zsh_options(list, lines)
  for _, option in ipairs(list) do
    local help = option.help:gsub("([%[%]:\\])", "\\%1")
    local tail = ("[%s]%s"):format(help, zsh_value(option))
    lines[#lines + 1] = "    " .. quoted("--" .. option.name .. tail)
    if option.letter then
      lines[#lines + 1] = "    " .. quoted("-" .. option.letter .. tail)
    end
  end
end

local ZSH <const> = [=[
#compdef falrun
# zsh completion of falrun; made by: falrun completion zsh
_falrun() {
  local -a options commands choices
  local command word
  options=(
%s
  )
  commands=(
%s
  )
  for word in ${words[2,CURRENT-1]}; do
    if (( ${commands[(I)$word:*]} )); then command=$word; break; fi
    if [[ $word == *.lua ]]; then command=run; break; fi
  done
  case $command in
%s  esac
  _arguments -s $options '1: :_falrun_first' '*: :_falrun_words'
}
_falrun_first() {
  _describe -t commands command commands
  _files -g '*.lua'
}
_falrun_words() {
  if (( $#choices )); then compadd -a choices; else _files; fi
}
_falrun "$@"
]=]

function completion.zsh(model)
  local options, commands, cases = {}, {}, {}
  zsh_options(model.options, options)
  for i, command in ipairs(model.commands) do
    local own = {}
    zsh_options(command.options, own)
    commands[i] = "    " .. quoted(command.name .. ":"
      .. command.summary:gsub(":", "\\:"))
    cases[i] = ("    %s) choices=(%s); options+=(\n%s\n    ) ;;\n"):format(
      command.name, table.concat(command.words, " "),
      table.concat(own, "\n"))
  end
  return ZSH:format(table.concat(options, "\n"), table.concat(commands, "\n"),
    table.concat(cases))
end

--- ---- fish ------------------------------------------------------------------

local function fish_option(option, when)
  local kind = kind_of(option.value)
  local value = kind == "file" and " -r -F"
    or kind and " -x -a " .. quoted(table.concat(kind, " "))
    or option.value and " -x" or ""
  return ("complete -c falrun%s -l %s%s%s -d %s\n"):format(when, option.name,
    option.letter and " -s " .. option.letter or "", value,
    quoted(option.help))
end

function completion.fish(model)
  local lines, names = {}, {}
  for i, command in ipairs(model.commands) do
    names[i] = command.name
  end
  local none = (" -n 'not __fish_seen_subcommand_from %s'"):format(
    table.concat(names, " "))
  lines[1] = "# fish completion of falrun; made by: falrun completion fish\n"
  for _, option in ipairs(model.options) do
    lines[#lines + 1] = fish_option(option, "")
  end
  for _, command in ipairs(model.commands) do
    local seen = (" -n '__fish_seen_subcommand_from %s'"):format(command.name)
    lines[#lines + 1] = ("complete -c falrun%s -a %s -d %s\n"):format(none,
      command.name, quoted(command.summary))
    for _, option in ipairs(command.options) do
      lines[#lines + 1] = fish_option(option, seen)
    end
    if command.words[1] then
      lines[#lines + 1] = ("complete -c falrun%s -f -a %s\n"):format(seen,
        quoted(table.concat(command.words, " ")))
    end
  end
  return table.concat(lines)
end

return completion
