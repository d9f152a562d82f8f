"""SIGKILL at every system call of a run of twenty requests, and of the run
that recovers: each pair of call and count. The next run settles it (I9)."""
import pytest

from sweep import (FULL, ONE, SHARDS, Position, Tally, chosen,  # noqa: F401
                   field, needs_strace, split)

SAMPLE = {"all": 20, "loop": 14, "recovery": 20}


@needs_strace
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("shape", sorted(SAMPLE))
def test_killed_at_every_call(field, shape, shard):  # noqa: F811
    calls, main = field.record(shape)
    if not FULL and not ONE:
        calls = calls[main:]            # before main there is little to see
    positions = [Position(shape, *call, "KILL") for call in calls]
    tally = Tally("kill %s %d" % (shape, shard))

    def strike(at):
        field.prepare(shape)
        done = field.attacked(shape, "-e", "trace=" + at.call, "-e",
                              "inject=%s:signal=KILL:when=%d" % at[1:3])
        assert done.code in (0, -9), done
        field.after_crash()
        field.recovers(shape)
        return done.code == -9, done.code

    for at in split(chosen(positions, SAMPLE[shape], "kill " + shape), shard):
        tally.attempt(at, strike)
    tally.close()
