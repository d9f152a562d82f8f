"""since = "last": what no run has looked at yet, and nothing is missed."""

import json
import time

import pytest

from conftest import ledger_events
from hostile import error, row, uuid4

DAY = 86400
SCRIPT = """
local count = 0
for request in fal.requests { endpoint_id = "fal-ai/flux/dev",
    older_than = "30d", since = "last"%s } do
  count = count + 1
  if %s then
    fal.delete_payloads(request.request_id, { reason = "30 days" })
  end
end
print(count)
"""


def listed(world, choose="true", more="", check=0, key=True, **how):
    done = world.lua(SCRIPT % (more, choose), check=check, key=key, **how)
    return int(done.out.split()[-1])


def old(rng, days, **fields):
    return row(uuid4(rng), days * DAY, **fields)


@pytest.fixture
def server(world, rng):
    made = world.fal([old(rng, 31 + n) for n in range(40)])
    made.windows = True
    return made


def starts(server):
    """What the lists since the last call asked for."""
    asked = [(r.query["start"][0], r.query["end"][0])
             for r in server.of("GET", "by-endpoint")]
    new = asked[getattr(server, "told", 0):]
    server.told = len(asked)
    return new


def test_what_was_looked_at_is_left_out(world, rng, server):
    assert listed(world) == 40
    assert starts(server)[0][0].startswith("2021-01-01")
    again = listed(world)
    assert again == 1                           # within 48 hours of the end
    (start, _), = starts(server)
    assert start > "2021-01-01T00:00:01"
    server.rows.append(old(rng, 31.5))          # it came late
    server.rows.append(old(rng, 200))           # too late, as the docs say
    assert listed(world) == 2
    assert len(server.gone) == 41
    assert listed(world, more=', overlap = "400d"') == 42
    assert len(server.gone) == 42


def test_what_is_left_is_listed_again(world, rng, server):
    keep = server.rows[20]["request_id"]
    assert listed(world, "request.request_id ~= '%s'" % keep) == 40
    assert listed(world, "false") == 2          # and the newest
    assert listed(world) == 2
    assert len(server.gone) == 40
    assert listed(world) == 1


def test_a_hold_is_met_again_when_it_is_lifted(world, rng, server):
    held = server.rows[25]["request_id"]
    world.run("hold", "add", held, "--reason", "case 7", check=0)
    listed(world)
    assert len(server.gone) == 39
    world.run("hold", "remove", held, check=0)
    listed(world)
    assert len(server.gone) == 40


@pytest.mark.parametrize("how", ["failed", "plan", "error", "limit"])
def test_a_run_that_did_not_do_it_all_counts_for_nothing(world, rng, how):
    rows = [old(rng, 31 + n) for n in range(40)]
    answers = {"delete": lambda request: error(400, "no")
               if how == "failed" and request.id == rows[7]["request_id"]
               else None}
    server = world.fal(rows, **answers)
    server.windows = True
    if how == "failed":
        listed(world, check=3)
    elif how == "plan":
        world.run("plan", world.policy(SCRIPT % ("", "true")), check=0)
    elif how == "error":
        world.lua(SCRIPT % ("", "true") + "error 'no'", check=1)
    else:
        world.lua(SCRIPT % ("", "true"), "--max-deletes", "10", check=4)
    assert not [e for e in ledger_events(world.ledger)
                if e["kind"] == "looked"] if world.ledger.exists() else True
    starts(server)
    world.run("plan", world.policy(SCRIPT % ("", "true")))
    assert starts(server)[0][0].startswith("2021-01-01")


def test_a_killed_run_counts_for_nothing(world, rng, server):
    policy = world.policy(SCRIPT % ("", "true") + "fal.sleep '20s'")
    run = world.start(policy)
    run.until(lambda: len(server.gone) == 40)
    time.sleep(0.3)
    run.process.kill()
    run.process.wait()
    assert listed(world) == 40


def test_another_key_has_looked_at_nothing(world, rng, server):
    assert listed(world) == 40
    assert listed(world, env={"FAL_ADMIN_KEY": "admin-other:%s" % ("y" * 30)},
                  key=False) == 40
    assert listed(world) in (1, 40)


def test_a_declared_policy(world, rng):
    world.sandbox(requests=600, endpoints="a/one,a/two")
    text = """return fal.policy { name = "all", reason = "x",
      select = fal.requests { endpoint_id = "auto", older_than = "30d",
                              since = "last" } }"""
    world.lua(text, check=0)
    first = world.show()["run"]["summary"]["policies"]["all"]
    assert first["deleted"] == len(world.effects()) > 300
    world.lua(text, check=0)
    second = world.show()["run"]["summary"]["policies"]["all"]
    assert second["scanned"] < first["scanned"] / 3
    assert second["deleted"] == 0
    kinds = [e["kind"] for e in ledger_events(world.ledger)
             if e["run"] == world.show()["run"]["run"]]
    assert kinds.count("looked") <= 2       # what moved on since, by endpoint
    covered = world.run("coverage", "--older-than", "30d", "--json",
                        check=0).json["endpoints"]
    for one in covered:
        assert len(one["not_looked_at"]) <= 21


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("field", ["ended_at", "sent_at", "started_at"])
def test_nothing_is_ever_missed(world, seed, field):
    """Whatever start and end look at: after some runs that each leave a part,
    a last one that deletes everything it sees leaves nothing."""
    world.sandbox(requests=500, seed=seed + 1, window_field=field,
                  endpoints="a/one")
    script = SCRIPT.replace("fal-ai/flux/dev", "a/one")
    for part in (3, 2):
        world.lua(script % ("", "tonumber(request.request_id:sub(-3), 16) "
                            "%% %d > 0" % part), check=0)
    world.lua(script % ("", "true"), check=0)
    ended = world.expired(endpoint="a/one")
    gone = {t["request_id"] for t in world.effects()}
    assert set(ended) <= gone


def test_the_event_reveals_nothing_of_the_key(world, rng, server):
    listed(world)
    begun, = [e for e in ledger_events(world.ledger)
              if e["kind"] == "run_begin"]
    account = begun["data"]["options"]["account"]
    assert len(account) == 16 and account not in world.key
    assert world.key.split(":")[0] not in json.dumps(begun["data"])


@pytest.mark.parametrize("more,says", [
    (', start = "2026-01-01"', "leave one of them out"),
    (', status = "success"', "choose in where"),
    (', overlap = "2"', "unit"), (', overlap = 3', "bare number")])
def test_bad_input(world, rng, server, more, says):
    assert says in world.lua(SCRIPT % (more, "true"), check=1).err
    assert not server.deletes


def test_an_empty_account_is_no_error(world):
    world.fal([])
    assert listed(world) == 0
    assert listed(world) == 0
