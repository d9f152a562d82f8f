"""Random changes of a ledger: falrun verify must find each of them.

    a real ledger --copy--> one change --> changed at all? --> verify: 8

Values and rows through SQL, events that are dropped, doubled and swapped,
chains that were made to fit again, tails that were cut off, bits in the file.
Whether a change can be seen by anybody is asked of Python's SQLite, which
knows nothing of falrun: flipped bits that no query and no check of SQLite can
see (free pages, gaps within pages, fields of the header that mean nothing)
are counted apart as "unseen", and verify may call them well.
"""
import collections
import hashlib
import os
import random
import shutil
import sqlite3
import struct
import subprocess

import pytest

from sweep import FULL, SEED, conftest, world  # noqa: F401
from conftest import OLDER

SHARDS = 10
COUNT = (10000 if FULL else 300) // SHARDS
CLASSES = ("value", "row", "event", "rechained", "cut", "bits")
ONE = os.environ.get("FALRUN_FAULT")    # "shard:number" repeats one

KEYED = """
for i, id in ipairs(arg) do
  fal.delete_payloads(id, { reason = "asked é",
                            idempotency_key = "mine-" .. i })
end
"""
QUARANTINE = """
return fal.policy { name = "hidden", reason = "hidden first",
  select = fal.requests { endpoint_id = "auto", older_than = "20d" },
  action = { quarantine = "0d", delete_after = "7d" },
  limits = { max = 5 } }
"""


def text_of(path):
    """All that a reader of the file can see; None where SQLite sees damage."""
    base = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    base.text_factory = bytes
    try:
        seen = [base.execute("PRAGMA application_id").fetchone(),
                base.execute("PRAGMA user_version").fetchone()]
        tables = base.execute("SELECT name, type, sql FROM sqlite_master "
                              "ORDER BY name, type").fetchall()
        for name, kind, _ in tables:
            if kind == b"table":
                seen.append((name, sorted(base.execute(
                    'SELECT * FROM "%s"' % name.decode()), key=repr)))
        if base.execute("PRAGMA integrity_check").fetchall() != [(b"ok",)]:
            return None
        return tables, seen
    except (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError) as why:
        print("Python's SQLite:", why)
        return None
    finally:
        base.close()


class Opened:
    """The copy, without the triggers that are there against accidents."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.base = sqlite3.connect(self.path, isolation_level=None)
        self.triggers = self.base.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        self.base.execute("BEGIN")
        for name, _ in self.triggers:
            self.base.execute("DROP TRIGGER " + name)
        return self.base

    def __exit__(self, *error):
        if error[0] is None:
            for _, sql in self.triggers:
                self.base.execute(sql)
            self.base.execute("COMMIT")
            self.base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.base.close()


def tables_of(base):
    return [n for n, in base.execute("SELECT name FROM sqlite_master WHERE "
                                     "type = 'table' ORDER BY name")]


def other(rng, value):
    """Something else of the same type."""
    if value is None:
        return rng.choice((0, 1, "x", b"x"))
    if rng.random() < 0.05:
        return None
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value - 1, value ^ 1 <<
                           rng.randrange(40)))
    if not value:
        return value + (b"x" if isinstance(value, bytes) else "x")
    at = rng.randrange(len(value))
    if isinstance(value, bytes):
        return value[:at] + bytes((value[at] ^ 1 << rng.randrange(8),)) + \
            value[at + 1:]
    return rng.choice((
        value[:at] + chr(ord(value[at]) ^ 1 << rng.randrange(5)) +
        value[at + 1:], value[:at] + value[at + 1:], value + " ",
        value[:at] + value[at].swapcase() + value[at + 1:], ""))


def pick(base, rng, table):
    """A row as a condition with its values, and its columns."""
    names = [c[1] for c in base.execute('PRAGMA table_info("%s")' % table)]
    rows = base.execute('SELECT * FROM "%s"' % table).fetchall()
    if not rows:
        return None
    row = rng.choice(rows)
    where = " AND ".join("%s IS ?" % n for n in names)
    return names, row, where


def change_value(path, rng):
    with Opened(path) as base:
        table = rng.choice(tables_of(base))
        found = pick(base, rng, table)
        if found:
            names, row, where = found
            at = rng.randrange(len(names))
            base.execute('UPDATE "%s" SET %s = ? WHERE %s' % (
                table, names[at], where), (other(rng, row[at]), *row))


def change_row(path, rng):
    with Opened(path) as base:
        table = rng.choice(tables_of(base))
        found = pick(base, rng, table)
        if not found:
            kinds = {"INTEGER": 1, "TEXT": "x", "BLOB": bytes(16)}
            row = [kinds[c[2]] for c in base.execute(
                "PRAGMA table_info(%s)" % table)]
        else:
            names, row, where = found
            if rng.random() < 0.5:
                base.execute('DELETE FROM "%s" WHERE %s' % (table, where), row)
                return
            row = [other(rng, v) if rng.random() < 0.7 else v for v in row]
        base.execute('INSERT INTO "%s" VALUES(%s)' % (
            table, ",".join("?" * len(row))), row)


def change_events(path, rng):
    """Drops, doubles or swaps events; the rest moves up or down."""
    with Opened(path) as base:
        rows = base.execute("SELECT * FROM events ORDER BY seq").fetchall()
        at, kind = rng.randrange(len(rows)), rng.choice("drop double swap"
                                                        .split())
        if kind == "drop":
            del rows[at]
        elif kind == "double":
            rows.insert(rng.randrange(len(rows)), rows[at])
        else:
            to = rng.randrange(len(rows))
            rows[at], rows[to] = rows[to], rows[at]
        base.execute("DELETE FROM events")
        base.executemany("INSERT INTO events VALUES(?,?,?,?,?,?,?)",
                         [(i + 1, *row[1:]) for i, row in enumerate(rows)])


def rechain(base):
    head = bytes(32)
    for seq, run, at, kind, id_, data, _ in base.execute(
            "SELECT * FROM events ORDER BY seq").fetchall():
        head = hashlib.sha256(
            head + struct.pack(">qqq", seq, at, run) + kind.encode() + b"\0"
            + (b"\0" if id_ is None else b"\1" + id_)
            + data.encode()).digest()
        base.execute("UPDATE events SET hash = ? WHERE seq = ?", (head, seq))


def change_and_rechain(path, rng):
    """Words that no table has, and the chain made to fit: nothing but a
    checkpoint knows."""
    with Opened(path) as base:
        kind, name = rng.choice((("intent", "reason"), ("outcome", "attempts"),
                                 ("outcome", "http_status")))
        seqs = [s for s, in base.execute(
            "SELECT seq FROM events WHERE kind = ? ORDER BY seq", (kind,))]
        base.execute("UPDATE events SET data = json_set(data, '$.' || ?, ?) "
                     "WHERE seq = ?", (name, rng.randrange(10 ** 9),
                                       rng.choice(seqs)))
        rechain(base)


def flip_bits(path, rng):
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        for _ in range(rng.choice((1, 1, 1, 8))):
            at = rng.randrange(100 if rng.random() < 0.1 else size)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes((byte ^ 1 << rng.randrange(8),)))


@pytest.fixture
def told(world):
    """A ledger that has a row in nearly every table, and its younger selves."""
    world.sandbox(requests=60, faults="cdn-exception@delete=0.3",
                  latency="5ms")
    world.selves = []
    cdn = world.url.replace("/v1", "/cdn")

    def step(*words):
        done = world.run(*words, env={"FALRUN_CDN_URL": cdn})
        assert done.code in (0, 3), done
        base = sqlite3.connect(world.ledger)
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.close()
        copy = world.folder / ("self%d.db" % len(world.selves))
        shutil.copy(world.ledger, copy)
        world.selves.append(copy)
    ids = world.expired()
    step("hold", "add", *ids[:3], "--reason", "case 7")
    step(world.policy(KEYED), *ids[2:6])
    step("hold", "remove", ids[0])
    step(OLDER, "--max-deletes", "1000")
    step("verify-erasure", "last")
    step(world.policy(QUARANTINE, "q.lua"))
    step(OLDER)
    world.points = world.folder / "points"
    world.points.write_text(world.run("verify", "--json", check=0).out)
    return world


def cut(world, path, rng):
    """A younger self: whole, and shorter."""
    shutil.copy(rng.choice(world.selves[:-1]), path)


ACTS = {"value": change_value, "row": change_row, "event": change_events,
        "rechained": change_and_rechain, "bits": flip_bits}


def mutate(world, path, rng, kind):
    """Changes the copy; False where the file refused, or is as it was."""
    try:
        if kind == "cut":
            cut(world, path, rng)
        else:
            ACTS[kind](path, rng)
    except (sqlite3.IntegrityError, sqlite3.OperationalError, OverflowError,
            UnicodeEncodeError):
        return False
    return path.read_bytes() != world.selves[-1].read_bytes()


def verify(world, path, *more):
    return subprocess.run(
        [conftest.PROGRAM, "verify", "--ledger", str(path), *more],
        capture_output=True, text=True, timeout=60, env=world.env(),
        cwd=world.folder)


def judge(world, path, kind, whole):
    """What verify says of the change; and whether that is right."""
    needs = kind in ("rechained", "cut")
    if needs:
        alone = verify(world, path)
        assert alone.returncode == 0 and "unanchored" in alone.stdout, alone
    done = verify(world, path, *(
        ("--checkpoint", str(world.points)) if needs else ()))
    if done.returncode == 8:
        assert done.stderr and not done.stdout
        return "found"
    seen = text_of(path)
    if kind == "bits" and done.returncode == 2 and (
            seen is None or seen[1][:2] != whole[1][:2]):
        return "no ledger"
    assert done.returncode == 0, done
    assert seen == whole, "verify did not find it: %s" % done.stdout
    return "unseen" if kind == "bits" else "same"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_change_is_found(told, shard):
    counts, whole, number = collections.Counter(), text_of(
        told.selves[-1]), 0
    assert whole, "the ledger itself is damaged"
    path = told.folder / "copy.db"
    while sum(n for (_, what), n in counts.items()
              if what in ("found", "no ledger")) < COUNT:
        number += 1
        assert number < COUNT * 20
        rng = random.Random("%d %d %d" % (SEED, shard, number))
        kind = CLASSES[number % len(CLASSES)]
        if ONE and ONE != "%d:%d" % (shard, number):
            if number > int(ONE.split(":")[1]):
                break
            continue
        for more in ("", "-wal", "-shm"):
            (told.folder / ("copy.db" + more)).unlink(missing_ok=True)
        shutil.copy(told.selves[-1], path)
        if not mutate(told, path, rng, kind):
            continue
        try:
            counts[kind, judge(told, path, kind, whole)] += 1
        except AssertionError:
            print("FALRUN_SEED=%d FALRUN_FAULT=%d:%d (%s)" % (
                SEED, shard, number, kind))
            raise
    print("seed %d, shard %d: %s" % (SEED, shard, dict(counts)))
    assert ONE or {kind for kind, what in counts if what == "found"} == set(
        CLASSES)
