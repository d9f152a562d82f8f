"""Answers that came whole and say something else than they should: cut at
every byte, each field with a value of another type, twice, or not at all,
texts that are none, numbers out of range, nested a hundred thousand deep,
64 MiB long, packed. Of a deletion, of a page of a list, and of the three
sources of "auto".

What must hold: no crash (run it with sanitizers), a documented exit code, and
what answers.py does not call sound is no success: a deletion stays open, a
list that fails deletes nothing and never looks like an empty one (I7)."""
import functools
import json

import pytest

import answers
from wire import (CALM, DOCUMENTED, FULL, Answer, Bench, Sweep, Truth,
                  compiled, conftest, record, sample_rows, sampled)

SAMPLE = {"delete": 40, "list": 40, "usage": 12, "events": 12, "search": 12}
ROWS, PAGE = 6, 2
POLICY = """
local summary = fal.delete_all(
  fal.requests { endpoint_id = %s, older_than = "30d", limit = 2 },
  { retries = 0, concurrency = 2 })
print(json.encode(summary))
"""


class Odd(Truth):
    """One answer is not what it should be: of the third deletion that comes,
    of the middle page, of the first page of a source."""

    def __init__(self, rows, case):
        self.target, self.struck, self.victim = case.split(":")[0], 0, None
        self.came = []
        super().__init__(rows, page=PAGE, **{self.target: self.odd})
        make, headers = answers.cases(self.target, self.shown())[case]
        self.body = make()
        self.odd_one = Answer(200, self.body, headers=headers)

    def odd(self, request):
        if self.target == "delete":
            self.came.append(request.id)
            if len(self.came) == 3:
                self.victim = request.id
            if request.id != self.victim:
                return None
        elif self.target == "list" and request.query.get("cursor") != ["2"]:
            return None
        self.struck += 1
        if self.target == "delete":
            self.honest(request, "lost")
        return self.odd_one

    def shown(self):
        return self.rows[PAGE:2 * PAGE] if self.target == "list" \
            else self.rows


class Asked(Bench):
    def __init__(self, folder, library):
        super().__init__(folder, serve=Odd)
        self.library = library
        self.paths = {
            auto: self.policy(POLICY % auto, name)
            for auto, name in (('"auto"', "auto.lua"),
                               ('"fal-ai/flux/dev"', "one.lua"))}

    def ask(self, target):
        plain = target in ("delete", "list")
        path = self.paths['"fal-ai/flux/dev"' if plain else '"auto"']
        self.program = conftest.PROGRAM
        try:
            return self.run(path, "--no-input", timeout=60, env={
                "LD_PRELOAD": self.library, "FALRUN_HURRY": 4,
                "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99"})
        finally:
            self.program = CALM


def strike(bench, case):
    bench.serve = functools.partial(Odd, case=case)
    server = bench.fresh(ROWS, seed="answers")
    good = answers.sound(server.target, server.body)
    done = bench.ask(server.target)
    assert done.code in DOCUMENTED - {70}, done
    if server.target == "delete":
        check_deletion(bench, done, good)
    else:
        check_list(bench, done, good)
    return server.struck, "%s %s" % (server.target, done.code)


def check_deletion(bench, done, good):
    """The server did it; what it said of it is odd."""
    server = bench.server
    outcome, loss = record(bench, server.victim)
    state = outcome.get("state")
    summary = json.loads(done.out)
    assert summary["deleted"] == len(bench.ids) - 1 + (state == "deleted")
    if state == "deleted":
        assert good, "counted as deleted"
        assert done.code == 0, done
        return
    assert done.code == 3, done
    assert state in (None, "partial"), outcome
    if state == "partial":
        value = answers.read(server.body)
        assert any(one["exception"] is not None
                   for one in value["cdn_delete_results"]), outcome
    else:
        assert loss["kind"] in ("protocol", "too_big"), loss


def check_list(bench, done, good):
    if done.code == 0:
        assert good, "a failed list was taken for a list"
        return
    assert not bench.server.deletes, "it deleted by a list that failed"
    assert done.err.strip(), done


def all_cases(target):
    rows = sample_rows(ROWS, "answers")
    shown = rows[PAGE:2 * PAGE] if target == "list" else rows
    return list(answers.cases(target, shown))


def kind(case):
    return ":".join(case.split(":")[:2] + case.split(":")[-1:])


def test_there_are_enough_cases():
    assert sum(len(all_cases(target)) for target in SAMPLE) >= 1000


SHARDS = 4 if FULL else 1


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("target", sorted(SAMPLE))
def test_an_answer_that_is_odd(tmp_path, target, shard):
    library = str(compiled(tmp_path, "hurry"))
    chosen = sampled(all_cases(target), SAMPLE[target], target, kind)
    Sweep("answers %s %d" % (target, shard), tmp_path,
          lambda folder: Asked(folder, library), strike).run(
              chosen[shard::SHARDS], least=1)
