"""Errors share a metatable. A script that put a finalizer there which spins
kept the process, and the lock, for ever: finalizers run without hooks."""
from fake import Fake


def test_its_metatable_is_out_of_reach(tmp_path):
    with Fake(tmp_path) as fake:
        done = fake.policy(
            "local _, err = json.decode('x')\n"
            "local t = getmetatable(err)\n"
            "if t then t.__gc = function() while true do end end end\n"
            "json.decode('y')")
    assert done.returncode == 0, done
