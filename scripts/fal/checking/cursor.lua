--- Where a reader stands: the next token, and the scopes around it.
local cursor = {}

function cursor.peek(p)
  return p.tokens[p.at]
end

function cursor.take(p)
  p.at = p.at + 1
  return p.tokens[p.at - 1]
end

--- Takes the next token when it is this word or operator.
function cursor.accept(p, text)
  if p.tokens[p.at].text == text then
    return cursor.take(p)
  end
end

function cursor.open(p, kind)
  p.block = { kind = kind, parent = p.block, names = {}, exits = 0 }
  return p.block
end

function cursor.close(p)
  p.block = p.block.parent
end

function cursor.declare(p, name, init)
  local var = { name = name, init = init, reads = 0, writes = 0 }
  p.block.names[name] = var
  p.tree.locals[#p.tree.locals + 1] = var
  p.tree.own_env = p.tree.own_env or name == "_ENV"
  return var
end

function cursor.find(p, name)
  local block = p.block
  while block do
    if block.names[name] then
      return block.names[name]
    end
    block = block.parent
  end
end

--- A way out of the blocks up to the function's: what follows in them may
--- not be reached.
function cursor.note_exit(p)
  local block = p.block
  while block do
    block.exits = block.exits + 1
    block = block.kind ~= "function" and block.parent or nil
  end
end

return cursor
