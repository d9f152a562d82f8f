"""falrun certificate: told from the events, proven by them, checked by the
script of docs/certificate.md, which has nothing of falrun."""
import copy
import json
import re
import sqlite3
import subprocess
import sys

import pytest

from conftest import OLDER, ROOT, browsers, ledger_events, show_in_browser

EVIL = "</script><img src=x onerror=alert(1)>\x1b[2J\u202e"
EVIL_SHOWN = "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"
SCRIPT = re.search(r"```python\n(.*?)```", (
    ROOT / "docs" / "certificate.md").read_text(), re.S)[1]
POLICY = """
return fal.policy { name = "old", reason = %s,
  select = fal.requests { endpoint_id = "auto", older_than = "30d" } }
"""


def certify(world, word, code=0, *more):
    return world.run("certificate", word, "--json", *more, check=code).json


def script(world, made, *points):
    """The documented script: its exit code and what it says."""
    path, cert = world.folder / "check.py", world.folder / "cert"
    path.write_text(SCRIPT)
    cert.write_text(made if isinstance(made, str) else json.dumps(made))
    done = subprocess.run([sys.executable, "-I", str(path), str(cert),
                           *map(str, points)], capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def ids(world, outcome, run="last"):
    return [id for id, o in world.outcomes(run).items() if o == outcome]


@pytest.fixture
def ran(world):
    """Answered, partial, replayed and held, in one run."""
    world.sandbox(requests=60, faults="drop-after@delete=#3,"
                  "cdn-exception=0.2")
    world.held = world.expired()[0]
    world.run("hold", "add", world.held, "--reason", EVIL, check=0)
    world.run("delete", world.held, check=0)
    world.lua(POLICY % '"rule \\u{e9} \\\\ <b>"', check=3)
    return world


def test_an_answer_is_certified_and_the_script_agrees(ran):
    id = ids(ran, "deleted")[0]
    made = certify(ran, id)
    one, = made["requests"]
    assert one["erased"] and one["state"] == "deleted"
    assert one["evidence"] in ("answered", "replayed")
    assert one["reason"] == "rule \u00e9 \\ <b>"
    assert one["policy"]["name"] == "old"
    assert one["policy"]["file"].endswith("policy.lua")
    assert len(one["policy"]["sha256"]) == 64
    assert "confirmed by the provider's API" in one["why"]
    assert len(json.dumps(made)) < 10000
    code, said = script(ran, made)
    assert code == 0 and "%s erased deleted" % id in said
    assert "unanchored" in said
    text = ran.run("certificate", id, check=0).out
    assert text.startswith("Certificate of erasure\n")
    assert one["policy"]["sha256"] in text and made["checkpoint"]["root"] in \
        text


def test_a_checkpoint_anchors_it(ran):
    points = ran.folder / "points"
    points.write_text(ran.run("verify", check=0).out.splitlines()[-1])
    id = ids(ran, "deleted")[0]
    before = certify(ran, id)
    assert script(ran, before, points)[0] == 0
    ran.run("hold", "add", "019e6d0a-e5be-7b82-b329-35ae64296902", "--reason",
            "later", check=0)
    now = certify(ran, id)
    assert "no checkpoint" in script(ran, now, points)[1]
    code, said = script(ran, certify(ran, id, 0, "--checkpoint", points),
                        points)
    assert code == 0 and said.splitlines()[-1].startswith("anchored")
    done = ran.run("certificate", "019e6d0a-e5be-7b82-b329-35ae64296902",
                   "--checkpoint", points, check=2)
    assert "knows nothing" in done.err


def test_a_run_is_the_truth(ran):
    made = certify(ran, "last", 3)
    code, said = script(ran, made)
    assert code == 0, said
    by_id = {r["request_id"]: r for r in made["requests"]}
    truth = {}
    for line in ran.effects():
        truth[line["request_id"]] = line["effect"]
    assert {i for i, r in by_id.items() if r["erased"]} == {
        i for i, effect in truth.items() if effect == "deleted"}
    assert {i for i, r in by_id.items() if r["state"] == "partial"} == {
        i for i, effect in truth.items() if effect == "partial"}
    base = sqlite3.connect(ran.ledger)
    residue = base.execute("SELECT link, exception FROM residue ORDER BY link"
                           ).fetchall()
    base.close()
    assert sorted((f["link"], f["exception"]) for r in by_id.values()
                  for f in r["residue"]) == residue != []
    evidence = [r["evidence"] for r in by_id.values() if r["erased"]]
    assert evidence.count("replayed") == 1
    replayed, = (r for r in by_id.values() if r["evidence"] == "replayed")
    assert "repeated its answer" in replayed["why"]
    run_events = {e["seq"] for e in ledger_events(ran.ledger)
                  if e["run"] == made["run"]}
    assert run_events <= {e["seq"] for e in made["proof"]["events"]}


def test_what_is_left_is_no_erasure(ran):
    id = ids(ran, "partial")[0]
    done = ran.run("certificate", id, check=3)
    assert done.out.startswith("No certificate of erasure")
    assert "NOT erased (partial)" in done.out and "NOT erased" in done.err
    assert "left     https://v3.fal.media/" in done.out
    made = certify(ran, id, 3)
    assert not made["requests"][0]["erased"] and made["erased"] == 0
    assert "%s NOT erased partial" % id in script(ran, made)[1]


def test_what_is_held_is_no_erasure(ran):
    made = certify(ran, ran.held, 3)
    one, = made["requests"]
    assert one["state"] == "none" and "hold" in one["why"]
    assert one["hold"] == EVIL
    assert script(ran, made)[0] == 0
    out = ran.run("certificate", ran.held, check=3).out
    assert "\x1b" not in out and "\u202e" not in out
    assert out.startswith("No certificate")


def test_what_was_inferred_says_so(world):
    world.sandbox(requests=20, second_delete="404")
    world.run(OLDER, "--ledger", world.folder / "other.db", check=0)
    world.run(OLDER, check=0)
    made = certify(world, "last")
    one = made["requests"][0]
    assert one["state"] == "gone" and one["evidence"] == "inferred"
    assert "confirmed" not in one["why"] and one["why"].startswith("inferred")
    text = world.run("certificate", one["request_id"], check=0).out
    assert "how      inferred" in text and "confirmed by" not in text
    assert "erased gone inferred" in script(world, made)[1]


def test_what_is_open_is_no_erasure(world):
    world.sandbox(requests=300, latency="50ms")
    run = world.start(OLDER)
    run.until(lambda: world.truth.exists() and world.truth.stat().st_size)
    run.process.kill()
    run.process.wait()
    made = certify(world, "last", 3)
    open_ones = [r for r in made["requests"] if r["state"] == "open"]
    assert open_ones and not any(r["erased"] for r in open_ones)
    assert script(world, made)[0] == 0
    world.run(OLDER, check=0)
    assert certify(world, "1")["erased"] == len(made["requests"])


def test_probes_and_inputs(world):
    world.sandbox(requests=60, faults="cdn-exception=0.2")
    world.run(OLDER, check=3)
    world.run("verify-erasure", "last", check=3, env={
        "FALRUN_CDN_URL": world.url.replace("/v1", "/cdn")})
    made = world.run("certificate", "1", "--json").json
    assert any(r["probes"] for r in made["requests"])
    code, said = script(world, made)
    assert code == 0, said
    base = sqlite3.connect(world.ledger)
    left = base.execute("SELECT count(DISTINCT request_id) FROM residue"
                        ).fetchone()[0]
    states = dict(base.execute("SELECT state, count(*) FROM deletions GROUP "
                               "BY 1"))
    base.close()
    assert sum(bool(r["residue"]) for r in made["requests"]) == left
    for name, count in states.items():
        assert sum(r["state"] == name for r in made["requests"]) == count


# ---- forgeries -----------------------------------------------------------------


def forgeries(made):
    """Each changes one thing that matters."""
    def put(change):
        forged = copy.deepcopy(made)
        change(forged)
        assert forged != made
        return forged
    one = made["requests"][0]
    claims = {
        "erased": not one["erased"], "state": "gone", "evidence": "answered!",
        "reason": "another", "at": "2020-01-01T00:00:00Z", "run": 77,
        "announced_at": "2020-01-01T00:00:00Z", "announced_run": 78,
        "http_status": 404, "hold": "case 9", "events": one["events"][1:],
        "request_id": "019e6d0a-e5be-7b82-b329-35ae64296902",
        "residue": [{"link": "https://x", "exception": "y"}],
        "input_files": [{"link": "https://x"}],
        "probes": [{"link": "https://x", "seen": "gone"}]}
    for name, value in claims.items():
        yield name, put(lambda m: m["requests"][0].update({name: value}))
    for name in ("name", "file", "sha256"):
        yield "policy " + name, put(
            lambda m: m["requests"][0]["policy"].update({name: "x"}))
    for at, event in enumerate(made["proof"]["events"]):
        for name, value in (("at_ms", event["at_ms"] + 1),
                            ("run", event["run"] + 1),
                            ("kind", event["kind"] + "x"),
                            ("data", event["data"][:-1] + ' }'),
                            ("before", "0" * 63 + "1"), ("hash", "1" * 64),
                            ("seq", event["seq"] + 1)):
            yield "event %d %s" % (at, name), put(
                lambda m: m["proof"]["events"][at].update({name: value}))
        if "request_id" in event:
            yield "event %d id" % at, put(
                lambda m: m["proof"]["events"][at].pop("request_id"))
        yield "event %d gone" % at, put(
            lambda m: m["proof"]["events"].pop(at))
    for at in range(len(made["proof"]["rest"])):
        yield "rest %d" % at, put(lambda m: m["proof"]["rest"].pop(at))
        yield "rest %d changed" % at, put(
            lambda m: m["proof"]["rest"].__setitem__(at, "2" * 64))
    yield "rest more", put(lambda m: m["proof"]["rest"].append("3" * 64))
    for name, value in (("root", "4" * 64), ("seq", 5),
                        ("ledger", "019e6d0a-e5be-7b82-b329-35ae64296902")):
        yield name, put(lambda m: m["checkpoint"].update({name: value}))


def test_forged_certificates_fail(ran):
    made = certify(ran, ids(ran, "deleted")[0])
    assert script(ran, made)[0] == 0
    count = 0
    for name, forged in forgeries(made):
        code, said = script(ran, forged)
        assert code == 1, "not found: %s\n%s" % (name, said)
        count += 1
    assert count > 60


def test_a_rehashed_forgery_needs_another_root(ran):
    """Who makes the events fit comes to another root, which no checkpoint
    has."""
    import hashlib
    import struct
    points = ran.folder / "points"
    points.write_text(ran.run("verify", "--json", check=0).out)
    made = certify(ran, ids(ran, "partial")[0], 3)
    event = made["proof"]["events"][-1]
    data = json.loads(event["data"])
    data["state"] = "deleted"
    data["files"][0]["exception"] = None
    event["data"] = json.dumps(data)
    event["hash"] = hashlib.sha256(
        bytes.fromhex(event["before"]) + struct.pack(
            ">qqq", event["seq"], event["at_ms"], event["run"])
        + event["kind"].encode() + b"\0\1"
        + bytes.fromhex(event["request_id"].replace("-", ""))
        + event["data"].encode()).hexdigest()
    made["requests"][0].update(erased=True, state="deleted", residue=[])
    code, said = script(ran, made, points)
    assert code == 1 and "do not lead to the root" in said


# ---- the page --------------------------------------------------------------------


def page_of(ran, word, code):
    path = ran.folder / "c.html"
    ran.run("certificate", word, "--html", path, check=code)
    return path


def test_a_page_that_asks_nobody_and_can_be_checked(ran):
    page = page_of(ran, ran.held, 3).read_text()
    assert "<img" not in page and "\x1b" not in page and "\u202e" not in page
    assert "</script><img" not in page and EVIL_SHOWN in page
    assert "default-src 'none'" in page and "NOT erased" in page
    assert "<h1 class=\"good\">" not in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert script(ran, page)[0] == 0
    page = page_of(ran, "last", 3).read_text()
    assert script(ran, page)[0] == 0
    assert "<b>" not in page and "&lt;b&gt;" in page
    assert ran.run("certificate", ran.held, "--html", "-", check=3).out \
        .startswith("<!doctype html>")




@browsers
@pytest.mark.parametrize("width,dark", [(1000, 0), (1000, 1), (390, 0)])
def test_in_a_browser(ran, width, dark):
    path = page_of(ran, ids(ran, "deleted")[0], 0)
    show_in_browser(ran, path, width, 1400, dark)


# ---- bad input, damage -------------------------------------------------------------


@pytest.mark.parametrize("words,says", [
    ([], "needs one"), (["1", "2"], "needs one"), (["99"], "no run 99"),
    (["x"], "is no run"), (["last", "--html", "x", "--json"], "two forms"),
    (["019E6D0A-e5be-7b82-b329-35ae64296902"], "is no run"),
    (["019e6d0a-e5be-7b82-b329-35ae64296902"], "knows nothing"),
    (["2", "--html", "/nowhere/c.html"], "not written"),
    (["2", "--checkpoint", "/nowhere"], "cannot be read")])
def test_bad_input(ran, words, says):
    done = ran.run("certificate", *words, check=2)
    assert says in done.err and "Certificate of erasure" not in done.out


def test_without_a_ledger(world):
    assert "no ledger" in world.run("certificate", "last", check=2).err
    world.sandbox(requests=10)
    world.lua("log.info 'nothing'", check=0)
    assert "nothing to certify" in world.run("certificate", "1", check=2).err


def test_a_damaged_ledger_certifies_nothing(ran):
    id = ids(ran, "deleted")[0]
    base = sqlite3.connect(ran.ledger)
    base.execute("UPDATE deletions SET state = 'gone' WHERE request_id = ?",
                 (bytes.fromhex(id.replace("-", "")),))
    base.commit()
    base.close()
    done = ran.run("certificate", id, check=8)
    assert done.out == ""
