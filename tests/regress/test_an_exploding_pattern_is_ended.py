"""A policy stuck inside one call of Lua's library hits the cap of time too: a
process that holds the lock for ever would stop every later run. The ledger
has the end of the run."""
import json

from fake import ID, Fake


def test_it_ends_with_the_code_of_a_cap(tmp_path):
    with Fake(tmp_path) as fake:
        fake.policy("fal.delete_payloads('%s')" % ID)
        (tmp_path / "policy.lua").write_text(
            "return (('a'):rep(30000)):find(('a*'):rep(30) .. 'b')")
        done = fake.run("policy.lua", FALRUN_TURN_MS="500")
        history = fake.run("history", "--json", url=False)
        again = fake.policy("return 1")
    assert done.returncode == 9, done
    assert b"more than 500 ms without waiting" in done.stderr
    assert json.loads(history.stdout)[0]["exit_code"] == 9
    assert again.returncode == 0, again


def test_the_cap_cannot_be_raised(tmp_path):
    with Fake(tmp_path) as fake:
        for value in ("0", "10001", "1e9", "-1", "x", "500ms", ""):
            (tmp_path / "policy.lua").write_text(
                "local t = os.clock() while os.clock() - t < 0.6 do end")
            done = fake.run("policy.lua", FALRUN_TURN_MS=value)
            assert done.returncode == 0, done
