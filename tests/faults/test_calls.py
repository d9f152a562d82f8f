"""Every system call of a run fails, once or from then on: the run ends soon,
with a documented exit code, without a deletion that has no intent; and the
next run brings all to its end."""
import time

import pytest

from sweep import (DOCUMENTED, SHARDS, Position, Tally,  # noqa: F401
                   agree, chosen, field, needs_strace, split)

ERRORS = ("EIO", "ENOSPC", "EROFS", "EMFILE", "EINTR", "EAGAIN", "ENOMEM")
SHAPES = ("all", "loop", "recovery")
SAMPLE = 20
SOON_S = 90             # four waits of SQLite's for a lock, at most
# What cannot fail, or where the C library itself ends the process.
NEVER = {"exit_group", "execve", "futex", "rt_sigreturn", "brk", "mprotect"}
# What a lock of a file cannot say; SQLite waits ten seconds for each.
NO_LOCK = {"ENOSPC", "EROFS", "EMFILE", "ENOMEM"}


def errors_of(shape, number, call):
    """All errors for each call; locks and what lasts, now and then."""
    if call == "fcntl":
        if shape == "all" and number % 10 == 0:
            yield from (e for e in ERRORS if e not in NO_LOCK)
        return
    yield from ERRORS
    if number % 10 == 0:
        yield from (e + "+" for e in ERRORS if e not in ("EINTR", "EAGAIN"))


def places(shape, calls):
    return [Position(shape, *call, error)
            for number, call in enumerate(calls) if call[0] not in NEVER
            for error in errors_of(shape, number, call[0])]


def judge(field, shape, done):
    """What a run that met a fault owes whatever it met."""
    assert done.code in DOCUMENTED, done
    assert done.code == 0 or done.err.strip(), "it failed without a word"
    if done.code == 0:
        gone = [line["request_id"] for line in field.effects()]
        assert sorted(gone) == sorted(field.ids), done
        agree(field)
    else:
        field.after_crash()


@needs_strace
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("shape", SHAPES)
def test_a_call_fails(field, shape, shard):
    tally = Tally("calls %s %d" % (shape, shard))

    def strike(at):
        field.prepare(shape)
        error, plus = at.what.rstrip("+"), at.what[len(at.what.rstrip("+")):]
        began = time.monotonic()
        done = field.attacked(
            shape, "-e", "trace=" + at.call, "-e", "inject=%s:error=%s:"
            "when=%d%s" % (at.call, error, at.count, plus),
            timeout=SOON_S + 30)
        assert time.monotonic() - began < SOON_S, "it took too long"
        judge(field, shape, done)
        if done.code:                   # else there is nothing left to do
            field.recovers(shape)
        return "(INJECTED)" in field.traced(), done.code

    calls, main = field.record(shape)
    positions = chosen(places(shape, calls[main:]), SAMPLE, "calls " + shape)
    for at in split(positions, shard):
        tally.attempt(at, strike)
    tally.close()
