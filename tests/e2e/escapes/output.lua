--== print without an end
-- expect: exit 9, "printed more than"
local line = ("x"):rep(1 << 16)
while true do print(line) end
--== print without an end, caught
-- expect: exit 9, "printed more than"
local line = ("x"):rep(1 << 16)
while true do pcall(print, line) end
--== print in tasks
-- expect: exit 9, "printed more than"
local line = ("x"):rep(1 << 16)
for _ = 1, 10 do
  fal.spawn(function()
    while true do pcall(print, line) pcall(fal.sleep, "1ms") end
  end)
end
--== a log without an end
-- expect: exit 9, "logged more than"
local line = ("x"):rep(1900)
while true do log.warn(line) end
--== one print that is too large is not begun
-- expect: exit 9, "policy"
local big = ("x"):rep(1 << 12):rep(40 << 8)
print(big, big)
--== print steers no terminal through a log
-- expect: exit 0, "blocked"
log.info("\27[2J\r\nfalrun: deleted 5", { ["\27x"] = "\0\27" })
print "blocked"
--== an error of a million lines
-- expect: exit 1, "..."
error(("\n"):rep(1 << 20), 0)
--== an error that is a giant
-- expect: exit 1, "xxxx"
error(("x"):rep(1 << 12):rep(1 << 12), 0)
--== an error with a million places
-- expect: exit 1, "1:1:1"
error((":1:1"):rep(1 << 20), 0)
