"""A policy stuck inside one call of Lua's library hits the cap of time too: a
process that holds the lock for ever would stop every later run."""
from fake import Fake


def test_it_ends_with_the_code_of_a_cap(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy("return (('a'):rep(30000)):find("
                           "('a*'):rep(30) .. 'b')")
        again = fake.policy("return 1")
    assert done.returncode == 9, done
    assert b"stuck" in done.stderr
    assert again.returncode == 0, again
