"""A policy that catches the error of its cancelled wait, and waits again, is
ended all the same: after --max-runtime, and after one signal."""
import signal

import pytest
from fake import Fake

STUBBORN = ["while true do pcall(fal.sleep, '10ms') end",
            "while true do pcall(fal.sleep, '1h') end"]


@pytest.mark.parametrize("policy", STUBBORN)
def test_max_runtime_ends_it(tmp_path, policy):
    with Fake(tmp_path) as fake:
        done = fake.policy(policy, "--max-runtime", "100ms")
    assert done.returncode == 7, done


@pytest.mark.parametrize("policy", STUBBORN)
def test_one_signal_ends_it(tmp_path, policy):
    with Fake(tmp_path) as fake:
        (tmp_path / "policy.lua").write_text("log.info('up')\n" + policy)
        process = fake.start("policy.lua")
        assert process.stderr.readline() == b"falrun: up\n"
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=30)[1]
    assert process.returncode == 130, err
    assert b"was interrupted" in err


def test_what_cleans_up_may_still_wait(tmp_path):
    policy = ("local _ <close> = setmetatable({}, { __close = function()\n"
              "  fal.sleep('50ms') print('clean') end })\nfal.sleep('1h')")
    with Fake(tmp_path) as fake:
        done = fake.policy(policy, "--max-runtime", "100ms")
    assert done.stdout == b"clean\n", done
    assert done.returncode == 7, done
