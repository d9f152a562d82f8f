"""A million deletions with faults, killed now and then.

    night 1, 2, ... : the window of this night and of the one before
        answers are lost, cut, refused; files stay     (the sandbox's faults)
        SIGKILL or SIGTERM at a random time; then the same night again
    at the end: what failed is asked once more, and the records must agree

I1 to I4 over the whole: ledger against truth, each id. Memory must be flat:
the last nights need no more than the first ones. The full form grants 400
deletions a second, so that it takes about an hour."""
import collections
import datetime
import http.client
import itertools
import json
import random
import sqlite3
import time
import urllib.parse
import urllib.request

import pytest

from sweep import ANCHOR, FULL, SEED, conftest

NIGHTS, A_NIGHT = (50, 20000) if FULL else (6, 250)
RATE = 400 if FULL else 150
DAYS = 80
FAULTS = ("500@delete=0.01,drop-after@delete=0.01,drop-before@delete=0.01,"
          "truncate@delete=0.005,garbage@delete=0.002,502@delete=0.002,"
          "cdn-exception@delete=0.005,503@list=0.01,500@list=0.02,"
          "truncate@list=0.02,drop-before@list=0.01")
POLICY = """
fal.delete_all(fal.requests { endpoint_id = "a/b", start = arg[1],
                              ["end"] = arg[2] },
               { reason = "soak", timeout = "5s" })
"""
KILLED, TERMINATED = -9, 143
FINE = {0, 3, 7, KILLED, TERMINATED}    # 7: too many faults in a row


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Soak(conftest.World):
    def __init__(self, folder):
        super().__init__(folder)
        self.dice = random.Random("%d soak" % SEED)
        self.signals = itertools.cycle((9, 9, 15))
        self.codes, self.peaks = collections.Counter(), []
        self.program_policy = self.policy(POLICY)
        self.sandbox(requests=NIGHTS * A_NIGHT, endpoints="a/b", seed=SEED,
                     anchor=stamp(ANCHOR), span="%dd" % DAYS, faults=FAULTS,
                     rate_limit="%d/s" % RATE)
        self.own.add(self.truth)

    def scan(self):
        """Large files are read once, at the end."""

    def night(self, number):
        """Times between which a night's share of the history ended."""
        begin = ANCHOR - datetime.timedelta(days=DAYS)
        part = datetime.timedelta(days=DAYS) / NIGHTS
        return begin + part * number

    def peak_kib(self, pid):
        try:
            with open("/proc/%d/status" % pid) as status:
                words = status.read().split("VmHWM:")
        except OSError:
            return 0
        return int(words[1].split()[0]) if len(words) > 1 else 0

    def attempt(self, words, after=None):
        """One run, ended by a signal after so many seconds or not at all."""
        run = self.start(*words)
        end = after and time.monotonic() + after
        peak = 0
        while run.process.poll() is None:
            peak = max(peak, self.peak_kib(run.pid))
            if end and time.monotonic() > end:
                end = None
                run.process.send_signal(next(self.signals))
            time.sleep(0.02)
        done = run.wait()
        self.codes[done.code] += 1
        assert done.code in FINE, done
        return done.code, peak

    def whole_night(self, number):
        """Again and again, until a run comes to its end."""
        words = [self.program_policy, stamp(self.night(max(0, number - 1))),
                 stamp(self.night(number + 1)), "--no-input", "--quiet",
                 "--max-deletes", 2 * A_NIGHT + 1000]
        usual = A_NIGHT / RATE
        for attempt in range(20):
            cut = attempt < 3 and self.dice.random() < 0.7
            cut = cut or number + attempt == 0      # one at the least
            after = self.dice.uniform(0.02, 0.4) * usual
            code, peak = self.attempt(words, after if cut else None)
            if code in (0, 3):
                self.peaks.append(peak)
                return
        raise AssertionError("night %d never came to its end" % number)

    # ---- the records ----

    def listed(self):
        """The ids of all that ended in the nights, as the sandbox lists."""
        found, cursor = set(), None
        for number in range(NIGHTS):
            cursor = None
            while True:
                items, cursor = self.page(number, cursor)
                found.update(r["request_id"] for r in items if r["ended_at"])
                if not cursor:
                    break
        return found

    def page(self, number, cursor):
        query = {"endpoint_id": "a/b", "start": stamp(self.night(number)),
                 "end": stamp(self.night(number + 1)), "limit": 100}
        if cursor:
            query["cursor"] = cursor
        asked = urllib.request.Request(
            "%s/models/requests/by-endpoint?%s" % (
                self.url, urllib.parse.urlencode(query)),
            headers={"Authorization": "Key " + self.key})
        for _ in range(200):
            try:
                with urllib.request.urlopen(asked) as answer:
                    page = json.load(answer)
                    return page["items"], page["next_cursor"]
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.05)
        raise AssertionError("the sandbox does not list")

    def states(self):
        """What the ledger says of each id: when it was first announced, by
        which keys, and what became of it."""
        base = sqlite3.connect("file:%s?mode=ro" % self.ledger, uri=True)
        known = {}
        for at, kind, id, data in base.execute(
                "SELECT at_ms, kind, hex(request_id), data FROM events WHERE "
                "kind IN ('intent', 'outcome') ORDER BY seq"):
            data = json.loads(data)
            if kind == "intent":
                one = known.setdefault(conftest.text_id(id), [at, [], None])
                one[1].append(data["key"])
                one[2] = None
            else:
                known[conftest.text_id(id)][2] = data["state"]
        base.close()
        return known

    def truth_lines(self):
        with self.truth.open() as lines:
            for line in lines:
                yield json.loads(line)

    def agree(self, known):
        """I1, I2: each deletion was announced, and effective once."""
        before, gone, left = {}, set(), set()
        for line in self.truth_lines():
            id = line["request_id"]
            assert id in known, "%s was deleted without an intent" % id
            at, keys, _ = known[id]
            assert at <= conftest.ms_of(line["at"]) + 1, line
            assert any(line["idempotency_key"].startswith(k) for k in keys)
            assert id not in before or before[id], (
                "a deletion that was answered was done again", line)
            assert id not in gone or line["effect"] == "repeat", line
            before[id] = (line["answer"] != "sent"
                          or line["effect"] == "partial")
            if line["effect"] == "partial":
                left.add(id)
            else:
                left.discard(id)
                gone.add(id)
        return gone, left


@pytest.fixture
def soak(tmp_path):
    made = Soak(tmp_path)
    yield made
    made.close()


def unfinished(known):
    return [id for id, (_, _, state) in known.items()
            if state not in ("deleted", "gone", "partial")]


def finish(soak):
    """What failed or is open, asked again until nothing is."""
    for _ in range(20):
        left = unfinished(soak.states())
        if not left:
            return
        done = soak.run("delete", "-", "--quiet", "--no-input", timeout=600,
                        stdin="".join(id + "\n" for id in left))
        assert done.code in (0, 3, 7), done
    raise AssertionError("%d never came to an end" % len(left))


def quarter(values, last):
    some = max(1, len(values) // 4)
    return max(values[-some:] if last else values[:some])


def test_many_nights_with_faults(soak):
    began = time.monotonic()
    for number in range(NIGHTS):
        soak.whole_night(number)
    after = time.monotonic() - began
    finish(soak)
    soak.run("verify", check=0, timeout=600)
    known, listed = soak.states(), soak.listed()
    gone, left = soak.agree(known)
    assert set(known) == gone | left == listed
    for id, (_, _, state) in known.items():
        assert state == "partial" or id in gone, (id, state)
    first, last = quarter(soak.peaks, False), quarter(soak.peaks, True)
    repeats = sum(1 for _ in soak.truth_lines()) - len(known)
    print("soak: %d deletions in %d s, seed %d, exit codes %s, %d requests "
          "had to be sent again, %d keep a file; peak memory %d KiB in the "
          "first nights, %d KiB in the last" % (
              len(known), after, SEED, dict(soak.codes), repeats, len(left),
              first, last))
    assert soak.codes[KILLED] > 0, "nothing was killed"
    assert repeats > 0, "no answer was lost"
    assert last <= first * 1.25 + 2048
    conftest.World.scan(soak)
