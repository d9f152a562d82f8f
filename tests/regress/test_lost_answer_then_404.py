"""A kept connection that closes without an answer to a DELETE: libcurl's own
repeat must not hide the lost answer. The 404 of the next attempt then counts
as gone, because the first may have deleted."""
from fake import Fake, ID


def test_a_404_after_a_lost_answer_counts_as_gone(tmp_path):
    with Fake(tmp_path) as fake:
        fake.deletions = ["drop", 404]
        done = fake.run("delete", ID, "--json")
    assert [item["method"] for item in fake.seen] == ["GET", "DELETE",
                                                      "DELETE"]
    assert fake.json(done)[0]["status"] == "already_deleted", done
    assert done.returncode == 0, done


def test_each_request_is_an_attempt(tmp_path):
    with Fake(tmp_path) as fake:
        fake.deletions = ["drop"]
        done = fake.policy('local _, err = fal.delete_payloads("%s")\n'
                           'print(err.attempts)' % ID)
    sent = [item for item in fake.seen if item["method"] == "DELETE"]
    assert len(sent) == 5
    assert done.stdout == b"5\n", done
