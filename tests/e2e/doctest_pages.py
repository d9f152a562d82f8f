"""Runs the commands of a page, and holds what they print against it.

    ```console
    $ falrun check flux-30d.lua
    flux-30d.lua: ok
    ```

A line of three points stands for any lines, but never for all of them. Ids,
times, hashes, numbers, addresses and paths of the reader's are not compared,
blanks only as one; exit codes are, and whether a number is 0. Both streams of
a command come as they are written.
"""
import re
import subprocess

EXIT = "zero one two three four five six seven eight nine".split()

MASKS = [
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID"),
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"https?://\S+", "URL"),
    (r"\S*/ledger\.db", "LEDGER"),
    (r"\S*/falrun/config\b", "CONFIG"),
    (r"\baccount \w+", "account NAME"),
    (r"\b(hash|ledger)=(ID|[0-9a-f]+)", r"\1=HASH"),
    (r"\b[0-9a-f]{64}\b", "HASH"),
    (r"^exit code (\d+)$", lambda found: "exit code " + EXIT[int(found[1])]),
    (r"(less than a second|[\d.]+ s) (ahead of|behind) fal's", "CLOCK"),
    (r"\b[1-9]\d* requests?\b", "N requests"),
    (r"(?!0\b(?!\.\d))\d[\d,.]*", "N"),
    (r"[ \t]+", " "),
]


def blocks(text, kind):
    return re.findall(r"^```%s\n(.*?)^```$" % kind, text, re.M | re.S)


def commands(block):
    """(command, expected lines) for each prompt of a block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            assert found, "a block begins with its command: %r" % line
            found[-1][1].append(line)
    return found


def masked(line):
    for what, by in MASKS:
        line = re.sub(what, by, line)
    return line.strip()


def says_something(expected):
    return not expected or any(line != "..." for line in expected)


def fits(expected, got):
    """Whether the lines are as expected, with points for any of them."""
    if not expected:
        return not got
    if expected[0] == "...":
        return any(fits(expected[1:], got[at:]) for at in range(len(got) + 1))
    return (bool(got) and expected[0] == got[0]
            and fits(expected[1:], got[1:]))


def run(command, folder, env):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout.decode(errors="replace")


def compare(command, expected, out):
    want = [masked(line) for line in expected if line.strip()]
    assert says_something(want), "$ %s\nshows nothing of\n%s" % (command, out)
    got = [masked(line) for line in out.splitlines() if line.strip()]
    assert fits(want, got), "$ %s\nprints\n%s\nand not\n%s" % (
        command, out, "\n".join(expected))
