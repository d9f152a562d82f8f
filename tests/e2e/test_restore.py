"""The ledger copied while a run is on, put back later, and what an older one
means: docs/operations-guide.md says it, and here it is so."""
import sqlite3
import subprocess

import pytest

from conftest import OLDER, ledger_events

SIDES = ("", "-wal", "-shm")


def backup(world):
    copy = world.folder / "backup.db"
    subprocess.run(["sqlite3", str(world.ledger), ".backup '%s'" % copy],
                   check=True, timeout=30)
    return copy


def restore(world, copy):
    for side in SIDES:
        world.ledger.with_name(world.ledger.name + side).unlink(
            missing_ok=True)
    subprocess.run(["install", "-m", "600", str(copy), str(world.ledger)],
                   check=True)


def delete(world, ids, check=0):
    return world.run("delete", "-", stdin="\n".join(ids) + "\n", check=check)


def state(world, id):
    return [e["data"]["state"] for e in ledger_events(world.ledger)
            if e["kind"] == "outcome" and e["id"] == id]


@pytest.fixture
def restored(world, request):
    """Five deleted, copied, five more deleted, and the copy put back."""
    world.sandbox(requests=100, **getattr(request, "param", {}))
    world.ids = world.expired(endpoint="fal-ai/flux/dev")[:10]
    assert len(world.ids) == 10
    delete(world, world.ids[:5])
    copy = backup(world)
    delete(world, world.ids)
    world.points = world.folder / "points"
    world.points.write_text(world.run("verify", "--json", check=0).out)
    assert world.run("verify", "--checkpoint", world.points).code == 0
    restore(world, copy)
    return world


def deleted_once(world):
    deleted = [t["request_id"] for t in world.truths()
               if t["effect"] == "deleted"]
    assert len(deleted) == len(set(deleted))
    assert set(world.ids) <= set(deleted)


def test_a_younger_checkpoint_tells_of_it(restored):
    restored.run("verify", check=0)
    done = restored.run("verify", "--checkpoint", restored.points, check=8)
    assert "it was cut off" in done.err
    delete(restored, restored.ids)
    done = restored.run("verify", "--checkpoint", restored.points, check=8)
    assert "it was rewritten" in done.err


@pytest.mark.parametrize("restored", [
    {"second_delete": "empty"}, {"second_delete": "same"},
    {"second_delete": "404"}], indirect=True)
def test_a_policy_goes_on_as_if_nothing_had_been(restored):
    """What is listed still is asked for again, and nothing is failed."""
    restored.run(OLDER, check=0)
    deleted_once(restored)
    for id in restored.ids:
        assert state(restored, id)[-1] in ("deleted", "gone")


@pytest.mark.parametrize("restored", [
    {"second_delete": "404", "deleted_rows": "vanish"}], indirect=True)
def test_what_is_listed_no_more_is_not_asked_for(restored):
    restored.run(OLDER, check=0)
    deleted_once(restored)
    assert [state(restored, id) for id in restored.ids[5:]] == [[]] * 5


@pytest.mark.parametrize("restored", [{"second_delete": "404"}],
                         indirect=True)
def test_ids_by_hand_prove_nothing(restored):
    done = delete(restored, restored.ids, check=3)
    assert done.out.count("already_deleted") == 5
    assert [state(restored, id) for id in restored.ids[5:]] == [
        ["failed"]] * 5


def test_a_copy_of_a_ledger_in_use(world):
    """.backup while deletions are under way: the copy fits, and what was open
    in it is settled by the run that gets it."""
    world.sandbox(requests=200, latency="20ms")
    run = world.start(OLDER, "--concurrency", "2")
    run.until(lambda: len(world.truths()) >= 10)
    copy = backup(world)
    assert run.process.poll() is None, "it was in use"
    assert run.wait().code == 0
    whole = len(ledger_events(world.ledger))
    restore(world, copy)
    assert 0 < len(ledger_events(world.ledger)) < whole
    world.run("verify", check=0)
    world.run(OLDER, check=0)
    world.run("verify", check=0)
    deleted = [t["request_id"] for t in world.truths()
               if t["effect"] == "deleted"]
    assert len(deleted) == len(set(deleted))


def test_a_newer_format_is_refused(world):
    """Downgrade: exit code 8, and the file is as it was."""
    world.sandbox(requests=20)
    world.run(OLDER, check=0)
    base = sqlite3.connect(world.ledger)
    base.execute("PRAGMA user_version = 4")
    base.close()
    before = len(ledger_events(world.ledger))
    for command in ("verify", "history", OLDER):
        assert "newer falrun" in world.run(command, check=8).err
    assert len(ledger_events(world.ledger)) == before
