"""Safety stops: a limit that can be known before stops before the first
deletion, and after a stop nothing more is sent."""
import signal
import time

import pytest

from conftest import OLDER, agree
from hostile import Answer, row, uuid4, uuid7

DAY = 86400
LOOP = """
    for r in fal.requests { endpoint_id = "auto" } do
      fal.delete_payloads(r.request_id)
    end
"""


def rows(rng, count, age=90 * DAY):
    return [row(uuid4(rng), age) for _ in range(count)]


@pytest.mark.parametrize("limit,code,sent", [(4, 4, 0), (5, 0, 5),
                                             (6, 0, 5), (0, 4, 0)])
def test_delete_all_at_the_limit(world, rng, limit, code, sent):
    server = world.fal(rows(rng, 5))
    done = world.run(OLDER, "--max-deletes", limit, check=code)
    assert len(server.deletes) == sent
    assert code == 0 or "--max-deletes" in done.err


@pytest.mark.parametrize("limit,code,sent", [(4, 4, 4), (5, 0, 5),
                                             (0, 4, 0)])
def test_a_loop_at_the_limit(world, rng, limit, code, sent):
    server = world.fal(rows(rng, 5))
    world.lua(LOOP, "--max-deletes", limit, check=code)
    assert len(server.deletes) == sent
    assert world.history()[0]["exit_code"] == code


@pytest.mark.parametrize("limit,code,sent", [(2, 4, 0), (3, 0, 3)])
def test_delete_arguments_at_the_limit(world, rng, limit, code, sent):
    """The ids are all known: more than the limit is nothing deleted."""
    server = world.fal()
    world.run("delete", *[uuid4(rng) for _ in range(3)], "--max-deletes",
              limit, check=code)
    assert len(server.deletes) == sent


def test_what_is_already_deleted_or_held_does_not_count(world, rng):
    ids = [uuid4(rng) for _ in range(4)]
    server = world.fal([row(i) for i in ids])
    world.run("delete", ids[0], check=0)
    world.run("hold", "add", ids[1], "--reason", "x", check=0)
    world.run(OLDER, "--max-deletes", "1", check=4)
    assert len(server.deletes) == 1
    world.run(OLDER, "--max-deletes", "2", check=0)
    assert sorted(server.gone) == sorted([ids[0]] + ids[2:])


def test_after_a_stop_calls_return_refused_even_in_pcall(world, rng):
    server = world.fal(rows(rng, 6))
    done = world.lua("""
        local refused = 0
        for r in fal.requests { endpoint_id = "auto" } do
          local ok, result, err = pcall(fal.delete_payloads, r.request_id)
          assert(ok)
          if not result then
            assert(err.status == "refused", err.status)
            refused = refused + 1
          end
        end
        assert(refused == 4)
        pcall(error, "swallowed")
        print("refused", refused)
    """, "--max-deletes", "2", check=4)
    assert "refused\t4" in done.out + done.err
    assert len(server.deletes) == 2


def test_age_floor_by_ended_at(world, rng):
    ids = [uuid4(rng), uuid4(rng)]
    server = world.fal([row(ids[0], 25 * 3600), row(ids[1], 23 * 3600)])
    done = world.lua(LOOP, check=4)
    assert ids[1] in done.err and "--min-age" in done.err
    assert server.gone == [ids[0]]
    world.lua(LOOP, "--min-age", "20h", check=0)
    assert sorted(server.gone) == sorted(ids)


def test_age_floor_in_delete_all_is_known_before(world, rng):
    server = world.fal([row(uuid4(rng), 90 * DAY),
                        row(uuid4(rng), 3600)])
    world.lua('fal.delete_all(fal.requests { endpoint_id = "auto" })',
              check=4)
    assert not server.deletes


def test_age_floor_by_v7_id(world, rng):
    server = world.fal()
    fresh, old = uuid7(rng, 3600), uuid7(rng, 60 * DAY)
    done = world.run("delete", fresh, old, check=4)
    assert fresh in done.err and not server.deletes
    world.run("delete", old, check=0)
    assert server.gone == [old]
    world.lua("fal.delete_payloads(arg[1])", fresh, check=4)
    assert server.gone == [old]


def test_the_younger_of_row_and_id_counts(world, rng):
    """A row that lies about its end does not make a fresh id old."""
    fresh = uuid7(rng, 3600)
    server = world.fal([row(fresh, 90 * DAY)])
    world.run(OLDER, check=4)
    assert not server.deletes


def test_v7_id_in_the_future(world, rng):
    server = world.fal()
    done = world.run("delete", uuid7(rng, -3 * DAY), check=4)
    assert "future" in done.err and not server.deletes


def test_min_age_zero_lets_fresh_ones_go(world, rng):
    server = world.fal()
    world.run("delete", uuid7(rng, 60), "--min-age", "0s", check=0)
    assert len(server.deletes) == 1


@pytest.mark.parametrize("skew,words", [(3600, "behind"), (-3600, "ahead"),
                                        (301 + 5, "behind"),
                                        (-306, "ahead")])
def test_a_clock_that_is_off_stops(world, rng, skew, words):
    server = world.fal(rows(rng, 3))
    inner = server._handle
    server.handler = lambda r: dated(inner(r), skew)
    for policy in (OLDER, world.policy(LOOP)):
        done = world.run(policy, check=4)
        assert "clock" in done.err and words in done.err
    done = world.run("delete", uuid4(rng), check=4)
    assert not server.deletes


def dated(answer, date):
    answer.date = date
    return answer


def test_a_clock_that_is_a_little_off_is_fine(world, rng):
    server = world.fal(rows(rng, 2))
    inner = server._handle
    server.handler = lambda r: dated(inner(r), 280)
    world.run(OLDER, check=0)
    assert len(server.deletes) == 2


def test_no_date_is_a_warning(world, rng):
    server = world.fal(rows(rng, 2))
    inner = server._handle
    server.handler = lambda r: dated(inner(r), None)
    done = world.run(OLDER, check=0)
    assert "Date" in done.err and len(server.deletes) == 2


@pytest.mark.parametrize("date", ["yesterday", "Thu, 99 Foo 2026 00:00:00",
                                  "", "0"])
def test_a_date_that_is_garbage_is_no_date(world, rng, date):
    server = world.fal(rows(rng, 2))
    inner = server._handle

    def handle(request):
        answer = dated(inner(request), None)
        answer.headers.append(("Date", date))
        return answer
    server.handler = handle
    done = world.run(OLDER)
    assert done.code in (0, 4) and ("Date" in done.err or
                                    "clock" in done.err), done


def test_delete_asks_the_time_before_the_first_deletion(world, rng):
    server = world.fal()
    world.run("delete", uuid4(rng), check=0)
    assert [r.method for r in server.requests] == ["GET", "DELETE"]
    assert server.requests[0].path == "/v1/meta"
    assert "authorization" not in server.requests[0].headers


def test_max_runtime(world):
    world.sandbox(requests=200, latency="40ms", endpoints="a/b")
    words = [OLDER, "30d", "a/b"]
    done = world.run(*words, "--concurrency", "1", "--max-runtime", "1s",
                     check=7)
    assert "--max-runtime" in done.err
    count = len(world.effects())
    assert 0 < count < 40
    agree(world)                # what was in flight is recorded
    assert world.history()[0]["exit_code"] == 7
    world.run(*words, "--max-runtime", "40s", check=0)
    agree(world)
    assert len(world.effects()) > count


def test_max_runtime_in_a_policy_that_waits(world):
    world.fal()
    done = world.lua('pcall(fal.sleep, "30s")', "--max-runtime", "300ms",
                     timeout=10)
    assert done.code == 7, done


def test_memory_cap(world):
    world.fal()
    done = world.lua("""
        local all = {}
        for i = 1, 1e9 do all[i] = ("x"):rep(1000) .. i end
    """, timeout=60)
    assert done.code == 9, done
    assert "memory" in done.err


def test_memory_cap_in_pcall(world, rng):
    server = world.fal()
    done = world.lua("""
        pcall(function()
          local all = {}
          for i = 1, 1e9 do all[i] = { i } end
        end)
        fal.delete_payloads(arg[1])
    """, uuid4(rng), timeout=60)
    assert done.code == 9, done


def test_memory_cap_in_a_giant_string(world):
    world.fal()
    done = world.lua("""
        local all = {}
        for i = 1, 1e9 do all[i] = ("x"):rep(1 << 20) .. i end
    """, timeout=60)
    assert done.code == 9, done


@pytest.mark.slow
def test_a_policy_that_spins(world):
    world.fal()
    done = world.lua("while true do pcall(function() end) end", timeout=90)
    assert done.code == 9, done


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130),
                                         (signal.SIGTERM, 143)])
def test_a_spinning_policy_ends_with_a_signal(world, number, code):
    world.fal()
    run = world.start(world.policy("print 'up' while true do end"))
    time.sleep(0.7)
    run.signal(number)
    assert run.wait(15).code == code


def test_lua_tightens_and_never_loosens(world):
    server = world.fal()
    text = """
        fal.limits { max = %d, min_age = "%s" }
        for _, id in ipairs(arg) do fal.delete_payloads(id) end
    """
    ids = ["00000000-0000-4000-8000-00000000000%d" % n for n in range(4)]
    world.run(world.policy(text % (2, "60d")), *ids, check=4)
    assert len(server.deletes) == 2
    world.run(world.policy(text % (100, "1s")), *ids, "--max-deletes", "1",
              check=4)
    assert len(server.deletes) == 3


def test_limits_name_what_is_wrong(world):
    world.fal()
    for text in ("fal.limits(3)", "fal.limits { maximum = 3 }",
                 "fal.limits { max = -1 }", "fal.limits { min_age = 30 }"):
        done = world.lua(text, check=1)
        assert "fal.limits" in done.err and "policy.lua:1:" in done.err, done
