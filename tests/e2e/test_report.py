"""falrun report: what runs erased, in every form, held against the truth."""

import collections
import csv
import io
import re
import time

import pytest

from conftest import OLDER, browsers, ledger_events, show_in_browser

POLICY = """
return fal.policy { name = "old", reason = "=cmd|'/c'!A1 <i>%s</i>",
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
  keep = fal.keep.any { last = 3, by = "endpoint_id" } }
"""
EVIL = "</script><img src=x onerror=alert(1)>\x1b[2J\u202e"


@pytest.fixture
def ran(world):
    world.sandbox(requests=400, faults="cdn-exception=0.05")
    ids = world.expired()
    world.run("hold", "add", ids[0], "--reason", EVIL, check=0)
    world.lua(POLICY % "why", check=3)
    return world


def test_the_figures_are_those_of_the_truth(ran):
    made = ran.run("report", "--json", check=0).json
    effects = [t["effect"] for t in ran.effects()]
    assert made["outcomes"]["deleted"] == effects.count("deleted")
    assert made["outcomes"]["partial"] == effects.count("partial") > 0
    assert sum(made["evidence"].values()) == made["outcomes"]["deleted"]
    assert sum(p["deleted"] for p in made["rate"]["points"]) == \
        made["outcomes"]["deleted"]
    for rows in (made["days"], made["endpoints"]):
        for name, count in made["outcomes"].items():
            assert sum(row.get(name, 0) for row in rows) == count
    ends = {r["request_id"]: r["endpoint_id"] for r in ran.run(
        "requests", "--endpoint", "auto", "--json", "-q", check=0).json}
    told = {row["endpoint"]: row["deleted"] for row in made["endpoints"]}
    real = collections.Counter(ends[t["request_id"]] for t in ran.effects()
                               if t["effect"] == "deleted")
    assert told == real and len(told) == 3
    policy, = made["policies"]
    assert policy["policy"] == "old"
    assert policy["scanned"] == policy["planned"] + policy["kept"] + \
        policy["held"]
    assert made["residue"]["files"] == len(made["residue"]["rows"]) > 0
    run, = made["runs"]
    assert run["exit_code"] == 3
    assert run["erased"] == made["outcomes"]["deleted"]
    assert 0 < run["limit_used"] < 1


def test_every_request_has_a_line_in_csv(ran):
    done = ran.run("report", "--csv", check=0)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    outcomes = {e["id"]: e["data"]["state"] for e in ledger_events(ran.ledger)
                if e["kind"] == "outcome"}
    assert {r["request_id"]: r["outcome"] for r in rows} == outcomes
    assert all(r["reason"].startswith("'=cmd") for r in rows)
    assert all(r["policy"] == "old" for r in rows)


def held_too(world):
    """A run that meets the hold itself."""
    world.run("delete", *[h["request_id"] for h in world.run(
        "hold", "list", "--json", check=0).json], check=0)
    return world


def test_a_page_that_asks_nobody(ran):
    held_too(ran)
    path = ran.folder / "r.html"
    ran.run("report", "--since", "1d", "--html", path, check=0)
    page = path.read_text()
    assert "EVIL" not in page and "<img" not in page
    assert "</script><img" not in page and "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", page)
    assert "@import" not in page and "url(" not in page.split("<body>")[0]
    assert page.count("<canvas") == page.count("role=\"img\"") == 3
    assert page.count("<table") > page.count("<canvas")
    assert ran.run("report", "--since", "1d", "--html", "-",
                   check=0).out.startswith("<!doctype html>")


def test_words_of_others_are_tamed_in_markdown_and_on_a_terminal(ran):
    held_too(ran)
    for form in (["--markdown"], []):
        out = ran.run("report", *form, check=0).out
        assert "\x1b" not in out and "\u202e" not in out
        assert "held" in out
    assert "&lt;img" in ran.run("report", "--markdown", check=0).out


def test_what_is_open_is_told(world):
    world.sandbox(requests=300, latency="50ms")
    run = world.start(OLDER)
    run.until(lambda: world.truth.exists() and world.truth.stat().st_size)
    run.process.kill()
    run.process.wait()
    made = world.run("report", "--json", check=0).json
    assert made["outcomes"]["open"] == made["open_now"] > 0
    assert made["runs"][0].get("exit_code") is None
    assert "settles it" in world.run("report", check=0).out


def test_ten_thousand_deletions(world):
    world.sandbox(requests=16000)
    world.run(OLDER, "--max-deletes", "20000", check=0, timeout=120)
    path = world.folder / "r.html"
    began = time.monotonic()
    world.run("report", "--html", path, check=0)
    assert time.monotonic() - began < 10        # with sanitizers; 1 s without
    assert path.stat().st_size < 1 << 20
    made = world.run("report", "--json", check=0).json
    assert made["outcomes"]["deleted"] == len(world.effects()) > 10000


@pytest.mark.parametrize("words,says", [
    (["7"], "no run 7"), (["x"], "is no run"), (["1", "2"], "one run"),
    (["1", "--since", "1d"], "one run"), (["--since", "30"], "its unit"),
    (["--html", "a", "--csv"], "two forms"),
    (["--markdown", "--json"], "two forms"),
    (["--html", "/nowhere/r.html"], "not written")])
def test_bad_input(ran, words, says):
    assert says in ran.run("report", *words, check=2).err


def test_without_any_run(world):
    assert "no runs" in world.run("report", check=2).err
    made = world.run("report", "--since", "1d", "--json", check=0).json
    assert made["runs"] == [] and made["outcomes"] == {}
    path = world.folder / "r.html"
    world.run("report", "--since", "1d", "--html", path, check=0)
    assert "Nothing was asked" in path.read_text()




@browsers
@pytest.mark.parametrize("width,dark", [(1000, 0), (1000, 1), (390, 0)])
def test_in_a_browser(ran, width, dark):
    path = ran.folder / "r.html"
    ran.run("report", "--html", path, check=0)
    show_in_browser(ran, path, width, 2000, dark)
