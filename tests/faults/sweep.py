"""What the suites that attack falrun from outside have in common.

    record one run --> positions --> for each: fault --> next run --> agree

A position is a text, `shape:call:count:what`: in a run of that shape, at the
count-th call of that name, this happens. strace makes it happen and says in
its trace whether it did. One sandbox serves a whole sweep; each position has
a ledger and a window of twenty requests of its own.

The oracles are those of the stories (tests/e2e/conftest.py): the sandbox's
truth, the ledger, the exit codes.
"""
import collections
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
import conftest  # noqa: E402
from conftest import World, agree, is_created, rng, world  # noqa: E402, F401

FULL = os.environ.get("FALRUN_FAULTS") == "full"
ONE = os.environ.get("FALRUN_FAULT")    # repeats this position alone
SEED = int(os.environ.get("FALRUN_SEED", "20260101"))
STRACE = shutil.which("strace")
SHARDS = 8 if FULL else 2               # so that two cores have work
DOCUMENTED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 130, 143}

# Twenty parts of four seconds of the generated history are twenty requests.
PART_S, SPAN_DAYS = 4, 90
REQUESTS = SPAN_DAYS * 86400 // PART_S
ANCHOR = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)

LIST = """
local list = {}
for r in fal.requests { endpoint_id = "a/b", start = arg[1],
                        ["end"] = arg[2] } do
  list[#list + 1] = r
end
"""
SHAPES = {
    "all": LIST + 'fal.delete_all(list, { reason = "r", timeout = "3s" })',
    "loop": LIST + """
        for _, r in ipairs(list) do
          fal.delete_payloads(r.request_id, { timeout = "3s" })
        end""",
}
SHAPES["recovery"] = SHAPES["all"]

needs_strace = pytest.mark.skipif(
    not STRACE or subprocess.run([STRACE, "-o", "/dev/null", "true"],
                                 capture_output=True).returncode != 0,
    reason="strace is missing or not permitted: NOTHING was attacked")

Position = collections.namedtuple("Position", "shape call count what")


def name_of(position):
    return ":".join(str(part) for part in position)


class Field(World):
    """A world in which many runs are attacked, each on a plot of its own."""

    def __init__(self, folder, latency=None):
        super().__init__(folder)
        options = {"latency": latency} if latency else {}
        self.sandbox(requests=REQUESTS, endpoints="a/b", seed=SEED,
                     anchor=ANCHOR.isoformat().replace("+00:00", "Z"),
                     **options)
        self.policies = {name: self.policy(text, name + ".lua")
                         for name, text in SHAPES.items()}
        self.trace = folder / "trace"
        self.own.update((self.truth, self.trace))
        self.number = self.seen = 0

    def told(self):
        """Of this plot alone: the truth of a sweep is long."""
        with self.truth.open() as lines:
            lines.seek(self.seen)
            return [json.loads(line) for line in lines]

    def plot(self):
        """A fresh ledger and a fresh window; the ids that are in it."""
        for path in self.folder.glob("plot.db*"):
            path.unlink()
        self.ledger = self.folder / "plot.db"
        self.seen = self.truth.stat().st_size if self.truth.exists() else 0
        begin = (ANCHOR - datetime.timedelta(days=SPAN_DAYS - 1)
                 + datetime.timedelta(seconds=20 * PART_S * self.number))
        end = begin + datetime.timedelta(seconds=20 * PART_S)
        self.number += 1
        self.window = [t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in (begin, end)]
        self.ids = self._ids()
        assert 15 <= len(self.ids) <= 25, self.window

    def _ids(self):
        query = urllib.parse.urlencode({
            "endpoint_id": "a/b", "start": self.window[0],
            "end": self.window[1], "limit": 50})
        asked = urllib.request.Request(
            "%s/models/requests/by-endpoint?%s" % (self.url, query),
            headers={"Authorization": "Key " + self.key})
        with urllib.request.urlopen(asked) as answer:
            items = json.load(answer)["items"]
        return {r["request_id"] for r in items if r["ended_at"]}

    def words(self, shape):
        return [self.policies[shape], *self.window, "--no-input"]

    def calm(self, shape, **how):
        return self.run(*self.words(shape), **how)

    def attacked(self, shape, *options, timeout=60, **how):
        """The run under strace, which is told `options`."""
        prefix = [STRACE, "-f", "-qq", "-o", str(self.trace), *options]
        began = time.monotonic()
        done = self.run(*self.words(shape), prefix=prefix, timeout=timeout,
                        env={"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"},
                        **how)
        self.took = time.monotonic() - began
        return done

    def traced(self):
        return self.trace.read_text(errors="replace")

    def prepare(self, shape):
        """Recovery needs a run that was killed before it: some intents are
        announced, some were sent, and none has an answer on record."""
        self.plot()
        if shape == "recovery":
            self.attacked("all", "-e", "trace=sendto", "-e",
                          "inject=sendto:signal=KILL:when=12", check=-9)
            assert self.effects() and len(self.effects()) < len(self.ids)

    def record(self, shape):
        """(call, count) for each call of a run, in order, and how many of
        them the loader makes, before main."""
        self.prepare(shape)
        self.attacked(shape, check=0)
        calls = re.findall(r"^\d+ +(\w+)\(", self.traced(), re.M)
        main = self.traced().index("RLIMIT_CORE")
        return list(counted(calls)), self.traced().count("\n", 0, main)

    # ---- the oracles ----

    def after_crash(self):
        """The records as they lie, read from a copy: looking must not
        repair what the next run shall find."""
        if not is_created(self):
            assert not self.truths(), "a deletion without a record"
            return
        original, copy = self.ledger, self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in self.folder.glob("plot.db*"):
            shutil.copy2(path, copy / path.name)
        self.ledger = copy / "plot.db"
        try:
            agree(self, open_allowed=True)
        finally:
            self.ledger = original

    def recovers(self, shape):
        """The next run brings I1 to I4, all of them deleted, each once."""
        done = self.calm(shape, check=0)
        gone = [line["request_id"] for line in self.effects()]
        assert sorted(gone) == sorted(self.ids), done
        agree(self)


# ---- positions -------------------------------------------------------------

def counted(calls):
    """(name, count) for each call: the third read is (read, 3)."""
    so_far = collections.Counter()
    for name in calls:
        so_far[name] += 1
        yield name, so_far[name]


def chosen(positions, sample, label):
    """All of them in full form; else a sample."""
    if ONE:
        return [p for p in positions if name_of(p) == ONE]
    return positions if FULL else sampled(positions, sample, label)


def sampled(positions, sample, label):
    """Half of it from as many kinds of call as there are."""
    dice = random.Random("%d %s" % (SEED, label))
    mixed = dice.sample(positions, len(positions))
    first = {p.call: p for p in mixed}
    rest = [p for p in mixed if first[p.call] is not p]
    many = dice.sample(list(first.values()), min(len(first), sample // 2))
    return (many + rest)[:sample]


def split(positions, shard):
    return positions if ONE else positions[shard::SHARDS]


class Tally:
    """Counts, and keeps going: a sweep reports all that it finds."""

    def __init__(self, suite):
        self.suite, self.fired, self.missed = suite, 0, 0
        self.codes, self.failures = collections.Counter(), []

    def attempt(self, position, strike):
        """strike() returns whether the fault fired, and the exit code."""
        try:
            fired, code = strike(position)
            self.fired += bool(fired)
            self.missed += not fired
            self.codes[code] += 1
        except AssertionError as error:
            self.failures.append("%s\n%s" % (name_of(position), error))

    def close(self, least=0.9):
        total = self.fired + self.missed + len(self.failures)
        print("%s: %d positions, %d fired, seed %d, exit codes %s" % (
            self.suite, total, self.fired, SEED, dict(self.codes)))
        assert not self.failures, self.report()
        if ONE and not total:
            pytest.skip("another position is asked for")
        assert self.fired >= least * total > 0, "the faults did not fire"

    def report(self):
        first = self.failures[0].split("\n")[0]
        return "%d failed. To repeat the first:\n  FALRUN=%s FALRUN_SEED=%d " \
            "FALRUN_FAULT=%s %s -m pytest tests/faults\n%s" % (
                len(self.failures), conftest.PROGRAM, SEED, first,
                sys.executable, "\n\n".join(self.failures[:20]))


@pytest.fixture
def field(tmp_path):
    made = Field(tmp_path)
    made.servers = []
    yield made
    made.close()


def by_signal(code):
    """How a shell would see it; strace dies as its child did."""
    return 128 - code if code < 0 else code


SIGNALS = {name: getattr(signal, "SIG" + name)
           for name in ("TERM", "INT", "HUP")}
