"""Changes that are no deletion, under faults: what the server was sent is held
against what the ledger says. The server counts; the program only claims."""
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading

import pytest

import hostile
from conftest import ledger_events
from hostile import Answer
from test_sync_before_send import CALLS, parse

ID = "019e6d0a-e5be-7b82-b329-35ae64296902"
CREATE = ("call", "compute.create", "instance_type=gpu_1x_h100_sxm5",
          "ssh_key=ssh-rsa A")
ONCE = ("call", "keys.create", "alias=x")       # it takes no key
INSTANCE = {"id": "i-1", "instance_type": "gpu_1x_h100_sxm5",
            "status": "provisioning", "region": "us-west", "ip": None,
            "creator_user_nickname": "a", "sector": None}
MADE = {"key_id": "k", "key_secret": "s", "alias": "x",
        "key": "k:s"}


def server_of(world, *answers, otherwise=None):
    left = list(answers)

    def handle(_):
        return left.pop(0) if left else otherwise or Answer(200, {})
    server = hostile.Server(handle)
    world.servers.append(server)
    world.url = server.url
    return server


def sent(server):
    return [r for r in server.requests if r.method != "GET"]


def changes(world):
    """(operation, state) of each change, as the tables say; they must be what
    the events add up to."""
    base = sqlite3.connect("file:%s?mode=ro" % world.ledger, uri=True)
    try:
        rows = base.execute(
            "SELECT json_extract(e.data, '$.operation'), c.state"
            "  FROM changes c JOIN events e ON e.seq = c.seq"
            " ORDER BY c.seq").fetchall()
    finally:
        base.close()
    world.run("verify", check=0)
    return rows


# ---- answers ----

def test_without_an_answer_it_is_unknown_and_left_once(world):
    server = server_of(world, Answer(drop="before"))
    done = world.run(*ONCE, check=3)
    assert "it may have happened" in done.err and len(sent(server)) == 1
    assert changes(world) == [("keys.create", "unknown")]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_5xx_without_a_key_is_unknown(world, status):
    server = server_of(world, hostile.error(status))
    world.run(*ONCE, check=3)
    assert len(sent(server)) == 1
    assert changes(world) == [("keys.create", "unknown")]


def test_half_an_answer_is_unknown(world):
    server = server_of(world, Answer(201, MADE, drop="middle"))
    world.run(*ONCE, check=3)
    assert len(sent(server)) == 1
    assert changes(world) == [("keys.create", "unknown")]


def test_a_repeat_has_the_same_key(world):
    server = server_of(world, Answer(drop="before"), hostile.error(500),
                       Answer(201, INSTANCE))
    world.run(*CREATE, check=0)
    keys = {r.key for r in sent(server)}
    assert len(sent(server)) == 3 and len(keys) == 1 and None not in keys
    assert changes(world) == [("compute.create", "done")]
    assert ledger_events(world.ledger)[-2]["data"]["evidence"] == "replayed"


def test_the_same_5xx_again_is_not_tried_under_another_key(world):
    server = server_of(world, otherwise=hostile.error(500))
    world.run(*CREATE, check=3)
    assert len({r.key for r in sent(server)}) == 1
    assert 1 < len(sent(server)) <= 5
    assert changes(world) == [("compute.create", "unknown")]


def test_a_refused_key_ends_the_run(world):
    server = server_of(world, hostile.error(401))
    done = world.lua('for i = 1, 3 do\n'
                     '  local r, err = fal.keys.create { alias = "x" }\n'
                     '  print(r and r.status or err.status)\nend', check=5)
    assert done.out.split() == ["failed", "refused", "refused"]
    assert len(sent(server)) == 1
    assert changes(world) == [("keys.create", "refused")]


def test_where_fal_cannot_be_reached_it_is_for_later(world):
    server = server_of(world)
    server.close()
    done = world.run(*ONCE, check=7)
    assert done.json["status"] == "failed" and done.json["attempts"] == 0
    assert changes(world) == [("keys.create", "unsent")]


# ---- killed, interrupted ----

def killed(world, words, number=signal.SIGKILL):
    """Ends the program while its change is at the server."""
    there, go_on = threading.Event(), threading.Event()

    def handle(_):
        if go_on.is_set():
            return Answer(204, "")
        there.set()
        go_on.wait(20)
        return Answer(201, MADE)
    server = hostile.Server(handle)
    world.servers.append(server)
    world.url = server.url
    running = world.start(*words)
    running.until(there.is_set)
    running.signal(number)
    if number == signal.SIGKILL:
        running.process.wait()
    go_on.set()
    return server, running


def test_a_killed_run_is_told_once_and_never_repeated(world):
    server, running = killed(world, ONCE)
    assert running.process.returncode == -signal.SIGKILL
    assert changes(world) == [("keys.create", "open")]
    assert "open" in world.run("show", "last", check=0).out
    done = world.run("call", "assets.tags.create", "name=t", "--dry-run",
                     check=0)                       # a plan closes nothing
    assert "unknown" not in done.err
    done = world.run("call", "keys.delete", "key_id=k", "--yes", check=0)
    assert "1 change of a run that was killed (run 1)" in done.err
    assert changes(world) == [("keys.create", "unknown"),
                              ("keys.delete", "done")]
    assert [r.method for r in sent(server)] == ["POST", "DELETE"]
    done = world.run("call", "keys.delete", "key_id=k", "--yes", check=0)
    assert "that was killed" not in done.err
    assert "keys.create" in world.run("show", "1", check=0).out


def test_a_run_of_a_policy_tells_it_too(world):
    killed(world, ONCE)
    done = world.run("run", world.policy("print(1)"), check=0)
    assert "1 change of a run that was killed" in done.err
    assert changes(world) == [("keys.create", "unknown")]


def test_an_interrupt_waits_for_the_answer(world):
    _, running = killed(world, ONCE, signal.SIGTERM)
    assert running.wait().code == 143
    assert changes(world) == [("keys.create", "done")]


def test_max_runtime_ends_the_repeats(world):
    server = server_of(world, otherwise=Answer(
        429, {}, headers=[("Retry-After", "30")]))
    world.run(*CREATE, "--max-runtime", "1s", check=7)
    assert len(sent(server)) == 1
    assert changes(world) == [("compute.create", "failed")]


# ---- the ledger ----

def test_a_full_disk_ends_the_changes(world):
    server = server_of(world, otherwise=Answer(204, ""))
    policy = world.policy(
        'for i = 1, 200 do\n'
        '  local r, err = fal.keys.delete { key_id = "k" .. i }\n'
        '  print(r and r.status or err.status)\nend')
    done = world.run(policy, "--yes",
                     limits={resource.RLIMIT_FSIZE: (160000, 160000)})
    assert done.code == 8, done
    told, rows = done.out.split(), changes(world)
    assert 2 < len(sent(server)) < 200
    assert len(sent(server)) == len(rows)       # none without a record
    assert [s for _, s in rows if s == "done"] == \
        [s for s in told if s == "done"]        # no "done" that is not there
    assert told[-1] == "refused"


def test_no_byte_leaves_before_the_sync(world):
    strace = shutil.which("strace")
    if not strace or subprocess.run([strace, "-o", "/dev/null", "true"],
                                    capture_output=True).returncode:
        pytest.skip("strace cannot be used: the order of the sync and the "
                    "send was NOT checked")
    trace = world.folder / "trace"
    world.own.add(trace)
    server_of(world, Answer(204, ""))
    world.run("call", "keys.delete", "key_id=k", "--yes", timeout=100, check=0,
              env={"ASAN_OPTIONS": "detect_leaks=0"}, prefix=[
                  strace, "-f", "-y", "-xx", "-s", "300000", "-e",
                  "trace=" + CALLS, "-o", str(trace)])
    order = []
    for name, target, data in parse(trace):
        if name in ("fdatasync", "fsync") and target.endswith("-wal"):
            order.append("sync")
        elif target.endswith("-wal") and b'"operation":"keys.delete"' in data:
            order.append("write")
        elif b"DELETE /v1/keys/k" in data:
            order.append("send")
    assert order.count("send") == 1
    first = order.index("write")
    assert "sync" in order[first:order.index("send")]


# ---- nothing is sent ----

def test_payloads_are_not_deleted_by_another_way(world):
    server = server_of(world)
    done = world.lua('fal.keys.delete { key_id = "../models/requests/%s/'
                     'payloads" }' % ID, "--yes")
    assert done.code in (1, 2), done
    assert sent(server) == []


POLICY = ('local r, err = fal.assets.tags.create { name = "t" }\n'
          'print(r and r.status or err.status)')


@pytest.mark.parametrize("words", [("plan",), ("run", "--dry-run"),
                                   ("run", "--dry-run", "--read-only"),
                                   ("plan", "--read-only")])
def test_a_plan_sends_nothing(world, words):
    server = server_of(world)
    done = world.run(words[0], *words[1:], world.policy(POLICY), check=0)
    assert "planned" in done.out + done.err
    assert sent(server) == [] and not world.ledger.exists()


def test_check_sends_nothing(world):
    server = server_of(world)
    world.run("check", world.policy(POLICY))
    assert server.requests == []


def test_simulate_and_test_send_nothing(world):
    server = server_of(world)
    path = world.policy(POLICY)
    world.run("simulate", path, "--from", "2026-01-01", "--to", "2026-01-02")
    (world.folder / "policy_test.lua").write_text(
        'local t = require "testing"\n' + POLICY)
    world.run("test", str(world.folder / "policy_test.lua"))
    assert sent(server) == []
    assert not world.ledger.exists()


@pytest.mark.parametrize("words, env", [
    (("--read-only",), {}), ((), {"FALRUN_READ_ONLY": "1"})])
def test_read_only_starts_nothing_that_changes(world, words, env):
    server = server_of(world)
    path = world.policy(POLICY)
    plan = world.folder / "plan.json"
    plan.write_text("{}")
    for command in (("run", path), (path,), ("delete", ID),
                    ("apply", str(plan)), ONCE):
        done = world.run(*command, *words, env=env, check=2)
        assert "nothing was sent" in done.err, done
        assert ("--read-only" if words else "FALRUN_READ_ONLY") in done.err
    assert server.requests == [] and not world.ledger.exists()


def test_read_only_reads(world):
    server_of(world, Answer(200, {"tags": []}))
    world.run("call", "assets.tags.list", "--read-only")
    world.fal(rows=[hostile.row(ID)])
    world.run("requests", "--endpoint", "fal-ai/flux/dev", "--read-only")
    world.run("hold", "add", ID, "--reason", "case 7", "--read-only",
              check=0)                  # a hold is of the ledger, not of fal


def test_read_only_may_be_switched_off(world):
    server = server_of(world, Answer(204, ""))
    world.run("call", "keys.delete", "key_id=k", "--yes",
              env={"FALRUN_READ_ONLY": "0"}, check=0)
    assert len(sent(server)) == 1


# ---- what is told ----

def test_show_explain_and_history_tell(world):
    server_of(world, Answer(204, ""), Answer(drop="before"))
    world.run("call", "keys.delete", "key_id=k", "--yes", "--reason",
              "ticket 7", check=0)
    world.run(*ONCE, check=3)
    shown = world.run("show", "1", check=0).out
    assert "keys.delete" in shown and "ticket 7" in shown
    assert "changed 1" in shown
    change = world.run("show", "1", "--json", check=0).json["changes"][0]
    assert change["operation"] == "keys.delete"
    assert change["state"] == "done" and change["reason"] == "ticket 7"
    assert change["irreversible"] and change["at"] and change["ended_at"]
    assert change["http_status"] == 204
    shown = world.run("show", "last", check=0).out
    assert "unknown" in shown and "not changed 1" in shown
    rows = world.run("history", "--json", check=0).json
    assert [r["changes"][0]["state"] for r in rows] == ["unknown", "done"]
    assert rows[1]["changes"][0]["target"] == "key_id k"


# ---- about a request ----

ROWS = """
return {
  { name = "models.touch", method = "POST", path = "/models/touch",
    key = "api", doc = "touches a request", changes = "irreversible",
    stands = { 204 }, params = { { name = "request_id", place = "query",
      type = "string", required = true, doc = "which" } } },
  { name = "models.sneak", method = "DELETE", changes = "reversible",
    path = "/models/requests/{id}/payloads", key = "admin",
    doc = "deletes by another way", stands = { 204 }, params = {
      { name = "id", place = "path", type = "string", required = true,
        doc = "which" } } },
}
"""


@pytest.fixture
def rows(world):
    folder = world.folder / "more" / "fal" / "operations"
    folder.mkdir(parents=True)
    (folder / "meta.lua").write_text(ROWS)
    return {"FALRUN_PATH": str(world.folder / "more")}


def test_explain_tells_what_was_changed_about_a_request(world, rows):
    server = server_of(world, Answer(204, ""), Answer(drop="before"))
    touch = ("call", "models.touch", "request_id=" + ID, "--yes")
    world.run(*touch, "--reason", "ticket 7", env=rows, check=0)
    world.run(*touch, env=rows, check=3)
    lines = world.run("explain", ID, check=0).out.splitlines()
    story = [line.split(None, 2)[2] for line in lines if "change" in line]
    assert [line.split("  ")[0] for line in story] == [
        "change", "change done", "change", "change unknown"], lines
    assert "models.touch" in story[0] and "ticket 7" in story[0]
    events = world.run("explain", ID, "--json", check=0).json["events"]
    assert [e["kind"] for e in events] == ["change", "change_outcome"] * 2
    assert len(sent(server)) == 2


def test_a_hold_forbids_what_cannot_be_undone(world, rows):
    server = server_of(world, Answer(204, ""))
    world.run("hold", "add", ID, "--reason", "case 7", check=0)
    done = world.run("call", "models.touch", "request_id=" + ID, "--yes",
                     env=rows)
    assert done.code == 0 and "a hold covers" in done.err, done  # as a held
    assert done.json["status"] == "refused"                      # deletion
    assert sent(server) == [] and changes(world) == []


def test_no_row_deletes_payloads(world, rows):
    server = server_of(world)
    done = world.run("call", "models.sneak", "id=" + ID, env=rows)
    assert done.code != 0 and "falrun delete" in done.err, done
    done = world.lua('fal.models.sneak { id = "%s" }' % ID, env=rows)
    assert done.code == 1 and "falrun delete" in done.err, done
    assert sent(server) == []
