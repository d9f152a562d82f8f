"""What leaves the program when the API refuses, is down, or time is up: seen
at the socket."""
import time

from hostile import Answer, error, row, uuid4

WIDE = 'fal.delete_all(arg, { concurrency = 300, reason = "test" })'


def test_no_request_after_those_in_flight(world, rng):
    """Four are in flight; one is refused while the others still wait."""
    server = world.fal()

    def answer(_):
        first = len(server.deletes) == 1
        return Answer(401 if first else 200, stall=0.3 if first else 0.9,
                      body={"cdn_delete_results": []})
    server.script["delete"] = answer
    done = world.lua(WIDE, *[uuid4(rng) for _ in range(60)], check=5)
    assert "401" in done.err
    assert len(server.deletes) == 4
    assert server.requests[-1].method == "DELETE"
    world.run("verify", check=0)


def test_a_wait_that_is_told_holds_everybody(world, rng):
    server = world.fal()
    server.script["delete"] = lambda r: (
        error(429, headers=[("Retry-After", "1")])
        if len(server.deletes) == 9 else None)
    world.lua(WIDE, *[uuid4(rng) for _ in range(60)], check=0)
    refused = server.deletes[8].at
    assert not [r for r in server.deletes[9:]
                if refused + 0.3 < r.at < refused + 0.95]
    world.run("verify", check=0)


def test_time_that_is_up_starts_no_repeat(world, rng):
    """Two wait for their repeat and the others for a slot when it is over."""
    server = world.fal(delete=lambda r: error(429, headers=[
        ("Retry-After", "3")]))
    done = world.lua(WIDE, *[uuid4(rng) for _ in range(30)],
                     "--max-runtime", "1s", check=7)
    assert "--max-runtime" in done.err
    assert len(server.deletes) <= 4
    count = len(server.deletes)
    time.sleep(0.1)
    assert len(server.deletes) == count
    world.run("verify", check=0)


def test_a_dead_api_ends_a_wide_run(world, rng):
    """It dies with many in flight. Nobody makes five attempts, and the next
    run does what this one left."""
    server = world.fal()
    server.script["delete"] = lambda r: (
        Answer(drop="before") if len(server.deletes) > 200 else None)
    ids = [uuid4(rng) for _ in range(900)]
    done = world.lua(WIDE, *ids, check=7, timeout=60)
    assert "unavailable" in done.err
    assert len(server.deletes) < 800
    world.run("verify", check=0)
    server.script["delete"] = None
    world.lua(WIDE, *ids, check=0)
    assert {r.id for r in server.deletes} == set(ids)
    world.run("verify", check=0)
