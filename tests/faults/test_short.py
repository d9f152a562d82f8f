"""Every read and write moves fewer bytes than it was asked for: half of
them, or one. That is no failure, so the run must not notice."""
import pathlib
import shutil
import subprocess

import pytest

from sweep import (SHAPES, SHARDS, Position, Tally, agree,  # noqa: F401
                   chosen, conftest, field, needs_strace, split)

COMPILER = shutil.which("cc") or shutil.which("gcc")
with open(conftest.PROGRAM, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
pytestmark = pytest.mark.skipif(
    not COMPILER or SANITIZED, reason="there is no compiler, or the program "
    "has sanitizers: NOTHING was cut short")
SAMPLE = 16


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    made = tmp_path_factory.mktemp("short") / "short.so"
    subprocess.run([COMPILER, "-O1", "-Wall", "-Werror", "-shared", "-fPIC",
                    "-o", made, pathlib.Path(__file__).with_name("short.c"),
                    "-ldl"], check=True)
    return str(made)


def run_cut(field, library, shape, call="", count=0, size=0):
    """The counts of all calls, and whether one was cut."""
    said = field.folder / "said"
    done = field.calm(shape, env={
        "LD_PRELOAD": library, "SHORT_SAID": said, "SHORT_CALL": call,
        "SHORT_COUNT": count, "SHORT_BYTES": size})
    return done, dict(line.split() for line in said.read_text().splitlines())


@needs_strace                           # it prepares the recovery
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_cut_short(field, library, shape, shard):  # noqa: F811
    tally = Tally("short %s %d" % (shape, shard))

    def strike(at):
        field.prepare(shape)
        done, said = run_cut(field, library, *at)
        assert done.code == 0, done
        gone = [line["request_id"] for line in field.effects()]
        assert sorted(gone) == sorted(field.ids), done
        agree(field)
        return said["fired"] == "1", done.code

    field.prepare(shape)
    _, said = run_cut(field, library, shape)
    assert said.pop("fired") == "0"
    places = [Position(shape, call, count, size)
              for call, most in sorted(said.items())
              for count in range(1, int(most) + 1) for size in (0, 1)]
    for at in split(chosen(places, SAMPLE, "short " + shape), shard):
        tally.attempt(at, strike)
    tally.close(least=0.5)              # a read of one byte cannot be cut
