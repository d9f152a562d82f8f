"""Live events and whole files: cut, gone on from, lied about, interrupted."""
import hashlib
import json
import os
import re
import signal
import stat
import threading
import time

import pytest

import hostile
from conftest import on_terminal

STREAM = "serverless.logs.stream"
SAVE = ("serverless.files.download", "file=a/b", "--output", "saved")
TAG = ("ETag", '"one"')
ENDS = "end=2100-01-01"


def serve(world, handler):
    server = hostile.Server(handler)
    world.servers = list(world.servers) + [server]
    world.url = server.url
    return server


def answering(world, *answers):
    left = list(answers)
    return serve(world, lambda request: left.pop(0) if len(left) > 1
                 else left[0])


def events(*data, start=1):
    return "".join("id: %d\ndata: %s\n\n" % (n, json.dumps(one))
                   for n, one in enumerate(data, start)).encode()


def streaming(*play, kind="text/event-stream"):
    """In chunks; the last one is for whoever plays to send."""
    head = ("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
            "Transfer-Encoding: chunked\r\n\r\n" % kind).encode()
    return hostile.Answer(play=[head] + [
        b"%x\r\n%s\r\n" % (len(step), step) if isinstance(step, bytes)
        else step for step in play])


def whole(*play):
    answer = streaming(*play)
    answer.play.append(b"0\r\n\r\n")
    return answer


def lines(done):
    return [json.loads(line) for line in done.out.splitlines()]


def saved(world, name="saved"):
    path = world.folder / name
    return path.read_bytes() if path.exists() else None


def left_over(world):
    return sorted(p.name for p in world.folder.glob("saved*"))


# ---- events, from the sandbox ----

def test_events_come_one_by_one(world):
    world.sandbox(requests=200, span="20h")
    running = world.start("call", STREAM)
    first = json.loads(running.process.stdout.readline())
    assert set(first) == {"data", "event", "id"}
    assert first["data"]["message"].startswith("request ")
    assert running.process.poll() is None
    running.process.send_signal(signal.SIGTERM)
    out, err = running.process.communicate(timeout=30)
    assert running.process.returncode == 143
    for line in out.decode().splitlines():
        json.loads(line)


@pytest.mark.parametrize("how, number, code", [
    ([], signal.SIGINT, 130), (["--max-runtime", "1s"], None, 7)])
def test_what_stops_a_stream(world, how, number, code):
    world.sandbox(requests=20, span="20h")
    running = world.start("call", STREAM, *how)
    assert running.process.stdout.readline()
    time.sleep(0.3)
    if number:
        running.process.send_signal(number)
    _, err = running.process.communicate(timeout=30)
    assert running.process.returncode == code, err


def test_a_stream_that_is_cut_loses_and_repeats_nothing(world):
    world.sandbox(requests=200, span="20h")
    wanted = lines(world.run("call", STREAM, ENDS, check=0))
    assert len(wanted) == 20
    world.box.kill()
    anchor = wanted[-1]["data"]["timestamp"]
    for fault in ("truncate@list=#1", "truncate@list=#1,500@list=#2"):
        world.sandbox(requests=200, span="20h", faults=fault)
        got = lines(world.run("call", STREAM, ENDS, check=0))
        assert [e["id"] for e in got] == [e["id"] for e in wanted], anchor
        world.box.kill()


def test_without_ids_a_cut_is_an_error(world):
    world.sandbox(requests=200, span="20h", faults="truncate@list=#1",
                  stream_ids="no")
    done = world.run("call", STREAM, ENDS, check=7)
    assert 0 < len(lines(done)) < 20 and "id" not in lines(done)[0]
    assert "its events have no id to go on from" in done.err


def test_so_many_events_and_no_more(world):
    world.sandbox(requests=200, span="20h")
    assert len(lines(world.run("call", STREAM, "--max-events", "3",
                               check=0))) == 3
    raw = world.run("call", STREAM, "--max-events", "1", "--raw", check=0)
    assert raw.json["message"].startswith("request ")


def test_a_policy_reads_events_and_goes_on(world):
    world.sandbox(requests=200, span="20h")
    done = world.lua("""
      local count = 0
      for event in fal.serverless.logs.stream {} do
        count = count + #event.data.message // #event.data.message
        if count == 5 then break end
      end
      print(count, assert(fal.account.billing {}) ~= nil)
      for event in fal.serverless.logs.stream { ["end"] = "2100-01-01" } do
        count = count + 1
      end
      print(count)
    """, "--dry-run", "--concurrency", "1", check=0)
    assert done.out.split()[:3] == ["5", "true", "25"]


def test_a_simulated_policy_reads_events_and_files(world):
    policy = world.policy("""
      local count = 0
      for event in fal.serverless.logs.stream { start = "2020-01-01" } do
        count = count + 1
      end
      local file = assert(fal.serverless.files.download(
        { file = "readme.txt" }, { to = "saved", replace = true }))
      print(("came %d %d"):format(count, file.bytes))
    """)
    days = [hostile.iso(n * 86400)[:10] for n in (400, 3, 2)]
    done = world.run("simulate", policy, "--sandbox", "--from", days[1],
                     "--to", days[2], check=0)
    assert (done.out + done.err).count("came 20 21") == 2, done
    done = world.run("simulate", policy, "--sandbox", "--from", days[0],
                     "--to", days[0], check=0)
    assert (done.out + done.err).count("came 0 21") == 1, done
    assert saved(world) == b"files of the sandbox\n"


def test_check_knows_what_a_download_needs(world):
    policy = world.policy("""
      print(fal.serverless.files.download { file = "x" })
      print(fal.serverless.files.download({ file = "x" }, { two = "y" }))
    """)
    done = world.run("check", policy, check=1)
    assert "options is missing" in done.err and "'to'" in done.err


# ---- events, from a hostile server ----

def test_it_goes_on_behind_the_last_whole_event(world):
    server = answering(
        world, streaming(b"retry: 10\n\n" + events(1, 2) + b"id: 3\ndata: 3"),
        whole(events(3, 4, start=3)))
    done = world.run("call", STREAM, ENDS, check=0)
    assert [e["id"] for e in lines(done)] == ["1", "2", "3", "4"]
    assert [r.headers.get("last-event-id") for r in server.requests] == [
        None, "2"]
    assert server.requests[0].headers["accept"] == "text/event-stream"


def test_an_end_that_nobody_asked_for_is_asked_about(world):
    answering(world, whole(b"retry: 10\n\n" + events(1)),
              hostile.Answer(204))
    assert len(lines(world.run("call", STREAM, check=0))) == 1


def test_cuts_come_to_an_end(world):
    server = answering(world, streaming(b"retry: 1\n\n"))
    done = world.run("call", STREAM, check=7)
    assert len(server.requests) == 6 and "broke off" in done.err


def test_a_line_without_an_end_is_bounded(world):
    flood = streaming(events(1), *[b"data: " + b"x" * 65536] * 40, 5)
    answering(world, flood)
    done = world.run("call", STREAM, check=7)
    assert len(lines(done)) == 1
    assert "a line has more than 1048576 bytes" in done.err


def test_a_key_in_a_stream_is_blanked_wherever_it_is_cut(world):
    secret = world.key.split(":")[1].encode()
    for at in range(0, len(secret) + 1, 5):
        answering(world, whole(b"id: 1\ndata: a" + secret[:at], 0.05,
                               secret[at:] + b"b\n\n"))
        done = world.run("call", STREAM, ENDS, check=0)
        assert re.fullmatch(r"a\*+b", lines(done)[0]["data"]), done


def test_what_is_no_stream_is_an_error(world):
    answering(world, hostile.Answer(200, {"error": "no"}))
    done = world.run("call", STREAM, check=7)
    assert "it is no stream of events" in done.err and not done.out


@pytest.mark.parametrize("status, code", [(401, 5), (404, 1), (500, 7)])
def test_a_stream_that_is_refused(world, status, code):
    answering(world, hostile.error(status, "words"))
    done = world.run("call", STREAM, check=code)
    assert "fal answered %d: words" % status in done.err


def test_heartbeats_keep_it_and_a_slow_reader_makes_fal_wait(world):
    """The server sends as fast as it can; the policy takes its time."""
    sent = [0]

    def flood():
        while sent[0] < 400:
            sent[0] += 1
            block = b"".join(b"data: %s\n\n" % (b"y" * 1000)
                             for _ in range(1000))
            yield b"%x\r\n%s\r\n" % (len(block), block)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" \
        b"Transfer-Encoding: chunked\r\n\r\n"

    def play():
        yield head
        yield from flood()
    serve(world, lambda request: hostile.Answer(play=play()))
    world.lua("""
      local count = 0
      for event in fal.serverless.logs.stream {} do
        count = count + 1
        if count % 50 == 0 then fal.sleep "100ms" end
        if count == 500 then break end
      end
    """, "--dry-run", check=0)
    assert sent[0] < 40, "400 MB would have been read ahead"


# ---- files, from the sandbox ----

def test_a_file_is_saved_whole(world):
    world.sandbox(requests=10)
    done = world.run("call", "serverless.files.download",
                     "file=models/weights.bin", "--output", "saved", check=0)
    assert done.json == {"path": "saved", "bytes": 4096, "resumed": 0}
    assert saved(world) == (b"weights\n" * 512)
    mode = (world.folder / "saved").stat().st_mode
    assert stat.S_IMODE(mode) & 0o077 == 0
    assert left_over(world) == ["saved"]
    world.run("call", "serverless.files.download", "file=none", "--output",
              "other", check=1)


@pytest.mark.parametrize("fault", [
    "truncate@list=#1", "drop-before@list=#1", "500@list=#1",
    "truncate@list=#1,truncate@list=#2,503@list=#3"])
def test_a_file_that_is_cut_is_gone_on_from(world, fault):
    world.sandbox(requests=10, faults=fault)
    world.run("call", "serverless.files.download", "file=models/weights.bin",
              "--output", "saved", check=0)
    assert saved(world) == (b"weights\n" * 512)
    assert left_over(world) == ["saved"]


def test_what_is_there_is_not_replaced_unless_asked(world):
    record = world.folder / "record.jsonl"
    world.sandbox(requests=10, record=record)
    (world.folder / "saved").write_text("mine")
    words = ("call", "serverless.files.download", "file=readme.txt",
             "--output", "saved")
    done = world.run(*words, check=1)
    assert "saved is there already; nothing was sent" in done.err
    assert saved(world) == b"mine" and record.read_text() == ""
    world.run(*words, "--replace", check=0)
    assert saved(world) == b"files of the sandbox\n"


def test_a_policy_saves_files(world):
    world.sandbox(requests=10)
    done = world.lua("""
      local file = assert(fal.serverless.files.download(
        { file = "readme.txt" }, { to = "saved" }))
      print(file.bytes)
      local none, err = fal.serverless.files.download({ file = "readme.txt" },
        { to = "saved" })
      print(none, err.code)
      print(pcall(fal.serverless.files.download, { file = "readme.txt" }))
    """, "--dry-run", check=0)
    assert done.out.splitlines()[:2] == ["21", "nil\tinvalid"]
    assert "bad argument 'to'" in done.out


@pytest.mark.parametrize("end", ["", ".lock", "-wal"])
def test_a_file_never_takes_the_place_of_the_ledger(world, end):
    world.sandbox(requests=10)
    (world.folder / "link").symlink_to(str(world.ledger) + end)
    done = world.lua("""
      for _, to in ipairs(arg) do
        print(pcall(fal.serverless.files.download, { file = "readme.txt" },
          { to = to, replace = true }))
      end
    """, "link", str(world.ledger) + end, check=0)
    assert done.out.count("it is the ledger of this run") == 2, done.out
    world.run("verify", check=0)


# ---- files, from a hostile server ----

def answer_of(data, *headers, **more):
    return hostile.Answer(200, data, headers=list(headers), **more)


def part_of(data, first, total=None, *headers, **more):
    total = len(data) + first if total is None else total
    return hostile.Answer(206, data, headers=list(headers) + [
        ("Content-Range", "bytes %d-%d/%d" % (first, first + len(data) - 1,
                                              total))], **more)


DATA = bytes(range(256)) * 40


def test_a_short_body_is_no_file(world):
    server = answering(world, answer_of(DATA[:5000], length=len(DATA)))
    done = world.run("call", *SAVE, check=7)
    assert "broke off" in done.err and left_over(world) == []
    assert len(server.requests) == 5


def test_a_body_without_an_announced_end_is_no_file(world):
    answering(world, hostile.Answer(raw=b"HTTP/1.1 200 OK\r\n"
                                    b"Connection: close\r\n\r\n" + DATA))
    done = world.run("call", *SAVE, check=7)
    assert "does not say how long the file is" in done.err
    assert left_over(world) == []


def test_it_is_gone_on_from_by_range(world):
    server = answering(world, answer_of(DATA, TAG, drop="middle"),
                       part_of(DATA[5120:], 5120, None, TAG))
    world.run("call", *SAVE, check=0)
    assert saved(world) == DATA
    first, second = server.requests
    assert "range" not in first.headers
    assert first.headers["accept-encoding"] == "identity"
    assert second.headers["range"] == "bytes=5120-"
    assert second.headers["if-range"] == '"one"'


def test_another_version_is_begun_anew(world):
    answering(world, answer_of(DATA, TAG, drop="middle"),
              answer_of(b"other", ("ETag", '"two"')))
    world.run("call", *SAVE, check=0)
    assert saved(world) == b"other"


@pytest.mark.parametrize("lie", [
    part_of(DATA[5000:], 5000), part_of(DATA[5120:], 5120, 5121),
    hostile.Answer(206, DATA[5120:]), hostile.Answer(204),
    part_of(DATA[5120:], 5120, None, ("ETag", '"two"')),
    part_of(DATA[5120:-1], 5120, len(DATA)),
    hostile.Answer(206, DATA[5120:], headers=[
        ("Content-Type", "multipart/byteranges; boundary=x")])])
def test_parts_that_lie_are_no_parts(world, lie):
    answering(world, answer_of(DATA, TAG, drop="middle"), lie)
    done = world.run("call", *SAVE, check=7)
    assert saved(world) is None
    assert "Traceback" not in done.err and "is not the part" in done.err or \
        "another version" in done.err or "no file" in done.err or \
        "only a part" in done.err or "is not what was" in done.err, done.err


def test_a_redirect_gets_no_key(world):
    other = hostile.Server(lambda request: answer_of(DATA))
    world.servers = [other]
    answering(world, hostile.Answer(302, b"", headers=[
        ("Location", other.url + "/x")]))
    done = world.run("call", *SAVE, check=1)
    assert "redirects are never followed" in done.err
    assert other.requests == [] and left_over(world) == []
    done = world.run("call", STREAM, check=1)
    assert other.requests == []


def test_an_encoded_file_is_refused(world):
    answering(world, answer_of(b"\x1f\x8b", ("Content-Encoding", "gzip")))
    done = world.run("call", *SAVE, check=7)
    assert "encoded (gzip), which nobody asked for" in done.err
    assert left_over(world) == []


def test_heads_before_the_head(world):
    answering(world, hostile.Answer(raw=b"HTTP/1.1 103 Early Hints\r\n"
                                    b"ETag: \"zero\"\r\n\r\n"
                                    + answer_of(DATA, TAG).bytes()))
    world.run("call", *SAVE, check=0)
    assert saved(world) == DATA


def test_a_head_without_an_end_has_its_time(world):
    drip = [b"HTTP/1.1 200 OK\r\n"] + [b"X: y\r\n", 0.1] * 300
    server = serve(world, lambda request: hostile.Answer(play=list(drip)))
    began = time.time()
    done = world.run("call", *SAVE, "--timeout", "500ms", check=7)
    assert time.time() - began < 20 and len(server.requests) == 3
    assert "no answer" in done.err and left_over(world) == []


def test_a_refused_key_ends_it(world):
    answering(world, hostile.error(401, "no " + world.key))
    done = world.run("call", *SAVE, check=5)
    assert "fal answered 401" in done.err and left_over(world) == []


def slow_then_rest(world, data, cut):
    """The first answer stops at `cut` and stays open; later ones go on."""
    stopped = threading.Event()

    def handler(request):
        wanted = request.headers.get("range")
        if wanted and request.headers.get("if-range") == '"one"':
            first = int(re.match(r"bytes=(\d+)-$", wanted).group(1))
            return part_of(data[first:], first, None, TAG)
        head = answer_of(data, TAG).bytes()
        head = head[:len(head) - len(data)]

        def play():
            yield head + data[:cut]
            stopped.set()
            yield 60
        return hostile.Answer(play=play())
    return serve(world, handler), stopped


@pytest.mark.parametrize("number, code", [
    (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_one_is_gone_on_from_by_the_next(world, number, code):
    data = os.urandom(1 << 20) * 20
    server, stopped = slow_then_rest(world, data, 18 << 20)
    running = world.start("call", *SAVE)
    assert stopped.wait(30)
    time.sleep(0.5)
    running.process.send_signal(number)
    _, err = running.process.communicate(timeout=30)
    assert running.process.returncode == code, err
    assert left_over(world) == ["saved.part", "saved.part.from"]
    done = world.run("call", *SAVE, check=0)
    least = (18 << 20) if code > 0 else 8 << 20
    assert least <= done.json["resumed"] <= 18 << 20
    assert saved(world) == data and left_over(world) == ["saved"]
    assert len(server.requests) == 2


def test_a_part_of_something_else_is_not_gone_on_from(world):
    server, stopped = slow_then_rest(world, DATA, 5000)
    running = world.start("call", *SAVE)
    assert stopped.wait(30)
    time.sleep(0.3)
    running.process.send_signal(signal.SIGTERM)
    running.process.communicate(timeout=30)
    answering(world, answer_of(b"another file", TAG))
    world.run("call", *SAVE, check=0)       # of another origin
    assert saved(world) == b"another file"


def test_a_full_disk_is_said(world):
    import resource
    answering(world, answer_of(DATA, TAG))
    done = world.run("call", *SAVE, check=1,
                     limits={resource.RLIMIT_FSIZE: (4096, 4096)})
    assert "saved.part cannot be written: File too large" in done.err
    assert saved(world) is None


def test_where_it_cannot_be_saved(world):
    server = answering(world, answer_of(DATA))
    os.symlink("/etc/hostname", world.folder / "saved.part")
    done = world.run("call", *SAVE, check=1)
    assert "saved.part is a link" in done.err
    done = world.run("call", SAVE[0], SAVE[1], "--output", "no/where",
                     check=1)
    assert "no/where.part cannot be written" in done.err
    assert server.requests == []


SIZE = 64 << 20


def big(size, piece=b"z" * (1 << 20)):
    def play():
        yield ("HTTP/1.1 200 OK\r\nETag: \"big\"\r\n"
               "Content-Length: %d\r\n\r\n" % size).encode()
        for _ in range(size // len(piece)):
            yield piece
    return play


def peak_of(process):
    """The most memory that a process ever had, in bytes; 0: it is over."""
    try:
        with open("/proc/%d/status" % process.pid) as status:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    except OSError:
        found = None
    return int(found.group(1)) * 1024 if found else 0


def peak_of_saving(world, size):
    serve(world, lambda request: hostile.Answer(play=big(size)()))
    running, most = world.start("call", *SAVE, "--replace", "-q"), 0
    while running.process.poll() is None:
        most = max(most, peak_of(running.process))
        time.sleep(0.02)
    assert running.process.returncode == 0, running.process.stderr.read()
    assert (world.folder / "saved").stat().st_size == size
    return most


def test_memory_does_not_grow_with_the_file(world):
    small, large = peak_of_saving(world, 1 << 20), peak_of_saving(world, SIZE)
    assert large < small + (8 << 20), (small, large)
    digest = hashlib.sha256(saved(world)).hexdigest()
    assert digest == hashlib.sha256(b"z" * SIZE).hexdigest()


def test_progress_on_a_terminal(world):
    def play():
        for step in big(8 << 20)():
            yield step
            yield 0.2
    serve(world, lambda request: hostile.Answer(play=play()))
    code, screen = on_terminal(world, b"", "call", *SAVE)
    assert code == 0
    assert re.search(r"\d\.\d MB of 8\.4 MB, \d+\.\d MB/s", screen), screen
