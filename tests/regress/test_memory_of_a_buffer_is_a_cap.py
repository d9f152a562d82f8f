"""Running out of memory inside string.rep or table.concat is the cap of memory
(9), like everywhere else."""
import pytest
from fake import Fake


@pytest.mark.parametrize("policy", [
    "local t = {} while true do t[#t + 1] = ('x'):rep(1000000) .. #t end",
    "local x = ('x'):rep(1000000)\nreturn table.concat(setmetatable({}, {"
    " __len = function() return 1 << 40 end,"
    " __index = function() return x end }))"])
def test_it_ends_with_the_code_of_a_cap(tmp_path, policy):
    with Fake(tmp_path) as fake:
        done = fake.policy(policy)
    assert done.returncode == 9, done
    assert b"256 MiB" in done.stderr
