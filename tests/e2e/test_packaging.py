"""What is packed: the tarball runs from any folder, the SBOM names what is
linked, and the container has the same libraries. lintian and a clean Debian
are asked by scripts/dev/package."""
import gzip
import json
import pathlib
import re
import subprocess
import tarfile

import pytest

from conftest import OLDER, PROGRAM, ROOT

BUILD = pathlib.Path(PROGRAM).parent
MADE = BUILD / "packaging"


@pytest.fixture(autouse=True)
def packed():
    if not (MADE / "falrun.spdx.json").exists():
        pytest.skip("%s is no build of a product" % BUILD)


def needed():
    """The Debian packages of the libraries that the program names."""
    lines = subprocess.run(["readelf", "-d", PROGRAM], check=True, text=True,
                           capture_output=True).stdout
    names = re.findall(r"NEEDED.*\[(.+)\]", lines)
    paths = dict(re.findall(r"(\S+) => (\S+)", subprocess.run(
        ["ldd", PROGRAM], check=True, text=True, capture_output=True).stdout))
    found = set()
    for name in names:
        for path in (paths[name], "/usr" + paths[name]):
            done = subprocess.run(["dpkg-query", "-S", path], text=True,
                                  capture_output=True)
            if done.returncode == 0:
                found.add(done.stdout.split(":")[0])
                break
    return found - {"libc6"}


def test_the_sbom_names_what_is_linked():
    sbom = json.loads((MADE / "falrun.spdx.json").read_text())
    assert sbom["spdxVersion"] == "SPDX-2.3"
    names = {package["name"] for package in sbom["packages"]}
    packages = needed()
    assert len(packages) >= 5 and packages <= names, packages - names
    assert all(package["versionInfo"] for package in sbom["packages"])


def test_the_container_has_the_same_libraries():
    text = (ROOT / "packaging/container/Containerfile").read_text()
    for package in needed():
        assert re.search(r"\b%s\b" % re.escape(package), text), package
    assert "USER" in text and "FAL_ADMIN_KEY=" not in text


def test_what_is_made_while_it_is_built(world):
    for name, words in (("falrun", ["completion", "bash"]),
                        ("_falrun", ["completion", "zsh"]),
                        ("falrun.fish", ["completion", "fish"]),
                        ("falrun.1", ["manual"])):
        printed = world.run(*words, key=False, check=0).out
        assert (MADE / name).read_text() == printed, name
    packed = gzip.decompress((MADE / "falrun.1.gz").read_bytes())
    assert packed.decode() == (MADE / "falrun.1").read_text()


def test_the_tarball_runs_anywhere(world):
    subprocess.run(["cpack", "-G", "TGZ", "-B", str(world.folder / "out"),
                    "--config", str(BUILD / "CPackConfig.cmake")], check=True,
                   capture_output=True, timeout=120)
    [path] = (world.folder / "out").glob("*.tar.gz")
    with tarfile.open(path) as tar:
        names = tar.getnames()
        assert not [n for n in names if n.startswith("/") or ".." in n]
        tar.extractall(world.folder / "an odd place")
    [top] = (world.folder / "an odd place").iterdir()
    world.program = str(top / "bin" / "falrun")
    world.run("--sandbox", "--requests", "30", OLDER, key=False, check=0)
    ends = {name.split("/", 1)[-1] for name in names}
    for name in ("bin/falrun", "share/man/man1/falrun.1.gz",
                 "share/man/man5/falrun-policy.5.gz",
                 "share/bash-completion/completions/falrun",
                 "share/falrun/policies/older-than.lua"):
        assert name in ends, name
