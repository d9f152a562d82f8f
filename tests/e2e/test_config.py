"""The config file: accounts with keys, ledgers and policies of their own, and
never those of another, whatever a variable says; one command for many."""

import json
import os
import secrets
import signal
import subprocess
import time

import pytest

from conftest import OLDER, PROGRAM, Done, ledger_events, on_terminal
from hostile import error, row, uuid4

WORDS = [OLDER, "30d", "a/b"]


class Accounts:
    """Accounts of a config file, each with a sandbox and a key of its own."""

    def __init__(self, world):
        self.world, self.boxes, self.keys = world, {}, {}
        self.path = world.folder / "config"
        self.text, self.sections = "", {}

    def add(self, name, box=None, key="file", **more):
        world = self.world
        secret = secrets.token_hex(24)
        value = "admin-%s:%s" % (secrets.token_hex(4), secret)
        self.keys[name] = value
        before = world.canaries
        world.canaries = lambda: before() + (secret.encode(),)
        path = world.folder / (name + ".key")
        path.write_text(value + "\n")
        path.chmod(0o600)
        world.own.add(path)
        lines = {"file": "admin-key = file:%s.key" % name,
                 "command": "admin-key = command:cat '%s'" % path,
                 "credential": "admin-key = credential:%s.key" % name}
        section = ["[account %s]" % name, lines.get(key, "")]
        if box is not None:
            section.append("api-url = " + self.serve(name, **box))
        section += ["%s = %s" % (k.replace("_", "-"), v)
                    for k, v in more.items()]
        self.sections[name] = "\n".join(section) + "\n"
        return self

    def serve(self, name, **options):
        truth = self.world.folder / ("truth.%s" % name)
        words = ["sandbox", "--quiet", "--truth", str(truth)]
        for option, value in dict({"endpoints": "a/b"}, **options).items():
            words += ["--" + option.replace("_", "-"), str(value)]
        process = subprocess.Popen(
            [PROGRAM] + words, stdout=subprocess.PIPE,
            stderr=(self.world.folder / "sandbox.err").open("ab"),
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.world.home)})
        self.world.running.append(process)
        self.boxes[name] = process.stdout.readline().decode().strip()
        return self.boxes[name]

    def write(self, top=""):
        self.path.write_text(top + "".join(self.sections.values()))
        return self

    def env(self, **more):
        return dict({"FALRUN_CONFIG": self.path, "FALRUN_LEDGER": None,
                     "FALRUN_API_URL": None}, **more)

    def run(self, *args, check=None, **more):
        return self.world.run(*args, key=False, env=self.env(**more),
                              check=check, timeout=60)

    def start(self, *args, **more):
        return self.world.start(*args, key=False, env=self.env(**more))

    def ledger(self, name):
        return (self.world.home / ".local/state/falrun" / name / "ledger.db")

    def effects(self, name):
        path = self.world.folder / ("truth.%s" % name)
        lines = path.read_text().splitlines() if path.exists() else []
        told = [json.loads(line) for line in lines]
        return {t["request_id"] for t in told
                if t.get("effect", "repeat") != "repeat"}

    def agree(self, *names):
        """What each truth tells is in that account's ledger alone, and what
        was announced there has an outcome."""
        for name in names:
            events = ledger_events(self.ledger(name))
            intents = {e["id"] for e in events if e["kind"] == "intent"}
            last = {e["id"]: e["data"]["state"] for e in events
                    if e["kind"] == "outcome"}
            assert intents == set(last), name
            assert {state for state in last.values()} <= {"deleted", "unsent"}
            assert self.effects(name) == {
                id for id, state in last.items() if state == "deleted"}, name
            self.run("--account", name, "verify", check=0)


@pytest.fixture
def accounts(world):
    return Accounts(world)


# ---- one account ------------------------------------------------------------

def test_each_account_touches_its_own_alone(accounts):
    a = accounts.add("one", {"requests": 200, "seed": 1})
    a.add("two", {"requests": 200, "seed": 2}, key="command").write()
    done = a.run("--accounts", "all", *WORDS, "--quiet", check=0)
    assert done.out == "" and done.err == "", done
    a.agree("one", "two")
    assert a.effects("one") and a.effects("two")
    assert not a.effects("one") & a.effects("two")
    again = a.run("--accounts", "one,two", *WORDS, check=0)
    assert "2 of 2 went well" in again.err
    a.agree("one", "two")
    for name in ("one", "two"):
        first = ledger_events(a.ledger(name))[1]["data"]
        assert first["options"]["account_name"] == name
        other = {"one": "two", "two": "one"}[name]
        a.run("--account", other, *WORDS, "--quiet", check=0)
    a.agree("one", "two")
    folder = a.ledger("one").parent
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["file", "command", "credential"])
def test_the_key_is_the_accounts(accounts, world, rng, kind):
    server = world.fal([row(uuid4(rng), endpoint_id="a/b")])
    url, world.url = world.url, None
    a = accounts.add("one", key=kind, api_url=url).write()
    others = {"FAL_KEY": "other-1:%s" % ("x1" * 20),
              "FAL_ADMIN_KEY": "other-2:%s" % ("x2" * 20),
              "FAL_ADMIN_KEY_FILE": "/nowhere", "FAL_KEY_ID": "half",
              "CREDENTIALS_DIRECTORY": world.folder}
    (world.folder / "fal_admin_key").write_text("other-3:%s" % ("x3" * 20))
    done = a.run("--account", "one", *WORDS, **others, check=0)
    assert len(server.deletes) == 1
    asked = {r.headers["authorization"] for r in server.requests
             if "authorization" in r.headers}
    assert asked == {"Key " + a.keys["one"]}
    assert "FAL_KEY, FAL_ADMIN_KEY of the environment: not heeded" in done.err


def test_an_account_without_a_key_takes_no_other(accounts, world, rng):
    server = world.fal([row(uuid4(rng), endpoint_id="a/b")])
    url, world.url = world.url, None
    a = accounts.add("one", key=None, api_url=url)
    a.write("admin-key = file:one.key\n")
    done = a.run("--account", "one", *WORDS, check=2,
                 FAL_ADMIN_KEY=a.keys["one"])
    assert "account one (%s:2) names no key" % a.path in done.err
    assert not server.requests and not a.ledger("one").exists()
    a.run("--account", "one", "history", check=0)       # that needs none
    a.run(*WORDS, "--api-url", url, check=0)    # the top, without an account
    assert len(server.deletes) == 1


def test_a_ledger_of_the_environment_is_not_the_accounts(accounts, world):
    a = accounts.add("one", {"requests": 60}).write("ledger = top.db\n")
    done = a.run("--account", "one", *WORDS, FALRUN_LEDGER=world.ledger,
                 check=0)
    assert "FALRUN_LEDGER of the environment: not heeded" in done.err
    assert not world.ledger.exists()
    assert not (world.folder / "top.db").exists()
    a.agree("one")


@pytest.mark.parametrize("what,part", [
    ("command:false", "\"false\" ended with exit code 1"),
    ("command:sh -c 'cat one.key; exit 3'", "ended with exit code 3"),
    ("command:no-such-program-here", "could not be run"),
    ("file:nowhere", "nowhere cannot be opened"),
    ("credential:x", "LoadCredential=x"),
])
def test_a_key_that_cannot_be_had(accounts, world, what, part):
    server = world.fal()
    url, world.url = world.url, None
    a = accounts.add("one", key=None, admin_key=what, api_url=url).write()
    done = a.run("--account", "one", *WORDS, check=2)
    place = "%s:3: admin-key of account one: " % a.path
    assert place in done.err and part in done.err, done
    assert not server.requests and not a.ledger("one").exists()


def test_a_key_file_that_others_can_read(accounts):
    a = accounts.add("one", {}).write()
    (a.world.folder / "one.key").chmod(0o640)
    assert "chmod 600" in a.run("--account", "one", *WORDS, check=2).err


# ---- its policies -----------------------------------------------------------

POLICY = """
print("this is %s")
fal.delete_all(fal.requests { endpoint_id = "a/b", older_than = "%s" })
"""


def test_policies_of_an_account(accounts, world):
    world.policy(POLICY % ("old", "60d"), "old.lua")
    world.policy(POLICY % ("new", "30d"), "new.lua")
    a = accounts.add("one", {"requests": 200, "seed": 1},
                     policies="old.lua new.lua")
    a.add("two", {"requests": 200, "seed": 2}, policies="old.lua").write()
    plan = a.run("plan", "--accounts", "all", check=0)
    heads = [line for line in plan.out.splitlines() if line[:2] == "=="]
    assert heads == ["== account %s: %s ==" % (n, world.folder / p)
                     for n, p in (("one", "old.lua"), ("one", "new.lua"),
                                  ("two", "old.lua"))]
    assert not a.effects("one") and not a.effects("two")
    a.run("--account", "one", check=0)
    runs = a.run("--account", "one", "history", "--json", check=0).json
    assert [r["policy"] for r in runs] == [
        str(world.folder / "new.lua"), str(world.folder / "old.lua")]
    assert all(r["summary"]["deleted"] for r in runs)
    a.agree("one")
    assert not a.effects("two")
    done = a.run("--account", "two", check=0)   # one policy needs no heading
    assert "==" not in done.out and "this is old" in done.out


def test_falrun_alone_runs_nothing(accounts, world):
    world.policy(POLICY % ("x", "30d"), "x.lua")
    a = accounts.add("one", {"requests": 60}, policies="x.lua").write()
    done = a.run(check=2, FALRUN_ACCOUNT="one")
    assert "no command" in done.err and not a.effects("one")
    a.run(check=2, FALRUN_ACCOUNTS="all")
    assert not a.effects("one")
    a.run("run", check=0, FALRUN_ACCOUNT="one")
    assert a.effects("one")


def test_an_account_without_policies(accounts):
    a = accounts.add("one", {}).write()
    done = a.run("--account", "one", check=2)
    assert "account one (%s:1) names none" % a.path in done.err


# ---- many accounts ----------------------------------------------------------

def test_one_that_fails_stops_no_other(accounts, world):
    a = accounts.add("lost", key=None, api_url="http://127.0.0.1:9/v1")
    a.add("dead", api_url="http://127.0.0.1:9/v1")
    a.add("fine", {"requests": 60}).write()
    done = a.run("--accounts", "all", *WORDS, "--quiet", check=2)
    assert a.effects("fine")
    a.agree("fine")
    assert "account lost ended with exit code 2" in done.err
    assert "account dead ended with exit code 7" in done.err
    assert "account fine" not in done.err and "1 of 3 went well" in done.err
    a.run("--accounts", "dead,fine", *WORDS, check=7)


def test_a_value_that_is_wrong_is_its_accounts(accounts):
    a = accounts.add("bad", {}, rate="fast")
    a.add("fine", {"requests": 60}).write()
    done = a.run("--accounts", "all", *WORDS, check=2)
    assert "%s:4: rate is \"fast\": write" % a.path in done.err
    assert not a.effects("bad") and not a.ledger("bad").exists()
    a.agree("fine")
    assert a.effects("fine")


def test_a_lock_holds_one_account_only(accounts):
    a = accounts.add("busy", {"requests": 400, "latency": "300ms"})
    a.add("free", {"requests": 60}).write()
    first = a.start("--account", "busy", *WORDS, "--concurrency", "1")
    first.until(lambda: a.effects("busy"))
    done = a.run("--accounts", "all", *WORDS, check=6)
    assert "account busy ended with exit code 6" in done.err
    assert a.effects("free")
    a.agree("free")
    first.signal(signal.SIGTERM)
    assert first.wait().code == 143


@pytest.mark.parametrize("number,code,group", [
    (signal.SIGINT, 130, False), (signal.SIGTERM, 143, False),
    (signal.SIGTERM, 143, True)])
def test_a_signal_stops_all(accounts, number, code, group):
    """Also where the child gets it twice, as from systemd or timeout(1)."""
    a = accounts.add("one", {"requests": 300, "latency": "150ms"})
    a.add("two", {"requests": 60}).write()
    run = a.world.start("--accounts", "all", *WORDS, "--concurrency", "4",
                        key=False, env=a.env(),
                        prefix=["setsid"] if group else ())
    run.until(lambda: len(a.effects("one")) >= 4)
    children = children_of(run.pid)
    assert len(children) == 1
    if group:
        assert os.getpgid(children[0]) == run.pid
        os.killpg(run.pid, number)
    else:
        run.signal(number)
    done = run.wait()
    assert done.code == code, done
    assert "0 of 2 went well; the rest did not begin" in done.err
    assert not a.effects("two") and not a.ledger("two").exists()
    a.agree("one")                      # what was in flight is recorded
    for pid in children:
        assert not os.path.exists("/proc/%d" % pid)


def children_of(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = open("/proc/%s/stat" % entry).read()
            except OSError:
                continue
            if int(text.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry))
    return found


def test_a_parent_that_is_killed_takes_its_run_along(accounts):
    a = accounts.add("one", {"requests": 300, "latency": "150ms"}).write()
    run = a.start("--accounts", "all", *WORDS, "--concurrency", "4")
    run.until(lambda: len(a.effects("one")) >= 4)
    child, = children_of(run.pid)
    run.process.kill()
    run.wait()
    end = time.time() + 20
    while os.path.exists("/proc/%d" % child) and time.time() < end:
        time.sleep(0.05)
    a.agree("one")
    events = ledger_events(a.ledger("one"))
    assert events[-1]["data"]["exit_code"] == 143


def test_a_question_reaches_the_run_and_ends_nothing(accounts):
    a = accounts.add("one", {"requests": 100, "latency": "100ms"}).write()
    run = a.start("--accounts", "all", *WORDS, "--concurrency", "4")
    run.until(lambda: len(a.effects("one")) >= 2)
    run.signal(signal.SIGUSR1)
    assert run.wait().code == 0
    a.agree("one")


def test_json_of_many(accounts):
    a = accounts.add("one", {"requests": 60, "seed": 1})
    a.add("two", {"requests": 60, "seed": 2}).write()
    a.run("--accounts", "all", *WORDS, "-q", check=0)
    out = a.run("history", "--accounts", "all", "--json", check=0).out
    decoder, documents, at = json.JSONDecoder(), [], 0
    while at < len(out.rstrip()):
        document, at = decoder.raw_decode(out, at)
        documents.append(document)
        at += len(out[at:]) - len(out[at:].lstrip())
    assert documents[0] == {"account": "one"}
    assert documents[2] == {"account": "two"}
    for runs in (documents[1], documents[3]):
        assert len(runs) == 1 and runs[0]["exit_code"] == 0


def test_a_question_names_the_account(accounts, world):
    a = accounts.add("one", {"requests": 60}).write()
    world.key = "none"
    env = a.env()
    world.env = lambda **more: {
        "PATH": "/usr/bin:/bin", "HOME": str(world.home), "TERM": "dumb",
        "FALRUN_CONFIG": str(env["FALRUN_CONFIG"])}
    code, screen = on_terminal(world, b"n\n", "--accounts", "all", *WORDS)
    assert code == 4 and "Account one: " in screen, screen
    assert not a.effects("one")


def test_lines_that_cannot_be_for_many(accounts):
    a = accounts.add("one", {}).add("two", {}).write()
    for words, part in (
            (["--ledger", "x.db", "history"], "--ledger is of one run"),
            (["plan", OLDER, "-o", "x.plan"], "--output is of one run"),
            (["delete", "-"], "standard input can be read once"),
            (["--account", "one", "history"], "leave out one of them")):
        assert part in a.run("--accounts", "all", *words, check=2).err
    assert "need a name" in a.run("--accounts", "", *WORDS, check=2).err
    assert "need a name" in a.run("--account", "", *WORDS, check=2).err
    assert "did you mean two?" in a.run("--accounts", "one,tow", "history",
                                        check=2).err
    assert not a.ledger("one").exists()


# ---- what a file can be -----------------------------------------------------

def test_a_broken_file_opens_nothing(accounts, world):
    server = world.fal()
    a = accounts.add("one", api_url=world.url)
    world.url = None
    a.write("# mine\nmax-delets = 5\nrate = 1\nrate = 2\n")
    for words in (WORDS, ["--account", "one", *WORDS], ["doctor"],
                  ["--accounts", "all", "history"]):
        done = a.run(*words, check=2)
        assert ("falrun: %s:2: max-delets: there is no such key; did you mean "
                "max-deletes? (1 more: falrun config check)" % a.path
                in done.err), done
    assert not server.requests and not a.ledger("one").exists()
    assert not (world.home / ".local").exists()
    a.run("--help", check=0)
    a.run("types", check=0)


def test_check_says_all(accounts):
    a = accounts.add("one", key=None, rate="fast", policies="no.lua")
    a.write("max-delets = 5\nmin-age = 5\nadmin-key = file:none\n")
    done = a.run("config", "check", check=2)
    assert [line.partition(str(a.path))[2][:14]
            for line in done.out.splitlines()] == [
        ":1: max-delets", ":2: min-age: i", ":3: admin-key:",
        ":4: account on", ":6: rate: is \"", ":7: policies: "]
    assert "6 problems" in done.err
    found = a.run("config", "check", "--json", check=2).json
    assert not found["ok"] and found["config"] == str(a.path)
    assert found["problems"][0] == {
        "line": 1, "key": "max-delets",
        "message": "there is no such key; did you mean max-deletes?"}
    assert found["problems"][3]["line"] == 4
    a = accounts.add("one", {}).write("min-age = 36h\n")
    assert a.run("config", "check", "--json", check=0).json == {
        "ok": True, "config": str(a.path), "problems": []}
    assert "is sound: 1 account" in a.run("config", "check", check=0).err


def test_a_file_that_others_write_is_not_read(accounts):
    a = accounts.add("one", {}).write()
    a.path.chmod(0o664)
    assert "chmod go-w" in a.run("history", check=2).err
    assert "chmod go-w" in a.run("config", "check", check=2).err
    a.path.chmod(0o644)
    a.run("history", check=0)


def test_a_key_in_the_file_is_never_shown(accounts, world):
    a = accounts.add("one", {})
    a.path.write_text("[account one]\nadmin-key = %s\n" % a.keys["one"])
    world.own.add(a.path)
    for words in (["history"], ["config", "check"], ["config", "show"],
                  ["doctor"], ["config", "check", "--json"]):
        done = a.run(*words, check=2)           # and world.check looks
        assert "looks like a key" in done.out + done.err


def test_where_it_is_found(accounts, world):
    a = accounts.add("one", {}).write("min-age = 36h\n")
    usual = world.home / ".config" / "falrun"
    usual.mkdir(parents=True)
    (usual / "config").write_text("min-age = 37h\n")

    def age(*words, **more):
        rows = a.run("config", "show", "--json", *words, check=0, **more).json
        return {r["name"]: (r["value"], r["origin"], r["place"])
                for r in rows["options"]}["min-age"]
    file = "%s:1" % a.path
    assert age() == ("36h", "file", file)
    assert age(FALRUN_CONFIG=None) == ("37h", "file",
                                       "%s:1" % (usual / "config"))
    assert age("--config", "/dev/null") == ("24h", "default", None)
    assert age(FALRUN_MIN_AGE="38h") == ("38h", "variable", "FALRUN_MIN_AGE")
    assert age("--min-age=39h", FALRUN_MIN_AGE="38h") == ("39h", "line",
                                                          "--min-age")
    xdg = world.folder / "xdg" / "falrun"
    xdg.mkdir(parents=True)
    (xdg / "config").write_text("min-age = 40h\n")
    assert age(FALRUN_CONFIG=None, XDG_CONFIG_HOME=xdg.parent)[0] == "40h"
    assert age("--config", "xdg/falrun/config")[2] == "%s:1" % (xdg /
                                                                "config")
    assert "cannot be opened" in a.run("history", "--config", "no",
                                       check=2).err


def test_show(accounts, world):
    a = accounts.add("one", {}, rate="5/s", policies="x.lua",
                     proxy="http://me:pass@127.0.0.1:1").write("quiet = yes\n")
    shown = a.run("config", "show", "--account", "one", "--json", check=0,
                  FAL_KEY="a:b").json
    assert shown["config"] == str(a.path) and shown["account"] == "one"
    assert shown["accounts"] == ["one"]
    rows = {r.pop("name"): r for r in shown["options"]}
    assert rows["admin-key"] == {
        "value": "file:%s" % (world.folder / "one.key"), "origin": "file",
        "place": "%s:3" % a.path}
    assert rows["key"] == {"value": None, "origin": "default", "place": None}
    assert rows["rate"]["value"] == "5/s" and rows["quiet"]["value"] == "yes"
    assert rows["proxy"]["value"] == "http://***@127.0.0.1:1"
    assert rows["ledger"]["value"] == str(a.ledger("one"))
    assert rows["policies"]["value"] == str(world.folder / "x.lua")
    text = a.run("config", "show", "--origin", "--account", "one", check=0)
    assert "%s:5" % a.path in text.out and "pass" not in text.out
    top = a.run("config", "show", "--json", check=0, FAL_KEY="a:b").json
    rows = {r.pop("name"): r for r in top["options"]}
    assert rows["key"] == {"value": "FAL_KEY", "origin": "variable",
                           "place": "FAL_KEY"}
    assert "policies" not in rows and top["account"] is None


def test_doctor_says_which(accounts, world):
    a = accounts.add("one", {}).write()

    def config(*words):
        done = a.run("doctor", "--json", *words)
        return {c["check"]: c for c in done.json["checks"]}["config"]
    assert config("--account", "one")["message"] == "%s, account one" % a.path
    assert config()["state"] == "warning"
    assert "no config file" in config("--config", "/dev/null")["message"]


def test_a_sandbox_takes_neither_ledger_nor_api_of_an_account(accounts,
                                                              world):
    a = accounts.add("one", api_url="http://127.0.0.1:9/v1",
                     ledger="one.db").write()
    a.run("--account", "one", "--sandbox", OLDER, check=0)
    assert not (world.folder / "one.db").exists()


def test_an_exit_code_of_the_worst(accounts, world):
    """A refused key (5) tells more than an API that is away (7)."""
    world.fal(list=lambda r: error(401, "no", "authorization_error"))
    url, world.url = world.url, None
    a = accounts.add("dead", api_url="http://127.0.0.1:9/v1")
    a.add("shut", api_url=url)
    a.add("fine", {"requests": 60}).write()
    a.run("--accounts", "all", *WORDS, "-q", check=5)
    a.run("--accounts", "fine,dead", *WORDS, "-q", check=7)


def test_a_timer_hands_the_account_on(accounts, world):
    a = accounts.add("one", {}).write("max-deletes = 5\n")
    world.policy(POLICY % ("x", "30d"), "x.lua")
    world.policy("return {}", "y.lua")
    shown = a.run("install-timer", "--print", "--user", "--account", "one",
                  "--program", PROGRAM, "--name", "x", str(world.folder /
                                                           "x.lua"))
    assert isinstance(shown, Done)
    assert "--account one" in shown.out and "max-deletes" not in shown.out
    assert "--config %s" % a.path in shown.out, shown
