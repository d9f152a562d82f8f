"""Killed, interrupted, out of disk, damaged: the next run recovers, and
nothing is ever deleted without its record."""
import os
import resource
import signal
import sqlite3
import time

import pytest

from conftest import OLDER, agree, is_created, ledger_events
from hostile import DELETED, Answer, row, uuid4

LOOP = """
    for r in fal.requests { endpoint_id = "auto", older_than = "30d" } do
      fal.delete_payloads(r.request_id)
    end
"""


@pytest.mark.parametrize("moment", range(8))
def test_killed_and_run_again(world, rng, moment):
    world.sandbox(requests=150, latency="5ms-30ms", seed=moment)
    wanted = set(world.expired(endpoint="fal-ai/flux/dev"))
    words = [OLDER, "30d", "fal-ai/flux/dev"]
    run = world.start(*words, "--concurrency", str(rng.choice([1, 4, 16])))
    if moment < 2:
        time.sleep(rng.random() * 0.15)
    else:
        run.until(lambda: len(world.truths()) >= moment * 3 - 5)
        time.sleep(rng.random() * 0.02)
    run.process.kill()
    run.wait()
    if is_created(world):
        agree(world, open_allowed=True)
    else:
        assert world.truths() == []     # nothing without a record
    before = {t["request_id"] for t in world.effects()}
    done = world.run(*words, check=0)
    assert {t["request_id"] for t in world.effects()} == wanted, done
    assert len(world.truths()) == len(wanted)   # the rest was replayed
    agree(world)
    runs = world.history()
    assert runs[0]["exit_code"] == 0
    if len(runs) > 1 and before != wanted:      # else it may have ended
        assert runs[1].get("exit_code") is None


def test_killed_again_and_again(world, rng):
    world.sandbox(requests=200, latency="5ms-20ms", endpoints="a/b",
                  faults="drop-after@delete=0.1,500@delete=0.05",
                  second_delete="404")
    words = [OLDER, "30d", "a/b"]
    for _ in range(8):
        run = world.start(*words, "--concurrency", "4")
        before = len(world.truths())
        end = time.time() + 5
        while (len(world.truths()) < before + 8 and time.time() < end
               and run.process.poll() is None):
            time.sleep(0.005)
        time.sleep(rng.random() * 0.02)
        run.process.kill()
        run.wait()
        agree(world, open_allowed=True)
    for _ in range(5):
        if world.run(*words, timeout=60).code == 0:
            break
    world.run(*words, check=0)
    assert {t["request_id"] for t in world.effects()} == set(
        world.expired(endpoint="a/b"))
    agree(world)


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130),
                                         (signal.SIGTERM, 143)])
def test_interrupted_in_the_middle(world, number, code):
    world.sandbox(requests=200, latency="150ms", endpoints="a/b")
    words = [OLDER, "30d", "a/b"]
    run = world.start(*words, "--concurrency", "4")
    run.until(lambda: len(world.truths()) >= 6)
    run.signal(number)
    done = run.wait()
    assert done.code == code and "interrupted" in done.err
    agree(world)                        # what was in flight is recorded
    row = world.history()[0]
    assert row["exit_code"] == code
    assert row["summary"]["deleted"] == len(world.effects())
    assert row["summary"]["open"] == 0
    world.run(*words, check=0)
    agree(world)


def test_interrupted_imperative_loop_with_pcall(world):
    world.sandbox(requests=200, latency="30ms", endpoints="a/b")
    run = world.start(world.policy("""
        for r in fal.requests { endpoint_id = "a/b", older_than = "30d" } do
          pcall(fal.delete_payloads, r.request_id)
        end
    """))
    run.until(lambda: len(world.truths()) >= 4)
    run.signal(signal.SIGTERM)
    count = len(world.truths())
    assert run.wait().code == 143
    assert len(world.truths()) <= count + 2
    agree(world)


@pytest.mark.parametrize("first,second,code", [
    (signal.SIGINT, signal.SIGINT, 130), (signal.SIGTERM, signal.SIGTERM,
                                          143)])
def test_a_second_signal_ends_at_once(world, rng, first, second, code):
    id = uuid4(rng)
    server = world.fal(delete=lambda r: Answer(200, DELETED, stall=30))
    run = world.start("delete", id)
    run.until(lambda: server.deletes)
    run.signal(first)
    time.sleep(0.5)
    assert run.process.poll() is None   # it waits for the answer
    before = time.time()
    run.signal(second)
    assert run.wait().code == code
    assert time.time() - before < 2
    server.script["delete"] = None
    done = world.run(world.policy(""), check=0)
    assert "settled 1" in done.err
    assert len({r.key for r in server.deletes}) == 1


def test_settling_asks_holds_and_limits_again(world, rng):
    ids = [uuid4(rng) for _ in range(3)]
    server = world.fal(delete=lambda r: Answer(drop="before"))
    world.lua("""
        for _, id in ipairs(arg) do
          fal.delete_payloads(id, { retries = 0 })
        end
    """, *ids, check=3)
    server.script["delete"] = None
    count = len(server.deletes)
    world.run("hold", "add", ids[0], "--reason", "late", check=0)
    world.run(world.policy("", "empty.lua"), "--max-deletes", "1", check=4)
    assert len(server.deletes) == count         # the stop came before
    world.run(world.policy("", "empty.lua"), check=0)
    assert ids[0] not in [r.id for r in server.deletes[count:]]
    assert len(server.deletes) == count + 2
    told = world.run("explain", ids[0], "--json").json
    assert told["state"] == "open" and told["hold"]["reason"] == "late"
    world.run("plan", world.policy("", "empty.lua"), check=0)
    assert len(server.deletes) == count + 2     # a plan settles nothing


# ---- the disk --------------------------------------------------------------

def test_unwritable_place(world, rng):
    server = world.fal()
    for path in ("/proc/falrun/ledger.db", "/dev/null/ledger.db",
                 str(world.folder)):
        done = world.run("delete", uuid4(rng), "--ledger", path, check=8)
        assert path.rpartition("/")[0] in done.err and len(done.err.splitlines()) == 1, done
    assert not server.deletes


def test_ledger_is_a_fifo_or_link_to_nothing(world, rng):
    server = world.fal()
    fifo = world.folder / "fifo.db"
    os.mkfifo(fifo)
    world.own.add(fifo)
    done = world.run("delete", uuid4(rng), "--ledger", fifo, timeout=10)
    assert done.code == 8 and not server.deletes


def test_disk_full_before_the_first_intent(world, rng):
    server = world.fal([row(uuid4(rng)) for _ in range(50)])
    done = world.run(OLDER, limits={resource.RLIMIT_FSIZE: (16384, 16384)})
    assert done.code == 8, done
    assert not server.deletes


@pytest.mark.parametrize("size", [100, 140, 200, 260, 330])
def test_disk_full_in_the_middle(world, rng, size):
    """Whatever was sent has its intent, and the next run finishes."""
    ids = [uuid4(rng) for _ in range(400)]
    server = world.fal([row(i) for i in ids], page=100)
    policy = world.policy(LOOP)
    done = world.run(policy, limits={resource.RLIMIT_FSIZE:
                                     (size << 10, size << 10)}, timeout=60)
    assert done.code == 8, done
    known = {e["id"] for e in ledger_events(world.ledger)
             if e["kind"] == "intent"} if world.ledger.exists() else set()
    assert set(server.gone) <= known
    before = len(server.deletes)
    world.run(OLDER, check=0)
    assert set(server.gone) == set(ids)
    assert not server.overlaps
    repeats = len(server.gone) - len(set(server.gone))
    assert repeats <= before
    world.run("verify", check=0)


# ---- damage ----------------------------------------------------------------

def make_ledger(world, rng, count=40):
    server = world.fal([row(uuid4(rng)) for _ in range(count)])
    world.run(OLDER, check=0)
    server.rows += [row(uuid4(rng)) for _ in range(5)]
    return server, len(server.deletes)


def refused(world, server, count):
    done = world.run(OLDER, check=8)
    assert len(server.deletes) == count
    assert "ledger" in done.err
    assert done.err.strip().count("\n") <= 1, done
    return done


def test_garbage_for_a_ledger(world, rng):
    server, count = make_ledger(world, rng)
    for data in (os.urandom(50000), b"SQLite format 3\0" + os.urandom(8000),
                 b"x", b"\0" * 4096):
        world.ledger.write_bytes(data)
        refused(world, server, count)
        assert world.ledger.read_bytes() == data


def test_truncated_ledger(world, rng):
    server, count = make_ledger(world, rng)
    data = world.ledger.read_bytes()
    for size in (100, 4096, len(data) // 2, len(data) - 4096):
        world.ledger.write_bytes(data[:size])
        refused(world, server, count)


def test_an_empty_file_is_a_new_ledger_only_when_it_is_empty(world, rng):
    server = world.fal([row(uuid4(rng))])
    world.ledger.write_bytes(b"")
    world.run(OLDER, check=0)
    assert len(server.deletes) == 1


def test_another_programs_database(world, rng):
    server = world.fal([row(uuid4(rng))])
    base = sqlite3.connect(world.ledger)
    base.execute("CREATE TABLE mine(x)")
    base.commit()
    base.close()
    done = world.run(OLDER, check=8)
    assert "another program" in done.err and not server.deletes


@pytest.mark.parametrize("sql", [
    "UPDATE events SET data = replace(data, 'retention', 'retentioN') "
    "WHERE seq = 5",
    "DELETE FROM events WHERE seq = 7",
    "UPDATE events SET at_ms = at_ms + 1 WHERE seq = 3",
    "UPDATE deletions SET state = 'deleted' WHERE state = 'failed'",
    "DELETE FROM deletions",
    "UPDATE deletions SET state = 'open', outcome_seq = NULL",
    "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
    "INSERT INTO holds VALUES(zeroblob(16), 1, 'made up')",
])
def test_verify_finds_a_changed_past(world, rng, sql):
    server, _ = make_ledger(world, rng)
    server.script["delete"] = lambda r: Answer(400, {})
    world.run("delete", uuid4(rng), check=3)
    world.run("verify", check=0)
    base = sqlite3.connect(world.ledger)
    triggers = base.execute("SELECT name, sql FROM sqlite_master WHERE type "
                            "= 'trigger'").fetchall()
    for name, _ in triggers:
        base.execute("DROP TRIGGER " + name)
    base.execute(sql)
    for _, again in triggers:
        base.execute(again)
    base.commit()
    base.close()
    done = world.run("verify", "--json", check=8)
    assert done.json["ok"] is False


def test_a_flipped_byte_in_an_event(world, rng):
    server, count = make_ledger(world, rng)
    data = bytearray(world.ledger.read_bytes())
    at = data.find(b"retention: erased")
    data[at] ^= 1
    world.ledger.write_bytes(bytes(data))
    world.run("verify", check=8)
    refused(world, server, count)


def test_a_flipped_byte_in_the_last_event_stops_a_run(world, rng):
    server, count = make_ledger(world, rng)
    base = sqlite3.connect(world.ledger)
    base.execute("DROP TRIGGER events_never_change")
    base.execute("UPDATE events SET data = replace(data, '{', '{ ') WHERE "
                 "seq = (SELECT max(seq) FROM events)")
    base.commit()
    base.close()
    refused(world, server, count)


def test_ledger_is_append_only_through_sqlite(world, rng):
    make_ledger(world, rng)
    base = sqlite3.connect(world.ledger)
    with pytest.raises(sqlite3.DatabaseError):
        base.execute("UPDATE events SET data = '{}'")
    with pytest.raises(sqlite3.DatabaseError):
        base.execute("DELETE FROM events")
    base.close()


def test_a_newer_format_is_refused(world, rng):
    server, count = make_ledger(world, rng)
    base = sqlite3.connect(world.ledger)
    base.execute("PRAGMA user_version = 99")
    base.commit()
    base.close()
    done = refused(world, server, count)
    assert "newer" in done.err


def test_two_signals_at_once_are_one(world, rng):
    """timeout(1) signals the program, and then its whole group, which is no
    second wish."""
    server = world.fal(delete=lambda r: Answer(
        200, {"cdn_delete_results": []}, stall=1))
    id = uuid4(rng)
    run = world.start("delete", id)
    run.until(lambda: server.deletes)
    run.signal(signal.SIGTERM)
    time.sleep(0.003)
    run.signal(signal.SIGTERM)
    done = run.wait()
    assert done.code == 143 and "interrupted" in done.err, done
    assert world.outcomes() == {id: "deleted"}


def test_a_404_to_another_key_is_not_gone(world, rng):
    """What a killed run left open is asked again with the key of another
    account, which knows no request of the first."""
    server = world.fal(delete=lambda r: Answer(drop="before", stall=30))
    id = uuid4(rng)
    run = world.start("delete", id)
    run.until(lambda: server.deletes)
    run.process.kill()
    run.process.wait()
    server.script["delete"] = lambda r: Answer(404, {"error": {
        "type": "not_found", "message": "no such request"}})
    policy = world.policy("")
    other = {"FAL_ADMIN_KEY": "admin-other:" + "0" * 32}
    done = world.run(policy, env=other, check=3)
    assert "left open 1" in done.err
    explain = world.run("explain", id, "--json", check=0).json
    assert explain["state"] == "open", explain
    world.run(policy, check=0)
    explain = world.run("explain", id, "--json", check=0).json
    assert explain["state"] == "gone" and len(server.deletes) >= 3, explain
    world.run("verify", check=0)
