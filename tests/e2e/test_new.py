"""falrun new: what it writes works, and nothing is ever overwritten."""
import json
import subprocess

import pytest


def test_a_new_policy_works(world):
    done = world.run("new", "flux-30d", check=0, key=False)
    for name in ("flux-30d.lua", "flux-30d_test.lua", ".luarc.json",
                 ".luacheckrc", ".falrun/fal.lua"):
        assert (world.folder / name).exists(), name
        assert name in done.out
    json.loads((world.folder / ".luarc.json").read_text())
    assert "fal.policy" in (world.folder / ".falrun/fal.lua").read_text()
    check = world.run("check", "flux-30d.lua", check=0, key=False)
    assert check.out == "flux-30d.lua: ok\n" and not check.err
    world.run("check", "flux-30d_test.lua", check=0, key=False)
    world.run("test", check=0, key=False)
    subprocess.run(["luacheck", "--quiet", "flux-30d.lua",
                    "flux-30d_test.lua"], cwd=world.folder, check=True)
    world.run("plan", "--sandbox", "flux-30d.lua", check=0,
              env={"FALRUN_LEDGER": None})


def test_nothing_is_overwritten(world):
    (world.folder / "a_test.lua").write_text("mine")
    done = world.run("new", "a", check=2)
    assert "a_test.lua is there already: nothing was written" in done.err
    assert not (world.folder / "a.lua").exists()
    (world.folder / ".luacheckrc").write_text("mine")
    done = world.run("new", "b", check=0)
    assert (world.folder / ".luacheckrc").read_text() == "mine"
    assert "left .luacheckrc as it is" in done.out


@pytest.mark.parametrize("kind", ["folder", "link", "unreadable"])
def test_what_is_no_file_is_there_as_well(world, kind):
    path = world.folder / "a_test.lua"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("nowhere")
    else:
        path.write_text("mine")
        path.chmod(0)
    done = world.run("new", "a", check=2)
    assert "a_test.lua is there already: nothing was written" in done.err
    assert not (world.folder / "a.lua").exists() and not done.out
    path.chmod(0o600) if kind == "unreadable" else None


def test_what_cannot_be_written_is_not_said_to_be_left(world):
    (world.folder / ".falrun").write_text("a file in the way")
    done = world.run("new", "a", check=2)
    assert "as it is" not in done.out and ".falrun" in done.err


def test_into_a_folder(world):
    (world.folder / "rules").mkdir()
    world.run("new", "a.lua", "--dir", "rules", check=0)
    assert (world.folder / "rules" / "a.lua").exists()
    done = world.run("new", "a", "--dir", "nowhere", check=2)
    assert "nowhere" in done.err


@pytest.mark.parametrize("words", [
    [], ["a", "b"], ["a_test"], ["a_test.lua"], ["../x"], ["a/b"], [".x"], ["-x"], ["a b"], [""],
    ["x" * 65]])
def test_names(world, words):
    world.run("new", *words, check=2)
