"""Random histories and random policies, against an oracle that is written in
another language: what is planned, kept, held and deleted must be the same."""
import collections
import datetime
import json

import pytest

from hostile import row, uuid4

DAY = 86400
ENDPOINTS = ("fal-ai/flux/dev", "fal-ai/veo3", "fal-ai/whisper")


def make_history(rng):
    midnight = datetime.datetime.now(datetime.timezone.utc).replace(
        hour=0, minute=0, second=0, microsecond=0)
    made = []
    for _ in range(rng.randrange(5, 60)):
        ended = midnight - datetime.timedelta(
            days=rng.choice((1, 2, 3, 5, 8, 13, 21, 34)) + 1,
            seconds=rng.randrange(DAY))
        text = ended.strftime("%Y-%m-%dT%H:%M:%SZ")
        made.append(row(uuid4(rng), DAY, endpoint=rng.choice(ENDPOINTS),
                        ended_at=text, sent_at=text, started_at=text,
                        status_code=rng.choice((200, 200, 422, 500)),
                        json_input={"group": rng.randrange(3)}))
    return made


def make_rule(rng, history):
    ids = [one["request_id"] for one in history]
    return {
        "age": rng.choice((2, 4, 9)), "status": rng.random() < 0.4,
        "group": rng.random() < 0.3,
        "keep": {name: rng.randrange(1, 4) for name in
                 rng.sample(("last", "daily", "weekly"), rng.randrange(3))},
        "all": rng.random() < 0.3, "by": rng.random() < 0.5,
        "held": rng.sample(ids, rng.randrange(min(4, len(ids)))),
        "file": rng.sample(ids, rng.randrange(min(3, len(ids)))),
    }


def lua_of(rule):
    where = ["true"]
    if rule["status"]:
        where.append("request.status_code == 200")
    if rule["group"]:
        where.append("request.input.group ~= 1")
    keep = ""
    if rule["keep"]:
        entries = ", ".join("%s = %d" % pair for pair in rule["keep"].items())
        keep = "keep = fal.keep.%s { %s%s }," % (
            "all" if rule["all"] else "any", entries,
            ', by = "endpoint_id"' if rule["by"] else "")
    return """
local held = json.decode('%s')
return fal.policy {
  name = "random", reason = "r",
  select = fal.requests { endpoint_id = "auto", older_than = "%dd" },
  where = function(request) return %s end,
  %s
  hold = { fal.hold.file "holds.txt", fal.hold.from(function() return held
    end) },
}""" % (json.dumps(rule["held"]), rule["age"], " and ".join(where), keep)


def period(name, one):
    ended = datetime.date.fromisoformat(one["ended_at"][:10])
    return ended if name == "daily" else ended.isocalendar()[:2]


def kept_by(name, count, group):
    """`group` is newest first."""
    if name == "last":
        return {one["request_id"] for one in group[:count]}
    kept, seen = set(), []
    for one in group:
        mark = period(name, one)
        if mark not in seen:
            seen.append(mark)
            if len(seen) <= count:
                kept.add(one["request_id"])
    return kept


def expected(history, rule):
    now = datetime.datetime.now(datetime.timezone.utc)
    old = (now - datetime.timedelta(days=rule["age"])).strftime(
        "%Y-%m-%dT%H:%M:%SZ")
    candidates = [one for one in history if one["ended_at"] < old
                  and (not rule["status"] or one["status_code"] == 200)
                  and (not rule["group"] or one["json_input"]["group"] != 1)]
    groups = collections.defaultdict(list)
    for one in sorted(candidates, reverse=True,
                      key=lambda o: (o["ended_at"], o["request_id"])):
        groups[one["endpoint_id"] if rule["by"] else ""].append(one)
    kept = set()
    for group in groups.values():
        sets = [kept_by(name, count, group)
                for name, count in rule["keep"].items()]
        if sets:
            kept |= set.intersection(*sets) if rule["all"] \
                else set.union(*sets)
    ids = {one["request_id"] for one in candidates} - kept
    held = ids & (set(rule["held"]) | set(rule["file"]))
    return ids - held, kept, held


@pytest.mark.parametrize("number", range(25))
def test_as_the_oracle_says(world, rng, number):
    history = make_history(rng)
    rule = make_rule(rng, history)
    server = world.fal(history, page=rng.choice((None, 7)))
    server.filters = True
    (world.folder / "holds.txt").write_text("\n".join(rule["file"]))
    deleted, kept, held = expected(history, rule)
    text = lua_of(rule)
    plan = world.lua(text, "--dry-run", "--json", check=0).json
    assert not server.deletes
    assert {p["request_id"] for p in plan["planned"]} == deleted, text
    assert {k["request_id"] for k in plan["kept"]} == kept, text
    assert {h["request_id"] for h in plan["held"]} == held, text
    path = world.folder / "p.plan"
    world.lua(text, "--dry-run", "-o", path, check=0)
    if rng.random() < 0.5:
        world.lua(text, check=0)
    else:
        world.run("apply", path, check=0)
    assert sorted(server.gone) == sorted(deleted), text
    again = world.lua(text, "--dry-run", "--json", check=0).json
    after, _, _ = expected([one for one in history
                            if one["request_id"] not in deleted], rule)
    assert {p["request_id"] for p in again["planned"]} == after, text
