"""--ping: a monitor is told of start and end. It never changes the exit code,
is bounded in time, and never carries a key."""
import time

import pytest

from conftest import OLDER
from hostile import Answer, row, uuid4
from monitor import Monitor
from test_tls import certificates

OLD = (OLDER, "30d", "fal-ai/flux/dev")


@pytest.fixture
def monitor():
    one = Monitor()
    yield one
    one.close()


def no_key(world, monitor):
    for path, body, headers in monitor.asked:
        text = "%s\n%s\n%s" % (path, body, headers)
        assert not world.leaks(text.encode())
        assert "Authorization" not in headers


def test_start_and_end(world, monitor, rng):
    world.fal([row(uuid4(rng)), row(uuid4(rng))])
    done = world.run("--ping", monitor.url + "/?create=1", *OLD)
    assert done.code == 0, done
    assert monitor.paths() == ["/check/start", "/check/0"]
    queries = [path.split("?")[1] for path, _, _ in monitor.asked]
    assert queries[0] == queries[1]
    assert queries[0].startswith("create=1&rid=")
    assert len(queries[0].split("rid=")[1]) == 36
    body = monitor.asked[1][1]
    assert "exit code 0" in body and "deleted 2" in body
    assert "run 1 of the ledger" in body
    no_key(world, monitor)
    # the checkpoint that the monitor keeps is one that verify takes
    line = [x for x in body.split("\n") if x.startswith("checkpoint ")][0]
    (world.folder / "checkpoint").write_text(line + "\n")
    done = world.run("verify", "--checkpoint", world.folder / "checkpoint")
    assert done.code == 0, done


def test_each_run_has_its_id(world, monitor, rng):
    world.fal([row(uuid4(rng))])
    for _ in range(2):
        assert world.run("--ping", monitor.url, *OLD).code == 0
    ids = [path.split("rid=")[1] for path, _, _ in monitor.asked]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_the_code_of_a_failure(world, monitor, rng):
    world.fal([row(uuid4(rng))], delete=lambda r: Answer(400, {}))
    done = world.run("--ping", monitor.url, *OLD)
    assert done.code == 3, done
    assert monitor.paths() == ["/check/start", "/check/3"]
    assert "failed 1" in monitor.asked[1][1]


def test_a_run_that_cannot_start(world, monitor):
    world.url = None
    bad = {"FALRUN_PING": monitor.url}
    done = world.run("--max-deletes", "many", OLDER, env=bad)
    assert done.code == 2, done
    done = world.run("--ledger", "/proc/nowhere/x", OLDER, "30d", env=bad)
    assert done.code == 8, done
    (world.folder / "bad.lua").write_text("return +\n")
    done = world.run("bad.lua", env=bad)
    assert done.code == 1, done
    assert monitor.paths() == ["/check/2", "/check/8", "/check/start",
                               "/check/1"]
    assert "--max-deletes" in monitor.asked[0][1]
    no_key(world, monitor)


def test_what_changes_nothing_is_not_told(world, monitor, rng):
    world.fal([row(uuid4(rng))])
    env = {"FALRUN_PING": monitor.url}
    for words in (["plan", *OLD],
                  ["--dry-run", *OLD],
                  ["check", OLDER], ["history"], ["--version"]):
        assert world.run(*words, env=env).code == 0
    assert monitor.asked == []


@pytest.mark.parametrize("statuses,arrives", [
    ([404], False), ([301], False), ([500], False), ([500, 200], True)])
def test_an_answer_that_is_no_yes(world, rng, statuses, arrives):
    monitor = Monitor([200] + statuses)
    world.fal([row(uuid4(rng))])
    done = world.run("--quiet", "--ping", monitor.url, *OLD)
    monitor.close()
    assert done.code == 0, done
    assert ("did not arrive" in done.err) == (not arrives)
    assert "/check" not in done.err             # a secret of its owner's
    again = 2 if statuses[0] == 500 else 1
    assert monitor.paths() == ["/check/start"] + ["/check/0"] * again


def test_a_monitor_that_hangs(world, rng):
    monitor = Monitor(delay=30)
    world.fal([row(uuid4(rng))])
    began = time.time()
    done = world.run("--ping", monitor.url, *OLD)
    assert done.code == 0, done
    assert 15 < time.time() - began < 25        # two of them
    assert done.err.count("did not arrive") == 2
    monitor.close()


def test_nobody_is_there(world, rng):
    world.fal([row(uuid4(rng))])
    done = world.run("--ping", "http://127.0.0.1:1/x", *OLD)
    assert done.code == 0, done
    assert done.err.count("did not arrive") == 2


def test_a_key_in_its_url(world, monitor, rng):
    world.fal([row(uuid4(rng))])
    done = world.run("--ping", "%s/%s" % (monitor.url, world.key), OLDER,
                     "30d", "fal-ai/flux/dev")
    assert done.code == 0, done
    assert monitor.asked == []
    assert "a key of fal is in it" in done.err


@pytest.mark.parametrize("url", [
    "x", "http://monitor.example/x", "ftp://monitor.example/x",
    "https://u:p@monitor.example/x", "https://api.fal.ai/v1/x",
    "https://monitor.example/x#y"])
def test_a_url_that_is_none(world, url):
    world.url = None
    done = world.run("--ping", url, OLDER, "30d")
    assert done.code == 2, done
    assert "--ping" in done.err
    assert not world.ledger.exists()


def test_the_api_is_no_monitor(world, rng):
    server = world.fal([row(uuid4(rng))])
    done = world.run("--ping", world.url + "/x", *OLD)
    assert done.code == 0, done
    assert "fal's own" in done.err
    assert not [r for r in server.requests if "/x/" in r.path]


@pytest.mark.parametrize("text", [
    "while true do end",
    "return (('a'):rep(30000)):find(('a*'):rep(30) .. 'b')",
    "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end"])
def test_a_policy_at_its_cap(world, monitor, text):
    """Lua cannot be asked any more, or is lost in the middle of a call."""
    world.fal([])
    done = world.lua(text, env={"FALRUN_PING": monitor.url,
                                "FALRUN_TURN_MS": 500})
    assert done.code == 9, done
    assert monitor.paths() == ["/check/start", "/check/9"]
    assert "exit code 9" in monitor.asked[1][1]


def test_an_interrupted_run(world, monitor):
    world.fal([])
    running = world.start(world.policy("fal.sleep '1h'"),
                          env={"FALRUN_PING": monitor.url})
    running.until(lambda: monitor.asked)
    time.sleep(0.5)
    running.signal(15)
    done = running.wait()
    assert done.code == 143, done
    assert monitor.paths() == ["/check/start", "/check/143"]
    assert "interrupted" in monitor.asked[1][1]


def test_another_run_holds_the_lock(world, monitor):
    world.fal([])
    first = world.start(world.policy("fal.sleep '1h'", "first.lua"))
    first.until(lambda: world.ledger.exists())
    time.sleep(1)
    done = world.lua("return", env={"FALRUN_PING": monitor.url})
    assert done.code == 6, done
    assert monitor.paths() == ["/check/6"]
    first.signal(15)
    first.wait()


def test_over_tls(world, rng):
    certificates(world.folder, "localhost", 2)
    monitor = Monitor(tls=world.folder)
    world.fal([row(uuid4(rng))])
    url = "https://localhost:%d/check" % monitor.server.server_port
    done = world.run("--ping", url, *OLD)
    assert done.code == 0 and monitor.asked == [], done
    assert done.err.count("did not arrive") == 2
    done = world.run("--ping", url, "--ca-file", world.folder / "ca.pem", *OLD)
    assert done.code == 0, done
    assert monitor.paths() == ["/check/start", "/check/0"]
    monitor.close()
