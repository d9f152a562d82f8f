"""falrun check --json answers with its document when the policy does not even
load."""
from fake import Fake


def test_a_syntax_error_is_a_problem(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy("local a = 1\nlocal b = = 2", "check", "--json")
    assert done.returncode == 1
    document = fake.json(done)
    assert document["ok"] is False
    assert document["problems"][0]["line"] == 2
    assert b"policy.lua:2: unexpected symbol" in done.stderr
