"""I1 at the system calls: no byte of a DELETE leaves the process before the
row that announces it is synced. strace tells the order of writes to the
ledger, syncs, and sends."""
import re
import shutil
import subprocess

import pytest

from hostile import Answer, uuid4

CALLS = ("pwrite64,write,writev,pwritev,fdatasync,fsync,sendto,sendmsg,"
         "ftruncate")
LINE = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(\d+<([^>]*)>(.*)$", re.S)
QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


def parse(path):
    """(call, path of the descriptor, bytes) for each call, in order."""
    calls = []
    for line in open(path, encoding="latin-1"):
        assert "resumed>" not in line, "calls of two threads are mixed"
        found = LINE.match(line)
        if not found:
            continue
        name, target, rest = found.groups()
        if "\\x" in target:
            target = unhex(target).decode("latin-1")
        parts = QUOTED.findall(rest)
        assert not any(cut for _, cut in parts), "strace cut a string"
        calls.append((name, target, b"".join(unhex(p) for p, _ in parts)))
    return calls


def sent_too_early(calls, ids):
    """The ids whose DELETE left before their intent was synced, and how many
    left at all."""
    written, synced, early, sent = set(), set(), [], set()
    for name, target, data in calls:
        if name in ("fdatasync", "fsync"):
            if target.endswith("-wal"):
                synced |= written
        elif target.endswith("-wal"):
            for id in ids:
                raw = bytes.fromhex(id.replace("-", ""))
                at = data.find(raw)
                if at >= 0 and b'"key":"falrun-' + id.encode() in data:
                    written.add(id)
        else:
            for id in ids:
                if b"DELETE /v1/models/requests/" + id.encode() in data:
                    sent.add(id)
                    if id not in synced:
                        early.append(id)
    return early, sent


@pytest.fixture
def traced(world):
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed: the order of syncs and sends "
                    "was NOT checked")
    probe = subprocess.run([strace, "-o", "/dev/null", "true"],
                           capture_output=True)
    if probe.returncode:
        pytest.skip("ptrace is not permitted: the order of syncs and sends "
                    "was NOT checked")
    trace = world.folder / "trace"
    world.own.add(trace)                # it holds what was sent, the key too

    def run(*words):
        world.run(*words, timeout=100, check=0, env={
            "ASAN_OPTIONS": "detect_leaks=0"}, prefix=[
            strace, "-f", "-y", "-xx", "-s", "300000", "-e",
            "trace=" + CALLS, "-o", str(trace)])
        return parse(trace)
    return run


SHAPES = {
    "delete": None,
    "delete_all": "fal.delete_all(arg)",
    "loop": "for _, id in ipairs(arg) do assert(fal.delete_payloads(id)) end",
    "each": """fal.each(arg, function(id)
                 fal.sleep(("%dms"):format(1 + #id * _ENV.math.random(0, 2)))
                 assert(fal.delete_payloads(id))
               end, { concurrency = 8 })""",
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_no_delete_before_its_intent_is_synced(world, rng, traced, shape):
    ids = [uuid4(rng) for _ in range(100)]
    server = world.fal(delete=lambda r: Answer(
        200, {"cdn_delete_results": []}, stall=0.001))
    head = (["delete"] if shape == "delete" else
            [world.policy(SHAPES[shape])])
    calls = traced(*head, *ids)
    early, sent = sent_too_early(calls, ids)
    assert not early
    assert sent == set(ids) == {r.id for r in server.deletes}
    # This test can fail: without the syncs, or before the writes.
    blind = [c for c in calls if c[0] not in ("fdatasync", "fsync")]
    assert len(sent_too_early(blind, ids)[0]) == 100
    assert sent_too_early(calls[::-1], ids)[0]


def test_a_second_generation_is_announced_too(world, rng, traced):
    """The same 5xx twice: the new key is in the ledger before it is sent."""
    from hostile import error
    id = uuid4(rng)
    server = world.fal(delete=[error(500), error(500)])
    calls = traced("delete", id)
    keys = [r.key for r in server.deletes]
    assert len(set(keys)) == 2
    synced = generations = 0
    for name, target, data in calls:
        if target.endswith("-wal") and b'"generation":' in data:
            generations += 1
        elif target.endswith("-wal") and name == "fdatasync":
            synced = generations
        elif keys[-1].encode() in data and b"DELETE /" in data:
            assert synced, "a new generation was sent before its record"
            return
    raise AssertionError("the new generation was not seen on the wire")
