"""--textfile: metrics that Prometheus takes, whole at every moment, true after
whatever end a run had."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import threading
import time

import pytest
import yaml

from conftest import OLDER, SANITIZER, ROOT
from watching import PACKAGING

PROMTOOL = shutil.which("promtool")
SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})? '
                    r'(-?[0-9.]+)$')
DECLARED = """
return fal.policy { name = "p", reason = "r",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" } }
"""


def read(text):
    """Strictly: each family together, with HELP and TYPE, no sample twice."""
    assert text.endswith("\n") and "\n\n" not in text
    samples, name, described = {}, None, set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in described, name
            described.add(name)
        elif line.startswith("#"):
            assert line == "# TYPE %s gauge" % name
        else:
            found = SAMPLE.match(line)
            assert found and found[1] == name, line
            labels = tuple(sorted(re.findall(
                r'([a-z_]+)="((?:[^"\\]|\\.)*)"', found[2] or "")))
            assert (name, labels) not in samples, line
            samples[name, labels] = float(found[3])
    return samples


class Metrics:
    def __init__(self, world):
        self.path = world.folder / "falrun.prom"

    def words(self):
        return ["--textfile", str(self.path)]

    def get(self, name, **labels):
        """The one sample that has these labels; None: there is none."""
        text = self.path.read_text()
        if PROMTOOL:
            done = subprocess.run([PROMTOOL, "check", "metrics"], input=text,
                                  text=True, capture_output=True)
            assert done.returncode == 0, done
        found = [value for (one, has), value in read(text).items()
                 if one == name and set(labels.items()) <= set(has)]
        assert len(found) <= 1, found
        return found[0] if found else None

    def debt(self):
        return {reason: int(self.get("falrun_retention_debt_requests",
                                     reason=reason))
                for reason in ("failed", "partial", "open", "refused",
                               "unsent")}


@pytest.fixture
def metrics(world):
    return Metrics(world)


@pytest.mark.skipif(not PROMTOOL, reason="there is no promtool here")
def test_promtool_is_asked(world, metrics):
    world.sandbox(requests=200, faults="cdn-exception@delete=0.2")
    world.run(OLDER, *metrics.words(), check=3)
    assert metrics.get("falrun_info", version="0.1.0") == 1


def test_a_good_run(world, metrics):
    world.sandbox(requests=200)
    begun = time.time()
    world.run(OLDER, *metrics.words(), check=0)
    effects = len(world.effects())
    job = {"command": "run", "policy": OLDER}
    assert metrics.get("falrun_deletions", outcome="deleted",
                       **job) == effects
    assert metrics.get("falrun_requests", state="deleted") == effects
    assert metrics.get("falrun_scanned_requests", **job) >= effects
    assert metrics.get("falrun_last_run_exit_code", **job) == 0
    assert metrics.get("falrun_last_run_complete", **job) == 1
    last = metrics.get("falrun_last_success_timestamp_seconds", **job)
    assert begun - 1 <= last <= time.time() + 1
    assert 0 < metrics.get("falrun_last_run_duration_seconds", **job) < 60
    assert metrics.get("falrun_api_requests", **job) > effects
    assert metrics.get("falrun_throttle_concurrency", **job) > 0
    assert sum(metrics.debt().values()) == 0
    assert metrics.get("falrun_open_intents") == 0
    assert metrics.get(
        "falrun_retention_debt_oldest_timestamp_seconds") is None
    assert metrics.get("falrun_ledger_events") == world.run(
        "verify", "--json", check=0).json["events"]
    assert stat.S_IMODE(metrics.path.stat().st_mode) == 0o644
    assert [p.name for p in world.folder.glob("falrun.prom*")] == [
        "falrun.prom"]


def test_a_run_that_fails_keeps_the_last_success(world, metrics):
    world.sandbox(requests=100)
    world.run(OLDER, *metrics.words(), check=0)
    last = metrics.get("falrun_last_success_timestamp_seconds")
    path = world.policy("error 'no'")
    world.run(path, *metrics.words(), check=1)
    assert metrics.get("falrun_last_success_timestamp_seconds",
                       policy=OLDER) == last
    assert metrics.get("falrun_last_success_timestamp_seconds",
                       policy=path) == 0                # never
    assert metrics.get("falrun_last_run_exit_code", policy=path) == 1
    world.box.kill()
    world.run(OLDER, "--max-runtime", "1s", *metrics.words(), check=7)
    assert metrics.get("falrun_last_run_exit_code", policy=OLDER) == 7
    assert metrics.get("falrun_last_success_timestamp_seconds",
                       policy=OLDER) == last


def test_lua_that_is_lost_in_a_call(world, metrics):
    world.fal()
    path = world.policy("return (('a'):rep(30000)):find(('a*'):rep(30) .. 'b')")
    world.run(path, *metrics.words(), env={"FALRUN_TURN_MS": "500"}, check=9)
    assert metrics.get("falrun_last_run_exit_code", policy=path) == 9


def test_a_run_that_cannot_begin(world, metrics):
    """Another one holds the lock; then the key cannot be read."""
    world.sandbox(requests=200)
    first = world.start(OLDER, "--rate", "20/s")
    first.until(lambda: len(world.truths()) > 0)
    world.run(OLDER, *metrics.words(), check=6)
    assert metrics.get("falrun_start_failure_exit_code") == 6
    assert metrics.get("falrun_last_run_complete", policy=OLDER) == 0
    first.signal(signal.SIGTERM)
    assert first.wait().code == 143
    world.run(OLDER, *metrics.words(), key=False, check=2,
              env={"FAL_ADMIN_KEY_FILE": str(world.folder / "none")})
    assert metrics.get("falrun_start_failure_exit_code") == 2
    assert metrics.get("falrun_last_run_exit_code", policy=OLDER) == 143
    world.run(OLDER, *metrics.words(), check=0)
    assert metrics.get("falrun_start_failure_exit_code") is None


def test_a_damaged_ledger_leaves_the_file(world, metrics):
    world.sandbox(requests=50)
    world.run(OLDER, *metrics.words(), check=0)
    before = metrics.path.read_bytes()
    for tail in ("-wal", "-shm"):
        world.ledger.with_name(world.ledger.name + tail).unlink(
            missing_ok=True)
    world.ledger.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    done = world.run(OLDER, *metrics.words(), check=8)
    assert metrics.path.read_bytes() == before
    assert "the metrics were not written to" in done.err


def test_a_killed_run_is_not_complete(world, metrics):
    world.sandbox(requests=400)
    run = world.start(OLDER, "--rate", "30/s")
    run.until(lambda: len(world.truths()) > 5)
    run.process.kill()
    run.process.wait()
    world.run("status", *metrics.words(), check=0)
    assert metrics.get("falrun_last_run_complete", policy=OLDER) == 0
    assert metrics.get("falrun_last_run_exit_code", policy=OLDER) is None
    open_now = metrics.get("falrun_open_intents")
    assert open_now > 0 and metrics.debt()["open"] == open_now
    assert time.time() - 60 < metrics.get(
        "falrun_oldest_open_intent_timestamp_seconds") <= time.time()


# ---- debt ----------------------------------------------------------------------

def ended(world, ids):
    rows = world.run("requests", "--endpoint", "auto", "--older-than", "30d",
                     "--json", "-q", check=0).json
    from conftest import ms_of
    return {row["request_id"]: ms_of(row["ended_at"]) for row in rows
            if row["request_id"] in ids}


def test_debt_of_what_was_never_sent(world, metrics):
    """All of it, when a limit is passed before the first deletion."""
    world.sandbox(requests=200)
    ids = world.expired()
    path = world.policy(DECLARED)
    world.run(path, "--max-deletes", "3", *metrics.words(), check=4)
    assert metrics.debt() == {"failed": 0, "partial": 0, "open": 0,
                              "refused": 0, "unsent": len(ids)}
    oldest = min(ended(world, set(ids)).values())
    assert int(metrics.get("falrun_retention_debt_oldest_timestamp_seconds")
               ) == oldest // 1000
    world.run(path, *metrics.words(), check=0)
    assert sum(metrics.debt().values()) == 0


def test_debt_of_a_run_that_has_no_time(world, metrics):
    """What is left is what there was, less what the API deleted."""
    world.sandbox(requests=400)
    ids = set(world.expired())
    path = world.policy(DECLARED)
    world.run(path, "--max-runtime", "2s", "--rate", "40/s",
              *metrics.words(), check=7)
    gone = {line["request_id"] for line in world.effects()}
    assert 0 < len(gone) < len(ids)
    assert metrics.debt() == {"failed": 0, "partial": 0, "open": 0,
                              "refused": 0, "unsent": len(ids - gone)}
    left = ended(world, ids - gone)
    oldest = metrics.get("falrun_retention_debt_oldest_timestamp_seconds")
    assert oldest >= min(left.values()) // 1000
    assert sorted(left.values())[len(left) // 2] / 1000 > oldest
    world.run(path, *metrics.words(), check=0)
    assert sum(metrics.debt().values()) == 0


def test_debt_of_what_failed_and_what_is_held(world, metrics):
    world.sandbox(requests=200, faults="cdn-exception@delete=0.3")
    ids = world.expired()
    world.run("hold", "add", ids[0], "--reason", "case 6", check=0)
    world.run(world.policy(DECLARED), *metrics.words(), check=3)
    partial = {id for id, state in world.outcomes().items()
               if state == "partial"}
    assert ids[0] not in partial
    assert metrics.debt() == {"failed": 0, "partial": len(partial), "open": 0,
                              "refused": 0, "unsent": 0}
    oldest = min(ended(world, set(ids)).values())
    assert metrics.get("falrun_retention_debt_oldest_timestamp_seconds"
                       ) >= oldest // 1000
    world.run("hold", "add", sorted(partial)[0], "--reason", "case 7",
              check=0)
    world.run("status", *metrics.words(), check=0)
    assert metrics.debt()["partial"] == len(partial) - 1
    assert metrics.get("falrun_retention_debt_held_requests") == 1
    assert metrics.get("falrun_holds") == 2


# ---- the file -------------------------------------------------------------------

def test_never_half_written(world, metrics):
    """10,000 reads while it is written again and again."""
    world.sandbox(requests=100)
    world.run(OLDER, *metrics.words(), check=0)
    reads, files, stop, wrong = [0], set(), threading.Event(), []

    def reader():
        while not (stop.is_set() and reads[0] >= 10000):
            with metrics.path.open() as file:
                text = file.read()
                files.add(os.fstat(file.fileno()).st_mtime_ns)
            reads[0] += 1
            if not text.startswith("# HELP falrun_info ") or not re.search(
                    r"^falrun_throttle_concurrency\{.*\} \d+\n\Z", text,
                    re.M):
                wrong.append(text)
    threads = [threading.Thread(target=reader) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(25):
        world.run("status", *metrics.words(), check=0)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[0]
    assert reads[0] >= 10000 and len(files) > 5, (reads, files)


def test_a_folder_that_is_not_there(world):
    world.sandbox(requests=50)
    path = world.folder / "none" / "falrun.prom"
    done = world.run(OLDER, "--quiet", "--textfile", path, check=0)
    assert done.err.startswith("falrun: warning: the metrics were not "
                               "written: cannot write %s" % path), done
    assert done.err.count("\n") == 1
    done = world.run("status", "--textfile", path, check=2)
    assert "the metrics were not written: cannot write %s" % path in done.err


def test_only_a_run_to_watch_writes(world, metrics):
    world.sandbox(requests=50)
    world.run(OLDER, "--dry-run", *metrics.words(), check=0)
    world.run("plan", OLDER, *metrics.words(), check=0)
    world.run("history", *metrics.words(), check=0)
    sandbox = [OLDER, "--sandbox", "--requests", "20"]
    env = {"FALRUN_API_URL": None, "FALRUN_TEXTFILE": metrics.path}
    done = world.run(*sandbox, env=env, check=0)
    assert "a sandbox is no run to watch" in done.err
    assert not metrics.path.exists()
    world.ledger.unlink()
    world.run(*sandbox, *metrics.words(), env=env, check=0)
    assert "falrun_last_success" in metrics.path.read_text()
    done = world.run(OLDER, "--textfile", "-", check=2)
    assert "write the path of a file" in done.err
    out = world.run("status", "--textfile", "-", check=0).out
    assert ("falrun_ledger_events", (("ledger", str(world.ledger)),)
            ) in read(out)


def test_labels_of_an_odd_name(world, metrics):
    world.sandbox(requests=30)
    path = world.folder / 'a"b\\c\n\xff{}.lua'.replace("\xff", "ü")
    shutil.copy(OLDER, path)
    world.run(path, *metrics.words(), check=0)
    assert 'a\\"b\\\\c?ü{}.lua' in metrics.path.read_text()
    assert metrics.get("falrun_last_run_exit_code") == 0


def test_no_key_goes_along(world, metrics):
    """What writes it is a process of its own: its environment is read here."""
    world.fal()
    trap = world.folder / "fal" / "metrics.lua"
    trap.parent.mkdir()
    for name in (ROOT / "scripts" / "fal").glob("*.lua"):
        (trap.parent / name.name).write_text(name.read_text())
    trap.write_text("""
return { text = function()
  return tostring(os.getenv "FAL_ADMIN_KEY") .. " " ..
    tostring(os.getenv "FALRUN_MAX_DELETES") .. "\\n"
end }
""")
    world.run(world.policy("log.info 'x'"), *metrics.words(), env={
        "FALRUN_PATH": str(world.folder), "FALRUN_MAX_DELETES": "7"}, check=0)
    if metrics.path.read_text().startswith("# HELP"):
        pytest.skip("the library is not taken from FALRUN_PATH here")
    assert metrics.path.read_text() == "nil nil\n"


# ---- what is in packaging/ ------------------------------------------------------

RULES = PACKAGING / "prometheus" / "falrun.rules.yml"
BOARD = PACKAGING / "grafana" / "falrun.json"


def names_in(text):
    return set(re.findall(r"\bfalrun_[a-z_]+", text))


@pytest.fixture
def known(world, metrics):
    """All names that there are: some occur in bad times only."""
    source = (ROOT / "scripts" / "fal" / "metrics.lua").read_text()
    return names_in(source)


def test_rules_use_what_there_is(known):
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    used = set().union(*(names_in(rule["expr"]) for rule in rules))
    assert used and used <= known, used - known
    alerts = {rule["alert"] for rule in rules}
    assert {"FalrunNoSuccess", "FalrunDebtGrows", "FalrunPartial",
            "FalrunOpenWork"} <= alerts
    for rule in rules:
        assert rule["annotations"]["summary"], rule


def test_the_dashboard_uses_what_there_is(known):
    board = json.loads(BOARD.read_text())
    exprs = [target["expr"] for panel in board["panels"]
             for target in panel.get("targets", [])]
    used = set().union(*map(names_in, exprs))
    assert len(exprs) >= 8 and used <= known, used - known
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert panel["title"] and at["x"] + at["w"] <= 24


@pytest.mark.skipif(not PROMTOOL, reason="there is no promtool here")
def test_promtool_takes_the_rules(world):
    done = subprocess.run([PROMTOOL, "check", "rules", str(RULES)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done
    tests = RULES.with_name("falrun.rules.test.yml")
    done = subprocess.run([PROMTOOL, "test", "rules", str(tests)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done
    assert not any(word in done.stdout for word in SANITIZER)
