"""The manual pages: what mandoc says of them, and that nothing is left out."""
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import ROOT

WRITTEN = sorted(pathlib.Path(ROOT, "docs/man").glob("*.[1-8]"))
needs_mandoc = pytest.mark.skipif(not shutil.which("mandoc"),
                                  reason="mandoc is not installed")


def lint(path):
    """All that mandoc finds; which other pages are installed is not ours."""
    done = subprocess.run(["mandoc", "-T", "lint", str(path)],
                          capture_output=True, text=True)
    return [line for line in (done.stdout + done.stderr).splitlines()
            if "referenced manual not found" not in line
            and "mandoc.db" not in line]


@needs_mandoc
@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_written_pages_are_clean(path):
    assert lint(path) == []


@needs_mandoc
def test_the_made_page_is_clean(world):
    path = world.folder / "falrun.1"
    path.write_text(world.run("manual", key=False, check=0).out)
    assert lint(path) == []
    assert ".Sh EXIT STATUS" in path.read_text()
    path.write_text(path.read_text() + ".Nosuch macro\n")
    assert lint(path) != []


def test_nothing_is_left_out(world):
    page = world.run("manual", key=False, check=0).out
    help = world.run("--help", key=False, check=0).out
    for option in set(re.findall(r"--([a-z][a-z-]+)", help)):
        assert re.search(r"Fl Fl %s\b" % option, page), option
    commands = re.findall(r"^  ([a-z][a-z-]+)  +[a-z]", help, re.M)
    assert len(commands) > 20
    for command in set(commands) - {"help"}:
        assert ".Ss %s\n" % command in page, command


def test_there_are_pages():
    assert [path.name for path in WRITTEN] == ["falrun-ledger.5",
                                               "falrun-policy.5"]


def fields(page, heading, column=0):
    """The words of a column of the first table after a heading."""
    text = (ROOT / page).read_text().partition("\n%s\n" % heading)[2]
    rows = re.search(r"^(\|.*\n)+", text, re.M)[0].splitlines()[2:]
    return [word for row in rows
            for word in re.findall(r"`(\w+)", row.split("|")[column + 1])]


def words(page):
    """Those that the items of its lists explain."""
    text = pathlib.Path(ROOT, "docs/man", page).read_text()
    return {word for line in re.findall(r"^\.It Ic (.+)$", text, re.M)
            for word in re.split(r"[ ,]+", line) if word}


@pytest.mark.parametrize("man,page,heading,least", [
    ("falrun-policy.5", "docs/policies.md", "## The fields", 13),
    ("falrun-policy.5", "docs/policies.md", "## Limits", 5),
    ("falrun-policy.5", "docs/keep.md", "## The entries", 7),
    ("falrun-ledger.5", "docs/ledger.md", "### events", 7)])
def test_written_pages_leave_nothing_out(man, page, heading, least):
    found = fields(page, heading)
    assert len(found) >= least, found
    assert set(found) - words(man) == set()


def test_every_kind_of_event_is_explained():
    """Also those that no page of docs/ has yet."""
    text = (ROOT / "docs/ledger.md").read_text()
    kinds = re.findall(r"^\| `(\w+)` \|[^|]*\| `\{", text, re.M)
    assert len(kinds) >= 18, kinds
    assert set(kinds) - words("falrun-ledger.5") == set()
