--- falrun(1) in mdoc, from the tables of --help.
---
--- mandoc(1) wants each sentence on a line of its own, and takes a point or a
--- quote at the beginning of a line for a request.
local commandline = require "fal.commandline"

local manual = {}

local HEAD <const> = [=[
.\" Made by: falrun manual
.Dd November 26, 2026
.Dt FALRUN 1
.Os
.Sh NAME
.Nm falrun
.Nd data retention on fal.ai, as Lua policies
.Sh SYNOPSIS
.Nm
.Op Ar options
.Ar policy.lua
.Op Ar args ...
.Nm
.Op Ar options
.Ar command
.Op Ar words ...
.Sh DESCRIPTION
.Nm
erases the payloads of requests on fal.ai by a rule.
The rule is a script in Lua, a policy; see
.Xr falrun-policy 5 .
Every deletion passes one gate, which checks holds, limits and the record, and
writes to disk what it is going to do before anything is sent; see
.Xr falrun-ledger 5 .
.Pp
Options stand before or after the command or the policy.
What begins with a dash and is meant for the policy stands after
.Fl Fl .
Each option is also a variable:
.Fl Fl max-deletes
is
.Ev FALRUN_MAX_DELETES .
Durations have a unit: 90s, 36h, 30d.
]=]

local ENVIRONMENT <const> = [=[
.Sh ENVIRONMENT
There is no option that takes a key.
.Bl -tag -width Ds
.It Ev FAL_KEY
The key.
.It Ev FAL_KEY_ID , FAL_KEY_SECRET
The same in two parts.
.It Ev FAL_ADMIN_KEY
The key for what needs ADMIN scope, deletions among it; without it
.Ev FAL_KEY .
.It Ev FAL_KEY_FILE , FAL_ADMIN_KEY_FILE
Files that hold them, which nobody else may read.
.It Ev CREDENTIALS_DIRECTORY
Where systemd puts
.Pa fal_key
and
.Pa fal_admin_key .
.It Ev STATE_DIRECTORY , XDG_STATE_HOME
Where the ledger lies.
.It Ev XDG_CONFIG_HOME
Where the config file lies.
.It Ev FALRUN_PATH
Folders of Lua modules for policies, with colons between them.
.It Ev FALRUN_* Ns
The options.
.It Ev NO_COLOR , TERM
No colours when the first is set, or the second is
.Dq dumb .
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa ~/.local/state/falrun/ledger.db
The ledger.
.It Pa ~/.config/falrun/config
Options and accounts.
.El
]=]

local TAIL <const> = [=[
.Sh EXAMPLES
Against made-up history, without a key:
.Bd -literal -offset indent
falrun new flux-30d
falrun plan --sandbox flux-30d.lua
falrun --sandbox flux-30d.lua
.Ed
.Pp
Every night, from
.Xr cron 8 :
.Bd -literal -offset indent
17 3 * * *  falrun --quiet --max-runtime 5h /etc/falrun/flux-30d.lua
.Ed
.Sh SEE ALSO
.Xr falrun-ledger 5 ,
.Xr falrun-policy 5
]=]

--- ---- text ------------------------------------------------------------------

local function escape(text)
  return (text:gsub("\\", "\\e"):gsub("^([.'])", "\\&%1"))
end

--- A paragraph, with each sentence on a line of its own.
local function sentences(text, out)
  for sentence in (text .. " "):gmatch "(.-[^%s])%f[%s]%s+" do
    local last = out[#out]
    if last and last.open then
      last.text = last.text .. " " .. sentence
    else
      last = { text = sentence }
      out[#out + 1] = last
    end
    last.open = not last.text:find "[.:?!]$"
  end
end

--- In lines that fit a source of 80 columns.
local function wrapped(sentence, out)
  local line
  for word in sentence:gmatch "%S+" do
    if line and utf8.len(line) + utf8.len(word) + 1 > 76 then
      out[#out + 1] = escape(line)
      line = word
    else
      line = line and line .. " " .. word or word
    end
  end
  out[#out + 1] = line and escape(line)
end

local function paragraph(lines, out)
  local list = {}
  sentences(table.concat(lines, " "), list)
  for _, one in ipairs(list) do
    wrapped(one.text, out)
  end
end

local function literal(lines, out)
  out[#out + 1] = ".Bd -literal -offset indent"
  for _, line in ipairs(lines) do
    out[#out + 1] = escape((line:gsub("^  ", "")))
  end
  out[#out + 1] = ".Ed"
end

--- The text of a command's help: paragraphs, and indented lines as they are.
local function prose(text, out)
  local block, indented = {}, false
  local function flush()
    if not block[1] then
      return
    end
    if not indented then
      out[#out + 1] = ".Pp"
    end
    local how = indented and literal or paragraph
    how(block, out)
    block = {}
  end
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local shifted = line:find "^  " ~= nil
    if line == "" or shifted ~= indented then
      flush()
    end
    indented = shifted
    if line ~= "" then
      block[#block + 1] = line
    end
  end
  flush()
end

--- ---- parts -----------------------------------------------------------------

local function options(list, out)
  if not list[1] then
    return
  end
  out[#out + 1] = ".Bl -tag -width Ds"
  for _, option in ipairs(list) do
    local value = option.value and " Ar " .. escape(option.value) or ""
    local letter = option.letter and ("Fl %s , "):format(option.letter) or ""
    out[#out + 1] = (".It %sFl Fl %s%s"):format(letter, option.name, value)
    paragraph({ option.help or "" }, out)
  end
  out[#out + 1] = ".El"
end

local function group_options(specs, group, out)
  local list = {}
  for _, spec in ipairs(specs) do
    list[#list + 1] = spec.group == group and spec or nil
  end
  options(list, out)
end

local function command_part(name, command, out)
  local usage = {}
  for line in command.usage:gmatch "[^\n]+" do
    usage[#usage + 1] = line
  end
  out[#out + 1] = ".Ss " .. name
  literal(usage, out)
  prose(command.help, out)
  options(command.options or {}, out)
end

local function exit_status(out)
  out[#out + 1] = ".Sh EXIT STATUS\n.Bl -tag -width Ds"
  for _, row in ipairs(commandline.exit_codes) do
    out[#out + 1] = (".It %s\n%s"):format(row[1], escape(row[2]))
  end
  out[#out + 1] = ".El"
end

--- The whole page.
---@param command fun(name:string): table
---@param specs table[]   host.option_specs()
function manual.page(command, specs)
  local out = { (HEAD:gsub("\n$", "")) }
  out[#out + 1] = ".Sh OPTIONS\nOf a run:"
  group_options(specs, "run", out)
  out[#out + 1] = ".Pp\nOf every command:"
  group_options(specs, "output", out)
  out[#out + 1] = ".Sh COMMANDS"
  for _, group in ipairs(commandline.groups) do
    for i = 2, #group do
      if group[i] ~= "help" then
        command_part(group[i], command(group[i]), out)
      end
    end
  end
  out[#out + 1] = (ENVIRONMENT:gsub("\n$", ""))
  exit_status(out)
  out[#out + 1] = (TAIL:gsub("\n$", ""))
  return table.concat(out, "\n") .. "\n"
end

return manual
