"""Standard error: JSON lines, the journal's priorities, the progress line and
the heartbeat, and the state that SIGUSR1 asks for."""
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from conftest import OLDER, agree
from watching import Screen, objects

SPITEFUL = r"""
log.error("one\27[2J\r\nfalrun: deleted 7", { id = "no id", x = '"\\"' })
log.warn("two \xff\xc3 \u{9b}three", { request_id =
  "764cabcf-b745-4b3e-ae38-1200304cf45b" })
log.info(("\""):rep(3000))
log.info("of 764cabcf-b745-4b3e-ae38-1200304cf45b, and more")
log.info("of 764cabcf-b745-4b3e-ae38-1200304cf45g, which is none")
log.debug("hidden")
print("print\tthis", "\0\xfe")
print()
error("raised \27 here")
"""
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"


def test_whatever_is_said_is_an_object(world):
    world.fal()
    done = world.lua(SPITEFUL, "--json", "--log-format", "json", "-v",
                     check=1)
    lines = objects(done.raw_err.decode("utf-8"))       # strictly
    assert all(ord(c) >= 0x20 and ord(c) != 0x7f and not
               0x80 <= ord(c) < 0xa0 for line in lines
               for c in line["message"])
    assert all(len(raw) <= 9 * 1024 for raw in done.raw_err.splitlines())
    by = {line["message"].split()[0]: line for line in lines
          if line["message"]}
    assert by["one?[2J??falrun:"]["level"] == "error"
    assert "request_id" not in by["one?[2J??falrun:"]
    assert by["two"]["level"] == "warn"
    assert by["two"]["request_id"] == ID
    about = [line.get("request_id") for line in lines
             if line["message"].startswith("of ")]
    assert about == [ID, None]
    assert by["hidden"]["level"] == "debug"
    assert by["print"] == dict(by["print"], level="info",       # with --json
                               message="print this ??")
    assert all(line["run"] == 1 and line["time"] for line in lines)
    assert any("raised ? here" in line["message"] for line in lines)


def test_lines_name_their_request(world):
    world.sandbox(requests=400, faults="cdn-exception@delete=0.5")
    done = world.run(OLDER, env={"FALRUN_LOG_FORMAT": "json"}, check=3)
    partial = {id for id, state in world.outcomes().items()
               if state == "partial"}
    told = {line["request_id"] for line in objects(done.err)
            if line["level"] == "warn" and "request_id" in line}
    assert len(told) == 20 and told < partial
    points = [line for line in objects(done.err)
              if line["message"].startswith("checkpoint ")]
    assert len(points) == 1 and "request_id" not in points[0]


@pytest.mark.parametrize("words, said", [
    (["--bla"], "no option --bla"), (["ply.lua"], "cannot be read"),
    (["frobnicate"], "no command"), ([], "no command and no policy")])
def test_a_wrong_line_is_an_object_too(world, words, said):
    done = world.run("--log-format", "json", *words, check=2)
    lines = objects(done.err)
    assert len(lines) == 1 and said in lines[0]["message"]
    assert lines[0]["level"] == "error" and "run" not in lines[0]


def test_another_format_is_refused(world):
    done = world.run("history", "--log-format", "xml", check=2)
    assert 'falrun: --log-format is "xml": write text or json' in done.err
    done = world.run("history", env={"FALRUN_LOG_FORMAT": "JSON"}, check=2)
    assert "FALRUN_LOG_FORMAT" in done.err


def test_a_policy_cannot_forge_a_priority(world):
    """With standard error on a file that plays the journal."""
    world.fal()
    path = world.folder / "journal"
    with path.open("wb") as file:
        stat = os.fstat(file.fileno())
        world.own.add(path)
        for words in ([], ["--log-format", "json"]):
            subprocess.run(
                [world.program, world.policy(
                    'log.warn("a\\n<0>b") log.info("c") log.debug("d")'),
                 "-v"] + words, stderr=file, cwd=world.folder, timeout=40,
                env=world.env(JOURNAL_STREAM="%d:%d" % (stat.st_dev,
                                                        stat.st_ino)))
    lines = path.read_text().splitlines()
    assert all(re.match("<[3467]>", line) for line in lines), lines
    assert "<4>falrun: warning: a?<0>b" in lines
    assert "<6>falrun: c" in lines and "<7>falrun: debug: d" in lines
    assert "\x1b" not in path.read_text()
    assert any(line.startswith('<4>{"time":') for line in lines)
    path.unlink()


# ---- progress ----------------------------------------------------------------

def test_one_steady_line(world):
    world.sandbox(requests=300)
    began = time.time()
    screen = Screen(world, 72, OLDER, "--rate", "40/s", "--yes")
    assert screen.code == 0, screen.text
    drawn = [line for line in screen.drawn() if line]
    took = time.time() - began
    assert 5 <= len(drawn) <= 10 * took + 2, (len(drawn), took)
    assert all(len(line) <= 72 for line in drawn), drawn
    total = [re.match(r"deleting: (\d+) of (\d+) done, ", line)
             for line in drawn]
    counted = [int(found[1]) for found in total if found]
    assert counted == sorted(counted) and counted[-1] > counted[0]
    assert len({found[2] for found in total if found}) == 1
    assert any("/s, " in line and " left, " in line for line in drawn), drawn
    assert any(re.search(r"\d+ waiting \(\d+/s at most", line)
               for line in drawn), drawn
    assert not [line for line in screen.left()
                if re.search(r"done, |in flight", line)], screen.left()


def test_a_heartbeat_elsewhere(world):
    world.sandbox(requests=300)
    began = time.monotonic()
    run = world.start(OLDER, "--rate", "4/s")
    os.set_blocking(run.process.stderr.fileno(), False)
    said = b""
    while b"deleting: " not in said:
        assert time.monotonic() - began < 25, said
        time.sleep(0.1)
        said += run.process.stderr.read() or b""
    assert time.monotonic() - began > 9.5
    os.set_blocking(run.process.stderr.fileno(), True)
    run.signal(signal.SIGTERM)
    assert run.wait().code == 143
    beats = re.findall(rb"falrun: deleting: \d+ of \d+ done, .*\n", said)
    assert len(beats) == 1 and b"\x1b" not in said, said


def test_none_where_nobody_wants_it(world):
    world.sandbox(requests=300)
    for flag in ("--quiet", "--no-progress"):
        screen = Screen(world, 80, OLDER, "--dry-run", "--rate", "20/s",
                        flag)
        assert screen.code == 0 and not screen.drawn(), screen.text


# ---- SIGUSR1 -------------------------------------------------------------------

def caught(pid, number=signal.SIGUSR1):
    """Has the process a handler for it already?"""
    status = pathlib.Path("/proc/%d/status" % pid).read_text()
    mask = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)
    return mask >> (number - 1) & 1


def test_the_state_is_printed(world):
    world.sandbox(requests=400, faults="cdn-exception@delete=0.2")
    run = world.start(OLDER, "--rate", "40/s", "--quiet", "--log-format",
                      "json")
    run.until(lambda: len(world.truths()) > 20)
    run.signal(signal.SIGUSR1)
    done = run.wait()
    assert done.code == 3
    lines = [line for line in objects(done.err)
             if line["message"].startswith("state: ")]
    assert len(lines) == 5 and all(line["level"] == "info" and
                                   line["run"] == 1 for line in lines)
    text = "\n".join(line["message"] for line in lines)
    assert re.search(r"state: run .*older-than.lua for \d+ s\n", text)
    assert re.search(r"state: deleting: \d+ of \d+ done, \d+ not, .* in "
                     r"flight, \d+ waiting", text), text
    counts = re.search(r"state: deleted (\d+), .*partial (\d+), .*open \d+",
                       text)
    assert int(counts[1]) + int(counts[2]) >= 10        # some on their way
    assert re.search(r"state: \d+ requests sent, \d+ of them again", text)
    assert "state: ledger %s" % world.ledger in text
    agree(world)


def shower(run, seconds=30):
    """One after the other until it has ended."""
    sent, end = 0, time.time() + seconds
    while run.process.poll() is None:
        assert time.time() < end, "it never ends"
        run.signal(signal.SIGUSR1)
        sent += 1
        time.sleep(0.0005)
    return sent


def drained(world, run):
    """Its pipes are read while it is showered."""
    import threading
    out = {}
    thread = threading.Thread(target=lambda: out.update(done=run.wait()))
    run.until(lambda: caught(run.pid))
    thread.start()
    out["sent"] = shower(run)
    thread.join()
    return out["done"], out["sent"]


@pytest.mark.parametrize("words", [
    ["--max-runtime", "1s"], ["--quiet"], ["--dry-run"]])
def test_a_thousand_questions_change_nothing(world, words):
    world.sandbox(requests=200)
    done, sent = drained(world, world.start(OLDER, "--rate", "60/s", *words))
    assert done.code == (7 if "--max-runtime" in words else 0), done
    assert sent > 200 and "state: ledger" in done.err
    if "--dry-run" not in words:
        agree(world)


def test_asked_while_lua_computes_and_while_it_is_ended(world):
    world.fal()
    path = world.policy("local n = 0 while true do n = n + 1 end")
    done, sent = drained(world, world.start(
        path, env={"FALRUN_TURN_MS": "700"}))
    assert done.code == 9 and sent > 100, done


def test_asked_while_it_waits_for_the_lock(world):
    world.sandbox(requests=200)
    first = world.start(OLDER, "--rate", "15/s")
    first.until(lambda: len(world.truths()) > 0)
    second = world.start(OLDER, "--lock-wait", "60s", "--quiet")
    second.until(lambda: caught(second.pid))
    for _ in range(50):
        second.signal(signal.SIGUSR1)
        time.sleep(0.002)
    assert second.process.poll() is None
    first.signal(signal.SIGTERM)
    assert first.wait().code == 143
    assert second.wait().code == 0


def test_the_sandbox_is_not_ended(world):
    box = world.sandbox(requests=50)
    for _ in range(20):
        os.kill(box.pid, signal.SIGUSR1)
        time.sleep(0.005)
    world.run("requests", "--endpoint", "auto", "--older-than", "30d", "-q",
              check=0)
    assert box.poll() is None
    assert "state: sandbox for" in (world.folder / "sandbox.err").read_text()


def test_a_term_behind_many_questions_ends_it(world):
    world.sandbox(requests=400)
    run = world.start(OLDER, "--rate", "15/s")
    run.until(lambda: len(world.truths()) > 3)
    run.signal(signal.SIGSTOP)
    for _ in range(3000):
        run.signal(signal.SIGUSR1)
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGCONT)
    assert run.wait().code == 143
    agree(world)
