local function of(customer)
  return { prompt = "a cat", metadata = { customer = customer } }
end

test("only the inputs that name the customer", function(t)
  t.requests {
    { id = "theirs", ended = "5d", input = of "acme" },
    { id = "others", ended = "5d", input = of "globex" },
    { id = "nobody", ended = "5d", input = { prompt = "a dog" } },
    { id = "unstored", ended = "5d" },
    { id = "too young", ended = "6h", input = of "acme" },
  }
  t.run("one-customer.lua", { "acme" })
  t.deleted { "theirs" }
  t.kept("others", "its where said no")
  t.kept("too young", "not selected")
end)

test("without a customer nothing happens", function(t)
  t.requests { { id = "a", ended = "5d", input = of "acme" } }
  t.run "one-customer.lua"
  t.exit(1)
  t.deleted {}
end)
