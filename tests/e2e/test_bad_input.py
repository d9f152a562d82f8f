"""Every wrong input gets one clear sentence that names it, exit 2 (or the
code that is due), and nothing is sent."""
import pytest

from conftest import OLDER
from hostile import row, uuid4

IDS = ["../../meta", "..%2f..%2fmeta", "%2e%2e/%2e%2e", "a\r\nX-Evil: 1",
       "", " ", "x" * 1000000, "\uff10" * 36,
       "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA",
       "{aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa}",
       "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa ",
       " aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
       "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa",
       "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaaa",
       "aaaaaaaaaaaa4aaa8aaaaaaaaaaaaaaa", "aaaaaaaa-aaaa-4aaa-8aaa-"
       "aaaaaaaaaaag", "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa/x",
       "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa?x=1",
       "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\n",
       "\x1b[31mred", "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa\u0661"]


def one_sentence(done, most=1):
    lines = done.err.strip().splitlines()
    assert 1 <= len(lines) <= most, done
    assert len(done.err) < 1000 and "\x1b" not in done.err, done


@pytest.mark.parametrize("at", range(len(IDS)))
def test_hostile_ids_on_the_line(world, rng, at):
    server = world.fal()
    id = IDS[at] if len(IDS[at]) < 100000 else IDS[at][:100000]
    done = world.run("delete", uuid4(rng), "--", id, check=2)
    one_sentence(done)
    one_sentence(world.run("explain", "--", id, check=2))
    one_sentence(world.run("hold", "add", "--reason", "x", "--", id,
                           check=2))
    assert not server.requests and world.run(
        "hold", "list", "--json", check=0).json == []


@pytest.mark.parametrize("at", [i for i, text in enumerate(IDS)
                                if text.strip() and text.strip() == text])
def test_hostile_ids_on_standard_input(world, rng, at):
    server = world.fal()
    text = uuid4(rng) + "\n" + IDS[at] + "\n"
    one_sentence(world.run("delete", "-", stdin=text, check=2))
    assert not server.requests


@pytest.mark.parametrize("data", [b"\0", b"\xff\xfe", b"a\0b\n",
                                  b"aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\0x",
                                  b"x" * 10000000],
                         ids=["nul", "not utf-8", "nul in a word",
                              "nul in an id", "ten megabytes"])
def test_bytes_on_standard_input(world, data):
    server = world.fal()
    one_sentence(world.run("delete", "-", stdin=data, check=2))
    assert not server.requests


def test_hostile_ids_in_lua(world, rng):
    server = world.fal()
    quoted = ",\n".join('"%s"' % "".join("\\x%02x" % b for b in i.encode())
                        for i in IDS if len(i) < 1000)
    done = world.lua("""
        local ids = { %s, ("x"):rep(1000000), "\\0",
          "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa\\0",
          "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa\\0" }
        for _, id in ipairs(ids) do
          local ok, err = pcall(fal.delete_payloads, id)
          assert(not ok, "taken: " .. id)
          assert(#tostring(err) < 500, "long: " .. #tostring(err))
          assert(not pcall(fal.delete_all, { id }), "taken by delete_all")
        end
        for _, id in ipairs { 17, true, {}, print } do
          assert(not pcall(fal.delete_payloads, id))
          assert(not pcall(fal.delete_all, { id }))
        end
        assert(not pcall(fal.delete_payloads))
        assert(not pcall(fal.delete_payloads, nil))
    """ % quoted, check=0)
    assert not server.deletes, done


@pytest.mark.parametrize("options,word", [
    ("{ reasn = 'x' }", "reason"), ("{ timeuot = '1s' }", "timeout"),
    ("{ idempotency = 'x' }", "idempotency_key"), ("{ 1 }", None),
    ("{ reason = 7 }", "reason"), ("{ timeout = 5 }", "timeout"),
    ("{ timeout = 'soon' }", "timeout"), ("{ retries = -1 }", "retries"),
    ("{ retries = 11 }", "retries"), ("{ retries = 1.5 }", "retries"),
    ("{ retries = '1' }", "retries"), ("{ dry_run = 1 }", "dry_run"),
    ("'reason'", None), ("{ reason = ('x'):rep(5000) }", "reason"),
    ("{ timeout = '-1s' }", "timeout")])
def test_wrong_options_of_delete_payloads(world, rng, options, word):
    server = world.fal()
    done = world.lua("fal.delete_payloads(arg[1], %s)" % options, uuid4(rng),
                     check=1)
    assert not server.deletes and "policy.lua:1" in done.err
    assert word is None or word in done.err


@pytest.mark.parametrize("options,word", [
    ("{}", "endpoint_id"), ("{ endpoint_id = 7 }", "endpoint_id"),
    ("{ endpoint_id = '' }", "endpoint_id"),
    ("{ endpoint_id = {} }", "endpoint_id"),
    ("{ endpoint_id = 'a/b', older_then = '30d' }", "older_than"),
    ("{ endpoint_id = 'a/b', older_than = 30 }", "older_than"),
    ("{ endpoint_id = 'a/b', older_than = '30' }", "older_than"),
    ("{ endpoint_id = 'a/b', older_than = '-30d' }", "older_than"),
    ("{ endpoint_id = 'a/b', older_than = '30 days' }", "older_than"),
    ("{ endpoint_id = 'a/b', start = 'yesterday' }", "start"),
    ("{ endpoint_id = 'a/b', start = '2024-13-01' }", "start"),
    ("{ endpoint_id = 'a/b', ['end'] = '2024-02-30' }", "end"),
    ("{ endpoint_id = 'a/b', status = 'ok' }", "status"),
    ("{ endpoint_id = 'a/b', request_id = 'x' }", "request_id"),
    ("{ endpoint_id = 'a/b', limit = 0 }", "limit"),
    ("{ endpoint_id = 'a/b', limit = 101 }", "limit"), ("nil", None),
    ("{ endpoint_id = 'a/b', older_than = '99999999999999999d' }",
     "older_than")])
def test_wrong_options_of_requests(world, options, word):
    server = world.fal()
    done = world.lua("for r in fal.requests(%s) do end" % options, check=1)
    assert not server.requests and "policy.lua:1" in done.err, done
    assert word is None or word in done.err


OPTIONS = [(name, value) for name, values in {
    "--max-deletes": ["", "x", "-1", "1.5", "1e3", " 7", "10k",
                      "99999999999999999999"],
    "--max-percent": ["0", "101", "x"],
    "--min-age": ["", "5", "x", "-1d", "1y", "1d x", "99999999999999999d"],
    "--max-runtime": ["0s", "5", "x"], "--lock-wait": ["5", "x"],
    "--concurrency": ["0", "-1", "x", "1.5", "1000000"],
    "--rate": ["0", "-1/s", "x", "5/m", "1e9", "nan", "inf", "1.2.3"],
    "--ledger": ["", ":memory:"], "--api-url": ["", "x"],
}.items() for value in values]


@pytest.mark.parametrize("name,value", OPTIONS)
def test_wrong_values_of_options(world, rng, name, value):
    server = world.fal([row(uuid4(rng))])
    done = world.run(OLDER, "%s=%s" % (name, value), check=2)
    one_sentence(done)
    assert name[2:] in done.err or "URL" in done.err, done
    variable = "FALRUN_" + name[2:].upper().replace("-", "_")
    if value:
        world.run(OLDER, env={variable: value}, check=2)
    assert not server.requests and not world.ledger.exists()


@pytest.mark.parametrize("words,near", [
    (["--max-delete=5", OLDER], "--max-deletes"),
    ([OLDER, "--leger", "x"], "--ledger"), (["--dryrun", OLDER], "--dry-run"),
    ([OLDER, "-x"], None), (["--", "--x"], None),
    (["histroy"], "history"), (["deleet"], "delete"), (["sandbxo"], "sandbox"),
    (["hold", "ad"], "add"), (["history", "--limt", "3"], "--limit"),
    (["requests", "--endpiont", "x"], "--endpoint"),
    (["history", "--limit", "0"], "--limit"), (["history", "x"], None),
    (["show"], None), (["show", "x"], None), (["show", "7"], "7"),
    (["explain"], None), (["verify", "x"], None), (["hold"], "add"),
    (["hold", "add"], "reason"), (["hold", "list", "x"], None),
    (["hold", "remove", "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"], "aaaaaaaa"),
    (["plan"], "policy"), (["check"], "policy"), ([], "--help"),
    ([OLDER, "--max-deletes"], "--max-deletes"), (["--ledger"], "--ledger"),
    (["requests", "--older-than", "7", "--endpoint", "a/b"], "older"),
    (["sandbox", "--port", "x"], "--port"),
    (["sandbox", "--faults", "nope=1"], "nope"),
    (["sandbox", "--faults", "500@moon=1"], "moon"),
    (["sandbox", "--faults", "500=7"], "share"),
    (["sandbox", "--requests", "-5"], "--requests"),
    (["sandbox", "--truth", "/nonexistent/x"], "/nonexistent/x"),
    (["sandbox", "--latency", "5"], "--latency"),
    (["sandbox", "--sort", "up"], "--sort"),
    (["help", "nope"], "nope"), (["nope.lua"], "nope.lua"),
    (["--requests", "5", OLDER], "--sandbox"),
    (["--sandbox", OLDER], "--api-url"), (["x" * 100000], None),
    (["\x1b[31mred"], None), ([OLDER + "x"], None), (["/"], "/"),
    (["\n"], None)])
def test_usage(world, words, near):
    server = world.fal()
    done = world.run(*words, check=2)
    one_sentence(done, 2)
    assert near is None or near in done.err, done
    assert not server.requests


def test_policies_that_cannot_be_read(world):
    server = world.fal()
    big = world.folder / "big.lua"
    big.write_bytes(b"-- " + b"x" * (5 << 20))
    for path in ("absent.lua", str(world.folder), "/dev/zero", "/dev/null",
                 str(big), ""):
        if path == "":
            continue
        done = world.run(path, check=2, timeout=10)
        one_sentence(done)
        assert path in done.err
    assert not server.requests


@pytest.mark.parametrize("text,words", [
    ("local x = \n", ["policy.lua:", "<eof>"]),
    ("\n\nif x then\n", ["policy.lua:", "end"]),
    ("\n\nerror 'mine'\n", ["policy.lua:3", "mine"]),
    ("\nlocal t = nil\nprint(t.x)\n", ["policy.lua:3", "nil"]),
    ("prnt 'x'\n", ["policy.lua:1", "prnt", "print"]),
    ("fal.delete_payload('x')\n", ["policy.lua:1", "delete_payloads"]),
    ("x = flase\n", ["policy.lua:1"]),
    ("error()\n", ["policy.lua"]), ("error {}\n", ["policy.lua"]),
    ("error(setmetatable({}, {__tostring=function() error 'x' end}))\n",
     ["policy.lua"]),
    ("require 'absent'\n", ["absent"]),
    ("local function f() return f() + 1 end f()\n", ["stack overflow"]),
    ("assert(false, 'why\\27[31m not')\n", ["why"]),
    ("coroutine.wrap(function() error 'deep' end)()\n", ["deep"]),
    ("fal.spawn(function() error 'task' end)\n", ["task"]),
    ("fal.spawn(function() fal.sleep '1ms' error 'task' end):wait()\n"
     "error 'x'", ["x"]),
    ("io.open 'x'\n", ["io"]), ("os.execute 'x'\n", ["execute"]),
    ("debug.sethook()\n", ["debug"]), ("load('x')\n", None),
    ("return 5\n", None),
])
def test_lua_errors(world, text, words):
    world.fal()
    done = world.lua(text)
    if words is None:
        assert done.code in (0, 1)
        return
    assert done.code == 1, done
    assert all(word in done.err for word in words), done
    assert "\x1b" not in done.err and "stack traceback" not in done.err


def test_bytecode_is_refused(world):
    world.fal()
    done = world.lua(b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n" + b"\0" * 100)
    assert done.code in (1, 2), done
    done = world.lua("load('\\27Lua')()", check=1)


def test_policy_with_bom_shebang_and_crlf(world):
    world.fal()
    for text in ("#!/usr/bin/env falrun\nprint 'ok'\n",
                 "print 'a'\r\nprint 'ok'\r\n"):
        done = world.lua(text, check=0)
        assert "ok" in done.out + done.err


def test_require_beside_the_policy(world):
    world.fal()
    (world.folder / "rules.lua").write_text("return { age = '30d' }")
    done = world.lua("print(require('rules').age)", check=0)
    assert "30d" in done.out + done.err
    for name in ("../rules", "/etc/passwd", "..rules", "host",
                 "fal.internal", "ledger"):
        done = world.lua("require '%s'" % name, check=1)


def test_what_deletes_or_records_is_not_in_reach(world):
    """The bindings that write the ledger are for the commands alone."""
    world.fal()
    world.lua("""
        for _, name in ipairs { "core", "host", "commands.hold", "server",
                                "debug", "io" } do
          assert(not pcall(require, name), name .. " is in reach")
        end
        for _, name in ipairs { "debug", "io", "package", "dofile",
                                "loadfile", "collectgarbage_x" } do
          local ok = pcall(function() return _ENV[name].x end)
          assert(not ok or name == "package", name)
        end
        assert(not pcall(function() return os.execute end)
               or os.execute == nil)
        assert(not pcall(function() return package.loadlib end))
    """, check=0)


def test_a_file_of_certificates_that_is_not_there(world, rng):
    server = world.fal()
    done = world.run("delete", uuid4(rng), "--api-url",
                     server.url.replace("http", "https"), "--ca-file",
                     "/nonexistent/ca.pem")
    assert done.code == 2 and "/nonexistent/ca.pem" in done.err, done
    assert not server.requests


def test_max_percent_says_what_it_needs(world):
    world.fal()
    done = world.run(OLDER, "--max-percent", "5", check=2)
    assert "--max-percent" in done.err
