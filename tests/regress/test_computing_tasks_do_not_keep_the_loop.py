"""Many tasks that each compute below the cap of a turn: --max-runtime ends them
all the same, and so does a signal."""
import signal
import time

from fake import Fake

BUSY = ("log.info('up')\n"
        "for _ = 1, 400 do fal.spawn(function() local t = os.clock()\n"
        "  while os.clock() - t < 0.25 do end end) end")


def test_max_runtime_ends_them(tmp_path):
    with Fake(tmp_path) as fake:
        began = time.monotonic()
        done = fake.policy(BUSY, "--max-runtime", "100ms")
    assert done.returncode == 7, done
    assert time.monotonic() - began < 40


def test_one_signal_ends_them(tmp_path):
    with Fake(tmp_path) as fake:
        (tmp_path / "policy.lua").write_text(BUSY)
        process = fake.start("policy.lua")
        assert process.stderr.readline() == b"falrun: up\n"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=50)[1]
    assert process.returncode == 130, err
    assert time.monotonic() - began < 20
