"""SIGTERM, SIGINT and SIGHUP anywhere in a run: nothing new is sent, what is
in flight is recorded, and the exit code says so. A second one ends at once.
SIGHUP is a SIGTERM of another name, exit code 143 too: the terminal went."""
import re
import time

import pytest

from sweep import (FULL, ONE, SHARDS, SIGNALS, Field, Position,  # noqa: F401
                   Tally, agree, by_signal, chosen, is_created,
                   needs_strace, rng, sampled, world)
from hostile import DELETED, Answer, row, uuid4  # sweep has its folder


# Of each shape, with one signal and with two.
ONE_SIGNAL, TWO_SIGNALS = (170, 60) if FULL else (8, 4)
LISTED = ("all", "loop", "recovery")
REQUEST_S = 3           # the time limit that the shapes set
CODES = {"TERM": 143, "INT": 130, "HUP": 143}
WATCHED = "sendto,read,epoll_wait,exit_group,"


@pytest.fixture
def slow(tmp_path):
    made = Field(tmp_path, latency="5ms-15ms")
    made.servers = []
    yield made
    made.close()


def places(field, shape, shard, sample):
    """Spread over the calls after main, signals in turn."""
    calls, main = field.record(shape)
    return spread(shape, calls[main:], shard, sample)


def spread(shape, calls, shard, sample):
    names = sorted(SIGNALS)
    found = [Position(shape, *call, names[i % 3])
             for i, call in enumerate(calls) if call[0] != "exit_group"]
    if ONE:
        return chosen(found, sample, "")
    return sampled(found, sample, "signals " + shape)[shard::SHARDS]


def strike_with(field, at, *second):
    """What became of it, and the trace, cut where a signal came."""
    field.prepare(at.shape)
    done = field.attacked(
        at.shape, "-e", "trace=write," + WATCHED + at.call, "-e",
        "inject=%s:signal=%s:when=%d" % (at.call, at.what, at.count),
        *second)
    return done, field.traced().split(" --- SIG")


def agree_with_history(field, shape, code):
    """Everything that was sent has its answer on record; what an earlier run
    left open may still be so. A signal may come before the ledger is there."""
    if not is_created(field):
        assert not field.truths()
        return
    earlier = shape == "recovery"
    agree(field, open_allowed=earlier)
    last = field.history()[0] if field.history() else {}
    if last.get("exit_code") is not None:
        assert last["exit_code"] == code, last
        assert last["summary"]["open"] == 0 or earlier and code, last
    else:
        assert earlier or not field.truths(), "the run has no end"


def sends(text):
    return text.count('"DELETE /v1')


def nothing_new(rest):
    """Of a trace from a signal on. The handler writes a byte that the loop's
    next turn reads: what that turn was about to send may still leave."""
    seen = re.search(r'read\(\d+, "\\\d+", 1\)', rest)
    assert seen, "the signal was not noticed\n" + rest[-2000:]
    before, after = rest[:seen.start()], rest[seen.end():]
    turns = len(re.findall(r"epoll_wait\(.*= [1-9]", before))
    assert turns <= 1, "it took %d turns\n%s" % (turns, before[-2000:])
    assert not sends(after), "sent after the signal\n" + after[-2000:]


@needs_strace
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("shape", LISTED)
def test_one_signal(slow, shape, shard):
    tally = Tally("signals %s %d" % (shape, shard))

    def strike(at):
        done, parts = strike_with(slow, at)
        name = at.what
        assert slow.took < REQUEST_S + 10 * usual, "it did not end soon"
        if done.code == -SIGNALS[name]:
            assert "DELETE" not in "".join(parts), "no handler, and it sends"
            slow.after_crash()
        elif done.code == CODES[name]:
            nothing_new(parts[1])
            agree_with_history(slow, at.shape, done.code)
        else:
            assert done.code == 0, done
            agree_with_history(slow, at.shape, 0)
        slow.recovers(shape)
        return len(parts) == 2, by_signal(done.code)

    positions = places(slow, shape, shard, ONE_SIGNAL)
    usual = slow.took
    for at in positions:
        tally.attempt(at, strike)
    tally.close()


@needs_strace
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("shape", LISTED)
def test_two_signals(slow, shape, shard):
    """The second, a SIGINT, comes while the handler works (it writes to a
    pipe) or while the loop waits for what is in flight: there is
    no other call any more than the one that ends the process."""
    tally = Tally("two signals %s %d" % (shape, shard))

    def strike(at):
        place = "%s:signal=INT:when=%d+" % (
            ("write", writes[at[1:3]]) if at in inside else
            ("epoll_wait", waits[at[1:3]]))
        done, parts = strike_with(slow, at, "-e", "inject=" + place)
        if len(parts) >= 3:
            last = re.match("[A-Z]+", parts[2]).group()
            assert done.code == CODES[last], done
            calls = [line for line in parts[2].splitlines()[1:]
                     if "+++" not in line
                     and "sigaltstack(NULL" not in line]  # the sanitizer's
            assert len(calls) == 1 and "exit_group" in calls[0], parts[2]
        slow.after_crash()
        slow.recovers(shape)
        return len(parts) >= 3, by_signal(done.code)

    calls, _ = slow.record(shape)
    waits, writes, so_far, written = {}, {}, 0, 0
    for call in calls:
        so_far += call[0] == "epoll_wait"
        written += call[0] == "write"
        waits[call], writes[call] = so_far + 2, written + 1
    caught = calls.index(("pipe2", 1)) + 8
    calls = [call for call in calls[caught:] if waits[call] <= so_far and
             call[0] not in ("epoll_wait", "write")]
    positions = spread(shape, calls, shard, TWO_SIGNALS)
    inside = set(positions[::2])
    for at in positions:
        tally.attempt(at, strike)
    tally.close(least=0.4)              # there may be nothing to wait for


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_a_missing_answer_is_waited_for_one_timeout(world, rng, name):
    """The sandbox always answers; here nobody does."""
    ids = [uuid4(rng) for _ in range(20)]
    server = world.fal([row(i) for i in ids],
                       delete=lambda r: Answer(200, DELETED, stall=60))
    run = world.start(world.policy("""
        fal.delete_all(fal.requests { endpoint_id = "auto" },
                       { timeout = "2s" })
    """))
    run.until(lambda: server.deletes)
    run.signal(SIGNALS[name])
    began = time.monotonic()
    time.sleep(0.3)
    count = len(server.deletes)
    done = run.wait()
    assert done.code == CODES[name], done
    assert time.monotonic() - began < 10        # the server takes 60
    assert len(server.deletes) == count
    world.run("verify", check=0)
