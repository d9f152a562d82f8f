--== a where that spins
-- expect: exit 9, "without waiting"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function() while true do end end }
--== a where that spins and hides it
-- expect: exit 9, "without waiting"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function() while true do pcall(function() while true do end end) end
  end }
--== a where that hoards
-- expect: exit 9, "the policy"
local kept = {}
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function() while true do kept[#kept + 1] = ("x"):rep(1e6) .. #kept
  end end }
--== a hold that spins
-- expect: exit 9, "without waiting"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  hold = fal.hold.from(function() while true do end end) }
--== a hold that raises an error that spins when told
-- expect: exit 9, "without waiting"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  hold = fal.hold.from(function() error(setmetatable({}, { __tostring =
    function() while true do end end })) end) }
--== a rule that deletes by itself
-- expect: exit 1, "a rule only decides"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function() fal.delete_payloads(arg[4]) end }
--== a rule that deletes in a task
-- expect: exit 0, "deleted 1"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function() fal.spawn(fal.delete_payloads, arg[4]):wait() return true
  end }
--== a held request that is selected by id
-- expect: exit 0, "1 held"
return fal.policy { name = "p", reason = "r", select = { arg[2] } }
--== a request that takes another's id in a rule
-- expect: exit 0, "deleted 1"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function(request) request.request_id = arg[2] return true end }
--== an item with a metatable that lies about its id
-- expect: exit 1, "is no request"
local item = setmetatable({}, { __index = function() return arg[2] end })
return fal.policy { name = "p", reason = "r", select = { item } }
--== an item that changes its id while it is looked at
-- expect: exit 0, "deleted 1"
local item = { request_id = arg[3] }
return fal.policy { name = "p", reason = "r", select = { item },
  where = function() item.request_id = arg[2] return true end,
  hold = fal.hold.from(function() item.request_id = arg[2] end) }
--== the table of a declaration is changed after the call
-- expect: exit 0, "deleted 1"
local options = { name = "p", reason = "r", select = { arg[3] } }
local policy = fal.policy(options)
options.select[1], options.name = arg[2], "x"
options.where = function() return false end
return policy
--== a declaration has no fields to be changed
-- expect: exit 0, "blocked"
local policy = fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function() return false end }
assert(getmetatable(policy) == false and next(policy) == nil)
rawset(policy, "where", function() return true end)
print "blocked"
return policy
--== a request has a metatable that is locked
-- expect: exit 0, "blocked"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function(request)
    assert(getmetatable(request) == false)
    assert(not pcall(setmetatable, request, {}))
    print "blocked"
  end }
--== the payload of an id alone
-- expect: exit 1, "only a request of a list has payloads"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  where = function(request) return request.input end }
--== a payload inside a sort
-- expect: exit 1, "cannot wait here"
local first = fal.requests { endpoint_id = "auto", older_than = "30d" }()
table.sort({ 1, 2 }, function() return first.input == nil end)
--== an iterator without an end, below the limit
-- expect: exit 9, "without waiting"
return fal.policy { name = "p", reason = "r",
  select = function() return arg[3] end }
--== a thousand policies
-- expect: exit 1, "a file may have 100"
local list = {}
for i = 1, 1000 do
  list[i] = fal.policy { name = "p" .. i, reason = "r", select = { arg[3] } }
end
return list
--== a file of holds that is something else
-- expect: exit 4, "is no request id"
return fal.policy { name = "p", reason = "r", select = { arg[3] },
  hold = fal.hold.file "../canary.lua" }
--== the library's private half
-- expect: exit 1, "what a policy may call is in fal"
require("fal.hold").reset()
