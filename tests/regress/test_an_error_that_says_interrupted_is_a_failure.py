"""Only falrun knows that a run was interrupted, cancelled or misconfigured: a
policy that raises a table with such a code has failed (1), and is told."""
import pytest
from fake import Fake


@pytest.mark.parametrize("code", ["interrupted", "cancelled", "stopped",
                                  "config"])
def test_the_code_of_a_script_is_only_text(tmp_path, code):
    with Fake(tmp_path) as fake:
        done = fake.policy("error { code = '%s', message = 'mine' }" % code)
    assert done.returncode == 1, done
    assert b"mine" in done.stderr
