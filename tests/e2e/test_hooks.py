"""before_delete, on_finish and on_failure, and what they may reach. The truth
log of the sandbox is the oracle of a veto; a server of another port that of
what leaves, and of keys that do not."""
import email
import email.policy
import json
import signal
import time

import pytest

from conftest import agree
from hostile import Answer, row, uuid4
from monitor import Monitor

VETO = """
local function vetoed(id)
  return id:byte(-1) %% 2 == 0
end
local function ask(id, request, about)
  assert(id == request.request_id)
  if vetoed(id) then
    return false, "an even one"
  end
  return true
end
%s
"""

# every way of a policy to delete
WAYS = {
    "delete_payloads": """
fal.before_delete(ask)
for request in fal.requests { endpoint_id = "auto", older_than = "60d" } do
  local result, err = fal.delete_payloads(request.request_id, { reason = "r" })
  if vetoed(request.request_id) then
    assert(err.status == "held" and err.kind == "held" and
           err.message:find "vetoed by before_delete: an even one")
  else
    assert(result)
  end
end""",
    "delete_all": """
fal.before_delete(ask)
local summary = fal.delete_all(fal.requests {
  endpoint_id = "auto", older_than = "60d" }, { reason = "r" })
assert(summary.held > 0 and summary.total > summary.held)""",
    "delete_all of ids": """
fal.before_delete(ask)
local ids = {}
for request in fal.requests { endpoint_id = "auto", older_than = "60d" } do
  ids[#ids + 1] = request.request_id
end
fal.delete_all(ids, { reason = "r", concurrency = 3 })""",
    "verified": """
fal.before_delete(ask)
fal.delete_all(fal.requests { endpoint_id = "auto", older_than = "60d" },
  { reason = "r", verify = true })""",
    "each": """
fal.before_delete(ask)
fal.each(fal.requests { endpoint_id = "auto", older_than = "60d" },
  function(request)
    fal.delete_payloads(request.request_id, { reason = "r" })
  end)""",
    "spawned, and the hook waits": """
fal.before_delete(function(...)
  fal.sleep "1ms"
  return ask(...)
end)
fal.spawn(function()
  fal.delete_all(fal.requests { endpoint_id = "auto", older_than = "60d" })
end):wait()""",
    "declared": """
return fal.policy { name = "one", reason = "r", before_delete = ask,
  select = fal.requests { endpoint_id = "auto", older_than = "60d" } }""",
    "declared, of another policy": """
return { fal.policy { name = "one", reason = "r",
  select = fal.requests { endpoint_id = "auto", older_than = "60d" } },
  fal.policy { name = "two", reason = "r", before_delete = ask,
    select = fal.requests { endpoint_id = "auto", older_than = "90d" } } }""",
    "declared and verified": """
return fal.policy { name = "one", reason = "r", before_delete = ask,
  verify = true,
  select = fal.requests { endpoint_id = "auto", older_than = "60d" } }""",
}


def is_vetoed(id):
    return ord(id[-1]) % 2 == 0


def check_vetoed(world, ids):
    deleted = {line["request_id"] for line in world.truths()}
    assert deleted == {id for id in ids if not is_vetoed(id)}
    agree(world)


@pytest.mark.parametrize("way", WAYS)
def test_a_veto_holds_in_every_way(world, way):
    world.sandbox(requests=120, seed=11)
    ids = world.expired("60d")
    assert any(map(is_vetoed, ids))
    done = world.lua(VETO % WAYS[way])
    assert done.code == 0, done
    check_vetoed(world, ids)
    held = {r["request_id"]: r for r in world.show()["requests"]
            if r["outcome"] == "held"}
    assert set(held) == {id for id in ids if is_vetoed(id)}
    assert world.history()[0]["summary"]["held"] == len(held)
    one = next(iter(held))
    done = world.run("explain", one, check=0)
    assert "vetoed by before_delete: an even one" in done.out


@pytest.mark.parametrize("way", ["declared", "delete_all"])
def test_a_plan_tells_of_vetoes(world, way):
    world.sandbox(requests=60, seed=3)
    ids = world.expired("60d")
    done = world.run("plan", "--json", world.policy(VETO % WAYS[way]))
    assert done.code == 0, done
    assert world.truths() == []
    planned = {r["request_id"] for r in done.json["planned"]}
    assert planned == {id for id in ids if not is_vetoed(id)}
    assert "vetoed by before_delete" in done.out


def test_apply_asks_too(world):
    world.sandbox(requests=60, seed=3)
    ids = world.expired("60d")
    flag = world.folder / "flag.lua"
    flag.write_text("return false")
    text = VETO % WAYS["declared"].replace(
        "before_delete = ask", "before_delete = function(...) "
        "if os.getenv 'ASK' then return ask(...) end return true end")
    path = world.policy(text)
    plan = world.folder / "p.plan"
    done = world.run("plan", path, "-o", plan)
    assert done.code == 0, done
    assert len(json.loads(plan.read_text())["items"]) == len(ids)
    done = world.run("apply", plan, env={"ASK": 1})
    assert done.code == 0, done
    check_vetoed(world, ids)


def test_apply_without_its_policy(world):
    world.sandbox(requests=40, seed=3)
    plan = world.folder / "p.plan"
    path = world.policy(VETO % WAYS["declared"])
    world.run("plan", path, "-o", plan, check=0)
    (world.folder / "policy.lua").unlink()
    done = world.run("apply", plan)
    assert done.code == 2 and "before_delete" in done.err, done
    script = world.policy(VETO % WAYS["delete_all"], "script.lua")
    world.run("plan", script, "-o", plan, check=0)
    done = world.run("apply", plan)
    assert done.code == 2 and "before_delete" in done.err, done
    assert world.truths() == []


@pytest.mark.parametrize("way", ["delete_all", "declared"])
def test_what_an_earlier_run_left_open(world, rng, way):
    """It was announced, and perhaps sent; it is not sent once more."""
    ids = [uuid4(rng) for _ in range(6)]
    lost = {"on": True}
    server = world.fal([row(id) for id in ids], delete=lambda r: Answer(
        drop="before") if lost["on"] else None)
    text = "local fal_requests = 1\n" + VETO % WAYS[way]
    text = text.replace('"auto"', '"fal-ai/flux/dev"')
    plain = world.policy(text.replace("before_delete(ask)", "spawn(print)")
                         .replace("before_delete = ask,", ""), "plain.lua")
    done = world.run(plain)
    assert done.code != 0, done
    lost["on"] = False
    before = len(server.requests)
    done = world.run(world.policy(text))
    assert done.code in (0, 3), done
    sent = {r.path.split("/")[-2] for r in server.requests[before:]
            if r.method == "DELETE"}
    assert sent == {id for id in ids if not is_vetoed(id)}


@pytest.mark.parametrize("body,words", [
    ("local x = id.a.b return true", "attempt to index"),
    ("error({})", "an error was raised"),
    ("error 'no'", "no"), ("", "return true to let it go"),
    ("return nil", "return true to let it go"),
    ("return 'why'", "return true to let it go"),
    ("return false, 7", "text is needed"),
    ("return fal.delete_payloads(id)", "decides"),
    ("return not fal.delete_all { id }", "decides"),
])
@pytest.mark.parametrize("way", ["script", "declared"])
def test_a_hook_that_fails_deletes_nothing(world, body, words, way):
    world.sandbox(requests=40, seed=3)
    select = 'fal.requests { endpoint_id = "auto", older_than = "60d" }'
    f = "function(id) %s end" % body
    text = ("fal.before_delete(%s) pcall(fal.delete_all, %s)" % (f, select)
            if way == "script" else
            'return fal.policy { name = "p", reason = "r", select = %s, '
            'before_delete = %s }' % (select, f))
    done = world.lua(text)
    assert done.code == 1, done
    assert words in done.err and "policy.lua:1:" in done.err, done
    assert done.err.count("policy.lua:1:") < 5      # not for each request
    assert world.truths() == []
    held = world.show()["requests"]
    assert held and all(r["outcome"] == "held" for r in held)


def test_it_is_asked_only_of_what_would_go(world):
    world.sandbox(requests=60, seed=3)
    ids = world.expired("60d")
    world.run("hold", "add", ids[0], "--reason", "case 7", check=0)
    world.run("delete", ids[1], check=0)
    done = world.lua("""
local asked = 0
fal.before_delete(function(id) asked = asked + 1 print(id) return true end)
fal.delete_all(fal.requests { endpoint_id = "auto", older_than = "60d" })
""")
    assert done.code == 0, done
    assert sorted(done.out.split()) == sorted(ids[2:])


def test_a_signal_while_it_waits(world, rng):
    """No answer of the hook, and no failure of it either: left as it was."""
    server = world.fal([row(uuid4(rng)) for _ in range(3)])
    running = world.start(world.policy("""
fal.before_delete(function() fal.sleep "1h" return true end)
fal.delete_all(fal.requests { endpoint_id = "fal-ai/flux/dev",
  older_than = "30d" })"""))
    time.sleep(1.5)
    running.signal(signal.SIGTERM)
    done = running.wait()
    assert done.code == 143 and "before_delete" not in done.err, done
    assert not [r for r in server.requests if r.method == "DELETE"]
    assert world.show()["requests"] == []


# ---- the end ------------------------------------------------------------------

END = """
fal.on_finish(function(run) print("finish", json.encode(run)) end)
fal.on_failure(function(run) print("failure", json.encode(run)) end)
%s
"""


def told(done):
    lines = [line.split("\t", 1) for line in done.out.splitlines()
             if "\t" in line]
    return {name: json.loads(text) for name, text in lines}


def test_who_is_told_of_a_good_end(world):
    world.sandbox(requests=60, seed=3)
    done = world.lua(END % """
fal.delete_all(fal.requests { endpoint_id = "auto", older_than = "60d" })""")
    assert done.code == 0, done
    run = told(done)["finish"]
    assert set(told(done)) == {"finish"}
    assert run["run"] == 1 and run["exit_code"] == 0 and run["ok"] is True
    assert run["counts"]["deleted"] == len(world.effects())
    assert run["failures"] == [] and run["mode"] == "run"
    assert "exit code 0" in run["summary"] and "stopped" not in run


@pytest.mark.parametrize("what,code", [
    ("error 'no'", 1),
    ("fal.limits { max = 1 } fal.delete_all(fal.requests { endpoint_id = "
     "'auto', older_than = '60d' })", 4),
    ("return fal.policy { name = 'p', reason = 'r', limits = { max = 1 }, "
     "select = fal.requests { endpoint_id = 'auto', older_than = '60d' } }",
     4),
])
def test_who_is_told_of_a_bad_end(world, what, code):
    world.sandbox(requests=60, seed=3)
    done = world.lua(END % what)
    assert done.code == code, done
    runs = told(done)
    assert set(runs) == {"finish", "failure"}
    assert all(run["exit_code"] == code and not run["ok"]
               for run in runs.values())
    assert (runs["failure"].get("stopped") is not None) == (code == 4)
    assert runs["failure"]["error"]
    assert world.history()[0]["exit_code"] == code


def test_the_failures_are_named(world, rng):
    world.fal([row(uuid4(rng)) for _ in range(30)],
              delete=lambda r: Answer(400, {}))
    done = world.lua(END % """fal.delete_all(fal.requests {
  endpoint_id = "fal-ai/flux/dev", older_than = "30d" })""")
    assert done.code == 3, done
    run = told(done)["failure"]
    assert run["counts"]["failed"] == 30 and len(run["failures"]) == 20
    assert run["failures"][0]["kind"] == "bad_request"


def test_after_max_runtime_and_a_signal(world, rng):
    ids = [uuid4(rng) for _ in range(3)]
    world.fal([row(id) for id in ids],
              delete=lambda r: Answer(200, {"cdn_delete_results": []},
                                      stall=1))
    text = END % """
fal.on_failure(function() fal.sleep "10ms" print "waited\t1" end)
fal.delete_all(fal.requests { endpoint_id = "fal-ai/flux/dev",
  older_than = "30d" })
fal.sleep "1h" """
    path = world.policy(text)
    done = world.run("--max-runtime", "2s", path)
    assert done.code == 7, done
    assert told(done)["failure"]["exit_code"] == 7
    assert "waited" in done.out
    running = world.start(path)
    time.sleep(1.5)
    running.signal(signal.SIGTERM)
    began = time.time()
    done = running.wait()
    assert done.code == 143, done
    assert told(done)["failure"]["exit_code"] == 143
    assert "waited" in done.out and time.time() - began < 10


def test_an_end_that_hangs_after_a_signal(world, rng):
    world.fal([row(uuid4(rng))])
    path = world.policy(END % """
fal.on_failure(function() fal.sleep "1h" end)
fal.sleep "1h" """)
    running = world.start(path)
    time.sleep(1.5)
    running.signal(signal.SIGTERM)
    began = time.time()
    assert running.wait().code == 143
    assert time.time() - began < 10


def test_an_end_that_fails(world):
    world.sandbox(requests=20, seed=3)
    done = world.lua("fal.on_finish(function(run)\n  local x = run.no.no\n"
                     "end)\nfal.on_failure(function(run) print(run.exit_code)"
                     " end)")
    assert done.code == 1 and "policy.lua:2:" in done.err, done
    assert done.out == "1\n"                    # and that is told
    done = world.lua("fal.on_failure(function() error 'x' end)\n"
                     "fal.limits { max = 0 }\nfal.delete_all(fal.requests { "
                     "endpoint_id = 'auto', older_than = '60d' })")
    assert done.code == 4, done                 # never a better one


@pytest.mark.parametrize("call", [
    "fal.delete_payloads(ID)", "fal.delete_all { ID }",
    "fal.assets.delete { request_id = ID, asset_ids = { ID } }"])
def test_who_is_told_changes_nothing(world, call):
    world.sandbox(requests=40, seed=3)
    id = world.expired("60d")[0]
    done = world.lua("fal.on_finish(function() %s end)"
                     % call.replace("ID", "'%s'" % id))
    assert done.code == 1, done
    assert world.told() == []


# ---- what leaves ----------------------------------------------------------------

@pytest.fixture
def other():
    one = Monitor()
    yield one
    one.close()


SINKS = """
fal.on_finish(fal.notify.webhook { url = "http://%(place)s/hook",
  headers = { Authorization = "Bearer mine" } })
fal.on_failure(fal.notify.slack { url = os.getenv "SLACK_URL" })
fal.on_failure(fal.notify.mail { to = { "ops@example.com", "b@example.com" },
  from = "falrun@example.com", subject = "Löschung <fehlgeschlagen>" })
error "no & <no>"
"""


def sendmail(world):
    path = world.folder / "sendmail"
    path.write_text("#!/bin/sh\necho \"$@\" >%s/args\nenv >%s/env\n"
                    "cat >%s/mail\n" % ((world.folder,) * 3))
    path.chmod(0o755)
    return path


def test_sinks(world, other):
    world.sandbox(requests=20, seed=3)
    path = world.policy(SINKS % {"place": other.place})
    done = world.run("--allow-net", other.place, "--sendmail",
                     sendmail(world), path,
                     env={"SLACK_URL": other.url + "/slack/secret"})
    assert done.code == 1, done
    assert other.paths() == ["/hook", "/check/slack/secret"]
    hook = json.loads(other.asked[0][1])
    assert hook["exit_code"] == 1 and hook["policy"].endswith("policy.lua")
    assert other.asked[0][2]["Authorization"] == "Bearer mine"
    assert other.asked[0][2]["Content-Type"] == "application/json"
    slack = json.loads(other.asked[1][1])
    assert "no &amp; &lt;no&gt;" in slack["text"]
    text = (world.folder / "mail").read_bytes()
    mail = email.message_from_bytes(text, policy=email.policy.default)
    assert mail["Subject"] == "Löschung <fehlgeschlagen>"
    assert mail["To"] == "ops@example.com, b@example.com"
    assert mail["From"] == "falrun@example.com"
    assert "no & <no>" in mail.get_content()
    assert (world.folder / "args").read_text() == "-t -i\n"
    for _, body, headers in other.asked:
        assert not world.leaks(("%s %s" % (body, headers)).encode())
    assert "secret" not in done.err


def test_nothing_leaves_without_the_options(world, other):
    world.sandbox(requests=20, seed=3)
    path = world.policy(SINKS % {"place": other.place})
    done = world.run(path, env={"SLACK_URL": other.url})
    assert done.code == 1 and other.asked == [], done
    assert done.err.count("--allow-net %s" % other.place) == 4
    assert done.err.count("--sendmail /usr/sbin/sendmail") == 2
    first = done.err.index("--allow-net")       # before anything was done
    assert first < done.err.index("no & <no>")


def test_a_sink_that_is_down(world):
    other = Monitor([500, 500, 404])
    world.sandbox(requests=20, seed=3)
    path = world.policy("""
fal.on_finish(fal.notify.webhook { url = "http://%s/hook" })
fal.on_finish(fal.notify.slack { url = "http://%s/slack" })
fal.on_finish(fal.notify.slack { url = "http://127.0.0.1:1/secret" })
""" % (other.place, other.place))
    done = world.run("--allow-net", other.place + ",127.0.0.1:1", path)
    other.close()
    assert done.code == 0, done
    assert other.paths() == ["/hook", "/hook", "/slack"]
    assert done.err.count("did not arrive") == 3
    assert "HTTP 500" in done.err and "secret" not in done.err


def test_what_a_hook_spawns_is_waited_for(world):
    world.sandbox(requests=20, seed=3)
    done = world.lua("""fal.on_finish(function()
  fal.spawn(function() fal.sleep "50ms" print "late" end)
end)""")
    assert done.code == 0 and done.out == "late\n", done


@pytest.mark.parametrize("words", [["plan"], ["--dry-run"]])
def test_a_plan_sends_nothing(world, other, words):
    world.sandbox(requests=20, seed=3)
    path = world.policy((SINKS % {"place": other.place})
                        .replace("on_failure", "on_finish")
                        .replace('error "no & <no>"', ""))
    done = world.run(*words, "--allow-net", other.place, "--sendmail",
                     sendmail(world), path, env={"SLACK_URL": other.url})
    assert done.code == 0 and other.asked == [], done
    assert done.err.count("planned: POST to http://127.0.0.1,") == 2, done
    assert "planned: a mail to ops@example.com" in done.err
    assert not (world.folder / "mail").exists()


def test_a_veto_in_a_test(world):
    world.policy(VETO % WAYS["declared"], "p.lua")
    (world.folder / "p_test.lua").write_text("""
test("an even one stays", function(t)
  local ids = t.requests(20, function() return { ended = "90d" } end)
  t.run "p.lua"
  local left = {}
  for i, id in ipairs(ids) do
    if id:byte(-1) % 2 == 1 then
      left[#left + 1] = id
    else
      t.held(id, "vetoed by before_delete: an even one")
    end
  end
  t.deleted(left)
end)
""")
    done = world.run("test")
    assert done.code == 0, done


def test_a_test_sends_nothing(world, other):
    world.policy((SINKS % {"place": other.place}), "p.lua")
    (world.folder / "p_test.lua").write_text("""
test("what would be sent", function(t)
  t.requests { { id = "a", ended = "40d" } }
  local run = t.run "p.lua"
  t.exit(1)
  t.equal(#run.sent, 3)
  t.equal(run.sent[1].method, "POST")
  t.check(run.sent[1].url:find "/hook")
  t.equal(json.decode(run.sent[1].body).exit_code, 1)
  t.equal(run.sent[3].method, "MAIL")
  t.check(run.sent[3].body:find "no & <no>")
end)
""")
    done = world.run("test", "--allow-net", other.place)
    assert done.code == 0 and other.asked == [], done


REQUEST = """
local answer, err = fal.net.request { %s }
print(answer and answer.status, answer and answer.headers.location,
      err and err.kind, err and err.message)
"""


@pytest.mark.parametrize("options,kind", [
    ('url = "http://OTHER/check"', None),
    ('url = "http://127.0.0.2:9/x"', "not_allowed"),
    ('url = "https://api.fal.ai/v1/x"', "not_allowed"),
    ('url = "APIBASE/x"', "not_allowed"),
    ('url = "http://OTHER/check", headers = { Host = "x" }', "not_allowed"),
])
def test_where_a_request_goes(world, rng, options, kind):
    other = Monitor([302])
    server = world.fal([row(uuid4(rng))])
    options = options.replace("OTHER", other.place).replace("APIBASE",
                                                            world.url)
    done = world.run("--allow-net", "%s,127.0.0.3" % other.place,
                     world.policy(REQUEST % options))
    other.close()
    assert done.code == 0, done
    cells = done.out.strip().split("\t")
    if kind:
        assert cells[2] == kind and other.asked == [], done
    else:
        assert cells[:2] == ["302", "http://127.0.0.1:1/elsewhere"], done
        assert len(other.asked) == 1            # it is not followed
    assert not [r for r in server.requests if r.path.endswith("/x")]


@pytest.mark.parametrize("options,words", [
    ("", "url"), ("url = 7", "url"), ('url = "x", uri = 1', "uri"),
    ('url = "x", timeout = 5', "timeout"), ('url = "x", timeout = "1h"', "30s"),
    ('url = "x", headers = { ["a b"] = "c" }', "header"),
    ('url = "x", headers = { a = "b\\r\\nc: d" }', "printable"),
    ('url = "x", body = {}', "json = value"),
    ('url = "x", body = "a", json = {}', "one of both"),
    ('url = "x", method = "get"', "GET"),
    ('url = "x", body = ("x"):rep((1 << 20) + 1)', "1 MiB")])
def test_misuse_of_a_request(world, options, words):
    world.sandbox(requests=20, seed=3)
    done = world.lua(REQUEST % options)
    assert done.code == 1, done
    assert words in done.err and "policy.lua:2:" in done.err, done


@pytest.mark.parametrize("options", [
    'to = "a@b.example\\nBcc: c@d.example"', 'to = "a b@c.example"', "to = {}",
    'to = "ops"', 'to = "a@b.example,c@d.example"',
    'to = "a@b.example", from = "x\\r\\n@y.example"', 'to = "<a@b.example>"'])
def test_no_header_is_smuggled(world, options):
    world.sandbox(requests=20, seed=3)
    done = world.lua("fal.on_finish(fal.notify.mail { %s })" % options)
    assert done.code == 1 and "address" in done.err, done


def test_a_subject_is_one_line(world):
    world.sandbox(requests=20, seed=3)
    done = world.run("--sendmail", sendmail(world), world.policy("""
fal.on_finish(fal.notify.mail { to = "a@b.example",
  subject = "x\\nBcc: evil@b.example" .. ("ü"):rep(150) })"""))
    assert done.code == 0, done
    text = (world.folder / "mail").read_bytes()
    mail = email.message_from_bytes(text, policy=email.policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("x?Bcc: evil@b.example" + "ü" * 150)
    assert all(len(line) < 78 for line in text.splitlines()[:12])


@pytest.mark.parametrize("words", [
    ["--allow-net", "https://x.example/y"], ["--allow-net", "*"],
    ["--allow-net", "api.fal.ai"], ["--allow-net", "ok.example,queue.fal.run"],
    ["--sendmail", "sendmail"], ["--sendmail", "/no/such/program"]])
def test_options_that_are_wrong(world, words):
    world.sandbox(requests=20, seed=3)
    done = world.run(*words, world.policy("print 'ran'"))
    assert done.code == 2 and words[0] in done.err, done
    assert done.out == ""
