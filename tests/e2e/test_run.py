"""The main story: a policy runs, deletes what it selects, and finds nothing
to do the second time."""
import re
import time

import pytest

from conftest import OLDER, agree, ledger_events
from hostile import Answer, row, uuid4, uuid7

DAY = 86400


def test_run_then_nothing_left(world):
    world.sandbox(requests=300)
    wanted = set(world.expired())
    assert len(wanted) > 150
    world.run(OLDER, check=0)
    assert {t["request_id"] for t in world.effects()} == wanted
    agree(world)
    again = world.run(OLDER, check=0)
    assert "deleted 0, already deleted %d" % len(wanted) in again.err
    assert len(world.truths()) == len(wanted)
    assert set(world.outcomes(1).values()) == {"deleted"}


def test_standard_output_is_data_only(world):
    world.sandbox(requests=60)
    done = world.run(OLDER, check=0)
    assert done.out == "" and "deleted" in done.err
    quiet = world.run("-q", OLDER, check=0)
    assert quiet.out == "" and "deleted" not in quiet.err
    data = world.run(OLDER, "--json", check=0).json
    assert data["command"] == "run" and data["run"] == 3
    assert data["counts"]["already_deleted"] > 0
    assert data["ledger"] == str(world.ledger)


@pytest.mark.parametrize("deleted_rows", ["stay", "vanish"])
@pytest.mark.parametrize("field", ["sent_at", "ended_at", "started_at"])
def test_switches_of_what_fal_leaves_open(world, deleted_rows, field):
    world.sandbox(requests=150, deleted_rows=deleted_rows,
                  window_field=field, sort="asc", second_delete="404")
    wanted = set(world.expired())
    world.run(OLDER, check=0)
    assert {t["request_id"] for t in world.effects()} == wanted
    world.run(OLDER, check=0)
    agree(world)


def test_imperative_loop_and_pcall(world):
    world.sandbox(requests=90)
    world.lua("""
        local n = 0
        for r in fal.requests { endpoint_id = "auto", older_than = "30d" } do
          local ok, result = pcall(fal.delete_payloads, r.request_id,
                                   { reason = "loop" })
          assert(ok and result.status == "deleted", tostring(result))
          assert(result.http_status == 200 and result.attempts == 1)
          assert(result.request_id == r.request_id)
          assert(result.evidence == "answered" and result.elapsed >= 0)
          assert(#result.idempotency_key > 10)
          n = n + 1
        end
        assert(n > 30)
    """, check=0)
    agree(world)


def test_each_with_concurrency(world):
    world.sandbox(requests=90, latency="20ms")
    world.lua("""
        local all = {}
        for r in fal.requests { endpoint_id = "auto", older_than = "30d" } do
          all[#all + 1] = r
        end
        fal.each(all, function(r)
          assert(fal.delete_payloads(r.request_id))
        end, { concurrency = 16 })
    """, check=0)
    assert len(world.effects()) == len(world.expired()) > 30
    agree(world)


def test_the_same_id_twice_at_once_is_one_request(world, rng):
    id = uuid4(rng)
    server = world.fal([row(id)], delete=lambda r: Answer(
        200, {"cdn_delete_results": []}, stall=0.2))
    world.lua("""
        local id = arg[1]
        local tasks = {}
        for i = 1, 8 do
          tasks[i] = fal.spawn(function()
            assert(fal.delete_payloads(id))
          end)
        end
        for _, task in ipairs(tasks) do
          local ok, err = task:wait()
          assert(ok, err)
        end
        fal.delete_all { id, id }
    """, id, check=0)
    assert len(server.deletes) == 1 and not server.overlaps


def test_precedence_line_over_environment(world):
    world.sandbox(requests=60)
    done = world.run(OLDER, "--max-deletes", "1",
                     env={"FALRUN_MAX_DELETES": "1000"}, check=4)
    assert "at most 1 " in done.err and not world.effects()
    world.run(OLDER, env={"FALRUN_MAX_DELETES": "1"}, check=4)
    world.run("--max-deletes=1", OLDER, "--max-deletes=1000", check=0)
    assert world.effects()


def test_environment_flags(world):
    world.sandbox(requests=60)
    done = world.run(OLDER, env={"FALRUN_DRY_RUN": "1"}, check=0)
    assert not world.truths() and "nothing was deleted" in done.out
    bad = world.run(OLDER, env={"FALRUN_DRY_RUN": "maybe"}, check=2)
    assert "FALRUN_DRY_RUN" in bad.err and not world.truths()


def test_options_before_and_after(world):
    world.sandbox(requests=60)
    for words in (["--dry-run", OLDER], [OLDER, "--dry-run"],
                  ["plan", OLDER], ["plan", "--json", OLDER],
                  [OLDER, "45d", "--dry-run", "fal-ai/flux/dev"]):
        world.run(*words, check=0)
    assert not world.truths() and not world.ledger.exists()


def test_words_of_the_policy(world):
    world.fal()
    done = world.lua("print(arg[0], arg[1], arg[2], #arg)", "a b",
                     "--", "--max-deletes", check=0)
    assert "a b" in done.out + done.err
    assert "--max-deletes\t2" in done.out + done.err


def test_policy_code_wins_over_failed_items(world, rng):
    """1 comes before 3 in the order of exit codes."""
    world.fal(delete=[Answer(400, {"error": {"message": "bad"}})])
    done = world.lua("""
        local r, err = fal.delete_payloads(arg[1])
        assert(not r and err.status == "failed", tostring(err))
        error("mine")
    """, uuid4(rng), check=1)
    assert "policy.lua:4" in done.err and "mine" in done.err
    assert world.history()[0]["exit_code"] == 1


def test_failed_item_is_three_though_the_policy_says_nothing(world, rng):
    world.fal(delete=[Answer(400, {"error": {"message": "bad"}})])
    world.lua("fal.delete_payloads(arg[1])", uuid4(rng), check=3)
    assert list(world.outcomes().values()) == ["failed"]


def test_sandbox_option_needs_no_key_and_leaves_nothing(world):
    done = world.run("--sandbox", "--requests", "80", OLDER, key=False,
                     env={"FALRUN_LEDGER": None, "TMPDIR": world.folder},
                     check=0)
    assert re.search(r"deleted \d+ in", done.err)
    assert not list(world.folder.glob("falrun-*"))
    assert not (world.home / ".local").exists()


def test_sandbox_option_ignores_and_hides_the_real_key(world):
    done = world.run("--sandbox", "--requests=50", "-v", OLDER,
                     env={"FALRUN_LEDGER": None}, check=0)
    assert "admin-sandbox" not in done.err


def test_default_ledger_places(world):
    world.sandbox(requests=30)
    state, xdg = world.folder / "state", world.folder / "xdg"
    state.mkdir()
    for env, path in (
            ({"STATE_DIRECTORY": state, "XDG_STATE_HOME": xdg},
             state / "ledger.db"),
            ({"XDG_STATE_HOME": xdg}, xdg / "falrun" / "ledger.db"),
            ({}, world.home / ".local/state/falrun/ledger.db")):
        world.run(OLDER, env={"FALRUN_LEDGER": None, **env}, check=0)
        assert path.stat().st_mode & 0o777 == 0o600, path
        if path.parent != state:
            assert path.parent.stat().st_mode & 0o777 == 0o700


def test_ledger_of_another_origin(world, rng):
    first = world.fal([row(uuid4(rng))])
    world.run(OLDER, check=0)
    second = world.fal([row(uuid4(rng))])
    done = world.run(OLDER, check=2)
    assert first.origin in done.err and second.origin in done.err
    assert not second.requests


def test_two_runs_at_once(world):
    world.sandbox(requests=120, latency="60ms")
    first = world.start(OLDER, "--concurrency", "2")
    first.until(world.truths)
    before = time.time()
    done = world.run(OLDER, check=6)
    assert str(first.pid) in done.err and time.time() - before < 5
    world.run("plan", OLDER, check=0)           # readers need no lock
    world.run("history", check=0)
    waited = world.run(OLDER, "--lock-wait", "30s", check=0)
    assert "already deleted" in waited.err
    assert first.wait().code == 0
    agree(world)
    done = world.start(OLDER)
    done.wait()


def test_lock_wait_ends(world):
    world.sandbox(requests=200, latency="100ms")
    first = world.start(OLDER, "--concurrency", "1")
    first.until(world.truths)
    before = time.time()
    world.run(OLDER, "--lock-wait", "500ms", check=6)
    assert time.time() - before >= 0.5
    first.process.kill()
    first.process.wait()
    world.run("delete", "00000000-0000-4000-8000-000000000000",
              check=3)                          # the lock died with it


def test_hold_added_while_a_run_is_going(world):
    world.sandbox(requests=120, latency="40ms", sort="asc")
    wanted = world.expired()
    run = world.start(OLDER, "--concurrency", "1")
    run.until(world.truths)
    last = wanted[-1]
    world.run("hold", "add", last, "--reason", "case 17", check=0)
    assert run.wait().code == 0
    assert last not in {t["request_id"] for t in world.truths()}
    agree(world, open_allowed=True)
    world.run("hold", "remove", last, check=0)
    world.run(OLDER, check=0)
    assert last in {t["request_id"] for t in world.effects()}
    agree(world)


def test_v7_and_v4_ids_and_auto(world, rng):
    rows = [row(uuid7(rng, 60 * DAY), 60 * DAY, "fal-ai/a"),
            row(uuid4(rng), 60 * DAY, "fal-ai/b"),
            row(uuid4(rng), 60 * DAY, "fal-ai/c", ended_at=None),
            row(uuid4(rng), 10 * DAY, "fal-ai/c")]
    server = world.fal(rows)
    done = world.run(OLDER, check=0)
    assert server.gone and set(server.gone) == {
        rows[0]["request_id"], rows[1]["request_id"]}
    asked = [r for r in server.requests if "by-endpoint" in r.path]
    assert asked[0].query["endpoint_id"] == ["fal-ai/a", "fal-ai/b",
                                             "fal-ai/c"]
    assert asked[0].query["start"] and asked[0].query["end"]
    assert "left out: 1 request that may" in done.err


def test_reason_is_in_the_ledger(world, rng):
    world.fal([row(uuid4(rng))])
    world.run(OLDER, "45d", check=0)
    intents = [e for e in ledger_events(world.ledger)
               if e["kind"] == "intent"]
    assert intents[0]["data"]["reason"] == "retention: erased after 45d"
