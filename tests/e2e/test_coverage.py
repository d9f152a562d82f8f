"""falrun coverage: what each source of endpoints has, and what is left."""

import sqlite3

import pytest

from hostile import Answer, error, iso, row, uuid4

NAMES = ["a/one", "a/two", "a/three"]
SPAN = {"from": "2026-01-10T00:00:00Z", "to": "2026-01-20T00:00:00Z"}
DAY = 86400000
BEGAN = 1768003200000           # SPAN["from"]


@pytest.fixture
def covered(world):
    world.sandbox(requests=300, endpoints=",".join(NAMES), unbilled="a/two")
    return world


def by_id(done):
    return {one["endpoint_id"]: one for one in done.json["endpoints"]}


def test_what_each_source_has(covered):
    done = covered.run("coverage", "--json", check=0)
    found = by_id(done)
    assert sorted(found) == sorted(NAMES)
    listed = covered.run("requests", "--endpoint", "a/one", "--json",
                         check=0).json
    one = found["a/one"]
    assert one["usage"] == {"image": 100} and one["search"] == 100
    assert one["events"] == sum(r["status_code"] == 200 for r in listed)
    assert one["listed_by"] == ["usage", "billing events", "search"]
    assert one["not_listed_by"] == [] and "not_looked_at" not in one
    two = found["a/two"]
    assert two["listed_by"] == ["search"] and two["search"] == 100
    assert two["not_listed_by"] == ["usage", "billing events"]
    assert "usage" not in two and "events" not in two
    assert "search_reached" not in done.json


def test_the_table(covered):
    done = covered.run("coverage", check=0)
    lines = done.out.splitlines()
    assert lines[0].split() == ["ENDPOINT", "USAGE", "EVENTS", "SEARCH",
                                "ONLY", "IN"]
    assert lines[3].split() == ["a/two", "-", "-", "100", "search"]
    assert max(map(len, lines)) <= 80
    assert "no run has recorded a window" in done.err
    assert covered.run("coverage", "--quiet", check=0).err == ""


def test_it_changes_nothing(covered):
    covered.run("coverage", "--older-than", "1d", check=0)
    assert not covered.truths() and not covered.ledger.exists()


def test_an_endpoint_that_nobody_has_is_shown(covered):
    done = covered.run("coverage", "--endpoint", "a/one", "--endpoint",
                       "no/body", "--endpoint", "a/one", "--json", check=0)
    found = by_id(done)
    assert sorted(found) == ["a/one", "no/body"]
    assert found["no/body"]["listed_by"] == []
    assert found["no/body"]["not_listed_by"] == ["usage", "billing events",
                                                 "search"]


def test_windows_that_are_left(covered):
    """Only those of runs that ended with exit code 0 count."""
    for code in (0, 1):
        covered.lua("error 'no'" if code else "", check=code)
    db = sqlite3.connect(covered.ledger)
    with db:
        for first, last, run in ((-5, 2, 1), (1, 3, 1), (5, 6, 1),
                                 (8, 10, 2)):
            db.execute("INSERT INTO looked VALUES ('a/one', ?, ?, ?)",
                       (BEGAN + first * DAY, BEGAN + last * DAY, run))
    db.close()
    words = ("--start", SPAN["from"], "--end", SPAN["to"])
    found = by_id(covered.run("coverage", *words, "--endpoint", "a/one",
                                "--json", check=0))
    assert found["a/one"]["not_looked_at"] == [
        {"from": "2026-01-13T00:00:00Z", "to": "2026-01-15T00:00:00Z"},
        {"from": "2026-01-16T00:00:00Z", "to": "2026-01-20T00:00:00Z"}]
    done = covered.run("coverage", *words, "--endpoint", "a/one",
                       "--endpoint", "a/two", check=0)
    assert "6d in 2" in done.out and "10d" in done.out
    assert "2026-01-16T00:00:00Z  2026-01-20T00:00:00Z  a/one" in done.out
    covered_all = by_id(covered.run(
        "coverage", "--start", SPAN["from"], "--end", "2026-01-12T00:00:00Z",
        "--endpoint", "a/one", "--json", check=0))
    assert covered_all["a/one"]["not_looked_at"] == []


def test_search_that_ends_at_page_100(world, rng):
    server = world.fal([row(uuid4(rng), 40 * 86400, endpoint="a/old")])
    events = [{"endpoint_id": "a/old", "timestamp": iso(40 * 86400)}]
    server.script["events"] = lambda r: Answer(200, {
        "billing_events": events, "has_more": False, "next_cursor": None})

    def search(request):
        at = int(request.query.get("cursor", ["0"])[0])
        return Answer(200, {
            "results": [{"endpoint_id": "a/new", "sent_at": iso(60 + at * 60)}],
            "has_more": True, "next_cursor": str(at + 1)})
    server.script["search"] = search
    done = world.run("coverage", "--json", check=0)
    assert len(server.of("GET", "requests/search")) == 100
    found = by_id(done)
    assert found["a/old"]["not_listed_by"] == [] and "search_reached" in \
        done.json
    assert found["a/new"]["search"] == 100
    done = world.run("coverage", check=0)
    assert any(line.split()[-1] == "?" for line in done.out.splitlines())
    assert "page 100" in done.err


@pytest.mark.parametrize("name", ["usage", "events", "search"])
def test_a_source_that_fails(world, rng, name):
    server = world.fal([row(uuid4(rng))])
    server.script[name] = lambda r: error(403)
    done = world.run("coverage")
    assert done.code != 0 and done.out == "" and "403" in done.err


@pytest.mark.parametrize("words,said", [
    (("x",), "takes options only"), (("--start", "soon"), "--start:"),
    (("--endpoint", "a b"), "--endpoint:"), (("--ende", "1"), "--end"),
    (("--older-than", "30"), "--older-than:"),
    (("--endpoint", "a") * 51, "at most 50"),
])
def test_wrong_words(world, words, said):
    done = world.run("coverage", *words, check=2)
    assert said in done.err and done.out == ""
