"""falrun status, history and show: what they say, in which form, and whether
it fits the screen."""
import signal
import time

from conftest import OLDER, ms_of
from watching import Screen, fits


def test_a_ledger_that_is_not_there(world):
    done = world.run("status", check=0, key=False)
    assert "no runs yet" in done.out and "overdue   nothing" in done.out
    assert not world.ledger.exists()
    state = fits(world.run("status", "--json", check=0).json, "status")
    assert state["ledger"]["there"] is False and state["jobs"] == []


def test_every_form_is_as_documented(world):
    """After good runs and bad ones, a hold, a change, and a run that was
    killed."""
    world.sandbox(requests=300, faults="cdn-exception@delete=0.3")
    ids = world.expired()
    world.run("hold", "add", ids[0], "--reason", "case 7", check=0)
    world.run(world.policy("""
        return fal.policy { name = "p", reason = "r",
          select = fal.requests { endpoint_id = "auto", older_than = "60d" },
        }"""), check=3)
    world.run(world.policy("error 'x'", "bad.lua"), check=1)
    world.run("delete", ids[0], "--reason", "by hand", check=0)
    killed = world.start(OLDER, "--rate", "30/s")
    killed.until(lambda: len(world.history()[0].get("policy", "")) > 0
                 and world.run("status", "--json", check=0).json["open"][
                     "count"] > 0)
    killed.process.kill()
    killed.process.wait()
    runs = fits(world.history(), "history")
    assert len(runs) == 4 and "exit_code" not in runs[0]
    for run in runs:
        fits(world.show(str(run["run"])), "show")
    for words in (["1"], ["--since", "1d"]):
        fits(world.run("report", *words, "--json", check=0).json, "report")
    state = fits(world.run("status", "--json", check=0).json, "status")
    jobs = {(j["command"], j.get("policy", "").split("/")[-1]): j
            for j in state["jobs"]}
    assert set(jobs) == {("run", "policy.lua"), ("run", "bad.lua"),
                         ("delete", ""), ("run", "older-than.lua")}
    assert jobs["run", "policy.lua"]["last_run"]["exit_code"] == 3
    assert "last_success_at" in jobs["delete", ""]
    assert "last_success_at" not in jobs["run", "bad.lua"]
    assert state["holds"] == 1 and state["residue_files"] > 0
    assert state["open"]["count"] == state["debt"]["open"] > 0
    partial = sum(outcome == "partial" for outcome in world.outcomes(
        "1").values())
    again = state["requests"]           # the last run had announced some anew
    assert again.get("partial", 0) + again["open"] >= partial
    verified = world.run("verify", "--json", check=0).json
    assert state["ledger"]["head"] == verified["head"]
    assert state["ledger"]["events"] == verified["events"]
    assert state["ledger"]["id"] == verified["ledger"]


def test_it_is_true_while_a_run_is_on(world):
    world.sandbox(requests=300)
    run = world.start(OLDER, "--rate", "20/s")
    run.until(lambda: len(world.truths()) > 3)
    state = fits(world.run("status", "--json", check=0).json, "status")
    assert state["running"] == run.pid
    assert "running   process %d" % run.pid in world.run("status").out
    run.signal(signal.SIGTERM)
    assert run.wait().code == 143
    state = fits(world.run("status", "--json", check=0).json, "status")
    assert "running" not in state and state["open"]["count"] == 0
    last = state["jobs"][0]["last_run"]
    assert last["exit_code"] == 143 and last["seconds"] >= 0
    assert ms_of(last["began_at"]) / 1000 > time.time() - 60


def test_tables_fit_the_terminal(world):
    world.sandbox(requests=120)
    long = world.policy("", "a-name-of-some-length-%s.lua" % ("x" * 60))
    ids = world.expired(older="70d")
    world.run(long, check=0)
    world.run("delete", *ids[1:4], check=0)
    for columns in (80, 100, 160):
        for words in (["status"], ["history"], ["show", "last"]):
            screen = Screen(world, columns, *words, env={"NO_COLOR": "1"})
            assert screen.code == 0
            lines = [line.rstrip() for line in screen.left()
                     if not line.startswith(("head", "ledger", "policy",
                                             "options", "sha256"))]
            wide = [line for line in lines if len(line) > columns]
            assert not wide, (columns, wide)
    assert "..." in Screen(world, 80, "status").text
    reason = "a reason of some length, given to every one of them"
    world.run("delete", ids[0], "--reason", reason, check=0)
    assert reason in world.run("show", "last", check=0).out
    narrow = Screen(world, 80, "show", "last", env={"NO_COLOR": "1"})
    assert reason not in narrow.text and "a rea..." in narrow.text


def test_a_check_for_monitoring(world):
    world.sandbox(requests=60)
    done = world.run("status", "--max-age", "26h", "-q", check=3)
    assert "the ledger has no run of a policy" in done.err
    world.run(OLDER, check=0)
    done = world.run("status", "--max-age", "26h", "-q", check=0)
    assert done.out == done.err == ""
    bad = world.policy("error 'x'", "bad.lua")
    world.run(bad, check=1)
    done = world.run("status", "--max-age", "26h", "-q", check=3)
    assert "%s: no run of it ended well" % bad in done.err
    world.run("status", OLDER, "--max-age", "26h", check=0)
    time.sleep(1.2)
    done = world.run("status", OLDER, "--max-age", "1s", check=3)
    assert "its last success is 1s ago" in done.err or "2s ago" in done.err
    assert OLDER in done.out and bad not in done.out
    done = world.run("status", "none.lua", "--max-age", "26h", check=3)
    assert "none.lua: the ledger has no run of it" in done.err
    done = world.run("status", "--max-age", "26", check=2)
    assert "write a duration with its unit" in done.err


SYSTEMCTL = '''#!/bin/sh
case "$*" in *--user*) exit 1 ;; esac
cat <<END
Id=falrun-older.timer
NextElapseUSecRealtime=@%d
Unit=falrun-older.service

Id=falrun-older.service
ExecStart={ path=/usr/bin/falrun ; argv[]=/usr/bin/falrun --quiet %s ; a=b }

Id=falrun-other.timer
NextElapseUSecRealtime=
Unit=falrun-other.service

Id=falrun-other.service
ExecStart={ path=/usr/bin/falrun ; argv[]=/usr/bin/falrun %s.lua ; a=b }
END
'''


def test_the_next_run_by_systemd(world):
    world.sandbox(requests=30)
    world.run(OLDER, check=0)
    tools = world.folder / "tools"
    tools.mkdir()
    at = int(time.time()) + 2 * 3600 + 30
    (tools / "systemctl").write_text(SYSTEMCTL % (at, OLDER, OLDER))
    (tools / "systemctl").chmod(0o755)
    env = {"PATH": "%s:/usr/bin:/bin" % tools}
    state = fits(world.run("status", "--json", env=env, check=0).json,
                 "status")
    assert ms_of(state["jobs"][0]["next_at"]) == at * 1000
    assert "in 2h" in world.run("status", env=env, check=0).out
    (tools / "systemctl").write_text("#!/bin/sh\nexit 1\n")
    assert "NEXT" not in world.run("status", env=env, check=0).out


def test_it_needs_no_key_and_takes_no_lock(world):
    world.sandbox(requests=60)
    world.run(OLDER, check=0)
    before = world.ledger.read_bytes()
    world.run("status", key=False, env={"FALRUN_API_URL": None}, check=0)
    assert world.ledger.read_bytes() == before
