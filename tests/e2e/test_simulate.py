"""A policy over virtual time: nothing is deleted, and the figures add up."""
import collections
import datetime
import json

import pytest

from hostile import row, uuid4

DAY = 86400


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def history(rng, days):
    """One request a day, at noon, for `days` days before this midnight."""
    midnight = datetime.datetime.now(datetime.timezone.utc).replace(
        hour=0, minute=0, second=0, microsecond=0)
    made = []
    for n in range(days):
        ended = midnight - datetime.timedelta(days=n + 1, hours=-12)
        text = ended.strftime("%Y-%m-%dT%H:%M:%SZ")
        made.append(row(uuid4(rng), DAY, ended_at=text, sent_at=text,
                        started_at=text))
    return midnight, made


POLICY = """
return fal.policy { name = "p", reason = "r",
  select = fal.requests { endpoint_id = "auto", older_than = "10d" }, %s }
"""


def simulate(world, text, *args, code=0):
    return world.run("simulate", world.policy(text), *args, "--json",
                     check=code).json


def test_each_day_what_became_old_that_day(world, rng):
    midnight, made = history(rng, 40)
    server = world.fal(made)
    result = simulate(world, POLICY % "", "--from", (
        midnight - datetime.timedelta(days=5)).strftime("%Y-%m-%d"))
    assert not server.deletes
    assert not world.ledger.exists()
    assert [d["deleted"] for d in result["days"]] == [25, 1, 1, 1, 1, 1]
    assert result["deleted"] == 30
    assert result["peak"]["deleted"] == 25
    youngest = result["youngest"]["age_seconds"]
    assert youngest == 10.5 * DAY


def test_the_steps_are_shown_once(world, rng):
    _, made = history(rng, 40)
    world.fal(made)
    done = world.run("simulate", world.policy(POLICY % ""), check=0)
    assert len(done.out.splitlines()) == 31 + 4
    assert "scanned" not in done.err


def test_days_that_a_limit_stops(world, rng):
    midnight, made = history(rng, 40)
    world.fal(made)
    result = simulate(world, POLICY % "limits = { max = 25 },", "--from", (
        midnight - datetime.timedelta(days=5)).strftime("%Y-%m-%d"))
    assert result["stopped_days"] == 0
    result = simulate(world, POLICY % "limits = { max = 27 },", "--from", (
        midnight - datetime.timedelta(days=1)).strftime("%Y-%m-%d"))
    assert result["stopped_days"] == 2
    assert "limits.max is 27" in result["days"][0]["stopped"]
    assert result["deleted"] == 0


def test_scripts_are_simulated_too(world, rng):
    midnight, made = history(rng, 20)
    server = world.fal(made)
    result = simulate(world, """
      for r in fal.requests { endpoint_id = "auto", older_than = "10d" } do
        fal.delete_payloads(r.request_id)
      end""", "--from", (
        midnight - datetime.timedelta(days=2)).strftime("%Y-%m-%d"))
    assert result["deleted"] == 10 and not server.deletes


def test_payloads(world, rng):
    midnight, made = history(rng, 20)
    for n, one in enumerate(made):
        one["json_input"] = {"customer": "a" if n % 2 else "b"}
    world.fal(made)
    result = simulate(world, POLICY % """
      where = function(request) return request.input.customer == "a" end,""",
      "--from", midnight.strftime("%Y-%m-%d"))
    assert result["deleted"] == 5


def test_a_chart_for_people(world):
    done = world.run("simulate", "--sandbox", "--requests", "200",
                     world.policy(POLICY % ""), "--every", "1w", check=0,
                     env={"FALRUN_LEDGER": None})
    assert "nothing was deleted: this was a simulation" in done.out
    assert "#" in done.out


def test_a_policy_that_fails(world, rng):
    midnight, made = history(rng, 20)
    world.fal(made)
    path = world.policy(POLICY % "where = function(r) return r.x.y end,")
    done = world.run("simulate", path, check=1)
    assert "policy.lua:4" in done.err or "policy.lua:3" in done.err, done


@pytest.mark.parametrize("words", [
    ["--from", "soon"], ["--every", "1"], ["--every", "1s"],
    ["--from", "2026-02-01", "--to", "2026-01-01"],
    ["--from", "2000-01-01", "--to", "2026-01-01"]])
def test_usage(world, rng, words):
    world.fal(history(rng, 2)[1])
    world.run("simulate", world.policy(POLICY % ""), *words, check=2)
