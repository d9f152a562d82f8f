"""The benchmark does not rot: a few hundred deletions through each row that
needs no Node. What it measures at that size means nothing; that each run is
held against its server, and lands in the table and the JSON, does."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FALRUN = pathlib.Path(os.environ.get("FALRUN", ROOT / "build/asan/falrun"))
BUILD = FALRUN.parent
ROWS = "h1,h2,goaway,20ms,list,sandbox,policy,growth"
NEEDED = ["throughput, HTTP/1.1", "throughput, HTTP/2", "CPU per deletion",
          "curl --parallel", "ledger in memory", "resident memory",
          "20 ms latency", "listing from nginx", "listing from the sandbox",
          "policy that decides", "growth", "GOAWAY"]

pytestmark = pytest.mark.skipif(
    not (BUILD / "bench" / "lean_delete").exists(),
    reason="configure with -DFALRUN_BENCH=ON")


def bench(tmp_path, *words, falrun=FALRUN):
    out = tmp_path / "result.json"
    done = subprocess.run(
        [ROOT / "tests/bench/run", "--count", "200", "--rounds", "1",
         "--build", BUILD, "--falrun", falrun, "--out", out, *words],
        capture_output=True, text=True, timeout=100)
    return done, json.loads(out.read_text()) if out.exists() else None


def is_sanitized():
    return b"__asan_init" in FALRUN.read_bytes()


def test_every_row_is_printed_and_written(tmp_path):
    if is_sanitized():
        pytest.skip("rows run on the release build: LD_PRELOAD and ASan")
    done, result = bench(tmp_path, "--rows", ROWS)
    assert done.returncode == 0, done.stdout + done.stderr
    for what in NEEDED:
        assert what in done.stdout, what
        assert any(what in row["what"] for row in result["rows"]), what
    assert result["failed"] == []
    assert all(run["wall"] > 0 for runs in result["runs"].values()
               for run in runs)


def test_work_that_was_not_done_is_no_result(tmp_path):
    """A program that deletes nothing and says so in falrun's words."""
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\nwhile read -r id; do "
                    "printf '%s\\tdeleted\\n' \"$id\"; done\n"
                    "echo 'deleted 200 in 0.0 s' >&2\n")
    liar.chmod(0o755)
    done, result = bench(tmp_path, "--rows", "h2", falrun=liar)
    assert done.returncode == 1
    assert "requests at the server, not 200" in result["failed"][0]["why"]
    assert result["rows"] == []
