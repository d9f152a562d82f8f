"""An exception that is the empty string is a file that still exists: the
script must see it, not a file without an exception."""
from fake import ID, Fake


def test_an_empty_exception_reaches_the_script(tmp_path):
    with Fake(tmp_path) as fake:
        fake.deletions = [{"cdn_delete_results": [
            {"link": "https://v3.fal.media/a", "exception": ""}]}]
        done = fake.policy('local _, err = fal.delete_payloads("%s")\n'
                           'print(err.status)\n'
                           'print(err.cdn_delete_results[1].exception == "")'
                           % ID)
    assert done.stdout == b"partial\ntrue\n", done
    assert done.returncode == 3, done
