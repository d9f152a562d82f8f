"""The clock of this machine is wrong, jumps during the run, crosses a change
to or from summer time, or stood still while the machine slept: a safety stop
before the first deletion, or right ages, and no key that fal has forgotten.

libfaketime lies to falrun about the time; the server says the true one.
"""
import glob
import os
import random
import signal
import time

import pytest

from sweep import FULL, SEED, conftest, rng, world  # noqa: F401
from hostile import DELETED, Answer, Fal, row, uuid4, uuid7  # by sweep

LIBRARY = (glob.glob("/usr/lib/*/faketime/libfaketime.so.1") + [None])[0]
with open(conftest.PROGRAM, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
pytestmark = pytest.mark.skipif(
    not LIBRARY or SANITIZED, reason="libfaketime is missing, or the program "
    "has sanitizers: NO clock was changed")

DAY, MONTH = 86400, 30 * 86400
HOUR, MINUTE, YEAR = 3600, 60, 365 * 86400
SIZES = (HOUR, 6 * HOUR, DAY, 8 * DAY, MONTH, YEAR, 10 * YEAR)
SKEWS = [sign * size for size in SIZES for sign in (1, -1)]
KEY_S = 600             # so long fal answers the same to the same key


def some(*cases):
    """All of them in full form, else a third."""
    few = random.Random(SEED).sample(cases, (len(cases) + 2) // 3)
    return cases if FULL else few


LOOP = """
    local old = {}
    for r in fal.requests { endpoint_id = "a/b", older_than = "30d" } do
      old[#old + 1] = r
    end
    for _, r in ipairs(old) do
      fal.delete_payloads(r.request_id, { timeout = "3s" })
    end
"""


class Truth(Fal):
    """Knows the true time, `ahead` seconds from this process's, and acts on
    it: ages of rows, Date, and how old a key may be."""

    filters = True

    def __init__(self, dice, ahead=0):
        self.ahead, self.keys, self.stale = ahead, {}, []
        self.ages = {uuid4(dice): age for age in (
            90 * DAY, 45 * DAY, 31 * DAY, MONTH + 10 * MINUTE,
            MONTH - 10 * MINUTE, 29 * DAY, 2 * DAY, HOUR)}
        self.on_delete = lambda count: None
        super().__init__([row(id, age - ahead, "a/b")
                          for id, age in self.ages.items()])

    def now(self):
        return time.time() + self.ahead

    def _handle(self, request):
        answer = super()._handle(request)
        if request.id:
            since = self.keys.setdefault(request.key, self.now())
            if self.now() - since > KEY_S:
                self.stale.append(request.key)
            answer = self.on_delete(len(self.deletes)) or answer
        answer.date = self.ahead
        return answer

    def right(self):
        return {id for id, age in self.ages.items() if age >= MONTH}


class Machine:
    """This machine's clock, as falrun sees it."""

    def __init__(self, world, start=0):
        self.file = world.folder / "clock"
        self.set(start)
        self.env = {"LD_PRELOAD": LIBRARY, "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_TIMESTAMP_FILE": str(self.file),
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, seconds):
        """In one step: falrun may look at any moment."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text("%+d\n" % seconds)
        os.replace(fresh, self.file)


def serve(world, server):
    world.servers.append(server)
    world.url = server.url
    return server


def settled(server, done, world):
    """What a run may have done, whatever the clock said."""
    assert done.code in (0, 3, 4), done
    assert set(server.gone) <= server.right(), "too young for the rule"
    assert not server.stale, "a key that fal has forgotten was sent again"
    assert not server.overlaps
    if done.code == 0:
        assert set(server.gone) == server.right(), done
    world.run("verify", check=0)


@pytest.mark.parametrize("skew", some(*SKEWS))
def test_wrong_all_the_time(world, rng, skew):  # noqa: F811
    server = serve(world, Truth(rng))
    machine = Machine(world, skew)
    for words in ([world.policy(LOOP)], ["plan", world.policy(LOOP)],
                  ["delete", uuid4(rng)],
                  ["delete", uuid7(rng, 12 * HOUR)]):
        done = world.run(*words, env=machine.env)
        # Before 2021 there is no window that could be asked for.
        assert done.code == 4 or skew == -10 * YEAR and done.code == 1, done
        assert "clock" in done.err, done
    assert not server.deletes


@pytest.mark.parametrize("skew", some(-240, -60, 60, 240))
def test_a_little_wrong(world, rng, skew):  # noqa: F811
    server = serve(world, Truth(rng))
    machine = Machine(world, skew)
    done = world.run(world.policy(LOOP), env=machine.env, check=0)
    settled(server, done, world)


@pytest.mark.parametrize("skew", some(*SKEWS))
def test_jumps_between_two_deletions(world, rng, skew):  # noqa: F811
    server = serve(world, Truth(rng))
    machine = Machine(world)
    server.on_delete = lambda count: count == 2 and machine.set(skew)
    done = world.run(world.policy(LOOP), env=machine.env)
    settled(server, done, world)
    assert done.code == 4 and len(server.deletes) == 2


@pytest.mark.parametrize("skew", some(HOUR, 2 * DAY, YEAR, 10 * YEAR))
def test_jumps_before_an_age_is_asked(world, rng, skew):  # noqa: F811
    """The clock was right when it was compared; then it is not any more."""
    server = serve(world, Truth(rng))
    machine = Machine(world)
    server.on_delete = lambda count: count == 1 and machine.set(skew)
    young = uuid7(rng, DAY - 30 * MINUTE)
    done = world.lua("""
        assert(fal.delete_payloads(arg[1]))
        fal.delete_payloads(arg[2])
    """, uuid4(rng), young, env=machine.env)
    assert done.code == 4, done
    assert [r.id for r in server.deletes].count(young) == 0


@pytest.mark.parametrize("skew", some(HOUR, DAY, YEAR, -HOUR, -YEAR))
def test_is_corrected_after_the_list(world, rng, skew):  # noqa: F811
    """The window was computed with the wrong clock."""
    server = serve(world, Truth(rng))
    machine = Machine(world, skew)
    server.script["list"] = lambda r: machine.set(0)
    done = world.run(world.policy(LOOP), env=machine.env)
    settled(server, done, world)
    assert done.code == 4 and not server.deletes, done


@pytest.mark.parametrize("hours", some(0.25, 1, 8, 72, 24 * 365))
@pytest.mark.parametrize("where", ("list", "delete", "lost"))
def test_the_machine_slept(world, rng, hours, where):  # noqa: F811
    """The world went on, and the monotonic clock did not."""
    server, ahead = serve(world, Truth(rng)), int(hours * HOUR)
    machine = Machine(world)

    def sleep(*_):
        if not server.ahead:
            server.ahead = ahead
            machine.set(ahead)
            return Answer(drop="before") if where == "lost" else None
    if where == "list":
        server.script["list"] = sleep
    else:
        server.on_delete = lambda count: sleep() if count == 2 else None
    done = world.run(world.policy(LOOP), env=machine.env, timeout=60)
    settled(server, done, world)
    if where != "list":         # there the window is from before the sleep
        assert done.code == 0, done


@pytest.mark.parametrize("seconds", (1, 4))
def test_stopped_and_continued(world, rng, seconds):  # noqa: F811
    server = serve(world, Truth(rng))
    run = world.start(world.policy(LOOP))
    server.on_delete = lambda count: count == 2 and run.signal(
        signal.SIGSTOP) or None
    while len(server.deletes) < 2:
        time.sleep(0.01)
    time.sleep(seconds)
    run.signal(signal.SIGCONT)
    settled(server, run.wait(), world)


CHANGES = [("Europe/Berlin", "2026-03-29T01:00:00"),
           ("Europe/Berlin", "2026-10-25T01:00:00"),
           ("America/New_York", "2026-03-08T07:00:00"),
           ("America/New_York", "2026-11-01T06:00:00"),
           ("Australia/Lord_Howe", "2026-04-04T15:00:00"),
           ("Australia/Lord_Howe", "2026-10-03T15:30:00")]


@pytest.mark.parametrize("away", some(-1, 1, MONTH + 5 * MINUTE))
@pytest.mark.parametrize("zone,moment", CHANGES)
def test_summer_time(world, rng, zone, moment, away):  # noqa: F811
    """The change comes during the run, just was, or lies in the window."""
    stamp = conftest.ms_of(moment + "+00:00") / 1000 + away
    ahead = int(stamp - time.time())
    server = serve(world, Truth(rng, ahead))
    machine = Machine(world, ahead)
    server.on_delete = lambda count: Answer(200, DELETED, stall=0.4)
    done = world.run(world.policy(LOOP), env=dict(machine.env, TZ=zone),
                     check=0)
    settled(server, done, world)
