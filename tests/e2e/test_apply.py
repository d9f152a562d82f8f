"""Plan files: what apply takes, what it refuses, and what it deletes."""
import hashlib
import json

import pytest

from conftest import agree
from hostile import Answer, iso, row, uuid4

DAY = 86400

POLICY = """
return fal.policy {
  name = "p", reason = "erased after 30 days",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
}
"""


def rows(rng, count, age=40):
    return [row(uuid4(rng), (age + n) * DAY) for n in range(count)]


def planned(world, text=POLICY, *args):
    path = world.folder / "p.plan"
    world.lua(text, *args, "--dry-run", "-o", path, check=0)
    return path


def test_apply_deletes_exactly_the_plan(world):
    world.sandbox(requests=200)
    path = world.folder / "p.plan"
    policy = world.policy(POLICY)
    world.run("plan", policy, "-o", path, check=0)
    ids = [json.loads(line.rstrip(","))["request_id"]
           for line in path.read_text().splitlines()
           if line.startswith('{"') and "request_id" in line]
    assert ids and not world.truths()
    assert path.stat().st_mode & 0o777 == 0o600
    world.run("apply", path, check=0)
    assert sorted(t["request_id"] for t in world.effects()) == sorted(ids)
    agree(world)
    again = world.run("apply", path, "--json", check=0).json
    assert again["counts"]["already_deleted"] == len(ids)


def test_what_came_since_is_not_deleted(world, rng):
    server = world.fal(rows(rng, 3))
    path = planned(world)
    server.rows += rows(rng, 2, 90)
    world.run("apply", path, check=0)
    assert len(server.gone) == 3


def test_the_plan_is_one_document(world, rng):
    world.fal(rows(rng, 3))
    plan = json.loads(planned(world).read_text())
    head = plan["head"]
    assert plan["falrun_plan"] == 1 and len(plan["items"]) == 3
    assert head["policy"]["path"].endswith("policy.lua")
    assert len(head["policy"]["sha256"]) == 64
    assert head["policies"][0]["name"] == "p"
    assert head["policies"][0]["totals"]["planned"] == 3
    for item in plan["items"]:
        assert set(item) >= {"request_id", "endpoint_id", "ended_at",
                             "status_code", "policy", "reason"}


@pytest.mark.parametrize("change", [
    lambda text: text.replace("fal-ai/flux/dev", "fal-ai/flux/deV", 1),
    lambda text: text[:-20],
    lambda text: text[:len(text) // 2],
    lambda text: "",
    lambda text: "{}",
    lambda text: text.replace('"falrun_plan":1', '"falrun_plan":2'),
    lambda text: text + "x",
    lambda text: "\n".join(line for at, line in
                           enumerate(text.split("\n")) if at != 4),
])
def test_a_changed_plan_is_refused(world, rng, change):
    server = world.fal(rows(rng, 3))
    path = planned(world)
    path.write_text(change(path.read_text()))
    done = world.run("apply", path, check=2)
    assert "refused" in done.err and str(path) in done.err
    assert not server.deletes


def test_every_byte_counts(world, rng):
    world.fal(rows(rng, 1))
    path = planned(world)
    text = path.read_bytes()
    for at in rng.sample(range(len(text)), 25):
        broken = bytearray(text)
        broken[at] ^= 1
        path.write_bytes(bytes(broken))
        assert world.run("apply", path).code in (0, 2)
        assert world.run("apply", path).code == 2, at


def signed(path, change):
    """Changes a plan and makes its digest anew."""
    body = change(path.read_text().rsplit('\n"sha256"', 1)[0])
    path.write_text('%s\n"sha256":"%s"}\n' % (
        body, hashlib.sha256(body.encode()).hexdigest()))


@pytest.mark.parametrize("name", ["policies", "policy", "hold", "totals",
                                  "scanned", "args", "expires_at", "origin"])
def test_a_head_that_lacks_something_is_refused(world, rng, name):
    server = world.fal(rows(rng, 2))
    path = planned(world)
    signed(path, lambda body: body.replace('"%s":' % name, '"other":', 1))
    done = world.run("apply", path, check=2)
    assert "refused" in done.err and not server.deletes


def test_an_item_that_stands_twice_is_deleted_once(world, rng):
    server = world.fal(rows(rng, 2))
    path = planned(world)

    def twice(body):
        lines = body.split("\n")
        lines.insert(3, lines[3].rstrip(",") + ",")
        return "\n".join(lines)

    signed(path, twice)
    world.run("apply", path, check=0)
    assert len(server.deletes) == 2


def test_an_expired_plan_is_refused(world, rng):
    server = world.fal(rows(rng, 3))
    path = world.folder / "p.plan"
    world.lua(POLICY, "--dry-run", "-o", path, "--expires", "1ms", check=0)
    done = world.run("apply", path, check=2)
    assert "expired" in done.err and not server.deletes
    world.lua(POLICY, "--dry-run", "-o", path, "--expires", "soon", check=2)


def test_a_changed_policy_is_refused(world, rng):
    server = world.fal(rows(rng, 3))
    path = planned(world)
    world.policy(POLICY + "-- another\n")
    done = world.run("apply", path, check=2)
    assert "policy.lua has changed" in done.err and not server.deletes


def test_a_changed_module_is_refused(world, rng):
    server = world.fal(rows(rng, 3))
    world.policy("return '30d'", "age.lua")
    path = planned(world, POLICY.replace('"30d"', 'require "age"'))
    world.policy("return '20d'", "age.lua")
    done = world.run("apply", path, check=2)
    assert "age.lua has changed" in done.err and not server.deletes


def test_facts_are_asked_again(world, rng):
    server = world.fal(rows(rng, 5))
    path = planned(world)
    ids = [one["request_id"] for one in server.rows]
    server.rows[0]["ended_at"] = iso(20 * DAY)
    server.rows[1]["status_code"] = 500
    del server.rows[2]
    done = world.run("apply", path, check=0)
    assert sorted(server.gone) == sorted(ids[3:]), done
    outcomes = world.outcomes()
    assert [outcomes[i] for i in ids[:3]] == ["held"] * 3


def test_holds_count_when_it_is_applied(world, rng):
    server = world.fal(rows(rng, 4))
    ids = [one["request_id"] for one in server.rows]
    holds = world.folder / "holds.txt"
    holds.write_text("# none yet\n")
    path = planned(world, POLICY.replace(
        "reason", """hold = { fal.hold.file "holds.txt",
          fal.hold.from(function(r) return r.request_id == arg[1] end) },
        reason""", 1), ids[2])
    server.rows[2]["ended_at"] = server.rows[2]["ended_at"]
    holds.write_text(ids[0] + "\n")
    world.run("hold", "add", ids[1], "--reason", "late", check=0)
    world.run("apply", path, check=0)
    assert server.gone == [ids[3]]
    holds.unlink()
    done = world.run("apply", path, check=4)
    assert "holds.txt" in done.err


@pytest.mark.parametrize("text", [
    """fal.hold.enforce { fal.hold.file "holds.txt" }
    fal.delete_all(fal.requests { endpoint_id = "auto",
      older_than = "30d" })""",
    POLICY.replace("reason", 'hold = fal.hold.file "holds.txt", reason', 1)])
def test_files_of_holds_are_beside_the_policy(world, rng, text):
    """Also when the plan is applied from elsewhere."""
    server = world.fal(rows(rng, 2))
    ids = [one["request_id"] for one in server.rows]
    (world.folder / "rules").mkdir()
    (world.folder / "rules" / "holds.txt").write_text("")
    world.policy(text, "rules/policy.lua")
    world.run("plan", "rules/policy.lua", "-o", "p.plan", check=0)
    (world.folder / "rules" / "holds.txt").write_text(ids[0])
    world.run("apply", "p.plan", check=0)
    assert server.gone == [ids[1]]


def test_apply_reads_no_standard_input(world, rng):
    ids = [uuid4(rng) for _ in range(2)]
    server = world.fal()
    text = """return fal.policy { name = "named", reason = "r",
      select = fal.ids "-" }"""
    path = world.folder / "p.plan"
    world.lua(text, "--dry-run", "-o", path, stdin="\n".join(ids), check=0)
    world.run("apply", path, check=0)
    assert sorted(server.gone) == sorted(ids)


def test_a_policy_with_functions_that_is_gone(world, rng):
    server = world.fal(rows(rng, 2))
    path = planned(world, POLICY.replace(
        "reason", "hold = fal.hold.from(function() end), reason", 1))
    (world.folder / "policy.lua").unlink()
    done = world.run("apply", path, check=2)
    assert "must be asked for holds" in done.err and not server.deletes


def test_functions_hold_what_is_known_by_its_id(world, rng):
    ids = [uuid4(rng) for _ in range(3)]
    server = world.fal()
    holds = world.folder / "h.csv"
    holds.write_text("# none\n")
    path = planned(world, """
      return fal.policy { name = "p", reason = "r", select = { %s },
        hold = fal.hold.from(function() return fal.ids "h.csv" end) }
    """ % ",".join('"%s"' % one for one in ids))
    holds.write_text(ids[0] + "\n")
    world.run("apply", path, check=0)
    assert sorted(server.gone) == sorted(ids[1:])


def test_a_policy_that_has_other_holds_by_now(world, rng):
    server = world.fal(rows(rng, 2))
    ids = [one["request_id"] for one in server.rows]
    switch = world.folder / "switch.csv"
    switch.write_text("# off\n")
    (world.folder / "old.csv").write_text("# none\n")
    (world.folder / "new.csv").write_text(ids[0] + "\n")
    path = planned(world, 'local on = #fal.ids "switch.csv" > 0' + POLICY
                   .replace('"p"', 'on and "q" or "p"').replace("reason", """
      hold = { fal.hold.file(on and "new.csv" or "old.csv"),
        fal.hold.from(function(r) return on and r.request_id == "%s" end) },
      reason""" % ids[1], 1))
    switch.write_text(ids[0] + "\n")
    world.run("apply", path, check=0)
    assert not server.gone
    assert set(world.outcomes().values()) == {"held"}


def test_a_policy_that_holds_by_no_function_any_more(world, rng):
    server = world.fal(rows(rng, 2))
    switch = world.folder / "switch.csv"
    switch.write_text("# off\n")
    path = planned(world, 'local on = #fal.ids "switch.csv" > 0' + POLICY
                   .replace("reason", """hold = not on and
      fal.hold.from(function() end) or nil, reason""", 1))
    switch.write_text(uuid4(rng) + "\n")
    done = world.run("apply", path, check=2)
    assert "any more" in done.err and not server.deletes


@pytest.mark.parametrize("gone", [False, True])
def test_files_of_holds_are_beside_the_policy(world, rng, gone):
    server = world.fal(rows(rng, 2))
    ids = [one["request_id"] for one in server.rows]
    folder = world.folder / "policies"
    folder.mkdir()
    (folder / "h.txt").write_text(ids[0] + "\n")
    (folder / "s.lua").write_text("""
      fal.hold.enforce { fal.hold.file "h.txt" }
      fal.delete_all(fal.requests { endpoint_id = "auto",
        older_than = "30d" }, { reason = "old" })""")
    world.run("plan", "policies/s.lua", "-o", "s.plan", check=0)
    (folder / "h.txt").write_text(ids[1] + "\n")
    (world.folder / "h.txt").write_text("# another file\n")
    if gone:
        (folder / "s.lua").unlink()
    world.run("apply", "s.plan", check=0)
    assert not server.gone


def test_a_plan_without_its_policy(world, rng):
    server = world.fal(rows(rng, 2))
    path = planned(world)
    (world.folder / "policy.lua").unlink()
    world.run("apply", path, check=0)
    assert len(server.gone) == 2


def test_limits_of_the_run(world, rng):
    server = world.fal(rows(rng, 5))
    path = planned(world)
    done = world.run("apply", path, "--max-deletes", "4", check=4)
    assert "--max-deletes" in done.err and not server.deletes
    world.run("apply", path, "--max-percent", "99", check=4)
    assert not server.deletes


def test_it_goes_on_at_its_limit(world, rng):
    """What was deleted before it was killed does not count once more."""
    server = world.fal(rows(rng, 6))
    path = planned(world)
    server.script["delete"] = lambda _: (
        Answer(200, stall=30) if len(server.deletes) > 3 else None)
    run = world.start("apply", path, "--max-deletes", "6",
                      "--concurrency", "1")
    run.until(lambda: len(server.deletes) > 3)
    run.process.kill()
    run.process.wait()
    server.script["delete"] = None
    world.run("apply", path, "--max-deletes", "6", check=0)
    assert len(set(server.gone)) == 6


def test_a_script_has_plans_too(world, rng):
    server = world.fal(rows(rng, 3))
    path = planned(world, """
      fal.delete_all(fal.requests { endpoint_id = "auto",
        older_than = "30d" }, { reason = "old" })""")
    plan = json.loads(path.read_text())
    assert {i["reason"] for i in plan["items"]} == {"old"}
    world.run("apply", path, check=0)
    assert len(server.gone) == 3


def test_no_plan_is_written_where_a_limit_stops(world, rng):
    world.fal(rows(rng, 3))
    path = world.folder / "p.plan"
    world.lua(POLICY, "--dry-run", "-o", path, "--max-deletes", "2", check=4)
    assert not path.exists()


def test_a_plan_replaces_plans_alone(world, rng):
    world.fal(rows(rng, 3))
    policy = world.policy(POLICY)
    done = world.run("plan", policy, "-o", policy, check=2)
    assert "is no plan: it stays as it is" in done.err
    with open(policy) as file:
        assert file.read() == POLICY
    assert planned(world) == planned(world)


def test_many_that_are_left_are_counted(world, rng):
    server = world.fal(rows(rng, 30))
    path = planned(world)
    server.rows = []
    done = world.run("apply", path, check=0)
    assert done.err.count("the plan is not true of it any more id=") == 10
    assert "and 20 more; falrun show last lists them" in done.err
    assert not server.gone


def test_a_plan_file_is_whole(world, rng):
    world.fal()
    (world.folder / "ids.txt").write_text("".join(
        uuid4(rng) + "\n" for _ in range(100001)))
    path = world.folder / "p.plan"
    done = world.lua("""return fal.policy { name = "p", reason = "r",
      select = fal.ids "ids.txt" }""", "--dry-run", "--json", "-o", path,
                     "--max-deletes", "200000", timeout=120, check=2)
    assert "at most 100000 items" in done.err and not path.exists()


def test_diff(world, rng):
    server = world.fal(rows(rng, 3))
    ids = [one["request_id"] for one in server.rows]
    path = planned(world)
    server.rows = server.rows[1:] + rows(rng, 1, 90)
    new = server.rows[-1]["request_id"]
    policy = world.policy(POLICY.replace('reason = "erased after 30 days"', """
      reason = function(r)
        return r.request_id == "%s" and "other" or "erased after 30 days"
      end""" % ids[1]))
    done = world.run("plan", policy, "--diff", path, check=0)
    assert "1 new, 1 gone, 1 with another reason" in done.out
    diff = world.run("plan", policy, "--diff", path, "--json",
                     check=0).json["diff"]
    assert [d["request_id"] for d in diff["new"]] == [new]
    assert [d["request_id"] for d in diff["gone"]] == [ids[0]]
    assert [d["request_id"] for d in diff["changed"]] == [ids[1]]
    world.run("plan", policy, "--diff", world.folder / "no.plan", check=2)


@pytest.mark.parametrize("words", [[], ["a", "b"], ["nowhere.plan"]])
def test_usage(world, words):
    world.run("apply", *words, check=2)


def test_options_of_plan_are_plans(world):
    done = world.lua(POLICY, "-o", "x", check=2)
    assert "belongs to falrun plan" in done.err
