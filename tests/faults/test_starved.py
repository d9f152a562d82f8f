"""The n-th allocation fails, once or from then on: falrun's own, Lua's,
SQLite's, libcurl's or OpenSSL's (starve.c). Nothing crashes, nothing leaks
(LeakSanitizer), the exit code is a documented one, no deletion is without its
intent, and the next run finishes the work.

    a run without a fault --> the places that allocate --> each fails, twice

A place is an allocation and its five callers: those of a loop are one place,
and the full form takes each place once. With FALRUN_STARVE_STEP=n it takes every n-th
allocation, whatever its place; 1 is all of them.

Time goes ten times as fast: where libcurl has no memory to watch a socket,
falrun runs into the time limit of the request."""
import os
import pathlib
import re

import pytest

from wire import (CALM, DOCUMENTED, POLICY, Answer, Bench, Sweep, agree,
                  compiled, conftest, error, is_created, sampled)

IN_LIBCURL = "crash in libcurl"
STARVED = str(pathlib.Path(conftest.PROGRAM).with_name("falrun_starved"))
STEP = int(os.environ.get("FALRUN_STARVE_STEP", "0"))
SAMPLE = {"run": 40, "settle": 14, "partial": 14, "stream": 12, "plan": 10}
READERS = {"history": ["history", "--json"], "show": ["show", "last"],
           "verify": ["verify"], "explain": ["explain", "ID"],
           "report": ["report", "--html", "report.html"],
           "hold": ["hold", "list"],
           "config": ["config", "show", "--account", "prod", "--origin"],
           "check": ["config", "check", "--json"],
           "account": ["history", "--account", "prod"]}
CONFIG = """max-deletes = 5
[account prod]
admin-key = file:prod.key
ledger = %s
policies = a.lua b.lua
"""
LEFT = {"link": "https://v3.fal.media/files/a.png", "exception": "busy"}

pytestmark = pytest.mark.skipif(
    not os.path.exists(STARVED), reason="falrun_starved is not built (preset "
    "asan): NOTHING was attacked")


class Hungry(Bench):
    def __init__(self, folder):
        super().__init__(folder)
        self.library = str(compiled(folder, "hurry"))
        self.log = folder / "starve.log"
        self.path = self.policy(POLICY)

    def check(self, done):
        """libcurl 7.88 divides by the size of a table that it could not
        make: its crash, not falrun's. What is left is as after a kill."""
        if re.search(r"SUMMARY: AddressSanitizer: \w+ \(\S*/libcurl", done.err):
            done = conftest.Done(IN_LIBCURL, done.raw_out, b"in libcurl")
        return super().check(done)

    def starved(self, words, what=None, stdin=None):
        """A run with the fault; (fired, what became of it)."""
        self.log.unlink(missing_ok=True)
        self.program = STARVED
        known = self.folder / "leaks"       # lua-cjson's, where Lua raises
        known.write_text("leak:strbuf_new\n")
        env = {"LSAN_OPTIONS": "print_suppressions=0:suppressions=%s" % known,
               "FALRUN_STARVE": what, "FALRUN_STARVE_LOG": self.log,
               "LD_PRELOAD": self.library, "FALRUN_HURRY": 10,
               "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:"
                               "exitcode=99"}
        try:
            done = self.run(*words, env=env, stdin=stdin, timeout=60)
        finally:
            self.program = CALM
        return self.log.read_text().startswith("fired"), done

    # ---- what is attacked ----

    def ready(self, shape):
        """Rows, a server, a ledger; the words of the run, and its input."""
        server = self.fresh(6, seed="starved")
        if shape == "partial":
            server.script["delete"] = self.partial
        if shape == "settle":
            server.script["delete"] = lambda r: self.lost(r)
            self.run(self.path, "--no-input", "--concurrency=3")
            assert self.effects(), "there is nothing to settle"
            server.script.clear()
        if shape == "plan":
            return ["plan", self.path, "-o", "plan-file"], None
        if shape == "stream":
            return ["delete", "-", "--json"], "\n".join(self.ids)
        return [self.path, "--no-input"], None

    def partial(self, request):
        """The first is partial, the second answers 500 once."""
        if request.id == self.ids[0]:
            self.server.honest(request)
            self.server.lines[-1]["effect"] = "partial"
            return Answer(200, {"cdn_delete_results": [LEFT]})
        if request.id == self.ids[1]:
            self.server.script["delete"] = None
            return error(500)
        return None

    def whole_stream(self):
        self.run("delete", "-", stdin="\n".join(self.ids), check=0)
        agree(self)

    def lost(self, request):
        self.server.honest(request, "lost")
        return Answer(drop="before")


def places(bench, shape):
    """A case for each place of a run without a fault, and each mode."""
    words, stdin = bench.ready(shape)
    fired, done = bench.starved(words, stdin=stdin)
    assert not fired and done.code in (0, 3), done
    lines = [line.split() for line in bench.log.read_text().splitlines()]
    numbers = [(whose, int(n)) for whose, n, _ in lines]
    if STEP:
        last = int(lines[-1][2])
        numbers = [("any", n) for n in range(1, last + 1, STEP)]
    return ["%s:%s:%d:%s" % (shape, whose, n, mode)
            for whose, n in numbers for mode in ("once", "on")]


def kind(case):
    return case.split(":")[1]


def judge(bench, done):
    """lua-cjson has an exit of its own, 255, where its buffer cannot grow."""
    stack = bench.log.read_text()
    if done.code == 255 and "(strbuf_" in stack:
        return
    assert done.code in DOCUMENTED - {70} | {IN_LIBCURL}, "%r\n%s" % (done, stack)
    assert done.code == 0 or done.err.strip(), "silent: %r\n%s" % (done,
                                                                   stack)


def strike(bench, case):
    shape, what = case.split(":", 1)
    words, stdin = bench.ready(shape)
    fired, done = bench.starved(words, what, stdin)
    judge(bench, done)
    if shape == "plan":
        assert not bench.server.deletes
        return fired, done.code
    effects = {e["request_id"] for e in bench.effects()}
    if done.code == 0:
        assert effects == set(bench.ids), done
    if not is_created(bench):
        assert not effects, "a deletion without a record"
        return fired, done.code
    _, outcomes, _ = agree(bench, open_allowed=True)
    if shape == "partial":
        assert outcomes or done.code
        return fired, done.code
    bench.server.script.clear()
    if shape == "stream":
        bench.whole_stream()
    else:
        bench.whole(bench.path)
    return fired, done.code


@pytest.mark.parametrize("shape", sorted(SAMPLE))
def test_a_run_without_memory(tmp_path, shape):
    first = tmp_path / "first"
    first.mkdir()
    bench = Hungry(first)
    try:
        cases = places(bench, shape)
    finally:
        bench.close()
    Sweep("starved " + shape, tmp_path, Hungry, strike, threads=2).run(
        sampled(cases, SAMPLE[shape], shape, kind), least=0.8)


# ---- commands that only read ----------------------------------------------------

class Library(Hungry):
    """A ledger with a run in it, the same for all."""

    def __init__(self, folder):
        super().__init__(folder)
        self.fresh(6, seed="library")
        self.run(self.path, "--no-input", check=0)
        self.run("hold", "add", self.ids[0], "--reason", "r", check=0)
        folder = self.home / ".config" / "falrun"
        folder.mkdir(parents=True)
        (folder / "config").write_text(CONFIG % self.ledger)


def read(bench, case):
    name, what = case.split(":", 1)
    before = conftest.ledger_events(bench.ledger)
    words = [bench.ids[0] if word == "ID" else word
             for word in READERS[name]]
    fired, done = bench.starved(words, what)
    judge(bench, done)
    assert conftest.ledger_events(bench.ledger) == before
    return fired, done.code


@pytest.mark.parametrize("name", sorted(READERS))
def test_reading_without_memory(tmp_path, name):
    first = tmp_path / "first"
    first.mkdir()
    bench = Library(first)
    words = [bench.ids[0] if word == "ID" else word
             for word in READERS[name]]
    bench.starved(words)
    lines = [line.split() for line in bench.log.read_text().splitlines()]
    bench.close()
    cases = ["%s:%s:%s:%s" % (name, whose, n, mode)
             for whose, n, _ in lines for mode in ("once", "on")]
    Sweep("starved " + name, tmp_path, Library, read, threads=2).run(
        sampled(cases, 6, name, kind), least=0.8)
