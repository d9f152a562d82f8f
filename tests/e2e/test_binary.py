"""How the program was linked, and that it works where it is installed. Only
what is shipped counts: a sanitizer build is skipped."""
import os
import pathlib
import subprocess

import pytest

from conftest import PROGRAM, ROOT


def readelf(*words):
    return subprocess.run(["readelf", "-W", *words, PROGRAM], check=True,
                          capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def needed():
    return [line.split("[")[1].split("]")[0]
            for line in readelf("-d").splitlines() if "(NEEDED)" in line]


@pytest.fixture(autouse=True)
def shipped():
    if any("asan" in name or "ubsan" in name for name in needed()):
        pytest.skip("%s has sanitizers: build/release is tested" % PROGRAM)


def symbols():
    rows = [line.split() for line in readelf("--dyn-syms").splitlines()]
    return {row[7].split("@")[0] for row in rows if len(row) > 7}


def test_it_can_be_loaded_anywhere():
    assert "DYN (Position-Independent Executable" in readelf("-h")
    assert "PIE" in readelf("-d")


def test_its_tables_are_read_only_once_it_runs():
    assert "GNU_RELRO" in readelf("-l")
    assert "BIND_NOW" in readelf("-d") and "NOW" in readelf("-d")


def test_data_is_not_executed():
    segments = [line.split() for line in readelf("-l").splitlines()]
    stack = [words for words in segments if words[:1] == ["GNU_STACK"]]
    assert stack and stack[0][6] == "RW", stack
    assert not [words for words in segments
                if words[:1] == ["LOAD"] and "W" in words[6:-1]
                and "E" in words[6:-1]]


def test_overruns_end_the_program():
    assert {"__stack_chk_fail", "__memcpy_chk",
            "__snprintf_chk"} <= symbols()


def test_it_looks_for_libraries_where_the_system_does():
    dynamic = readelf("-d")
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic


def test_lua_modules_are_not_loaded_at_run_time():
    assert "dlopen" not in symbols() and "malloc" in symbols()
    assert not [name for name in needed() if "cjson" in name]


def test_an_installed_tree_runs_its_policies(tmp_path):
    build = pathlib.Path(PROGRAM).resolve().parent
    prefix = tmp_path / "prefix"
    subprocess.run(["cmake", "--install", str(build), "--prefix",
                    str(prefix)], check=True, capture_output=True)
    policies = sorted((prefix / "share/falrun/policies").glob("*.lua"))
    assert [path.name for path in policies] == sorted(
        path.name for path in (ROOT / "scripts/policies").glob("*.lua"))
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    def run(*words):
        return subprocess.run(
            [prefix / "bin/falrun", *words], env=env, cwd=tmp_path,
            capture_output=True, text=True, timeout=60, input="")
    done = run("test", prefix / "share/falrun/policies")
    assert done.returncode == 0, done
    words = {"one-customer": ["a"], "listed-ids": ["-"]}
    for policy in policies:
        if not policy.stem.endswith("_test"):
            done = run("plan", "--sandbox", "--requests", "300", policy,
                       *words.get(policy.stem, []))
            assert done.returncode == 0 and "planned" in done.stdout, done
