"""A server that resets a connection before the first request is written:
the next attempt takes a new one, and does not wait a minute for the dead."""
import shutil
import subprocess
import time

import pytest

from fake import Fake, ID, PROGRAM

STRACE = shutil.which("strace")


def can_trace():
    return STRACE and subprocess.run([STRACE, "-o", "/dev/null", "true"],
                                     capture_output=True).returncode == 0


@pytest.mark.skipif(not can_trace(), reason="strace makes the send fail")
@pytest.mark.parametrize("which", (1, 2))
def test_the_next_attempt_connects_again(tmp_path, which):
    trace = tmp_path / "trace"
    with Fake(tmp_path) as fake:
        began = time.monotonic()
        done = subprocess.run(
            [STRACE, "-f", "-o", trace, "-e", "trace=sendto", "-e",
             "inject=sendto:error=EPIPE:when=%d" % which, PROGRAM, "delete",
             ID], cwd=tmp_path, capture_output=True, timeout=100,
            env=fake.environment(ASAN_OPTIONS="detect_leaks=0"))
    assert "(INJECTED)" in trace.read_text()
    assert done.returncode == 0, done
    assert time.monotonic() - began < 40
