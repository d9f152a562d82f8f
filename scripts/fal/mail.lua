--- Messages of mail (RFC 5322) that nothing can be smuggled into.
---
--- An address is one of printable ASCII without blanks, brackets or commas;
--- a subject is one line, encoded where it is not ASCII (RFC 2047).
local check = require "fal.check"
local text = require "fal.text"

local mail = {}

local TO_MOST <const> = 20
local SUBJECT_MOST <const> = 200
local LINE_MOST <const> = 900           -- bytes; 998 are allowed
local WORD_BYTES <const> = 42           -- of a word: 75 characters encoded
local DIGITS <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  .. "0123456789+/"

local function base64(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    for i = 0, 3 do
      local digit = (n >> (18 - 6 * i) & 63) + 1
      out[#out + 1] = (i == 2 and not b or i == 3 and not c) and "="
        or DIGITS:sub(digit, digit)
    end
  end
  return table.concat(out)
end

--- Pieces of at most so many bytes, cut between characters.
local function pieces(s, most)
  local list, piece = {}, ""
  for _, code in utf8.codes(s) do
    local char = utf8.char(code)
    if #piece + #char > most then
      list[#list + 1], piece = piece, ""
    end
    piece = piece .. char
  end
  list[#list + 1] = piece
  return list
end

--- The value of a Subject header.
function mail.subject(s)
  s = text.cut(text.clean(s), SUBJECT_MOST)
  if not s:find "[^\x20-\x7e]" and not s:find("=?", 1, true) then
    return s
  end
  local words = pieces(s, WORD_BYTES)
  for i, word in ipairs(words) do
    words[i] = ("=?UTF-8?B?%s?="):format(base64(word))
  end
  return table.concat(words, "\r\n ")
end

local function check_address(name, value)
  if type(value) ~= "string" or #value > 254 or
    not value:find "^[%w!#$%%&'*+/=?^_`{|}~.-]+@[%w.-]+$" then
    check.fail("notify.mail", name, "an address like ops@example.com is "
               .. "needed, got %s", check.show(value))
  end
  return value
end

--- What of a message is known before the run ends: {to = list, from = ?}.
function mail.head(options)
  local to = options.to
  to = type(to) == "table" and to or { to }
  if #to < 1 or #to > TO_MOST then
    check.fail("notify.mail", "to", "an address, or a list of 1 to %d, is "
               .. "needed", TO_MOST)
  end
  local head = { to = {} }
  for i, address in ipairs(to) do
    head.to[i] = check_address("to", address)
  end
  if options.from ~= nil then
    head.from = check_address("from", options.from)
  end
  if options.subject ~= nil and type(options.subject) ~= "string" then
    check.fail("notify.mail", "subject", "text is needed, got %s",
               type(options.subject))
  end
  return head
end

--- The whole message.
---@param lines string[]   without control characters
function mail.message(head, subject, lines)
  local out = {
    "To: " .. table.concat(head.to, ",\r\n "),
    "Subject: " .. mail.subject(subject),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "Auto-Submitted: auto-generated",
  }
  if head.from then
    table.insert(out, 1, "From: " .. head.from)
  end
  out[#out + 1] = ""
  for _, line in ipairs(lines) do
    for _, piece in ipairs(pieces(line, LINE_MOST)) do
      out[#out + 1] = piece
    end
  end
  return (table.concat(out, "\n"):gsub("\r\n", "\n")) .. "\n"
end

return mail
