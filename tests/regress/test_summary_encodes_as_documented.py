"""The errors of fal.delete_all are a list, in JSON too when it is empty."""
from fake import ID, Fake


def test_no_errors_are_an_empty_list(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy('print(json.encode(fal.delete_all { "%s" }))' % ID)
    assert fake.json(done)["errors"] == [], done
