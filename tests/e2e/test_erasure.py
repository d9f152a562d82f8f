"""Whether what was deleted is gone from the CDN: verify = true, and falrun
verify-erasure, against a CDN that lies, hangs, redirects and floods.

Everything that the CDN receives is held against the key, in every test."""
import hashlib
import json
import sqlite3
import struct
import time

import pytest

from conftest import agree, ledger_events
from hostile import Answer, Server, row, uuid4

GONE, THERE = Answer(404), Answer(206, b"x", headers=[
    ("Content-Range", "bytes 0-0/9"), ("Age", "77"), ("X-Cache", "HIT")])


class Cdn(Server):
    """`files`: path -> Answer, or a function of the request. Others: 404."""

    def __init__(self, world, files=None):
        self.files, self.world = dict(files or {}), world
        super().__init__(self.answer)

    def answer(self, request):
        what = self.files.get(request.path, GONE)
        return what(request) if callable(what) else what

    def close(self):
        super().close()
        for request in self.requests:
            assert not self.world.leaks(request.raw), request.raw
            assert not self.world.leaks(request.body)
            assert request.method == "GET"
            assert request.headers["range"] == "bytes=0-0"
            for name in ("authorization", "cookie", "idempotency-key",
                         "proxy-authorization"):
                assert name not in request.headers, name


def plain(request):
    return "falrun=" not in request.target


def cached(request):
    return THERE if plain(request) else GONE


@pytest.fixture
def cdn(world):
    server = Cdn(world)
    world.servers.append(server)
    world.cdn = server
    return server


def link(name):
    return "https://v3.fal.media/files/" + name


def api(world, files, inputs=None, rows=()):
    """An API whose deletions answer with these files: name -> exception."""
    def delete(request):
        names = files(request.id) if callable(files) else files
        return Answer(200, {"cdn_delete_results": [
            {"link": name if "://" in name else link(name), "exception": why}
            for name, why in names.items()]})

    def listed(request):
        items = [dict(one) for one in rows]
        if "request_id" in request.query:
            items = [one for one in items
                     if one["request_id"] in request.query["request_id"]]
        if "expand" in request.query:
            for one in items:
                one["json_input"] = (inputs or {}).get(one["request_id"])
                one["json_output"] = None
        return Answer(200, {"items": items, "has_more": False,
                            "next_cursor": None})
    return world.fal(rows, delete=delete, list=listed)


def run(world, *args, **how):
    env = {"FALRUN_CDN_URL": world.cdn.origin + "/cdn"}
    env.update(how.pop("env", {}))
    return world.run(*args, env=env, **how)


def lua(world, text, *args, **how):
    return run(world, world.policy(text), *args, **how)


DELETE = """
    local result, err = fal.delete_payloads(arg[1], { verify = true })
    print(json.encode { status = (result or err).status,
                        files = (result or err).files,
                        message = err and err.message })
"""


def probes(world):
    return [(e["data"]["link"], e["data"]["seen"])
            for e in ledger_events(world.ledger) if e["kind"] == "probe"]


def state(world, id):
    return run(world, "explain", id, "--json", check=0).json


def test_verify_says_what_became_of_each_file(world, cdn, rng):
    api(world, {"a.png": None, "b.png": None})
    cdn.files["/cdn/files/b.png"] = cached
    id = uuid4(rng)
    done = lua(world, DELETE, id, check=0)
    assert done.json == {"status": "deleted", "files": [
        {"link": link("a.png"), "seen": "gone", "http_status": 404},
        {"link": link("b.png"), "seen": "cached", "http_status": 206,
         "age": 77}]}
    assert probes(world) == [(link("a.png"), "gone"),
                             (link("b.png"), "cached")]
    assert len(cdn.requests) == 4
    assert "their files: gone 1, served by a cache 1" in done.err
    assert state(world, id)["state"] == "deleted"
    world.run("verify", check=0)


def test_without_verify_nobody_is_asked(world, cdn, rng):
    api(world, {"a.png": None})
    lua(world, "fal.delete_payloads(arg[1])", uuid4(rng), check=0)
    lua(world, DELETE, uuid4(rng), "--dry-run", check=0)
    assert not cdn.requests and not probes(world)


def test_a_file_that_is_still_served_is_no_deletion(world, cdn, rng):
    server = api(world, {"a.png": None, "b.png": None})
    cdn.files["/cdn/files/b.png"] = THERE
    id = uuid4(rng)
    done = lua(world, DELETE, id, check=3)
    assert done.json["status"] == "partial"
    assert "a file is still served" in done.json["message"]
    assert [f["seen"] for f in done.json["files"]] == ["gone", "there"]
    facts = state(world, id)
    assert facts["state"] == "partial"
    assert facts["residue"] == [{"request_id": id, "link": link("b.png"),
                                 "exception": "still served: HTTP 206"}]
    shown = run(world, "show", "last", check=0).out
    assert "Files that are still there:" in shown and link("b.png") in shown
    # it is sent again by the next run, and then it is gone
    cdn.files.clear()
    assert lua(world, DELETE, id, check=0).json["status"] == "deleted"
    assert len(server.deletes) == 2
    assert lua(world, DELETE, id,
               check=0).json["status"] == "already_deleted"
    assert len(server.deletes) == 2
    assert state(world, id)["state"] == "deleted"
    world.run("verify", check=0)


def test_it_is_patient_with_a_slow_cdn(world, cdn, rng):
    api(world, {"a.png": None})
    seen = []

    def slow(request):
        seen.append(request)
        return THERE if len(seen) <= 2 else GONE
    cdn.files["/cdn/files/a.png"] = slow
    assert lua(world, DELETE, uuid4(rng), check=0).json["status"] == "deleted"
    assert probes(world) == [(link("a.png"), "gone")]


def test_a_partial_answer_is_settled_by_a_probe(world, cdn, rng):
    server = api(world, {"a.png": "busy", "b.png": None})
    cdn.files["/cdn/files/a.png"] = THERE
    id = uuid4(rng)
    run(world, "delete", id, check=3)
    assert state(world, id)["state"] == "partial"
    done = run(world, "verify-erasure", check=3)
    assert "still there" in done.out and link("a.png") in done.out
    assert link("b.png") not in done.out
    assert state(world, id)["state"] == "partial"
    cdn.files.clear()
    run(world, "verify-erasure", "--again", check=0)
    facts = state(world, id)
    assert facts["state"] == "deleted" and not facts["residue"]
    assert "seen as gone since" in run(world, "explain", id, check=0).out
    assert "Files that are still there" not in run(
        world, "show", "1", check=0).out
    run(world, "delete", id, check=0)
    assert len(server.deletes) == 1         # nothing was left to do
    world.run("verify", check=0)


def test_unknown_is_neither(world, cdn, rng):
    files = {"forbidden": Answer(403), "moved": Answer(302, headers=[
        ("Location", "/cdn/files/a.png")]), "broken": Answer(500),
        "odd": Answer(204)}
    api(world, {name: None for name in files})
    cdn.files = {"/cdn/files/" + name: a for name, a in files.items()}
    id = uuid4(rng)
    done = lua(world, DELETE, id, check=0)
    assert done.json["status"] == "deleted"
    whys = {f["link"].rsplit("/")[-1]: (f["seen"], f.get("why"))
            for f in done.json["files"]}
    assert whys == {
        "forbidden": ("unknown", "HTTP 403: forbidden is not gone"),
        "moved": ("unknown", "HTTP 302, a redirect, which is not followed"),
        "broken": ("unknown", "HTTP 500"), "odd": ("unknown", "HTTP 204")}
    done = run(world, "verify-erasure", check=3)
    assert "unknown 4" in done.out
    assert not [r for r in cdn.requests if r.path.endswith("/a.png")]


def test_a_redirect_reaches_nobody(world, cdn, rng):
    with Cdn(world) as thief:
        cdn.files["/cdn/files/a.png"] = Answer(302, headers=[
            ("Location", thief.origin + "/steal")])
        api(world, {"a.png": None})
        lua(world, DELETE, uuid4(rng), check=0)
        time.sleep(0.1)
        assert cdn.requests and not thief.requests


def test_links_of_other_hosts_are_not_asked(world, cdn, rng):
    with Cdn(world) as other:
        names = [other.origin + "/x", "https://evil.example/x",
                 "http://v3.fal.media/x", "https://v3.fal.media@evil.example/",
                 "https://v3.fal.media/../../v1/models/requests",
                 "file:///etc/passwd", "https://v3.fal.media/" + "a" * 3000,
                 "https://v3.fal.media/" + "b" * 100000]
        server = api(world, {name: None for name in names})
        plain = server.script["delete"]

        def delete(request):            # and one without a link at all
            answer = json.loads(plain(request).body)
            answer["cdn_delete_results"].append({"link": "",
                                                 "exception": None})
            return Answer(200, answer)
        server.script["delete"] = delete
        done = lua(world, DELETE, uuid4(rng), check=0)
        assert {f["seen"] for f in done.json["files"]} == {"unknown"}
        assert not other.requests and not cdn.requests
        run(world, "verify-erasure", check=3)
        assert not other.requests and not cdn.requests


def test_proxies_of_the_environment_are_not_asked(world, cdn, rng):
    with Server(lambda r: Answer(502)) as proxy:
        api(world, {"a.png": None})
        (world.home / ".netrc").write_text(
            "machine 127.0.0.1 login thief password hunter2\n")
        lua(world, DELETE, uuid4(rng), env={
            "http_proxy": proxy.origin, "ALL_PROXY": proxy.origin,
            "NETRC": world.home / ".netrc"}, check=0)
        assert cdn.requests and not proxy.requests


def test_a_flood_is_cut(world, cdn, rng):
    sent = []

    def flood(_):
        sent.append(1)
        return Answer(200, b"x" * (64 << 20), headers=[
            ("Content-Encoding", "gzip")])
    cdn.files["/cdn/files/a.mp4"] = flood
    api(world, {"a.mp4": None})
    began = time.time()
    done = lua(world, DELETE, uuid4(rng), check=3)
    assert done.json["files"][0]["seen"] == "there"
    assert time.time() - began < 20


def test_an_empty_file_and_a_slow_one(world, cdn, rng):
    cdn.files = {"/cdn/files/empty": Answer(416),
                 "/cdn/files/slow": Answer(404, stall=30)}
    slow, empty = uuid4(rng), uuid4(rng)
    api(world, lambda id: {"slow" if id == slow else "empty": None})
    began = time.time()
    done = lua(world, DELETE, slow, check=0)
    assert done.json["files"][0]["why"] == "timeout"
    assert time.time() - began < 15
    done = lua(world, DELETE, empty, check=3)
    assert done.json["files"][0]["seen"] == "there"


def test_many_by_delete_all_and_by_the_command(world, cdn, rng):
    ids = [uuid4(rng) for _ in range(40)]
    api(world, lambda id: {id + ".png": None})
    cdn.files["/cdn/files/%s.png" % ids[7]] = THERE
    done = lua(world, """
        local ids = {}
        for i = 1, 20 do ids[i] = arg[i] end
        local s = fal.delete_all(ids, { verify = true })
        print(json.encode(s))
    """, *ids[:20], check=3)
    assert (done.json["deleted"], done.json["partial"]) == (19, 1)
    assert done.json["errors"][0]["request_id"] == ids[7]
    done = run(world, "delete", "--verify", *ids[20:], check=0)
    assert "their files: gone 20" in done.err
    assert len(probes(world)) == 40
    world.run("verify", check=0)


POLICY = """
    return fal.policy { name = "p", select = fal.requests {
      endpoint_id = "a/b", older_than = "30d" }, reason = "r", %s }
"""


def image(name):
    return {"prompt": "x", "image_url": link(name), "list": [
        {"deep": link("deep-" + name)}, "https://example.com/" + name]}


def test_a_declared_policy_and_its_input_files(world, cdn, rng):
    rows = [row(uuid4(rng), endpoint="a/b") for _ in range(5)]
    inputs = {r["request_id"]: image("in%d.png" % n) if n else {"prompt": "x"}
              for n, r in enumerate(rows)}
    api(world, lambda id: {id + ".png": None}, inputs, rows)
    cdn.files.update({"/cdn/files/in%d.png" % n: THERE for n in range(5)})
    done = lua(world, POLICY % "verify = true", check=0)
    assert "their files: gone 5" in done.err
    events = ledger_events(world.ledger)
    found = {e["id"]: e["data"]["files"] for e in events
             if e["kind"] == "input_files"}
    assert sorted(map(sorted, found.values())) == [[]] + sorted(
        sorted([link("in%d.png" % n), link("deep-in%d.png" % n)])
        for n in range(1, 5))
    for id in found:            # known before, and so recorded before
        first = [e["kind"] for e in events if e["id"] == id][0]
        assert first == "input_files"
    done = run(world, "verify-erasure", "--json", check=0)
    assert done.json["files"]["gone"] == 5
    assert done.json["input_files"] == {"there": 4, "gone": 4, "cached": 0,
                                        "unknown": 0}
    assert done.json["inputs_not_looked_at"] == 0
    assert {e["file"] for e in done.json["left"]} == {"input"}
    facts = state(world, rows[1]["request_id"])
    assert facts["state"] == "deleted" and not facts["residue"]
    assert {f["link"] for f in facts["input_files"]} == set(
        found[rows[1]["request_id"]])
    out = run(world, "explain", rows[1]["request_id"], check=0).out
    assert "fal keeps of the input: " + link("in1.png") in out
    world.run("verify", check=0)


def test_a_rule_that_looks_at_inputs_tells_their_files(world, cdn, rng):
    rows = [row(uuid4(rng), endpoint="a/b") for _ in range(3)]
    inputs = {r["request_id"]: image("%d.png" % n)
              for n, r in enumerate(rows)}
    api(world, {"x.png": None}, inputs, rows)
    lua(world, POLICY % """where = function(request)
        return request.input.image_url:find("[01].png")
      end""", check=0)
    kinds = [e["kind"] for e in ledger_events(world.ledger)]
    assert kinds.count("input_files") == 2      # the third is not deleted
    assert not cdn.requests
    out = run(world, "verify-erasure", check=0).out
    assert "4 input files, which fal keeps" in out
    assert "nobody looked" not in out


def test_what_nobody_looked_at_is_not_called_none(world, cdn, rng):
    api(world, {"a.png": None})
    id = uuid4(rng)
    run(world, "delete", id, check=0)
    out = run(world, "verify-erasure", check=0).out
    assert "nobody looked at the input of 1 request" in out
    out = run(world, "explain", id, check=0).out
    assert "nobody looked at the input" in out
    assert "fal keeps of the input" not in out


def test_it_asks_once_an_hour_and_again(world, cdn, rng):
    ids = [uuid4(rng) for _ in range(10)]
    api(world, lambda id: {id + ".png": None})
    run(world, "delete", *ids, check=0)
    one = run(world, "verify-erasure", check=0)
    assert one.out.splitlines()[0] == "10 files of 10 requests: gone 10"
    assert len(cdn.requests) == 20
    two = run(world, "verify-erasure", check=0)
    assert two.out == one.out and len(cdn.requests) == 20
    run(world, "verify-erasure", "--again", check=0)
    assert len(cdn.requests) == 40
    assert run(world, "verify-erasure", "--since", "1h",
               check=0).out == one.out
    assert "files: gone 10" in run(world, "history", check=0).out
    run(world, "show", "last", check=0)
    world.run("verify", check=0)


def test_killed_in_the_middle_it_goes_on(world, cdn, rng):
    ids = [uuid4(rng) for _ in range(60)]
    api(world, lambda id: {id + ".png": None})
    run(world, "delete", *ids, check=0)
    running = world.start("verify-erasure", "--rate", "40/s", env={
        "FALRUN_CDN_URL": cdn.origin + "/cdn"})
    running.until(lambda: len(cdn.requests) >= 40)
    running.process.kill()
    running.process.wait()
    world.run("verify", check=0)
    done = {name for name, _ in probes(world)}
    assert 0 < len(done) < 60
    before = len(cdn.requests)
    out = run(world, "verify-erasure", check=0).out
    assert "60 files of 60 requests: gone 60" in out
    assert len(cdn.requests) - before == 2 * (60 - len(done))
    assert len(probes(world)) == 60
    world.run("verify", check=0)


def test_a_cdn_that_is_down_is_not_asked_for_ever(world, cdn, rng):
    ids = [uuid4(rng) for _ in range(60)]
    api(world, lambda id: {id + ".png": None})
    run(world, "delete", *ids, check=0)
    cdn.answer = cdn.handler = lambda r: Answer(drop="before")
    done = run(world, "verify-erasure", check=7)
    assert "does not answer" in done.err
    assert len({r.path for r in cdn.requests}) < 60
    cdn.handler = lambda r: GONE
    run(world, "verify-erasure", check=0)
    world.run("verify", check=0)


def test_no_key_is_needed_and_none_is_read(world, cdn, rng):
    api(world, {"a.png": None})
    run(world, "delete", uuid4(rng), check=0)
    run(world, "verify-erasure", key=False, check=0)
    run(world, "verify-erasure", "--again", check=0,
        env={"FAL_KEY_FILE": "/nonexistent"})


def test_a_base_in_place_of_the_cdn_is_for_tests_only(world, cdn, rng):
    api(world, {"a.png": None})
    for url in ("http://10.0.0.1/cdn", "https://example.com", "x",
                cdn.origin + "/", cdn.origin + "/?x"):
        done = world.run("verify-erasure", env={"FALRUN_CDN_URL": url},
                         check=2)
        assert "FALRUN_CDN_URL" in done.err
    done = run(world, "verify-erasure", check=2,
               env={"FALRUN_API_URL": "https://api.fal.ai/v1"})
    assert "FALRUN_CDN_URL is for tests" in done.err
    assert not cdn.requests


@pytest.mark.parametrize("words", [
    ["x"], ["99"], ["1", "2"], ["1", "--since", "7d"], ["--since", "7"],
    ["--agian"]])
def test_misuse(world, cdn, rng, words):
    api(world, {"a.png": None})
    run(world, "delete", uuid4(rng), check=0)
    run(world, "verify-erasure", *words, check=2)
    assert not cdn.requests


def test_nothing_was_deleted_yet(world, cdn):
    api(world, {})
    done = run(world, "verify-erasure", check=2)
    assert "no run of the ledger deleted something" in done.err


def test_json_is_one_document(world, cdn, rng):
    api(world, {"a.png": None, "b.png": None})
    cdn.files["/cdn/files/b.png"] = cached
    id = uuid4(rng)
    run(world, "delete", id, check=0)
    done = run(world, "verify-erasure", "1", "--json", check=3)
    whole = json.loads(done.out)
    assert whole["files"] == {"gone": 1, "cached": 1, "there": 0,
                              "unknown": 0}
    assert whole["left"][0]["link"] == link("b.png")
    assert whole["left"][0]["age_s"] == 77
    assert whole["runs"] == [1] and whole["complete"] is True


def test_interrupted_it_goes_on(world, cdn, rng):
    ids = [uuid4(rng) for _ in range(40)]
    api(world, lambda id: {id + ".png": None})
    run(world, "delete", *ids, check=0)
    running = world.start("verify-erasure", "--rate", "40/s", env={
        "FALRUN_CDN_URL": cdn.origin + "/cdn"})
    running.until(lambda: len(cdn.requests) >= 20)
    running.signal(2)
    assert running.wait().code == 130
    world.run("verify", check=0)
    done = run(world, "verify-erasure", "--rate", "1/s", "--max-runtime",
               "2s", check=7)
    assert "max-runtime" in done.err
    run(world, "verify-erasure", check=0)
    assert len(probes(world)) == 40


def test_the_commands_json_tells_what_was_seen(world, cdn, rng):
    ids = [uuid4(rng) for _ in range(3)]
    api(world, lambda id: {id + ".png": None})
    cdn.files["/cdn/files/%s.png" % ids[1]] = THERE
    done = run(world, "delete", "--verify", "--json", *ids, check=3)
    assert {one["request_id"]: (one["status"], one["files"][0]["seen"])
            for one in done.json} == {ids[0]: ("deleted", "gone"),
                                      ids[1]: ("partial", "there"),
                                      ids[2]: ("deleted", "gone")}
    done = run(world, "delete", "--verify", "--json", "--dry-run", uuid4(rng),
               check=0)
    assert done.json[0]["status"] == "planned"
    done = run(world, "delete", "--verify", ids[1], check=3)
    assert done.out == ids[1] + "\tpartial\n"


def test_a_plan_asks_nobody(world, cdn, rng):
    rows = [row(uuid4(rng), endpoint="a/b") for _ in range(5)]
    api(world, {"a.png": None}, {}, rows)
    path = world.policy(POLICY % "verify = true")
    done = run(world, "plan", path, "-o", "x.plan", check=0)
    assert "5" in done.out and not cdn.requests
    done = run(world, "apply", "x.plan", check=0)
    assert "their files: gone 5" in done.err


def test_a_policy_that_verifies_can_be_tested(world):
    world.policy("""
        return fal.policy { name = "p", verify = true, reason = "r",
          select = fal.requests { endpoint_id = "a/b", older_than = "30d" } }
    """, "v.lua")
    world.policy("""
        test("it deletes", function(t)
          t.requests { { id = "old", ended = "40d", endpoint_id = "a/b" } }
          t.run "v.lua"
          t.deleted { "old" }
        end)
    """, "v_test.lua")
    world.run("test", key=False, check=0)


def quarantine(world, id, files):
    """As another command of falrun writes it: event and table."""
    base = sqlite3.connect(world.ledger)
    seq, head = base.execute("SELECT seq, hash FROM events ORDER BY seq DESC "
                             "LIMIT 1").fetchone()
    data = json.dumps({"files": files, "delete_after_ms": 1, "reason": "x"})
    raw, at = bytes.fromhex(id.replace("-", "")), int(time.time() * 1000)
    hash = hashlib.sha256(head + struct.pack(">qqq", seq + 1, at, 0)
                          + b"quarantine\0\1" + raw + data.encode()).digest()
    base.execute("INSERT INTO events VALUES(?, 0, ?, 'quarantine', ?, ?, ?)",
                 (seq + 1, at, raw, data, hash))
    base.execute("INSERT INTO mentions VALUES(?, ?)", (raw, seq + 1))
    base.execute("INSERT INTO quarantined VALUES(?, ?, 1, ?)",
                 (raw, at, seq + 1))
    base.commit()
    base.close()
    world.run("verify", check=0)


def test_what_is_hidden_is_not_gone(world, cdn, rng):
    """A quarantine closes the access to a file: its 404 proves nothing."""
    api(world, {"a.png": None, "b.png": None})
    id = uuid4(rng)
    run(world, "delete", uuid4(rng), check=0)
    quarantine(world, id, [link("a.png")])
    done = lua(world, DELETE, id, check=0)
    assert [(f["seen"], f.get("why")) for f in done.json["files"]] == [
        ("unknown", "its access was closed: hidden is not gone"),
        ("gone", None)]
    done = run(world, "verify-erasure", check=3)
    assert "hidden is not gone" in done.out
    world.run("verify", check=0)


VERIFIED = """
    print(json.encode(fal.delete_all(fal.requests {
      endpoint_id = "auto", older_than = "30d" }, { verify = true })))
"""


def sandboxed(world, *args, **how):
    env = {"FALRUN_CDN_URL": world.url.replace("/v1", "/cdn")}
    return world.run(*args, env=env, **how)


def test_the_truth_of_the_sandbox(world):
    """What is seen of files is what the sandbox really left there."""
    world.sandbox(requests=300, faults="cdn-exception=0.2")
    done = sandboxed(world, world.policy(VERIFIED), timeout=120, check=3)
    left = {t["request_id"]: t["files_left"] for t in world.truths()}
    deleted = sum(t["files_deleted"] for t in world.truths())
    assert sum(left.values()) > 5
    summary = done.json
    assert summary["partial"] == sum(1 for n in left.values() if n)
    assert "their files: gone %d, still there %d" % (
        deleted, sum(left.values())) in done.err
    done = sandboxed(world, "verify-erasure", "--again", "--json", check=3,
                     timeout=120)
    assert done.json["files"] == {"gone": deleted, "cached": 0, "unknown": 0,
                                  "there": sum(left.values())}
    seen = {}
    for one in done.json["left"]:
        if one["file"] == "output":
            seen[one["request_id"]] = seen.get(one["request_id"], 0) + 1
    assert seen == {id: n for id, n in left.items() if n}
    agree(world)


def test_a_sandbox_of_its_own_is_asked_by_itself(world):
    same = ["--sandbox", "--requests", "100", "--anchor",
            "2025-06-01T00:00:00Z"]
    done = world.run(*same, world.policy(VERIFIED), key=False, timeout=120,
                     check=0, env={"FALRUN_API_URL": None})
    assert "their files: gone" in done.err and "there" not in done.err
    # a second one has the same history, and nothing of it was deleted
    done = world.run("verify-erasure", *same, "--again", key=False,
                     timeout=120, check=3, env={"FALRUN_API_URL": None})
    assert "still there" in done.out and "gone" not in done.out


def test_a_cache_in_front_of_the_sandbox(world):
    world.sandbox(requests=60, cdn_cache="10m")
    done = sandboxed(world, world.policy(VERIFIED), timeout=120, check=0)
    deleted = sum(t["files_deleted"] for t in world.truths())
    assert "their files: served by a cache %d" % deleted in done.err
    assert done.json["partial"] == 0
    done = sandboxed(world, "verify-erasure", check=3)
    assert "served by a cache %d" % deleted in done.out
    agree(world)
