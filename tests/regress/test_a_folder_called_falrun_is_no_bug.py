"""The chunk names of embedded files begin with falrun/, and so may the path of
a policy: its errors are its own (1), and no bug of falrun (70)."""
import pytest
from fake import Fake


def test_nor_is_a_task_without_a_frame_of_a_script(tmp_path):
    for text in ("fal.spawn(math.abs)", "fal.spawn(fal.requests, 1)",
                 "fal.spawn(math.abs) fal.spawn(math.abs)"):
        with Fake(tmp_path) as fake:
            (tmp_path / "policy.lua").write_text(text)
            done = fake.run("policy.lua", FALRUN_LEDGER=str(
                tmp_path / ("%d.db" % fake.server.server_address[1])))
        assert done.returncode == 1, done


@pytest.mark.parametrize("text", [
    "local x = nil\nprint(x.y)",
    "for _ = 1, 2 do fal.spawn(function() local x = nil\nprint(x.y) end) end",
    "fal.spawn(load('error(1 .. 2)', '=falrun/fal/mine.lua'))"])
def test_its_errors_are_the_policys(tmp_path, text):
    (tmp_path / "falrun").mkdir()
    (tmp_path / "falrun" / "p.lua").write_text(text)
    with Fake(tmp_path) as fake:
        done = fake.run("falrun/p.lua")
    assert done.returncode == 1, done
