"""What the suites that attack from the server's side, and from memory, have
in common: a server that knows what it did, and a sweep over cases.

    Bench: a World, and a Truth: hostile.Fal that keeps, for each DELETE, what
           it did and whether it said so
    sweep: many cases, several at a time; all are run, then all that failed
           are told, with the command that repeats the first

A case is a text, like `close-in-body:delete:middle:after:once`.
"""
import concurrent.futures
import datetime
import os
import pathlib
import queue
import random
import shutil
import subprocess
import threading

from sweep import (DOCUMENTED, FULL, ONE, SEED, Tally,  # noqa: F401
                   World, agree, conftest, is_created)
from conftest import ledger_events  # noqa: F401 - sweep has its folder
from hostile import DELETED, Answer, Fal, error, row, uuid4  # noqa: F401

# Runs that are not attacked: a release build is five times as fast.
CALM = os.environ.get("FALRUN_CALM", conftest.PROGRAM)
HERE = pathlib.Path(__file__).parent

POLICY = """
return fal.policy {
  name = "wire",
  select = fal.requests { endpoint_id = "fal-ai/flux/dev",
                          older_than = "30d", limit = 4 },
  where = function(request) return request.status_code == 200 end,
  limits = { max = 50 },
  reason = "r",
}
"""


# ---- the server -------------------------------------------------------------

class Truth(Fal):
    """A deletion has an effect once; an Idempotency-Key brings back the
    answer that it had. `second`: what a DELETE of what is gone answers."""

    second = Answer(200, DELETED)

    def __init__(self, rows=(), **script):
        self.lines = []
        super().__init__(rows, **script)

    def honest(self, request, said="sent"):
        """Does it, and gives the answer that fal would give. `said` is what
        becomes of that answer: "sent", or else it is not known to arrive."""
        with self.lock:
            if request.key in self.cache:
                return self.cache[request.key]
            again = request.id in self.gone
            self.gone.append(request.id)
            self.lines.append({
                "request_id": request.id, "idempotency_key": request.key,
                "at": datetime.datetime.now(datetime.timezone.utc)
                .isoformat(), "answer": said,
                "effect": "repeat" if again else "deleted"})
            made = self.second if again else Answer(200, DELETED)
            return self.cache.setdefault(request.key, made)

    def _delete(self, request):
        return self.honest(request)


def sample_rows(count, seed):
    dice = random.Random("%s %s" % (SEED, seed))
    return [row(uuid4(dice), (90 - i) * 86400) for i in range(count)]


def record(world, id):
    """Of an id: its last outcome and its last loss; both may be {}."""
    outcome, loss = {}, {}
    for event in ledger_events(world.ledger):
        if event["id"] == id and event["kind"] == "outcome":
            outcome = event["data"]
        elif event["id"] == id and event["kind"] == "unanswered":
            loss = event["data"]
    return outcome, loss


class Bench(World):
    """A world whose truth is its server's. Many cases, one after the other,
    each with a ledger and rows of its own."""

    def __init__(self, folder, serve=Truth):
        super().__init__(folder)
        self.program = CALM
        self.serve, self.number, self.server = serve, 0, None

    def fresh(self, count=12, seed=None, **script):
        """New rows, a new server, a new ledger."""
        if self.server:
            self.server.close()
        for path in self.folder.glob("ledger-*"):
            path.unlink()
        self.number += 1
        self.ledger = self.folder / ("ledger-%d.db" % self.number)
        self.rows = sample_rows(count, seed)
        self.ids = [one["request_id"] for one in self.rows]
        self.server = self.serve(self.rows, **script)
        self.servers = (self.server,)
        self.url = self.server.url
        return self.server

    def truths(self):
        with self.server.lock:
            return list(self.server.lines)

    def whole(self, policy, *words, timeout=60):
        """The next run, unharmed, ends it: all is gone, each once."""
        done = self.run(policy, "--no-input", *words, timeout=timeout)
        assert done.code == 0, done
        assert sorted(e["request_id"] for e in self.effects()) == sorted(
            self.ids), done
        agree(self)


# ---- the sweep ---------------------------------------------------------------

def sampled(cases, sample, label, kind=lambda case: case.split(":")[0]):
    """All in full form; else one of each kind first, then others."""
    if ONE:
        return [case for case in cases if case == ONE]
    dice = random.Random("%d %s" % (SEED, label))
    mixed = dice.sample(cases, len(cases))
    if FULL:
        return mixed
    first = {kind(case): case for case in mixed}
    chosen = set(first.values())
    return (list(first.values())
            + [c for c in mixed if c not in chosen])[:sample]


class Sweep:
    """strike(bench, case) returns whether the fault fired, and words to be
    counted (an exit code). Each thread has a bench of its own."""

    def __init__(self, name, folder, make, strike, threads=4):
        self.tally, self.strike = Tally(name), strike
        self.lock, self.benches = threading.Lock(), queue.SimpleQueue()
        self.made = []
        for number in range(1 if ONE else threads):
            place = folder / ("bench-%d" % number)
            place.mkdir()
            self.made.append(make(place))
            self.benches.put(self.made[-1])

    def _one(self, case):
        bench, seen = self.benches.get(), []
        try:
            seen.append(self.strike(bench, case))
        except AssertionError as wrong:
            note("%s\n%s" % (case, wrong))
            seen.append(wrong)
        finally:
            self.benches.put(bench)
        with self.lock:
            self.tally.attempt(case.split(":"), lambda _: told(seen[0]))

    def run(self, cases, least=0.9):
        try:
            with concurrent.futures.ThreadPoolExecutor(
                    len(self.made)) as pool:
                list(pool.map(self._one, cases))
        finally:
            for bench in self.made:
                bench.close()
        self.tally.close(least)


def told(seen):
    if isinstance(seen, AssertionError):
        raise seen
    return seen


def note(text):
    """A full run is long: FALRUN_FAULTS_LOG has what failed so far."""
    path = os.environ.get("FALRUN_FAULTS_LOG")
    if path:
        with open(path, "a") as out:
            out.write(text + "\n")


# ---- time ---------------------------------------------------------------------

def compiled(folder, name):
    """A library to be preloaded, from name.c beside this file."""
    made = folder / (name + ".so")
    subprocess.run([shutil.which("cc") or "gcc", "-O1", "-shared", "-fPIC",
                    "-o", str(made), str(HERE / (name + ".c")), "-ldl"],
                   check=True)
    return made
