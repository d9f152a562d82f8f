"""The chunk names of embedded files begin with falrun/, and so may the path of
a policy: its errors are its own (1), and no bug of falrun (70)."""
import pytest
from fake import Fake


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
