"""A 502 or a 504 may come from a gateway whose upstream has deleted: when no
later attempt brings an answer, the intent stays open and the next run settles
it. A "failed" would never be looked at again."""
import pytest

from fake import Fake, ID


@pytest.mark.parametrize("status", [500, 502, 504])
def test_it_is_open_and_then_settled(tmp_path, status):
    with Fake(tmp_path) as fake:
        fake.deletions = [status] * 5
        done = fake.run("delete", ID)
        assert done.returncode == 3, done
        assert b"the next run settles it" in done.stderr
        told = fake.json(fake.run("explain", ID, "--json"))
        assert told["state"] == "open", told
        fake.deletions = [404]
        done = fake.policy("")
        told = fake.json(fake.run("explain", ID, "--json"))
    assert told["state"] == "gone", told
    assert done.returncode == 0, done


def test_what_says_that_nothing_was_done_has_failed(tmp_path):
    with Fake(tmp_path) as fake:
        fake.deletions = [501] * 5
        done = fake.run("delete", ID)
        told = fake.json(fake.run("explain", ID, "--json"))
    assert done.returncode == 3 and told["state"] == "failed", told
