"""The time for which a reader lets `print` wait is not the policy's."""
import subprocess
import time

from fake import PROGRAM, Fake


def test_print_may_wait(tmp_path):
    with Fake(tmp_path) as fake:
        (tmp_path / "policy.lua").write_text(
            "print(('x'):rep(1 << 20)) print('end')")
        process = subprocess.Popen(
            [PROGRAM, "policy.lua"], cwd=tmp_path, stdout=subprocess.PIPE,
            env=fake.environment(FALRUN_TURN_MS="300"))
        time.sleep(2)
        out = process.communicate(timeout=30)[0]
    assert process.returncode == 0
    assert out.endswith(b"x\nend\n")
