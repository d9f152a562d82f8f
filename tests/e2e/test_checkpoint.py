"""falrun verify --checkpoint: what a chain cannot show by itself."""
import json
import re
import sqlite3
import struct
import hashlib

import pytest

from conftest import OLDER

LINE = re.compile(r"checkpoint seq=(\d+) hash=([0-9a-f]{64}) "
                  r"ledger=([0-9a-f-]{36}) at=(\S+)( root=[0-9a-f]{64})?$",
                  re.M)


@pytest.fixture
def ran(world):
    world.sandbox(requests=40)
    world.said = world.run(OLDER, check=0).err
    world.points = world.folder / "points"
    return world


def check(world, lines, code=0):
    world.points.write_text(lines)
    return world.run("verify", "--checkpoint", world.points, check=code)


def rechain(path, tables=""):
    """Makes the chain fit again, after events were changed."""
    base = sqlite3.connect(path)
    base.create_function("unhex", 1, bytes.fromhex)
    base.executescript("DROP TRIGGER IF EXISTS events_never_change;"
                       "DROP TRIGGER IF EXISTS events_never_go;" + tables)
    head = bytes(32)
    for row in base.execute("SELECT seq, at_ms, run, kind, request_id, data "
                            "FROM events ORDER BY seq").fetchall():
        seq, at, run, kind, id_, data = row
        head = hashlib.sha256(
            head + struct.pack(">qqq", seq, at, run) + kind.encode() + b"\0"
            + (b"\0" if id_ is None else b"\1" + id_)
            + data.encode()).digest()
        base.execute("UPDATE events SET hash = ? WHERE seq = ?", (head, seq))
    base.commit()
    base.close()


def triggers(path):
    base = sqlite3.connect(path)
    names = [n for n, in base.execute("SELECT name FROM sqlite_master WHERE "
                                      "type = 'trigger'")]
    for name in names:
        base.execute("DROP TRIGGER " + name)
    base.commit()
    base.close()


def test_a_run_says_it_and_verify_takes_it(ran):
    said = LINE.search(ran.said)
    assert said and not said[5]
    made = ran.run("verify", "--json", check=0).json
    assert (int(said[1]), said[2], said[3]) == (
        made["seq"], made["hash"], made["ledger"])
    assert made["ok"] and made["anchor"] is None
    text = ran.run("verify", check=0).out
    assert "unanchored" in text and made["root"] in text
    log = "Nov 26 03:17 host falrun[7]: falrun: %s\n# a note\n\n%s\n%s" % (
        said[0], json.dumps(made), LINE.search(text)[0])
    done = check(ran, log)
    assert "anchored: 3 checkpoints fit" in done.out
    assert "unanchored" not in done.out
    anchored = ran.run("verify", "--checkpoint", ran.points, "--json",
                       check=0).json
    assert anchored["anchor"] == made["seq"]


def test_a_quiet_run_says_nothing(world):
    world.sandbox(requests=20)
    assert world.run(OLDER, "--quiet", check=0).err == ""


def test_older_checkpoints_stay_true(ran):
    old = ran.run("verify", "--json", check=0).out
    ran.run("hold", "add", "019e6d0a-e5be-7b82-b329-35ae64296902", "--reason",
            "case 7", check=0)
    new = ran.run("verify", "--json", check=0).out
    assert json.loads(new)["seq"] == json.loads(old)["seq"] + 1
    assert "2 checkpoints fit" in check(ran, new + old).out
    other = json.loads(old)
    other["root"] = json.loads(new)["root"]
    assert "root" in check(ran, json.dumps(other), 8).err


def test_what_was_cut_off(ran):
    point = ran.run("verify", "--json", check=0).out
    seq = json.loads(point)["seq"]
    triggers(ran.ledger)
    base = sqlite3.connect(ran.ledger)
    base.execute("DELETE FROM events WHERE seq = ?", (seq,))
    base.execute("UPDATE runs SET end_seq = NULL, ended_at_ms = NULL, "
                 "exit_code = NULL, summary = NULL")
    base.commit()
    base.close()
    assert "unanchored" in ran.run("verify", check=0).out
    done = check(ran, point, 8)
    assert "cut off: its newest event is %d" % (seq - 1) in done.err
    assert "says %d" % seq in done.err and "points:1" in done.err
    assert done.out == ""


def test_what_was_rewritten(ran):
    point = ran.run("verify", "--json", check=0).out
    triggers(ran.ledger)
    base = sqlite3.connect(ran.ledger)
    base.execute("UPDATE events SET data = replace(data, 'erased after', "
                 "'erased  after') WHERE seq = 5")
    base.commit()
    base.close()
    ran.run("verify", check=8)
    rechain(ran.ledger)
    assert "unanchored" in ran.run("verify", check=0).out
    done = check(ran, "\n" + point, 8)
    assert "rewritten: event" in done.err and "points:2" in done.err
    ran.points.write_text(point)
    made = ran.run("verify", "--checkpoint", ran.points, "--json", check=8)
    assert made.json["ok"] is False and "rewritten" in made.json["message"]


def test_another_ledger(ran):
    point = ran.run("verify", "--json", check=0).out
    ran.run(OLDER, "--ledger", ran.folder / "other.db", check=0)
    ran.points.write_text(point)
    done = ran.run("verify", "--ledger", ran.folder / "other.db",
                   "--checkpoint", ran.points, check=8)
    assert "another ledger" in done.err


GOOD = ("checkpoint seq=1 hash=%s ledger=019e6d0a-e5be-7b82-b329-35ae64296902"
        % ("a" * 64))


@pytest.mark.parametrize("text,says", [
    ("", "has no checkpoint"), ("# only a note\n", "has no checkpoint"),
    ("hello\n", "points:1"), (GOOD + "\nhello\n", "points:2"),
    (GOOD.replace("seq=1", "seq=0"), "seq"),
    (GOOD.replace("seq=1", "seq=99999999999999999999"), "seq"),
    (GOOD.replace("seq=1", "seq=-1"), "seq"),
    (GOOD.replace("aaaa", "AAAA", 1), "hash"),
    (GOOD.replace("aaaa", "aaa", 1), "hash"),
    (GOOD.replace("019e", "01 9e"), "ledger"),
    (GOOD + " root=12", "root"), ("{", "no JSON object"),
    ("[1]", "no JSON object"), ("{\"seq\":\"1\"}", "seq"),
    ("{\"ok\":false,\"message\":\"x\"}", "seq"), ("\x1b[2J\x00", "points:1"),
])
def test_bad_files(ran, text, says):
    done = check(ran, text, 2)
    assert says in done.err and "\x1b" not in done.err
    assert "points" in done.err


def test_bad_words(ran):
    assert "cannot be read" in ran.run("verify", "--checkpoint", "/nowhere",
                                       check=2).err
    assert "takes no words" in ran.run("verify", "x", check=2).err
