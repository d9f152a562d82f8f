"""A reason that is not UTF-8 is misuse: JSON could not hold it, and a plan
would end without its document."""
from fake import ID, Fake


def test_a_reason_is_utf8(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy('print(pcall(fal.delete_payloads, "%s",\n'
                           '            { reason = "\\xff" }))' % ID)
    assert done.stdout.startswith(b"false\t"), done
    assert b"'reason'" in done.stdout and b"UTF-8" in done.stdout
    assert not fake.seen


def test_a_reason_of_the_command_line_is_utf8(tmp_path):
    for words in (["delete", ID], ["hold", "add", ID]):
        with Fake(tmp_path) as fake:
            done = fake.run(*words, "--reason", b"\xff")
        assert done.returncode == 2, done
        assert b"--reason" in done.stderr
        assert not fake.seen
