--- Commands and what they are made of: options, ids, tables, outcomes.
local t = require "support"
local test, equal, id = t.test, t.equal, t.id

local UPPER <const> = "019E6D0A-E5BE-7B82-B329-35AE64296902"

local function run(world, name, args, options)
  world.host.command, world.host.args = name, args
  world.host.options = options or {}
  require("commands." .. name).run()
  return table.concat(world.out)
end

test("options: values, flags, words, --", function(world)
  local cli = require "fal.cli"
  world.host.args = { "a", "--name=x=y", "--many", "1", "--many=2", "-",
                      "--flag", "--", "--name", "b" }
  local given, words = cli.parse(world.host, "thing", {
    { name = "name", value = "TEXT" }, { name = "many", many = true,
      value = "N" }, { name = "flag", flag = true } })
  equal(given.name, "x=y")
  equal(given.many, { "1", "2" })
  equal(given.flag, true)
  equal(words, { "a", "-", "--name", "b" })
end)

test("options: what is wrong is named", function(world)
  local cli = require "fal.cli"
  local function refuse(sentence, ...)
    world.host.args = { ... }
    local err = t.raises(sentence, cli.parse, world.host, "requests",
      { { name = "from", value = "TIME" }, { name = "all", flag = true } })
    equal(err.kind, "config")
  end
  refuse("falrun requests has no option --frm (did you mean --from?)",
         "--frm", "x")
  refuse("has no option --zzzzzzzz; see falrun requests --help",
         "--zzzzzzzz=1")
  refuse("has no option -x", "-x")
  refuse("--from needs a value: TIME", "--from")
  refuse("--all takes no value", "--all=1")
end)

test("delete checks every id before the first deletion", function(world)
  local function refuse(sentence, args)
    t.raises(sentence, run, world, "delete", args)
    equal(#world.deletions, 0)
  end
  refuse('argument 2: "../x" is not a request id', { id(1), "../x" })
  refuse("is in upper case", { UPPER })
  refuse("needs request ids", {})
  world.input = { "# a comment", "", "  " .. id(1) .. "  # why", "\0bad" }
  refuse('standard input, line 4: "?bad" is not', { "-" })
  refuse("argument 1", { ("a"):rep(1 << 20) })
end)

test("delete: ids from both, a line for each, settled first",
     function(world)
  world.input = { id(2), "", "# no", id(3) }
  local out = run(world, "delete", { "--reason", "asked", id(1), "-", id(1) })
  equal(world.settled, 0)
  equal(#world.deletions, 3)
  equal(world.deletions[1].options.reason, "asked")
  equal(select(2, out:gsub("\n", "")), 3)
  t.has(out, id(3) .. "\tdeleted\n")
end)

test("delete --json is one document", function(world)
  local out = run(world, "delete", { id(1), id(2) }, { json = "true" })
  equal(out:sub(1, 3), "[\n{")
  equal(out:sub(-4), "}\n]\n")
  equal(run(world, "hold", { "list" }, { json = "true" }):sub(-3), "[]\n")
end)

test("delete --dry-run settles nothing and says so", function(world)
  world.core.mode = "plan"
  world.counts.planned = 1
  world.outcome = function() return { status = "planned" } end
  run(world, "delete", { id(1) }, { ["dry-run"] = "true" })
  equal(world.settled, nil)
  t.has(world.log[#world.log].text, "planned 1")
  t.has(world.log[#world.log].text, "nothing was deleted")
end)

test("a closed pipe ends delete only after the deletions", function(world)
  world.host.write = function()
    error(world.core.error("io", "standard output cannot be written"), 0)
  end
  t.raises("standard output cannot be written", run, world, "delete",
           { id(1), id(2) })
  equal(#world.deletions, 2)
end)

test("requests says what is wrong about the option", function(world)
  local function refuse(sentence, ...)
    t.raises(sentence, run, world, "requests", { ... })
  end
  refuse("name one with --endpoint ID")
  refuse("--older-than: not a duration: \"30\"", "--endpoint", "a/b",
         "--older-than", "30")
  refuse("--endpoint: not the id", "--endpoint", "a,b")
  refuse("--limit is \"0\"", "--endpoint", "a/b", "--limit", "0")
  refuse("takes options only", "--endpoint", "a/b", "word")
  equal(#world.calls, 0)
end)

test("requests stops at its limit, and cleans what it prints",
     function(world)
  world.answer = function()
    return { items = { t.item(1, 1, { endpoint_id = "a/b/\27[2J" }),
                       t.item(2) },
             has_more = false, next_cursor = world.null }
  end
  local out = run(world, "requests", { "--endpoint", "a/b", "--limit", "1" })
  t.has(out, "a/b/?[2J")
  equal(out:find("\27", 1, true), nil)
  equal(select(2, out:gsub("\n", "")), 2)
end)

test("plan lists what would go, what is held, and the totals",
     function(world)
  world.core.mode = "plan"
  world.answer = function()
    return { items = { t.item(1), t.item(2) }, has_more = false,
             next_cursor = world.null }
  end
  world.outcome = function(request_id)
    if request_id == id(2) then
      return nil, world.core.error("held", "held", { status = "held" })
    end
    return { status = "planned", age = 31 * 86400.5, reason = "old" }
  end
  world.holds = { { request_id = id(2), reason = "case 17" } }
  world.counts = { planned = 1, held = 1, settled = 0 }
  world.policy = function()
    require "fal.deletions".delete_all(require "fal.requests".list {
      endpoint_id = "a/b", older_than = "1d" })
  end
  local out = run(world, "plan", {})
  t.has(out, id(1) .. "  2026-01-01T00:00:01Z  31d  a/b       old\n")
  t.has(out, id(2) .. "  case 17\n")
  t.has(out, "planned 1, held 1; nothing was deleted")
  world.out = {}
  world.host.write = function(text) world.out[#world.out + 1] = text end
  t.has(run(world, "plan", {}, { json = "true" }), '"planned":[{')
end)

test("run settles first, runs the policy, and ends with one line",
     function(world)
  world.counts = { deleted = 1234, held = 2, failed = 3, settled = 1 }
  world.policy = function(word)
    require "fal.deletions".delete_payloads(word)
  end
  run(world, "run", { id(1) })
  equal(world.settled, 0)
  equal(#world.deletions, 1)
  equal(world.log[1].text, "settled 1 open intent of earlier runs")
  t.has(world.log[2].text, "deleted 1,234, held 2, failed 3 in ")
  t.has(world.log[2].text, "; ledger /tmp/ledger.db, run 7")
end)

test("run is quiet when asked", function(world)
  world.policy = function() end
  run(world, "run", {}, { quiet = "true" })
  equal(#world.log, 0)
end)

test("failures are told as they happen: twenty, or all", function(world)
  local report = require "fal.report"
  local err = world.core.error("x", "not deleted", { status = "failed" })
  local watch = report.watcher(world.host)
  for n = 1, 30 do
    watch(id(n), nil, err)
  end
  equal(#world.log, 21)
  world.host.options.verbose = "true"
  watch = report.watcher(world.host)
  for n = 1, 30 do
    watch(id(n), nil, err)
  end
  equal(#world.log, 51)
end)

test("hold: add needs a reason, unknown verbs are named", function(world)
  local function refuse(sentence, ...)
    t.raises(sentence, run, world, "hold", { ... })
  end
  refuse("needs --reason TEXT", "add", id(1))
  refuse("(did you mean remove?)", "remov", id(1))
  refuse("needs one of add, remove and list")
  refuse("argument 2", "add", "x", "--reason", "r")
  local held
  world.host.ledger.hold_add = function(ids, reason)
    held = { ids, reason }
    return true
  end
  run(world, "hold", { "add", id(1), id(2), "--reason", "case" })
  equal(held, { { id(1), id(2) }, "case" })
end)

test("numbers, ages, times and hostile text for people", function()
  local text = require "fal.text"
  equal(text.number(0), "0")
  equal(text.number(999), "999")
  equal(text.number(1234567), "1,234,567")
  equal(text.number(-1000), "-1,000")
  equal(text.count(1, "hold", "holds"), "1 hold")
  equal(text.age(86400 * 31 + 5), "31d")
  equal(text.age(59), "59s")
  equal(text.seconds(12.34), "12 s")
  equal(text.seconds(0.25), "0.2 s")
  equal(text.seconds(3725), "1 h 2 min")
  equal(text.clean("a\27[31m\r\nb\0"), "a?[31m??b?")
  equal(text.clean("\xff\xfe"), "??")
  equal(text.clean("x\u{202e}y\u{200b}"), "x?y?")
  equal(text.clean("\u{e9}"), "\u{e9}")
end)

test("a table shrinks what may shrink, and never an id", function(world)
  local text = require "fal.text"
  local columns = { { title = "ID", always = true },
                    { title = "NONE" }, { title = "WHY", shrink = true } }
  world.host.columns = 60
  text.table(world.host, columns, { { id(1), nil, ("w"):rep(80) } })
  local out = table.concat(world.out)
  t.has(out, id(1))
  t.has(out, "www...\n")
  equal(out:find("NONE", 1, true), nil)
  for line in out:gmatch("[^\n]+") do
    equal(#line <= 60, true, "width")
  end
end)

test("the help of every command fits 80 columns", function(world)
  local names = { "run", "plan", "check", "delete", "requests", "hold",
                  "history", "show", "explain", "verify", "certificate",
                  "types", "help" }
  world.host.commands = function() return names end
  world.host.option_specs = function()
    return { { name = "max-deletes", value = "N", group = "run",
               help = "stop before more" },
             { name = "quiet", letter = "q", group = "output",
               help = "less" },
             { name = "diff", value = "FILE", only = "plan" } }
  end
  run(world, "help", {})
  local overview = table.concat(world.out)
  t.has(overview, "\n  --max-deletes N    stop before more\n")
  t.has(overview, "\n  -q, --quiet        less\n")
  equal(overview:find("--diff", 1, true), nil)
  for _, name in ipairs(names) do
    run(world, "help", { name })
  end
  for line in table.concat(world.out):gmatch("[^\n]+") do
    equal(utf8.len(line) <= 80, true, line)
  end
  t.raises("(did you mean plan?)", run, world, "help", { "plam" })
end)

t.finish()
