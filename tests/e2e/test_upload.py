"""Local files on their way to fal: the sandbox, and servers that take half of
them, answer early, or say no with a 200. What came is counted by the server;
what became of it is in the ledger."""
import json
import os
import resource
import signal
import socket
import time

import pytest

import hostile
from conftest import ledger_events, on_terminal
from hostile import Answer
from test_change import changes, server_of
from test_sync_before_send import traced            # noqa: F401

UPLOAD = "serverless.files.upload"
NO = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}"
TRUE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


class Taker(hostile.Server):
    """Takes `most` bytes of a body, `pace` seconds apart, and then says
    `answer`; `before` as soon as the head is there. Counts, keeps nothing."""

    def __init__(self, most=None, before=GO_ON, answer=TRUE, pace=0,
                 small=False):
        self.most, self.before, self.answer = most, before, answer
        self.pace, self.small, self.taken, self.whole = pace, small, [], 0
        super().__init__(None)

    def _one(self, client, rest):
        if self.small:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        while b"\r\n\r\n" not in rest:
            more = client.recv(4096)
            if not more:
                return None
            rest += more
        raw, _, rest = rest.partition(b"\r\n\r\n")
        request = hostile.Request(raw, b"", time.time())
        self.requests.append(request)
        length = int(request.headers.get("content-length", 0))
        at = len(self.taken)
        self.taken.append(len(rest))
        if self.before:
            client.sendall(self.before)
        most = length if self.most is None else min(self.most, length)
        while self.taken[at] < most:
            more = client.recv(min(1 << 20, most - self.taken[at]))
            if not more:
                return None
            self.taken[at] += len(more)
            time.sleep(self.pace)
        self.whole += self.taken[at] == length
        if self.answer:
            client.sendall(self.answer)
        if self.answer or self.before != GO_ON:
            self.drain(client)
        return None

    @staticmethod
    def drain(client):
        """Or what is unread would reset the answer away."""
        client.shutdown(socket.SHUT_WR)
        client.settimeout(5)
        while client.recv(1 << 20):
            pass


def taking(world, **how):
    server = Taker(**how)
    world.servers = list(world.servers) + [server]
    world.url = server.url
    return server


def file_of(world, size, name="model.bin"):
    """Sparse: its zeros are read, and take no room."""
    path = world.folder / name
    with path.open("wb") as file:
        file.truncate(size)
    world.own.add(path)                 # nothing of ours is in it
    return path


def call(world, *words, check=None, **how):
    return world.run("call", UPLOAD, "target_path=a/m.bin",
                     "file_upload=model.bin", *words, check=check, **how)


# ---- the sandbox ----

def test_a_file_arrives_and_is_recorded(world):
    world.sandbox(requests=20)
    content = os.urandom(200000) + b"\r\n--falrun-\r\n"
    (world.folder / "model.bin").write_bytes(content)
    assert call(world, "--reason", "nightly", check=0).out == "true\n"
    listed = world.run("call", "serverless.files.list_dir", "dir=a",
                       check=0).json
    assert [(f["path"], f["size"]) for f in listed] == [
        ("a/m.bin", len(content))]
    world.run("call", "serverless.files.download", "file=a/m.bin",
              "--output", "back", check=0)
    assert (world.folder / "back").read_bytes() == content
    assert changes(world) == [(UPLOAD, "done")]
    told = [e["data"] for e in ledger_events(world.ledger)
            if e["kind"] == "change"]
    assert told[0]["target"] == ("target_path a/m.bin, from the file "
                                 "model.bin of %d bytes" % len(content))
    assert told[0]["reason"] == "nightly"
    assert [c["operation"] for c in world.changes()] == [UPLOAD]


def test_a_policy_sends_one_and_a_plan_none(world):
    world.sandbox(requests=20)
    file_of(world, 1000)
    text = """
      local result, err = fal.serverless.files.upload {
        target_path = "m.bin", file_upload = arg[1] }
      print(result and result.status or err.status .. " " .. err.code,
            err and err.message or tostring(result.value))
    """
    assert world.lua(text, "model.bin").out == "done\ttrue\n"
    planned = world.run("plan", world.policy(text), "model.bin", "--quiet")
    assert planned.code == 0 and "planned" in planned.out
    for mode in ([], ["--dry-run"]):
        done = world.lua(text, "no-such", *mode)
        assert done.code == 0
        assert done.out.startswith("refused config\tserverless.files.upload: "
                                   "file_upload: no-such: No such file")
    assert len(world.changes()) == 1


def test_bad_files_end_with_2_and_nothing_is_announced(world):
    server = taking(world)
    file_of(world, 0, "empty")
    file_of(world, (5 << 30) + 1, "vast")
    os.mkfifo(world.folder / "pipe")
    cases = {"no-such": "No such file", "empty": "is empty",
             "vast": "larger than 5 GiB", "pipe": "no regular file",
             ".": "no regular file"}
    for name, why in cases.items():
        for more in ([], ["--dry-run"]):
            done = world.run("call", UPLOAD, "target_path=a", "file_upload="
                             + name, *more, check=2)
            assert why in done.err and name in done.err, done
            assert "nothing was sent" in done.err and done.out == ""
    assert server.requests == []
    assert not [e for e in ledger_events(world.ledger)
                if e["kind"].startswith("change")]
    if os.getuid():
        path = file_of(world, 10, "closed")
        path.chmod(0)
        done = world.run("call", UPLOAD, "target_path=a",
                         "file_upload=closed", check=2)
        assert "Permission denied" in done.err
    assert world.run("call", UPLOAD, "target_path=a", check=2).err.count(
        "file_upload") == 1


def test_read_only_does_not_even_start(world):
    server = taking(world)
    file_of(world, 10)
    assert "--read-only" in call(world, "--read-only", check=2).err
    assert json.loads(call(world, "--dry-run", check=0).out) == {
        "status": "planned"}
    assert server.requests == []


def test_the_sandbox_says_what_it_does_not_take(world):
    world.sandbox(requests=20)
    file_of(world, 17 << 20)
    assert call(world, check=3).json["http_status"] == 413
    file_of(world, 10)
    done = call(world, "unzip=true", check=3)
    assert "unpacks nothing" in done.json["message"]
    assert changes(world) == [(UPLOAD, "failed")] * 2
    assert world.changes() == []


def test_a_policy_test_sends_it_to_the_sandbox_within(world):
    file_of(world, 5000)
    world.policy("""
      assert(fal.serverless.files.upload { target_path = "x/y.bin",
                                           file_upload = "model.bin" })
      local list = assert(fal.serverless.files.list_dir { dir = "x" })
      assert(#list == 1 and list[1].size == 5000, "it is not there")
    """)
    world.policy("""
      test("it is sent", function(t)
        t.run "policy.lua"
        t.exit(0)
      end)
    """, "policy_test.lua")
    done = world.run("test", key=False)
    assert done.code == 0, done


# ---- servers that do what they like ----

@pytest.mark.parametrize("answer", [b"false", b'{"success":false}'])
def test_a_200_that_says_no_is_no_success(world, answer):
    server = server_of(world, Answer(200, answer))
    file_of(world, 10)
    done = call(world, check=3)
    assert done.json["status"] == "failed" and done.json["http_status"] == 200
    assert "it was not done" in done.err
    assert changes(world) == [(UPLOAD, "failed")]
    assert len(server.requests) == 1


def test_an_early_no_ends_it(world):
    file_of(world, 8 << 20)
    server = taking(world, most=0, before=NO, answer=None)
    assert call(world, check=3).json["http_status"] == 413
    assert server.taken == [0]
    server.most, server.before, server.answer = 1 << 20, GO_ON, NO
    assert call(world, check=3).json["http_status"] == 413
    assert not server.whole
    assert changes(world) == [(UPLOAD, "failed")] * 2


@pytest.mark.parametrize("status", [301, 307, 308, 417, 429, 503])
def test_an_answer_beforehand_is_final(world, status):
    file_of(world, 2 << 20)
    server = taking(world, most=0, answer=None, before=(
        b"HTTP/1.1 %d No\r\nLocation: /v1/else\r\nContent-Length: 2\r\n\r\n{}"
        % status))
    done = call(world, check=3)
    assert done.json["status"] == "failed"
    assert done.json["http_status"] == status
    assert len(server.requests) == 1 and not server.whole
    assert changes(world) == [(UPLOAD, "failed")]


def test_closed_in_the_middle_is_unknown_and_left_once(world):
    file_of(world, 8 << 20)
    server = taking(world, most=1 << 20, answer=None)
    done = call(world, check=3)
    assert done.json["status"] == "unknown"
    assert "may have happened" in done.err
    assert len(server.requests) == 1
    assert changes(world) == [(UPLOAD, "unknown")]


def test_a_storm_of_1xx_ends(world):
    file_of(world, 2 << 20)
    taking(world, before=b"HTTP/1.1 102 Wait\r\n\r\n" * 5000)
    assert call(world, check=3).json["status"] == "unknown"
    assert changes(world) == [(UPLOAD, "unknown")]


def test_who_takes_nothing_is_not_waited_for(world):
    file_of(world, 30 << 20)
    server = taking(world, most=1 << 20, answer=None, pace=0.2, small=True)
    began = time.time()
    server.pace = 8
    done = call(world, "--timeout", "1s", check=3)
    assert time.time() - began < 7
    assert "not a byte was taken" in done.json["message"]
    assert done.json["status"] == "unknown"


@pytest.mark.parametrize("size", [8 << 20, (40 << 20) + 1])
def test_a_file_that_changes_is_never_whole(world, size):
    path = file_of(world, 40 << 20)
    server = taking(world, pace=0.02, small=True)
    running = world.start("call", UPLOAD, "target_path=a",
                          "file_upload=model.bin")
    running.until(lambda: server.taken and server.taken[0] > 1 << 20)
    os.truncate(path, size)
    done = running.wait()
    assert done.code == 3, done
    assert "the file model.bin has changed" in done.err
    assert done.json["status"] == "unknown" and done.json["kind"] == "io"
    assert server.whole == 0 and len(server.requests) == 1
    assert changes(world) == [(UPLOAD, "unknown")]


@pytest.mark.parametrize("end", ["signal", "time"])
def test_an_end_breaks_it_off(world, end):
    file_of(world, 200 << 20)
    server = taking(world, pace=0.05, small=True)
    words = ["--max-runtime", "4s"] if end == "time" else []
    running = world.start("call", UPLOAD, "target_path=a",
                          "file_upload=model.bin", *words)
    running.until(lambda: server.taken and server.taken[0] > 1 << 16)
    if end == "signal":
        running.process.send_signal(signal.SIGINT)
    began = time.time()
    done = running.wait()
    assert done.code == {"signal": 130, "time": 7}[end], done
    assert time.time() - began < 10 and not server.whole
    assert changes(world) == [(UPLOAD, "unknown")]


def test_killed_it_is_told_by_the_next_run(world):
    file_of(world, 200 << 20)
    server = taking(world, pace=0.05, small=True)
    running = world.start("call", UPLOAD, "target_path=a",
                          "file_upload=model.bin")
    running.until(lambda: server.taken and server.taken[0] > 1 << 20)
    running.process.kill()
    running.process.communicate()
    server.pace = 0
    file_of(world, 10)
    assert "of a run that was killed" in call(world, check=0).err
    assert changes(world) == [(UPLOAD, "unknown"), (UPLOAD, "done")]


# ---- memory, order, progress ----

def test_memory_stays_flat(world):
    """64 MiB in a process that may not have 64 MiB more than an idle one."""
    file_of(world, 64 << 20)
    server = taking(world)
    running = world.start("call", UPLOAD, "target_path=a",
                          "file_upload=model.bin")
    most = first = 0
    while running.process.poll() is None:
        try:
            with open("/proc/%d/statm" % running.process.pid) as file:
                resident = int(file.read().split()[1]) * (
                    resource.getpagesize())
        except (OSError, IndexError):
            break
        most = max(most, resident)
        if not first and server.taken and server.taken[0] > 1 << 20:
            first = resident
        time.sleep(0.005)
    assert running.wait().code == 0 and server.whole == 1
    assert first and most - first < 16 << 20


def test_no_byte_before_the_record_is_synced(world, traced):   # noqa: F811
    file_of(world, 100000)
    server = server_of(world, Answer(200, b"true"))
    calls = traced("call", UPLOAD, "target_path=a", "file_upload=model.bin")
    written = synced = sent = False
    for name, target, data in calls:
        if target.endswith("-wal") and UPLOAD.encode() in data:
            written = True
        elif target.endswith("-wal") and name == "fdatasync":
            synced = written
        elif b"POST /v1/serverless/files/file/local/a" in data:
            assert synced
            sent = True
    assert sent and len(server.requests) == 1


def test_progress_on_a_terminal(world):
    file_of(world, 30 << 20)
    server = taking(world, pace=0.01, small=True)
    code, shown = on_terminal(world, b"", "call", UPLOAD, "target_path=a",
                              "file_upload=model.bin")
    assert code == 0 and server.whole == 1
    assert "of 31.5 MB sent" in shown


def test_the_help_says_it(world):
    said = world.run("call", UPLOAD, "--help", key=False, check=0).out
    assert "file_upload" in said and "the path of the file here" in said
