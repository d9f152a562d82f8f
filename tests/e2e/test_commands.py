"""The commands that tell what was done, and the shapes of their JSON."""
import json
import re
import time

import pytest

from conftest import OLDER, POLICIES, ROOT
from hostile import error, row, uuid4

LIBRARY = [path for path in sorted(POLICIES.glob("*.lua"))
           if not path.stem.endswith("_test")]

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def test_readers_on_no_ledger(world):
    for words in (["history"], ["hold", "list"], ["verify"]):
        world.run(*words)
        assert not world.ledger.exists()
    assert world.run("history", "--json", check=0).json == []
    assert world.run("hold", "list", "--json", check=0).json == []
    world.run("show", "last", check=2)


def test_history_show_explain_verify(world, rng):
    ids = [uuid4(rng) for _ in range(3)]
    world.fal([row(i) for i in ids[:2]],
              delete=lambda r: error(404) if r.id == ids[2] else None)
    world.run(OLDER, check=0)
    world.run("delete", ids[2], "--reason", "asked", check=3)
    runs = world.history()
    assert [r["run"] for r in runs] == [2, 1]
    assert [r["exit_code"] for r in runs] == [3, 0]
    assert [r["command"] for r in runs] == ["delete", "run"]
    assert all(ISO.match(r["began_at"]) and ISO.match(r["ended_at"])
               for r in runs)
    assert runs[1]["summary"]["deleted"] == 2
    assert re.fullmatch("[0-9a-f]{64}", runs[1]["policy_sha256"])
    assert world.run("history", "--limit", "1", "--json").json == runs[:1]
    shown = world.show(1)
    assert shown["run"] == runs[1] and shown["residue"] == []
    assert {r["request_id"] for r in shown["requests"]} == set(ids[:2])
    for r in shown["requests"]:
        assert r["outcome"] == "deleted" and r["http_status"] == 200
        assert r["evidence"] == "answered" and r["attempts"] == 1
    last, = world.show()["requests"]
    assert last["outcome"] == "failed" and last["kind"] == "not_found"
    told = world.run("explain", ids[2], "--json", check=0).json
    assert told["state"] == "failed" and told["residue"] == []
    assert [e["kind"] for e in told["events"]] == ["intent", "outcome"]
    assert told["events"][0]["data"]["reason"] == "asked"
    checked = world.run("verify", "--json", check=0).json
    assert checked["ok"] and checked["events"] == len(
        set(e["seq"] for e in told["events"])) + 10
    assert re.fullmatch("[0-9a-f]{64}", checked["head"])
    for words in (["history"], ["show", "1"], ["show", "last"],
                  ["explain", ids[0]], ["verify"]):
        done = world.run(*words, check=0)
        assert done.out and "\x1b" not in done.out
    world.run("explain", uuid4(rng), check=0)


def test_the_head_grows_and_the_past_stays(world, rng):
    world.fal()
    world.run("delete", uuid4(rng), check=0)
    one = world.run("verify", "--json", check=0).json
    world.run("delete", uuid4(rng), check=0)
    two = world.run("verify", "--json", check=0).json
    assert two["events"] > one["events"] and two["head"] != one["head"]


def test_holds(world, rng):
    ids = sorted(uuid4(rng) for _ in range(3))
    world.run("hold", "add", *ids[:2], "--reason", "case 17", check=0)
    world.run("hold", "add", "-", "--reason=case 18", stdin=ids[2] + "\n",
              check=0)
    holds = world.run("hold", "list", "--json", check=0).json
    assert sorted(h["request_id"] for h in holds) == ids
    assert all(ISO.match(h["at"]) for h in holds)
    assert {h["reason"] for h in holds} == {"case 17", "case 18"}
    assert "case 18" in world.run("hold", "list", check=0).out
    world.run("hold", "remove", ids[0], uuid4(rng), check=2)
    assert len(world.run("hold", "list", "--json").json) == 3
    world.run("hold", "remove", ids[0], check=0)
    assert len(world.run("hold", "list", "--json").json) == 2
    world.run("hold", "add", ids[1], check=2)
    world.run("hold", "add", ids[1], "--reason", "  ", check=2)
    world.run("verify", check=0)


def test_holds_need_no_key_and_no_network(world, rng):
    world.run("hold", "add", uuid4(rng), "--reason", "x", key=False, check=0)


def test_requests(world):
    world.sandbox(requests=120)
    listed = world.run("requests", "--endpoint", "fal-ai/flux/dev", "--json",
                       check=0).json
    assert len(listed) >= 39
    assert [r["ended_at"] for r in listed if r.get("ended_at")] == sorted(
        r["ended_at"] for r in listed if r.get("ended_at"))
    for r in listed:
        assert r["endpoint_id"] == "fal-ai/flux/dev"
        assert isinstance(r.get("status_code", 0), int)
    few = world.run("requests", "--endpoint", "auto", "--limit", "3",
                    "--json", check=0).json
    assert len(few) == 3
    failed = world.run("requests", "--endpoint", "auto", "--status",
                       "user_error", "--json", check=0).json
    assert failed and all(r["status_code"] >= 400 for r in failed)
    one = world.run("requests", "--endpoint", "fal-ai/flux/dev",
                    "--request-id", listed[0]["request_id"], "--json",
                    check=0).json
    assert [r["request_id"] for r in one] == [listed[0]["request_id"]]
    world.run("requests", "--endpoint", "no/such", check=None)
    assert not world.ledger.exists()


def test_check(world):
    server = world.fal()
    for path in LIBRARY:
        world.run("check", path, check=0, key=False)
    world.run("check", world.policy("prnt(1)"), check=1)
    done = world.run("check", "--json", world.policy("x = prnt(1)\nlog.y()"),
                     check=1)
    assert not done.json["ok"] and done.json["problems"][0]["line"] == 1
    assert "print" in done.json["problems"][0]["message"]
    world.run("check", world.policy("local x ="), check=1)
    world.run("check", world.policy("error 'not executed'"), check=0)
    assert not server.requests and not world.ledger.exists()


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.stem)
def test_every_policy_of_the_library_runs(world, path):
    world.sandbox(requests=60)
    (world.folder / "ids.csv").write_text("\n".join(world.expired()[:2]))
    words = {"ids-from-arguments": world.expired()[:2], "one-customer": ["a"],
             "listed-ids": [world.folder / "ids.csv"], "keep-newest": ["2"],
             }.get(path.stem, [])
    world.run("plan", path, *words, check=0)
    assert not world.truths()
    world.run(path, *words, check=0)
    # The sandbox names no customer; the others depend on the day.
    assert world.told() or path.stem in ("one-customer", "weekend-budget",
                                         "quality-sample")


def test_help_and_version(world):
    for words in (["--help"], ["-h"], ["help"], ["help", "plan"],
                  ["plan", "--help"], ["hold", "-h"], ["--help", "delete"]):
        done = world.run(*words, check=0, key=False)
        assert len(done.out) > 200 and not done.err
    text = world.run("--help", check=0).out
    for name in sorted((ROOT / "scripts/commands").glob("*.lua")):
        assert name.stem in text
        assert world.run(name.stem, "--help", check=0).out
    for code in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "70",
                 "130, 143"):
        assert re.search(r"^ +%s " % code, text, re.M), code
    assert re.match(r"falrun \d+\.\d+", world.run("--version").out)


def test_types(world):
    text = world.run("types", check=0, key=False).out
    assert text.startswith("---@meta") and "delete_payloads" in text


def test_colour_and_progress_only_on_a_terminal(world):
    world.sandbox(requests=60)
    for words in ([OLDER], ["history"], ["--help"], ["show", "last"]):
        done = world.run(*words)
        assert "\x1b" not in done.out + done.err
        assert "\r" not in done.err


def test_json_is_one_document_whatever_happens(world, rng):
    world.fal(delete=lambda r: error(500))
    done = world.lua("fal.delete_payloads(arg[1], { retries = 0 })",
                     uuid4(rng), "--json", check=3)
    json.loads(done.out)
    done = world.lua("error 'x'", "--json", check=1)
    assert json.loads(done.out)["counts"]["deleted"] == 0


def test_sandbox_of_a_million_is_quick(world):
    before = time.time()
    world.sandbox(requests=1000000)
    listed = world.run("requests", "--endpoint", "fal-ai/flux/dev",
                       "--older-than", "89d", "--limit", "5", "--json",
                       check=0, timeout=60).json
    assert len(listed) == 5 and time.time() - before < 40
