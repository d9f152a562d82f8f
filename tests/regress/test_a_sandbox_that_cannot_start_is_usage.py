"""A sandbox that cannot start is wrong usage (2), not a damaged ledger (8)."""
from fake import Fake


def run(tmp_path, *words, **env):
    (tmp_path / "policy.lua").write_text("return")
    with Fake(tmp_path) as fake:
        return fake.run(*words, "--sandbox", "policy.lua", url=None, **env)


def test_a_wrong_fault(tmp_path):
    done = run(tmp_path, "--faults", "bogus=1")
    assert done.returncode == 2, done
    assert b"bogus" in done.stderr


def test_no_place_for_its_ledger(tmp_path):
    done = run(tmp_path, TMPDIR="/nonexistent")
    assert done.returncode == 2, done
    assert b"TMPDIR" in done.stderr and b"/nonexistent" in done.stderr
