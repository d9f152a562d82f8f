"""What every story needs: the program, a sandbox, a hostile server, and the
three records that are held against each other at the end.

Each test has a folder, a HOME, a ledger and a random key of its own. The key
is a canary: after every run, and again at the end, nothing that the program
wrote anywhere may contain it.
"""
import base64
import json
import os
import pathlib
import pty
import random
import resource
import secrets
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import hostile as hostile_module  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("FALRUN", str(ROOT / "build" / "asan" / "falrun"))
POLICIES = ROOT / "scripts" / "policies"
OLDER = str(POLICIES / "older-than.lua")
SANITIZER = ("AddressSanitizer", "LeakSanitizer", "runtime error:",
             "UndefinedBehaviorSanitizer")


class Done:
    """What became of one run."""

    def __init__(self, code, out, err):
        self.code, self.raw_out, self.raw_err = code, out, err
        self.out = out.decode("utf-8", "replace")
        self.err = err.decode("utf-8", "replace")

    def __repr__(self):
        return "exit %s\n--- out\n%s\n--- err\n%s" % (
            self.code, self.out[:4000], self.err[:4000])

    @property
    def json(self):
        return json.loads(self.out)


class Running:
    def __init__(self, world, process):
        self.world, self.process, self.pid = world, process, process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=40):
        out, err = self.process.communicate(timeout=timeout)
        return self.world.check(Done(self.process.returncode, out, err))

    def until(self, test, seconds=20):
        """Waits until test() is true; it must become so while it runs."""
        end = time.time() + seconds
        while not test():
            assert self.process.poll() is None, self.wait()
            assert time.time() < end, "it never became true"
            time.sleep(0.01)


class World:
    program = PROGRAM

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.ledger = folder / "ledger.db"
        self.secret = secrets.token_hex(24)
        self.key = "admin-%s:%s" % (secrets.token_hex(4), self.secret)
        self.url, self.running, self.own = None, [], set()

    # ---- the canary ----

    def canaries(self):
        pair = self.key.encode()
        tail = base64.b64encode(self.secret.encode())
        return (self.secret.encode(), self.secret.upper().encode(),
                base64.b64encode(pair), tail, self.secret.encode().hex()
                .encode(), self.secret[:24].encode())

    def leaks(self, data):
        return any(canary in data for canary in self.canaries())

    def scan(self):
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self.own:
                assert not self.leaks(path.read_bytes()), (
                    "the key is in %s" % path)

    def check(self, done):
        assert not self.leaks(done.raw_out), "the key is on stdout"
        assert not self.leaks(done.raw_err), "the key is on stderr"
        self.scan()
        for word in SANITIZER:
            assert word not in done.err, done
        return done

    # ---- running ----

    def env(self, key=True, **more):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.home),
               "ASAN_OPTIONS": "exitcode=99", "LANG": "C.UTF-8",
               "UBSAN_OPTIONS": "print_stacktrace=1",
               "FALRUN_LEDGER": str(self.ledger)}
        if key:
            env["FAL_ADMIN_KEY"] = self.key
        if self.url:
            env["FALRUN_API_URL"] = self.url
        env.update({k: str(v) for k, v in more.items() if v is not None})
        for name in [k for k, v in more.items() if v is None]:
            env.pop(name, None)
        return env

    def start(self, *args, env=None, key=True, limits=None, prefix=(),
              stdin=subprocess.DEVNULL):
        def prepare():
            for what, value in (limits or {}).items():
                resource.setrlimit(what, value)
            if limits and resource.RLIMIT_FSIZE in limits:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        process = subprocess.Popen(
            list(prefix) + [self.program] + [str(a) for a in args], stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.env(key=key, **(env or {})), cwd=self.folder,
            preexec_fn=prepare if limits else None)
        self.running.append(process)
        return Running(self, process)

    def run(self, *args, check=None, stdin=None, timeout=40, **how):
        if stdin is not None:
            how["stdin"] = subprocess.PIPE
        process = self.start(*args, **how).process
        if isinstance(stdin, str):
            stdin = stdin.encode()
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError("it hangs: %r\n%r" % (
                args, Done(None, out, err)))
        done = self.check(Done(process.returncode, out, err))
        if check is not None:
            assert done.code == check, done
        return done

    def policy(self, text, name="policy.lua"):
        path = self.folder / name
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        return str(path)

    def lua(self, text, *args, **how):
        return self.run(self.policy(text), *args, **how)

    # ---- servers ----

    def sandbox(self, **options):
        truth = self.folder / "truth.jsonl"
        words = ["sandbox", "--quiet", "--truth", str(truth)]
        for name, value in options.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        process = subprocess.Popen(
            [PROGRAM] + words, stdout=subprocess.PIPE, cwd=self.folder,
            stderr=(self.folder / "sandbox.err").open("ab"),
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home)})
        self.running.append(process)
        line = process.stdout.readline().decode().strip()
        assert line.startswith("http://127.0.0.1:"), line
        self.url, self.truth, self.box = line, truth, process
        return process


    def fal(self, *args, **script):
        server = hostile_module.Fal(*args, **script)
        self.servers.append(server)
        self.url = server.url
        return server

    servers = ()

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr, process.stdin):
                if pipe:
                    pipe.close()
        for server in self.servers:
            server.close()
        self.scan()
        error = self.folder / "sandbox.err"
        if error.exists():
            text = error.read_text(errors="replace")
            assert not any(word in text for word in SANITIZER), text

    # ---- records ----

    def told(self):
        if not self.truth.exists():
            return []
        lines = self.truth.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def truths(self):
        """What the truth tells of deletions of payloads."""
        return [line for line in self.told() if "operation" not in line]

    def changes(self):
        """And of everything else that was changed."""
        return [line for line in self.told() if "operation" in line]

    def effects(self):
        return [t for t in self.truths()
                if t.get("effect", "repeat") != "repeat"]

    def expired(self, older="30d", endpoint="auto"):
        done = self.run("requests", "--endpoint", endpoint, "--older-than",
                        older, "--json", "-q", check=0)
        return [r["request_id"] for r in done.json]

    def history(self):
        return self.run("history", "--json", check=0).json

    def show(self, run="last"):
        return self.run("show", run, "--json", check=0).json

    def outcomes(self, run="last"):
        return {r["request_id"]: r["outcome"]
                for r in self.show(run)["requests"]}


def ledger_events(path):
    with_mode = "file:%s?mode=ro" % path
    base = sqlite3.connect(with_mode, uri=True)
    try:
        rows = base.execute("SELECT seq, run, at_ms, kind, hex(request_id), "
                            "data FROM events ORDER BY seq").fetchall()
    finally:
        base.close()
    return [{"seq": seq, "run": run, "at": at, "kind": kind,
             "id": text_id(id), "data": json.loads(data)}
            for seq, run, at, kind, id, data in rows]


def text_id(digits):
    d = (digits or "").lower()
    return "-".join((d[:8], d[8:12], d[12:16], d[16:20], d[20:])) if d else ""


def ms_of(text):
    import datetime
    return int(datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp() * 1000)


def is_created(world):
    """A journal beside it means that the creation was cut short."""
    journal = world.ledger.with_name(world.ledger.name + "-journal")
    return (world.ledger.exists() and world.ledger.stat().st_size > 0
            and not journal.exists())


def agree(world, open_allowed=False):
    """Holds ledger and truth against each other; returns both by id."""
    world.run("verify", check=0)
    intents, outcomes, effects = {}, {}, {}
    for event in ledger_events(world.ledger):
        if event["kind"] in ("intent", "generation"):
            intents.setdefault(event["id"], []).append(event)
        elif event["kind"] == "outcome":
            outcomes.setdefault(event["id"], []).append(event)
    for line in world.truths():
        effects.setdefault(line["request_id"], []).append(line)
    for id, lines in effects.items():
        assert id in intents, "%s was deleted without an intent" % id
        assert intents[id][0]["at"] <= ms_of(lines[0]["at"]) + 1, id
        for line in lines:
            base = intents[id][0]["data"]["key"]
            assert any(line["idempotency_key"].startswith(i["data"]["key"])
                       for i in intents[id] if i["kind"] == "intent"), (
                           base, line)
        for at, line in enumerate(lines[1:], 1):
            before = lines[:at]
            assert any(b["answer"] != "sent" or b["effect"] == "partial"
                       for b in before), (
                "a deletion that was answered was done again", lines)
        assert sum(l["effect"] == "deleted" for l in lines) <= 1, lines
    for id, events in intents.items():
        if id not in outcomes:
            assert open_allowed, "%s is open" % id
    for id, events in outcomes.items():
        last = events[-1]["data"]["state"]
        if last in ("deleted", "gone", "partial"):
            assert id in effects, "%s: %s, but not in truth" % (id, last)
        if last == "deleted":
            assert effects[id][-1]["effect"] != "partial", id
    for id in effects:
        state = outcomes.get(id)
        state = state and state[-1]["data"]["state"]
        assert state in ("deleted", "gone", "partial") or (
            open_allowed and state is None), (id, state)
    return intents, outcomes, effects


def on_terminal(world, answer, *args, ahead=b""):
    """Runs with a terminal for everything; what the screen showed. `ahead` is
    typed before the question."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(world.folder)
        os.execve(PROGRAM, [PROGRAM, *args], world.env(TERM="dumb"))
    os.write(fd, ahead)
    screen, end = b"", time.time() + 30
    sent = False
    while time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                break
            if not data:
                break
            screen += data
        if not sent and b"[y/N]" in screen:
            os.write(fd, answer)
            sent = True
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return os.waitstatus_to_exitcode(status), screen.decode()


CHROMIUM = shutil.which("chromium")
browsers = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium here")


def show_in_browser(world, path, width, height, dark):
    """Draws a page; the console must stay empty."""
    shot, profile = world.folder / "shot.png", world.folder / "profile"
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
         "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
         "--user-data-dir=%s" % profile,
         "--blink-settings=preferredColorScheme=%d" % (0 if dark else 1),
         "--window-size=%d,%d" % (width, height), "--screenshot=%s" % shot,
         path.as_uri()], capture_output=True, text=True, timeout=60)
    assert shot.stat().st_size > 20000, done.stderr
    assert "CONSOLE" not in done.stderr, done.stderr
    shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.servers = []
    yield made
    made.close()


@pytest.fixture
def rng(request):
    """The seed shows when a test fails: FALRUN_SEED repeats it."""
    seed = int(os.environ.get("FALRUN_SEED", "20260101"))
    print("FALRUN_SEED=%d" % seed)
    return random.Random("%d %s" % (seed, request.node.name))
