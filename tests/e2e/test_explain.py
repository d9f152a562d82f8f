"""What a policy says of one request, and when it will be erased."""
import datetime

import pytest

from hostile import row, uuid4

DAY = 86400

POLICY = """
return fal.policy {
  name = "p", reason = "r", limits = { max = 10 },
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  %s
}
"""


def rows(rng, ages, **fields):
    return [row(uuid4(rng), int(age * DAY), **fields) for age in ages]


def explain(world, rng, ages, more="", which=0, **fields):
    server = world.fal(rows(rng, ages, **fields))
    id = server.rows[which]["request_id"]
    path = world.policy(POLICY % more)
    done = world.run("explain", id, path, "--json", check=0).json
    assert not server.deletes
    found = done["policies"][0]
    text = world.run("explain", id, path, check=0).out
    assert found["verdict"] in text
    return found, {s["step"]: s for s in found["steps"]}, id, server


def days_ahead(found):
    at = datetime.datetime.fromisoformat(
        found["erased_at"].replace("Z", "+00:00"))
    now = datetime.datetime.now(datetime.timezone.utc)
    return (at - now).total_seconds() / DAY


def test_would_be_erased(world, rng):
    found, steps, _, _ = explain(world, rng, [40])
    assert found["verdict"] == "would be erased"
    assert steps["select"]["verdict"] == "yes"
    assert "older than 30d" in steps["select"]["saw"]
    assert "max 10, this plan: 1" in steps["limit"]["saw"]
    assert found["when"] == "by the next run"


def test_too_young_for_its_selection(world, rng):
    found, steps, _, _ = explain(world, rng, [10])
    assert steps["select"]["verdict"] == "no"
    assert "not selected" in found["verdict"]
    assert 19.9 < days_ahead(found) < 21.1, found


def test_where_says_no_until_a_day(world, rng):
    found, steps, _, _ = explain(world, rng, [40], """
      where = function(request, now)
        return request.ended_at < fal.ago("60d", now)
      end,""")
    assert steps["where"]["verdict"] == "no"
    assert 19.9 < days_ahead(found) < 21.1, found


def test_rules_that_use_fal_ago_alone(world, rng):
    found, _, _, _ = explain(world, rng, [40], """
      where = function(request)
        return request.ended_at < fal.ago "50d"
      end,""")
    assert 9.9 < days_ahead(found) < 11.1, found


def test_never(world, rng):
    found, _, _, _ = explain(world, rng, [40],
                             "where = function() return false end,")
    assert "erased_at" not in found
    assert "ten years" in found["when"]


def test_kept_by_a_count(world, rng):
    found, steps, _, _ = explain(world, rng, [40, 50], "keep = { last = 1 },")
    assert steps["keep"]["verdict"] == "kept"
    assert found["verdict"].startswith("kept: last 1")
    assert "erased_at" not in found and "newer requests" in found["when"]


def test_kept_for_a_time(world, rng):
    found, _, _, _ = explain(world, rng, [40],
                             'keep = { within = "45d" },')
    assert "within 45d" in found["verdict"]
    assert 4.9 < days_ahead(found) < 6.1, found


def test_a_count_may_keep_what_is_too_young_yet(world, rng):
    found, steps, _, _ = explain(world, rng, [10], """keep = { last = 1 },
      limits = { growth = 2 },""")
    assert found["when"].endswith("unless its keep rules keep it then")
    assert "no earlier run" in steps["limit"]["saw"]


def test_holds(world, rng):
    server = world.fal(rows(rng, [40, 40, 40]))
    ids = [one["request_id"] for one in server.rows]
    (world.folder / "holds.txt").write_text(ids[0] + "\n")
    world.run("hold", "add", ids[1], "--reason", "case 9", check=0)
    path = world.policy(POLICY % """hold = { fal.hold.file "holds.txt",
      fal.hold.from(function(r) return r.request_id == arg[1] and "audit"
      end) },""")
    for id, words in ((ids[0], "holds.txt"), (ids[1], "case 9"),
                      (ids[2], "audit")):
        found = world.run("explain", id, path, ids[2], "--json",
                          check=0).json["policies"][0]
        assert found["verdict"] == "held", found
        assert any(words in s["saw"] and s["verdict"] == "held"
                   for s in found["steps"]), found
        assert "as soon as the hold is lifted" in found["when"]


def test_already_deleted(world, rng):
    server = world.fal(rows(rng, [40]))
    path = world.policy(POLICY % "")
    world.run(path, check=0)
    found = world.run("explain", server.gone[0], path, "--json",
                      check=0).json
    assert found["state"] == "deleted"
    assert "already deleted" in found["policies"][0]["verdict"]
    assert "when" not in found["policies"][0]


def test_a_script(world, rng):
    server = world.fal(rows(rng, [40, 10]))
    path = world.policy("""fal.delete_all(fal.requests {
      endpoint_id = "auto", older_than = "30d" })""")
    verdicts = [world.run("explain", one["request_id"], path, "--json",
                          check=0).json["policies"][0]["verdict"]
                for one in server.rows]
    assert verdicts == ["would be erased", "not erased: not selected"]
    assert not server.deletes


def test_without_a_policy_no_network(world, rng):
    world.run("explain", uuid4(rng), key=False, check=0)


@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["ID", "nonsense"], ["ID", "nowhere.lua"]])
def test_usage(world, rng, words):
    world.fal()
    words = [uuid4(rng) if w == "ID" else w for w in words]
    world.run("explain", *words, check=2)
