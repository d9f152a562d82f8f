"""Completion as real shells do it: what is typed, and what is offered."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from conftest import PROGRAM

CASES = [
    ("falrun pl", {"plan"}),
    ("falrun plan --di", {"--diff"}),
    ("falrun hold ", {"add", "remove", "list"}),
    ("falrun --max-deletes 5 hold ", {"add", "remove", "list"}),
    ("falrun completion ", {"bash", "zsh", "fish"}),
    ("falrun call serverless.files.dow", {"serverless.files.download"}),
    ("falrun plan by-a", {"by-age.lua"}),
    ("falrun by-age.lua --max-del", {"--max-deletes"}),
    ("falrun help verify-e", {"verify-erasure"}),
]


def installed(shell):
    return pytest.mark.skipif(not shutil.which(shell),
                              reason="%s is not installed" % shell)


@pytest.fixture
def scripts(world):
    """The scripts of all shells, and a policy beside them."""
    for shell in ("bash", "zsh", "fish"):
        done = world.run("completion", shell, key=False, check=0)
        name = "_falrun" if shell == "zsh" else "falrun." + shell
        (world.folder / name).write_text(done.out)
    world.policy("return nil", "by-age.lua")
    return world.folder


def ask(folder, *words, stdin=None):
    env = {"PATH": os.path.dirname(PROGRAM) + ":/usr/bin:/bin",
           "HOME": str(folder / "home"), "TERM": "dumb", "LANG": "C.UTF-8"}
    done = subprocess.run(words, cwd=folder, env=env, input=stdin, text=True,
                          capture_output=True, timeout=30)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


BASH = """
source ./falrun.bash
read -ra COMP_WORDS <<<"$1"
case $1 in *" ") COMP_WORDS+=("") ;; esac
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_falrun
printf '%s\\n' "${COMPREPLY[@]}"
"""


@installed("bash")
@pytest.mark.parametrize("line,offered", CASES)
def test_bash(scripts, line, offered):
    assert set(ask(scripts, "bash", "-c", BASH, "x", line).split()) == offered


@installed("fish")
@pytest.mark.parametrize("line,offered", CASES)
def test_fish(scripts, line, offered):
    out = ask(scripts, "fish", "-c",
              "source ./falrun.fish; complete -C %s" % json.dumps(line))
    assert {row.split("\t")[0] for row in out.splitlines()} == offered


def type_into_zsh(folder, line, whole):
    """zsh completes only in a terminal: types the line and a tab, and reads
    until the whole is there."""
    pid, end = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(TERM="dumb", HOME=str(folder / "home"))
        os.execvp("zsh", ["zsh", "-f", "-i"])

    def read(until, seconds=15):
        text, stop = b"", time.time() + seconds
        while until not in text and time.time() < stop:
            if select.select([end], [], [], 0.1)[0]:
                text += os.read(end, 65536)
        return text.decode(errors="replace")
    try:
        os.write(end, b"PS1=; fpath=($PWD $fpath); autoload -U compinit; "
                 b"compinit -u -d ./dump; echo rea''dy\n")
        read(b"ready")
        os.write(end, line.encode() + b"\t")
        return read(whole.encode())
    finally:
        os.kill(pid, 9)
        os.close(end)
        os.waitpid(pid, 0)


@installed("zsh")
@pytest.mark.parametrize("line,offered", [
    case for case in CASES if len(case[1]) == 1])
def test_zsh(scripts, line, offered):
    whole = min(offered)[len(line.rsplit(" ", 1)[1]):]
    assert whole in type_into_zsh(scripts, line, whole)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_all_that_there_is(world, shell):
    text = world.run("completion", shell, key=False, check=0).out
    help = world.run("--help", key=False, check=0).out
    options = set(re.findall(r"--([a-z][a-z-]+)", help))
    assert len(options) > 25
    prefix = "-l " if shell == "fish" else "--"
    for option in options - {"key"}:
        assert re.search(prefix + option + r"\b", text), option
    for command in re.findall(r"^  ([a-z][a-z-]+)  +[a-z]", help, re.M):
        if command != "run":
            assert command in text, command


def test_a_shell_that_is_none(world):
    done = world.run("completion", "bsh", key=False, check=2)
    assert "did you mean bash?" in done.err
    world.run("completion", key=False, check=2)
    world.run("completion", "bash", "zsh", key=False, check=2)
