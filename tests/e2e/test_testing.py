"""falrun test: policies are tested offline, on a virtual clock."""
import json
import os
import re
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest

FALRUN = os.environ["FALRUN"]

POLICY = """\
local age = arg[1] or "30d"
print("looking back", age)
fal.delete_all(fal.requests {
  endpoint_id = { "fal-ai/flux/dev", "fal-ai/veo3" }, older_than = age,
}, { reason = "the rule of " .. age })
"""


def falrun(tmp_path, *words, **options):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    env.update(options.pop("env", {}))
    return subprocess.run([FALRUN, "test", *words], cwd=tmp_path, env=env,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, **options)


def play(tmp_path, test, *words, policy=POLICY, **options):
    (tmp_path / "policy.lua").write_text(policy)
    (tmp_path / "it_test.lua").write_text(test)
    return falrun(tmp_path, *words, **options)


def one(tmp_path, body, *words, **options):
    """One test with this body."""
    return play(tmp_path, 'test("it", function(t)\n%s\nend)\n' % body,
                *words, **options)


def passes(tmp_path, body, **options):
    done = one(tmp_path, body, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "TAP version 14\n1..1\nok 1 - it_test.lua: it\n"
    return done


def fails(tmp_path, body, line, *pieces, **options):
    done = one(tmp_path, body, "--json", **options)
    assert done.returncode == 1, done.stdout + done.stderr
    result, = json.loads(done.stdout)["tests"]
    for piece in pieces:
        assert piece in result["message"]
    assert result.get("line") == line
    return result


# ---- what a test can say ----------------------------------------------------

def test_a_policy_is_run_against_the_requests_of_the_test(tmp_path):
    passes(tmp_path, """
        t.clock "2026-06-01T00:00:00Z"
        t.requests {
          { id = "old", ended = "40d" },
          { id = "young", ended = "20d" },
          { id = "other", ended = "90d", endpoint_id = "fal-ai/whisper" },
          { id = "running", ended = false },
          { id = "at", ended_at = "2026-01-01T00:00:00Z",
            endpoint_id = "fal-ai/veo3" },
        }
        local result = t.run "policy.lua"
        t.deleted { "at", "old" }
        t.kept("young", "not selected")
        t.kept("other")
        t.kept("running", "not selected")
        t.total("deleted", 2)
        t.exit(0)
        t.equal(result.counts.deleted, 2)
        t.equal(result.stopped, nil)""")


def test_time_goes_on_between_runs_and_the_ledger_stays(tmp_path):
    passes(tmp_path, """
        t.requests { { id = "a", ended = "31d" }, { id = "b", ended = "2d" } }
        t.run "policy.lua"
        t.deleted { "a" }
        t.run "policy.lua"
        t.deleted {}
        t.total("already_deleted", 1)
        t.advance "30d"
        t.requests { { id = "c", ended = "33d" } }
        t.run "policy.lua"
        t.deleted { "b", "c" }""")


def test_arguments_and_limits_of_a_run(tmp_path):
    passes(tmp_path, """
        t.requests(5, function(i) return { id = "r" .. i, ended = "5d" } end)
        t.run("policy.lua", { "4d", max_deletes = 4 })
        t.exit(4)
        t.deleted {}
        t.kept("r1", "at most 4")
        t.run("policy.lua", { args = { "4d" }, min_age = "6d" })
        t.exit(4)
        t.deleted {}
        t.plan("policy.lua", { "4d" })
        t.planned { "r1", "r2", "r3", "r4", "r5" }
        t.deleted {}
        t.run("policy.lua", { "4d", max_deletes = 5 })
        t.total("deleted", 5)""")


def test_holds_and_faults(tmp_path):
    passes(tmp_path, """
        t.requests { { id = "a" }, { id = "h" } }
        t.hold("h", "case 42")
        t.faults "cdn-exception=1"
        t.run "policy.lua"
        t.exit(3)
        t.held("h", "case 42")
        t.kept("a", "files were not deleted")
        t.deleted {}
        t.total("partial", 1)""")


def test_rows_carry_what_the_test_gave_them(tmp_path):
    policy = """\
for row in fal.requests { endpoint_id = { "a/b" }, older_than = "1d" } do
  log.info(json.encode(row))
end
"""
    body = """
        t.clock "2026-02-01T00:00:00Z"
        t.requests { { id = "0190c000-0000-7000-8000-000000000001",
          endpoint_id = "a/b", ended_at = "2026-01-02T00:00:00Z",
          duration = 3, status_code = 422 } }
        t.run "policy.lua"
        t.exit(9)"""
    said = fails(tmp_path, body, 8, "expected 9, got 0", policy=policy)["said"]
    row = json.loads(said)
    assert row["request_id"] == "0190c000-0000-7000-8000-000000000001"
    assert row["ended_at"] == "2026-01-02T00:00:00Z"
    assert row["started_at"] == "2026-01-01T23:59:57Z"
    assert row["status_code"] == 422 and row["duration"] == 3


# ---- failures ---------------------------------------------------------------

RUN = """t.requests { { id = "a", ended = "40d" }, { id = "b", ended = "1d" } }
t.run "policy.lua"
"""


@pytest.mark.parametrize("body, line, pieces", [
    (RUN + 't.deleted { "b" }', 4,
     ['not deleted: "b" (not selected)', 'but not expected: "a"']),
    (RUN + 't.kept("a")', 4, ['"a" was deleted']),
    (RUN + 't.kept("b", "a hold")', 4,
     ['a reason with "a hold"', "not selected"]),
    (RUN + 't.held("b", "x")', 4, ['"b" was not held']),
    (RUN + 't.exit(4)', 4, ["expected 4, got 0"]),
    (RUN + 't.total("deleted", 2)', 4, ["expected deleted 2, got 1"]),
    (RUN + 't.total("deletd", 2)', 4, ['did you mean "deleted"']),
    (RUN + 't.equal(1, 2, "the sum")', 4, ["the sum: expected 2, got 1"]),
    (RUN + 't.check(false, "no good")', 4, ["no good"]),
    (RUN + 't.deleted { "aa" }', 4, ['no request "aa"']),
    (RUN + 'error("by hand")', 4, ["by hand"]),
    (RUN + 'local x = nil .. "a"', 4, ["concatenate a nil value"]),
    ('t.run "policy.lua"', None, ["asserts nothing"]),
    ('t.requests { { ended = 5 } }', 2, ["ended is a duration"]),
    ('t.requests { { endd = "5d" } }', 2, ["did you mean 'ended'"]),
    ('t.requests { { id = "a" }, { id = "a" } }', 2, ['"a" already']),
    ('t.clock "yesterday"', 2, ["a time is needed"]),
    ('t.advance "0s"\nt.clock "2026-01-01"', 3, ["the clock runs already"]),
    ('t.advance "30"', 2, ["a duration is needed"]),
    ('t.request {}', 2, ["did you mean 't.requests'"]),
    ('t.run "none.lua"', 2, ["none.lua", "No such file"]),
    ('t.run("policy.lua", { max_delete = 1 })', 2, ["'max_deletes'"]),
    ('t.faults "nonsense=1"', 2, ["nonsense"]),
    ('t.deleted {}', 2, ["no policy was run yet"]),
    ('t.hold("x", "y")', 2, ['no request "x"']),
])
def test_a_failure_says_what_where_and_why(tmp_path, body, line, pieces):
    fails(tmp_path, body, line, *pieces)


def test_a_policy_that_breaks_does_not_pass_unnoticed(tmp_path):
    body = RUN + "t.deleted {}"
    fails(tmp_path, body, 3, "exit code 1", "t.exit(1)",
          policy='error("broken")')
    said = fails(tmp_path, body, 3, "exit code 1",
                 policy="local x = = 1")["said"]
    assert "policy.lua:1: unexpected symbol" in said
    passes(tmp_path, RUN + "t.exit(1)\nt.deleted {}",
           policy='error("broken")')


def test_a_policy_that_waits_for_ever_is_ended(tmp_path):
    for waiting in ('while true do fal.sleep "1h" end',
                    'while true do pcall(fal.sleep, "1h") end',
                    'fal.spawn(function() while true do fal.sleep "1h" end '
                    'end)'):
        passes(tmp_path, 't.run "policy.lua" t.exit(1)\n'
               't.requests { { id = "a" } }', policy=waiting)


def test_what_a_policy_says_is_shown_only_when_its_test_fails(tmp_path):
    done = play(tmp_path, 'print("loading")\n'
                'test("good", function(t) t.run "policy.lua" t.exit(0) end)\n'
                'test("bad", function(t)\n  t.requests { { id = "a" } }\n'
                '  print "me" t.run "policy.lua"\n  t.exit(5)\nend)\n')
    assert done.returncode == 1
    assert done.stdout == """\
TAP version 14
1..2
ok 1 - it_test.lua: good
not ok 2 - it_test.lua: bad
  ---
  message: 't.exit: expected 5, got 0'
  at: 'it_test.lua:6'
  said: |
    me
    looking back    30d
  ...
"""
    assert done.stderr == "falrun: 1 of 2 tests failed\n"


# ---- isolation --------------------------------------------------------------

def test_tests_and_runs_know_nothing_of_each_other(tmp_path):
    (tmp_path / "count.lua").write_text("return { n = 0 }\n")
    policy = """\
local count = require "count"
count.n = count.n + 1
if rawget(_G, "seen") then error("a global of another run") end
seen = true
if count.n > 1 then error("a module of another run") end
fal.spawn(function() fal.sleep "1s" end)
fal.delete_all(fal.requests { endpoint_id = { "fal-ai/flux/dev" },
  older_than = "30d" }, {})
"""
    one_test = """
test("%s", function(t)
  t.requests { { id = "a" } }
  t.run "policy.lua"
  t.deleted { "a" }
  t.run "policy.lua"
  t.deleted {}
end)
"""
    done = play(tmp_path, one_test % "first" + one_test % "second",
                policy=policy)
    assert done.returncode == 0, done.stdout


def test_a_failed_run_leaves_nothing_behind(tmp_path):
    policy = """\
if arg[1] == "fail" then
  fal.spawn(function() fal.sleep "20s" error("late") end)
  fal.spawn(function() while true do pcall(fal.sleep, "1h") end end)
  fal.each(fal.requests { endpoint_id = { "fal-ai/flux/dev" },
    older_than = "30d" }, function(row)
    fal.delete_payloads(row.request_id)
    error("in the middle")
  end)
end
fal.delete_all(fal.requests { endpoint_id = { "fal-ai/flux/dev" },
  older_than = "30d" }, {})
"""
    passes(tmp_path, """
        t.requests(40, function() return {} end)
        t.run("policy.lua", { "fail" })
        t.exit(1)
        t.run "policy.lua"
        t.exit(0)
        t.equal(t.run("policy.lua").counts.already_deleted, 40)""",
           policy=policy)


def test_a_capped_policy_is_a_failed_run_alone(tmp_path):
    policy = """\
if arg[1] == "full" then
  while true do pcall(function()
    local t = {} while true do t[#t + 1] = {} end
  end) end
end
fal.delete_all(fal.requests { endpoint_id = { "fal-ai/flux/dev" },
  older_than = "30d" }, {})
"""
    passes(tmp_path, """
        t.requests { { id = "a" } }
        local result = t.run("policy.lua", { "full" })
        t.exit(9)
        t.check(result.message:find("MiB of memory", 1, true))
        t.kept("a", "MiB of memory")
        t.run "policy.lua"
        t.deleted { "a" }""", policy=policy)


def test_a_capped_test_ends_them_all(tmp_path):
    done = play(tmp_path, """
test("it", function(t)
  local list = {}
  while true do pcall(function()
    while true do list[#list + 1] = {} end
  end) end
end)
test("next", function(t) t.run "policy.lua" t.exit(0) end)
""")
    assert done.returncode == 9
    assert "MiB of memory" in done.stderr
    assert "ok 2" not in done.stdout


# ---- nothing of the real world ----------------------------------------------

KEYS = {"FAL_KEY": "id-of-me:a-real-secret", "FALRUN_LEDGER": "real.db",
        "FALRUN_API_URL": "http://127.0.0.1:9/v1"}


def test_no_key_no_ledger(tmp_path):
    done = play(tmp_path, 'test("it", function(t)\n' + RUN +
                't.deleted { "a" } end)', env=KEYS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(os.listdir(tmp_path)) == ["it_test.lua", "policy.lua"]


@pytest.mark.skipif(not shutil.which("strace"), reason="there is no strace")
def test_no_connection_is_made(tmp_path):
    (tmp_path / "policy.lua").write_text(POLICY)
    (tmp_path / "it_test.lua").write_text(
        'test("it", function(t)\n' + RUN + 't.deleted { "a" } end)')
    trace = tmp_path / "trace"
    done = subprocess.run(
        ["strace", "-f", "-e", "trace=network", "-o", str(trace), FALRUN,
         "test"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={**os.environ, **KEYS, "ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 0, done.stdout + done.stderr
    calls = [line for line in trace.read_text().splitlines()
             if re.search(r"(socket|connect|sendto|bind)\(", line)]
    assert calls == []


# ---- declared policies -------------------------------------------------------

DECLARED = """\
return fal.policy {
  name = "it",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  where = function(request) return request.input ~= nil end,
  keep = { last = 1 },
  hold = fal.hold.from(function(request)
    return request.input == "held" and "by the test"
  end),
  limits = { percent = 60 },
  reason = "a test",
}
"""


def test_a_declared_policy_says_why(tmp_path):
    passes(tmp_path, """
        t.requests {
          { id = "none", ended = "50d" },
          { id = "held", ended = "50d", input = "held" },
          { id = "kept", ended = "31d", input = "x" },
          { id = "young", ended = "3d", input = "x" },
          { id = "old", ended = "60d", input = "x" },
          { id = "older", ended = "61d", input = "x" },
        }
        t.plan "policy.lua"
        t.planned { "old", "older" }
        t.run "policy.lua"
        t.deleted { "old", "older" }
        t.kept("none", "its where said no")
        t.kept("kept", "last 1")
        t.kept("young", "not selected")
        t.held("held", "by the test")
        t.run "policy.lua"
        t.deleted {}""", policy=DECLARED)


def test_the_percent_of_a_run(tmp_path):
    rows = """t.requests { { id = "a", input = 1 }, { id = "b", input = 2 },
                           { id = "c" }, { id = "d" } }
"""
    passes(tmp_path, rows + """
        t.run("policy.lua", { max_percent = 20 })
        t.exit(4)
        t.deleted {}
        t.run("policy.lua", { max_percent = 25 })
        t.total("deleted", 1)""", policy=DECLARED)
    passes(tmp_path, rows + """
        t.run("policy.lua", { max_percent = 90 })
        t.exit(2)
        t.deleted {}""")


def test_the_policies_that_come_with_falrun(tmp_path):
    root = os.path.join(os.path.dirname(__file__), "..", "..")
    done = falrun(tmp_path, os.path.join(os.path.abspath(root), "scripts",
                                         "policies"))
    assert done.returncode == 0, done.stdout + done.stderr


# ---- files and options ------------------------------------------------------

GOOD = 'test("%s", function(t) t.run "policy.lua" t.exit(0) end)\n'


def lay(tmp_path, *paths):
    for path in paths:
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(GOOD % path)
        (place.parent / "policy.lua").write_text(POLICY)


def names(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"^ok \d+ - (.*?):", done.stdout, re.M)


def test_folders_are_searched(tmp_path):
    lay(tmp_path, "a_test.lua", "sub/deep/b_test.lua", ".git/c_test.lua",
        "sub/not.lua", "sub/a_test.lua")
    assert names(falrun(tmp_path)) == ["a_test.lua", "sub/a_test.lua",
                                       "sub/deep/b_test.lua"]
    assert names(falrun(tmp_path, "sub/", "sub/a_test.lua")) == [
        "sub/a_test.lua", "sub/deep/b_test.lua"]
    assert names(falrun(tmp_path, "sub/not.lua")) == ["sub/not.lua"]


def test_filter_takes_plain_text(tmp_path):
    done = play(tmp_path, GOOD % "30% off" + GOOD % "other", "--filter",
                "30%")
    assert done.stdout.endswith("1..1\nok 1 - it_test.lua: 30% off\n")


@pytest.mark.parametrize("words, piece", [
    (["none"], "none"),
    (["none_test.lua"], "none_test.lua"),
    ([], "no test file was found"),
    (["--filtr", "x"], "did you mean --filter"),
    (["empty.lua"], "have no tests"),
])
def test_no_tests_is_a_wrong_call(tmp_path, words, piece):
    (tmp_path / "empty.lua").write_text("")
    done = falrun(tmp_path, *words)
    assert done.returncode == 2
    assert piece in done.stderr


def test_a_file_that_does_not_load_is_a_failed_test(tmp_path):
    lay(tmp_path, "b_test.lua")
    (tmp_path / "a_test.lua").write_text("\nlocal x = = 2\n")
    done = falrun(tmp_path, "--json")
    assert done.returncode == 1
    bad, good = json.loads(done.stdout)["tests"]
    assert not bad["ok"] and bad["line"] == 2
    assert "unexpected symbol" in bad["message"]
    assert good["ok"]


def test_junit(tmp_path):
    done = play(tmp_path, GOOD % 'good & <\\"well\\">' +
                'test("bad", function(t)\n'
                '  print("a < b\\27[31m") t.run "policy.lua"\n'
                '  t.check(false, "x & y")\nend)\n',
                "--junit", "out.xml")
    assert done.returncode == 1
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert root.attrib["tests"] == "2" and root.attrib["failures"] == "1"
    suite, = root
    assert suite.attrib["name"] == "it_test.lua"
    good, bad = suite
    assert good.attrib["name"] == 'good & <"well">' and not list(good)
    assert bad.find("failure").attrib["message"] == "x & y"
    assert bad.find("failure").text == "it_test.lua:4: x & y"
    assert "a < b" in bad.find("system-out").text


def test_junit_that_cannot_be_written(tmp_path):
    done = play(tmp_path, GOOD % "it", "--junit", "no/such/folder.xml")
    assert done.returncode == 2
    assert "no/such/folder.xml" in done.stderr


def test_coverage(tmp_path):
    policy = """\
local function never()
  log.info("a")

  return 1
end

local function some(x)
  if x then
    log.info("b")
  else
    never()
  end
  -- only words
  return {
    never,
  }
end

some(true)
return
"""
    (tmp_path / "helper.lua").write_text("return {}\n")
    done = play(tmp_path, GOOD % "it", "--coverage",
                policy='require "helper"\n' + policy)
    assert done.returncode == 0
    assert done.stderr.splitlines()[:2] == [
        "helper.lua  100%", "policy.lua  66%  missing 3, 5, 12"]
    done = falrun(tmp_path, "--coverage", "--json")
    rows = json.loads(done.stdout)["coverage"]
    assert [row["path"] for row in rows] == ["helper.lua", "policy.lua"]
    assert rows[1]["missing"] == [3, 5, 12]


# ---- speed, and its end -----------------------------------------------------

def test_many_small_tests(tmp_path):
    """A sample; a thousand of them take two seconds on a small machine."""
    done = play(tmp_path, """
for i = 1, 200 do
  test("small " .. i, function(t)
    t.requests { { id = "a", ended = "40d" }, { id = "b", ended = "9d" } }
    t.run "policy.lua"
    t.deleted { "a" }
    t.kept("b", "not selected")
  end)
end
""")
    assert done.returncode == 0
    assert done.stdout.count("\nok ") == 200


@pytest.mark.parametrize("policy", [
    "while true do end",
    'while true do fal.sleep "1ms" end',
    'while true do pcall(fal.sleep, "1ms") end',
])
def test_an_interrupt_ends_it(tmp_path, policy):
    (tmp_path / "policy.lua").write_text(policy)
    (tmp_path / "it_test.lua").write_text(GOOD % "it" + GOOD % "next")
    child = subprocess.Popen([FALRUN, "test"], cwd=tmp_path, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == "TAP version 14\n"
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "ok 2" not in out
