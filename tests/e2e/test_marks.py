"""Holds that people set in fal's dashboard: collections, tags, favourites."""
import threading
import time

import pytest

import hostile
from hostile import Answer, row, uuid4

DAY = 86400

POLICY = """
return fal.policy {
  name = "p", reason = "erased after 30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  hold = { fal.hold.collection "legal-hold", fal.hold.tag "keep",
           fal.hold.favourites() },
}
"""

SCRIPT = """
fal.hold.enforce { fal.hold.collection "legal-hold", fal.hold.tag "keep",
                   fal.hold.favourites() }
fal.delete_all(fal.requests { endpoint_id = "auto", older_than = "30d" })
"""


class Dashboard(hostile.Fal):
    """collections: {name: (parent or None, [request ids])}; a list `tagged`
    and a list `favourites` of request ids."""

    def __init__(self, *args, **script):
        self.collections = {"legal-hold": (None, []),
                            "case 7": ("legal-hold", [])}
        self.tagged, self.favourites, self.size = [], [], 2
        super().__init__(*args, **script)

    def _name(self, request):
        if request.method == "GET" and request.path.startswith("/v1/assets"):
            return "assets"
        return hostile.Fal._name(request)

    def _tree(self, name):
        return {"id": self._id(name), "name": name, "type": "manual",
                "children": [self._tree(child) for child, (parent, _) in
                             self.collections.items() if parent == name]}

    @staticmethod
    def _id(name):
        return "id-" + name.replace(" ", "")

    def _page(self, request, ids):
        at = int(request.query.get("cursor", ["0"])[0])
        more = at + self.size < len(ids)
        return Answer(200, {
            "assets": [{"request_id": one, "asset_id": None} for one in
                       ids[at:at + self.size]],
            "has_more": more, "total_count": len(ids),
            "next_cursor": str(at + self.size) if more else None,
            "scope_truncated": False})

    def _assets(self, request):
        rest = request.path[len("/v1/assets"):].split("/")[1:]
        if rest[:1] == ["tags"]:
            return Answer(200, {"tags": [{"id": "t1", "name": "keep",
                                          "created_at": None}]})
        if not rest:
            return self._page(request, self.favourites if request.query.get(
                "section") == ["favorites"] else self.tagged)
        if len(rest) == 1:
            at = int(request.query.get("offset", ["0"])[0])
            all = [{"id": self._id(name), "name": name,
                    "parent_collection_id": parent and self._id(parent)}
                   for name, (parent, _) in self.collections.items()]
            return Answer(200, {"collections": all[at:at + self.size]})
        name = [n for n in self.collections if self._id(n) == rest[1]]
        if not name:
            return hostile.error(404)
        if rest[2] == "hierarchy":
            return Answer(200, {"hierarchy": self._tree(name[0]),
                                "ancestors": []})
        return self._page(request, self.collections[name[0]][1])


def rows(rng, count, age=40):
    return [row(uuid4(rng), (age + n) * DAY) for n in range(count)]


def serve(world, rng, count=9, **script):
    server = Dashboard(rows(rng, count), **script)
    world.servers += (server,)
    world.url = server.url
    ids = [one["request_id"] for one in server.rows]
    server.collections["legal-hold"][1].extend(ids[:3] + [None])
    server.collections["case 7"][1].append(ids[3])
    server.tagged.append(ids[4])
    server.favourites.append(ids[5])
    return server, ids


@pytest.mark.parametrize("text", [POLICY, SCRIPT])
def test_what_is_marked_is_not_deleted(world, rng, text):
    server, ids = serve(world, rng)
    done = world.lua(text, check=0)
    assert sorted(server.gone) == sorted(ids[6:])
    outcomes = world.outcomes()
    assert {i for i in ids if outcomes.get(i) == "held"} >= (
        set(ids[:6]) if text is SCRIPT else set())
    assert "1 asset without a request id" in done.err
    server.gone.clear()
    world.lua(text, check=0)
    assert not server.gone


def test_a_plan_says_who_holds(world, rng):
    server, ids = serve(world, rng)
    path = world.folder / "p.plan"
    done = world.lua(POLICY, "--dry-run", "-o", path, "--json", check=0)
    assert 'the tag \\"keep\\"' in done.out
    assert not server.deletes
    server.collections["case 7"][1].append(ids[7])
    world.run("apply", path, check=0)
    assert sorted(server.gone) == sorted([ids[6], ids[8]])


def test_a_plan_is_held_though_its_policy_is_gone(world, rng):
    server, ids = serve(world, rng)
    path = world.folder / "p.plan"
    world.lua(POLICY, "--dry-run", "-o", path, check=0)
    (world.folder / "policy.lua").unlink()
    server.tagged.append(ids[8])
    world.run("apply", path, check=0)
    assert sorted(server.gone) == sorted(ids[6:8])
    server.collections.clear()
    done = world.run("apply", path, check=4)
    assert 'there is no collection "legal-hold"' in done.err


def test_explain_names_the_mark(world, rng):
    _, ids = serve(world, rng)
    policy = world.policy(POLICY)
    done = world.run("explain", ids[3], policy, check=0)
    assert ": held" in done.out
    assert 'the collection "legal-hold" of fal\'s dashboard' in done.out


BROKEN = {
    "no such collection": lambda s: s.collections.clear(),
    "a page that fails": lambda s: s.script.update(
        assets=lambda r: hostile.error(500)
        if r.query.get("cursor") == ["2"] else None),
    "no answer": lambda s: s.script.update(
        assets=lambda r: Answer(drop="before")
        if "hierarchy" in r.path else None),
    "a cursor that goes round": lambda s: s.script.update(
        assets=lambda r: Answer(200, {
            "assets": [], "has_more": True, "next_cursor": "a",
            "total_count": 0, "scope_truncated": False})
        if "tag_id" in r.query else None),
    "a list that is cut": lambda s: s.script.update(
        assets=lambda r: Answer(200, {
            "assets": [], "has_more": False, "next_cursor": None,
            "total_count": None, "scope_truncated": True})
        if "section" in r.query else None),
    "half a document": lambda s: s.script.update(
        assets=lambda r: Answer(200, b'{"tags":[')
        if r.path.endswith("/tags") else None),
    "an empty document": lambda s: s.script.update(
        assets=lambda r: Answer(200, {}) if "section" in r.query else None),
}


@pytest.mark.parametrize("text", [POLICY, SCRIPT])
@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_mark_that_cannot_be_read_stops_the_run(world, rng, name, text):
    server, _ = serve(world, rng)
    BROKEN[name](server)
    done = world.lua(text, check=4)
    assert not server.deletes
    assert "of fal's dashboard cannot be read" in done.err


def test_no_right_to_read_them(world, rng):
    server, _ = serve(world, rng)
    server.script["assets"] = lambda r: hostile.error(
        403, kind="authorization_error")
    world.lua(POLICY, check=5)
    assert not server.deletes


def test_an_empty_mark_is_said(world, rng):
    server, ids = serve(world, rng)
    server.tagged.clear()
    done = world.lua(POLICY, check=0)
    assert 'the tag "keep" of fal\'s dashboard: 0 assets, 0 requests' in \
        done.err
    assert sorted(server.gone) == sorted(ids[4:5] + ids[6:])


def test_what_is_marked_while_the_run_deletes(world, rng):
    """The guarantee of docs/policies.md: a reading begins 30 seconds after the
    end of the one before, and after it nothing that is marked is sent."""
    server, ids = serve(world, rng, 46)
    began, late, seen = [], ids[-8:], []
    before = server._delete

    def slow(request):
        began.append(time.monotonic())
        time.sleep(1)
        if len(began) == 2:
            server.collections["case 7"][1].extend(late)
            threading.Thread(target=note, daemon=True).start()
        return before(request)

    def note():
        count = len(server.of("GET", "/assets/collections/id-case7/assets"))
        while len(server.of("GET", "id-case7/assets")) == count:
            time.sleep(0.05)
        time.sleep(2)
        seen.append(set(server.gone))

    server.script["delete"] = slow
    world.lua(POLICY, "--concurrency", "1", check=0,
              timeout=120)
    assert seen and len(began) > 30
    after = set(server.gone) - seen[0]
    assert after and not after & set(late)
    held = [i for i, o in world.outcomes().items() if o == "held"]
    assert set(late) - seen[0] <= set(held)


def test_marks_of_the_sandbox_and_its_truth(world):
    """Nothing that is marked there is ever deleted, by the truth log."""
    world.sandbox(requests=300)
    plan = world.lua(POLICY, "--dry-run", "--json", check=0).json
    held = {one["request_id"] for one in plan["held"]}
    wanted = {one["request_id"] for one in plan["planned"]}
    assert len(held) > 3 and wanted
    extra = sorted(wanted)[0]
    where = next(c["id"] for c in world.run(
        "call", "assets.collections.list", check=0).json["collections"]
        if c["name"] == "case 7")
    world.run("call", "assets.collections.add", "collection_id=" + where,
              "request_id=" + extra, check=0)
    world.lua(POLICY, check=0)
    assert {t["request_id"] for t in world.effects()} == wanted - {extra}


def test_check_knows_the_names(world):
    path = world.policy(POLICY.replace("favourites", "favorites"))
    done = world.run("check", path, check=1)
    assert "favourites" in done.err + done.out
    path = world.policy(POLICY.replace('tag "keep"', "tag(7)"))
    done = world.run("check", path, check=1)
    assert "text" in done.err + done.out
    world.run("check", world.policy(POLICY), check=0)
