"""A policy is a program that somebody may have written in anger, or in haste.
Each case in escapes/ tries to get out, to delete past the gate, or to stay for
ever; its second line says what becomes of it instead.

Whatever the case expects: the key and the file outside appear nowhere, what
was deleted had its intent before, what is held stays, the ledger is sound, and
the program ends by itself, soon, without a crash."""
import pathlib
import re
import sys
import time

import pytest

from conftest import World, agree

FOLDER = pathlib.Path(__file__).parent / "escapes"
EXPECT = re.compile(r'-- expect: exit (\d+), "(.*)"\n')
CANARY = "canary-5f1c9e"
IDS = 10                        # requests that a case may delete
SECONDS, KILOBYTES = 60, 3 << 20        # a build with ASan has twice the heap
TURN_MS = 400

MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1], "w").write(str(peak))
sys.exit(code if code >= 0 else 128 - code)
"""


def cases():
    for path in sorted(FOLDER.glob("*.lua")):
        for part in re.split(r"^--== ", path.read_text(), flags=re.M)[1:]:
            title, text = part.split("\n", 1)
            yield pytest.param(text, id="%s: %s" % (path.stem, title))


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """One sandbox for all cases of a worker, and its expired requests."""
    folder = tmp_path_factory.mktemp("escapes")
    host = World(folder)
    host.sandbox(requests=6000, endpoints=2, latency="2ms")
    host.ids = iter(host.expired())
    yield host
    host.close()


@pytest.fixture
def place(world, api):
    """A world of one's own with ids that no other case has."""
    world.url, world.truth = api.url, api.truth
    world.held = next(api.ids)
    world.free = [next(api.ids) for _ in range(IDS)]
    (world.folder / "canary.lua").write_text(
        'print("%s") return "%s"' % (CANARY, CANARY))
    (world.folder / "policies").mkdir()
    world.run("hold", "add", world.held, "--reason", "a case", check=0)
    return world


def attack(place, text, words):
    path = place.folder / "policies" / "policy.lua"
    path.write_text(text)
    spins = words in ("without waiting", "policy")
    env = {"FALRUN_TURN_MS": TURN_MS} if spins else {}
    peak = place.folder / "peak"
    began = time.monotonic()
    done = place.run(path, place.folder / "canary.lua", place.held,
                     *place.free, env=env,
                     prefix=(sys.executable, "-S", "-c", MEASURE, str(peak)))
    assert time.monotonic() - began < SECONDS, done
    assert int(peak.read_text()) < KILOBYTES, done
    return done


def check_records(place):
    """What was deleted of this case's requests was announced before."""
    mine = {place.held, *place.free}
    place.truths = lambda: [line for line in World.truths(place)
                            if line["request_id"] in mine]
    _, _, effects = agree(place)
    assert place.held not in effects
    return effects


@pytest.mark.parametrize("text", cases())
def test_it_is_contained(place, text):
    code, words = EXPECT.match(text).groups()
    done = attack(place, text, words)
    assert done.code == int(code), done
    assert words in done.out + done.err, done
    assert CANARY not in done.out + done.err, done
    assert "root:x:0" not in done.out + done.err, done
    assert "\x1b" not in done.err, done
    check_records(place)


@pytest.mark.parametrize("end", [
    "while true do end",
    "local s = 'x' while true do s = s .. s end",
    "return (('a'):rep(30000)):find(('a*'):rep(30) .. 'b')",
    "while true do print(('x'):rep(1 << 20)) end"])
def test_answers_in_flight_are_recorded(world, end):
    world.sandbox(requests=40, endpoints=1, latency="120ms")
    ids = world.expired()[:11]
    done = world.run("--concurrency", "16", world.policy(
        "fal.delete_payloads(arg[1])\n"
        "for i = 2, 11 do fal.spawn(fal.delete_payloads, arg[i]) end\n"
        "fal.sleep '60ms'\n" + end), *ids,
        env={"FALRUN_TURN_MS": 1000})
    assert done.code == 9, done
    _, outcomes, effects = agree(world)
    assert set(outcomes) == set(ids) and len(effects) > 1, done
    for id in ids:
        state = outcomes[id][-1]["data"]["state"]
        assert state == ("deleted" if id in effects else "unsent"), done
    assert world.history()[0]["exit_code"] == 9


def test_there_are_enough_cases():
    assert len(list(cases())) >= 100
