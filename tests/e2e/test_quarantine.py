"""Quarantine: hidden first, erased after a grace, released on request."""
import json
import time

import pytest

import hostile
from conftest import ledger_events
from hostile import Answer, row, uuid4

DAY = 86400
OPEN = {"default": "allow", "rules": [{"user": "ann", "decision": "allow"}]}
HIDDEN = {"default": "hide", "rules": []}

POLICY = """
return fal.policy {
  name = "q", reason = "hidden, then erased",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  action = { quarantine = "0d", delete_after = "%s" },
  limits = { max = 5 },
}
"""


class Storage(hostile.Fal):
    """Outputs with files, and an ACL for each."""

    def __init__(self, *args, **script):
        self.acl, self.puts, self.ids = {}, [], {}
        super().__init__(*args, **script)

    def give_files(self, count=2):
        for one in self.rows:
            links = ["https://v3.fal.media/files/%s/%d.png" %
                     (one["request_id"], n) for n in range(count)]
            self.ids.update((link, one["request_id"]) for link in links)
            self.acl.update((link, OPEN) for link in links)
            one["json_output"] = {
                "images": [{"url": link} for link in links],
                "page": "https://example.com/v3.fal.media/x.png"}
            one["json_input"] = {"image_url":
                                 "https://v3.fal.media/files/in/x.png"}
        return self

    def hidden(self):
        return {self.ids[link] for link, acl in self.acl.items()
                if acl == HIDDEN}

    def _name(self, request):
        if request.path == "/v1/storage/files/acl":
            return {"GET": "get_acl", "PUT": "put_acl"}[request.method]
        return hostile.Fal._name(request)

    def _get_acl(self, request):
        link = request.query["url"][0]
        return Answer(200, self.acl[link]) if link in self.acl else \
            hostile.error(404, kind="not_found")

    def _put_acl(self, request):
        link = request.query["url"][0]
        with self.lock:
            self.puts.append(link)
            self.acl[link] = json.loads(request.body)
        return Answer(200, self.acl[link])


def serve(world, rng, count=3, files=2, **script):
    server = Storage([row(uuid4(rng), (40 + n) * DAY) for n in range(count)],
                     **script)
    world.servers += (server,)
    world.url = server.url
    server.give_files(files)
    return server, [one["request_id"] for one in server.rows]


def test_hidden_first_and_erased_after_the_grace(world, rng):
    server, ids = serve(world, rng)
    done = world.lua(POLICY % "2s", check=0)
    assert "3 requests put into quarantine" in done.err
    assert server.hidden() == set(ids) and not server.deletes
    events = ledger_events(world.ledger)
    kinds = [e["kind"] for e in events]
    assert kinds.index("quarantine") < kinds.index("change")
    assert kinds.count("quarantine") == 3 and kinds.count("change") == 6
    first = next(e for e in events if e["kind"] == "quarantine")
    assert [json.loads(acl) for acl in first["data"]["acl"]] == [OPEN] * 2
    explained = world.run("explain", ids[0], check=0).out
    assert "in quarantine since" in explained and "to be erased from" in \
        explained
    time.sleep(2.2)
    world.lua(POLICY % "2s", check=0)
    assert sorted(server.gone) == sorted(ids)
    assert len(server.puts) == 6
    assert "in quarantine" not in world.run("explain", ids[0], check=0).out
    world.lua(POLICY % "2s", check=0)
    assert len(server.deletes) == 3 and len(server.puts) == 6


@pytest.mark.parametrize("how", ["policy", "script", "delete", "call",
                                 "other"])
def test_nothing_is_erased_in_its_grace(world, rng, how):
    server, ids = serve(world, rng)
    world.lua(POLICY % "7d", check=0)
    if how == "policy":
        world.lua(POLICY % "7d", check=0)
        world.lua(POLICY % "1s", check=0)         # what was promised stands
    elif how == "script":
        world.lua("""fal.delete_all(fal.requests { endpoint_id = "auto",
                     older_than = "30d" })""", check=0)
    elif how == "delete":
        done = world.run("delete", *ids, check=0)
        assert "held" in done.out
    elif how == "call":
        done = world.run("call", "models.requests.delete_payloads",
                         "request_id=" + ids[0], check=0)
        assert done.json["status"] == "held"
    else:
        world.lua((POLICY % "1s").replace("  action", "  -- action"), check=0)
    assert not server.deletes
    assert len(server.puts) == 6


def test_a_longer_grace_counts(world, rng):
    server, ids = serve(world, rng)
    world.lua(POLICY % "1s", check=0)
    time.sleep(1.2)
    done = world.lua(POLICY % "7d", "--dry-run", check=0)
    assert "in quarantine since" in done.out
    world.lua(POLICY % "7d", check=0)
    assert not server.deletes and len(server.puts) == 6


def test_a_plan_and_a_dry_run_hide_nothing(world, rng):
    server, ids = serve(world, rng)
    done = world.lua(POLICY % "7d", "--dry-run", "--json", check=0)
    assert {one["request_id"] for one in done.json["quarantine"]} == set(ids)
    assert done.json["planned"] == []
    assert done.json["policies"][0]["quarantine"] == 3
    shown = world.lua(POLICY % "7d", "--dry-run", check=0).out
    assert "To be put into quarantine" in shown
    assert not server.puts and not server.deletes


def test_limits_count_what_is_erased(world, rng):
    server, ids = serve(world, rng, count=8)
    world.lua(POLICY % "1s", check=0)
    assert server.hidden() == set(ids)
    time.sleep(1.2)
    world.lua(POLICY % "1s", check=4)
    assert not server.deletes


def test_release_shows_it_again_and_holds_it(world, rng):
    server, ids = serve(world, rng)
    world.lua(POLICY % "1s", check=0)
    done = world.run("release", ids[1], "--reason", "ticket 7", check=0)
    assert "released" in done.out
    assert server.hidden() == {ids[0], ids[2]}
    assert all(acl in (OPEN, HIDDEN) for acl in server.acl.values())
    time.sleep(1.2)
    world.lua(POLICY % "1s", check=0)
    assert sorted(server.gone) == sorted([ids[0], ids[2]])
    held = world.run("hold", "list", "--json", check=0).json
    assert [h["reason"] for h in held] == [
        "released from quarantine: ticket 7"]
    done = world.run("release", ids[1], check=2)
    assert "is not in quarantine" in done.err
    world.run("hold", "remove", ids[1], check=0)
    world.lua(POLICY % "1s", check=0)
    assert ids[1] in server.hidden() and ids[1] not in server.gone


def test_a_release_that_fails_is_held_all_the_same(world, rng):
    server, ids = serve(world, rng)
    world.lua(POLICY % "1s", check=0)
    server.script["put_acl"] = lambda r: hostile.error(400, kind="bad")
    done = world.run("release", ids[0], check=3)
    assert "failed" in done.out
    del server.script["put_acl"]
    time.sleep(1.2)
    world.lua(POLICY % "1s", check=0)
    assert ids[0] not in server.gone and len(server.gone) == 2
    world.run("release", ids[0], check=0)
    assert ids[0] not in server.hidden()


def test_what_could_not_be_hidden_is_not_erased(world, rng):
    server, ids = serve(world, rng)
    bad = [link for link in server.acl if server.ids[link] == ids[0]][1]
    server.script["put_acl"] = lambda r: hostile.error(400, kind="bad") \
        if r.query["url"] == [bad] else None
    world.lua(POLICY % "1s", check=3)
    time.sleep(1.2)
    world.lua(POLICY % "1s", check=3)
    assert sorted(server.gone) == sorted(ids[1:])
    del server.script["put_acl"]
    world.lua(POLICY % "1s", check=0)
    assert ids[0] in server.hidden() and ids[0] not in server.gone
    done = world.lua(POLICY % "1s", check=0)      # the grace began anew
    assert ids[0] not in server.gone, done
    time.sleep(1.2)
    world.lua(POLICY % "1s", check=0)
    assert ids[0] in server.gone
    first = [e for e in ledger_events(world.ledger)
             if e["kind"] == "quarantine" and e["id"] == ids[0]]
    assert len(first) == 2
    assert first[0]["data"]["acl"] == first[1]["data"]["acl"]


def test_an_acl_that_cannot_be_read(world, rng):
    server, ids = serve(world, rng)
    bad = next(link for link in server.acl if server.ids[link] == ids[0])
    server.script["get_acl"] = lambda r: Answer(200, {"default": 1}) \
        if r.query["url"] == [bad] else None
    done = world.lua(POLICY % "1s", check=1)
    assert "could not be put into quarantine" in done.err
    assert server.hidden() == set(ids[1:])


def test_an_answer_that_is_another_acl(world, rng):
    server, ids = serve(world, rng)
    server.script["put_acl"] = lambda r: Answer(200, OPEN)
    done = world.lua(POLICY % "1s")
    assert done.code in (1, 3) and not server.hidden()


def test_a_hold_that_comes_in_the_grace(world, rng):
    server, ids = serve(world, rng)
    world.lua(POLICY % "1s", check=0)
    world.run("hold", "add", ids[0], "--reason", "case 7", check=0)
    time.sleep(1.2)
    world.lua(POLICY % "1s", check=0)
    assert sorted(server.gone) == sorted(ids[1:])
    assert ids[0] in server.hidden()


def test_without_files_the_grace_counts_too(world, rng):
    server, ids = serve(world, rng, files=0)
    world.lua(POLICY % "1s", check=0)
    assert not server.deletes and not server.puts
    time.sleep(1.2)
    world.lua(POLICY % "1s", check=0)
    assert sorted(server.gone) == sorted(ids)


@pytest.mark.parametrize("action, words", [
    ('{ quarantine = "0d" }', "delete_after"),
    ('{ quarantine = "1d", delete_after = "7d" }', '"0d" is needed'),
    ('{ quarantine = "0d", delete_after = "0d" }', "grace is needed"),
    ('{ quarantine = "0d", delete_afer = "7d" }', "delete_after"),
    ('"hide"', "a table is needed"),
])
def test_what_an_action_must_be(world, rng, action, words):
    server, _ = serve(world, rng)
    text = (POLICY % "7d").replace(
        '{ quarantine = "0d", delete_after = "7d" }', action)
    done = world.lua(text, check=1)
    assert words in done.err and not server.puts


def test_against_the_sandbox_and_its_truth(world):
    world.sandbox(requests=60)
    policy = (POLICY % "1s").replace("max = 5", "max = 500")
    plan = world.lua(policy, "--dry-run", "--json", check=0).json
    ids = {one["request_id"] for one in plan["quarantine"]}
    assert len(ids) > 20
    world.lua(policy, check=0)
    assert not world.effects()
    files = next(e["data"]["files"] for e in ledger_events(world.ledger)
                 if e["kind"] == "quarantine" and e["data"]["files"])
    acl = world.run("call", "storage.acl", "url=" + files[0], check=0).json
    assert acl == HIDDEN
    free = next(e["id"] for e in ledger_events(world.ledger)
                if e["kind"] == "quarantine" and e["data"]["files"] == files)
    world.run("release", free, check=0)
    acl = world.run("call", "storage.acl", "url=" + files[0], check=0).json
    assert acl == {"default": "allow", "rules": []}
    time.sleep(1.2)
    world.lua(policy, check=0)
    assert {t["request_id"] for t in world.effects()} == ids - {free}
    world.run("verify", check=0)
