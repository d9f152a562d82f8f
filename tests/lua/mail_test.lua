--- Messages of mail: nothing is smuggled in, and everybody can read them.
local t = require "support"
local test, equal, has, raises = t.test, t.equal, t.has, t.raises

test("a plain message", function()
  local mail = require "fal.mail"
  local head = mail.head { to = "ops@example.com", from = "f@example.com" }
  local text = mail.message(head, "done", { "one", "two" })
  equal(text, "From: f@example.com\nTo: ops@example.com\nSubject: done\n"
    .. "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    .. "Content-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n\n"
    .. "one\ntwo\n")
end)

test("a subject that is not ASCII is encoded, each word by itself", function()
  local mail = require "fal.mail"
  equal(mail.subject "Grüße", "=?UTF-8?B?R3LDvMOfZQ==?=")
  equal(mail.subject "a", "a")
  equal(mail.subject "a\r\nBcc: x", "a??Bcc: x")
  has(mail.subject "=?UTF-8?B?eA==?=", "=?UTF-8?B?PT9V")
  local words = 0
  for word in (mail.subject(("ü"):rep(150)) .. "\r\n "):gmatch "(.-)\r\n " do
    words = words + 1
    equal(#word <= 75, true)
    equal(word:match "^=%?UTF%-8%?B%?[%w+/=]+%?=$", word)
  end
  equal(words, 8)
end)

test("an address is one address", function()
  local mail = require "fal.mail"
  for _, bad in ipairs { "", "ops", "a@b\nc", "a@b\r\nBcc: c@d", "a b@c",
    "a@b,c@d", "<a@b>", "a@b;", "\"a\"@b", "a@b@c", "ä@b", ("a"):rep(300)
    .. "@b", 7 } do
    raises("an address like ops@example.com is needed", mail.head,
           { to = bad })
    raises("an address like ops@example.com is needed", mail.head,
           { to = "a@b", from = bad })
  end
  raises("a list of 1 to 20", mail.head, { to = {} })
  raises("a list of 1 to 20", mail.head, {})
  raises("'subject'", mail.head, { to = "a@b", subject = 7 })
  equal(#mail.head { to = { "a+b@c-d.example", "x_y@z" } }.to, 2)
end)

test("a line that is too long for mail is several", function()
  local mail = require "fal.mail"
  local text = mail.message(mail.head { to = "a@b" }, "s", { ("ü"):rep(1000) })
  for line in text:gmatch "[^\n]+" do
    equal(#line <= 998, true)
    equal(utf8.len(line) ~= nil, true)
  end
end)
