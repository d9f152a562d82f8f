"""A DELETE that still waits for its connection when the run is interrupted
is taken back: it never leaves, and the run does not wait for it."""
import contextlib
import signal
import socket
import sqlite3
import time

from fake import Fake, ID


def answer_one_alone(listener, stack):
    """A question for the clock, on a connection that closes then. Before the
    answer the backlog is filled, so that the next connection waits."""
    client, _ = listener.accept()
    for _ in range(8):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
    client.recv(65536)
    now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    client.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: "
                   b"close\r\nDate: %s\r\n\r\n" % now.encode())
    client.close()


def intents(path):
    if not path.exists():
        return []
    base = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
    with contextlib.closing(base):
        return base.execute("SELECT state FROM deletions").fetchall()


def test_a_deletion_that_still_connects_is_taken_back(tmp_path):
    ledger = tmp_path / ".local/state/falrun/ledger.db"
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(
            ("127.0.0.1", 0), backlog=1))
        fake = Fake(tmp_path)
        url = "http://127.0.0.1:%d/v1" % listener.getsockname()[1]
        fake.environment = lambda: Fake.environment(fake, url=False,
                                                    FALRUN_API_URL=url)
        run = fake.start("delete", ID)
        listener.settimeout(20)
        answer_one_alone(listener, stack)
        end = time.time() + 20
        while intents(ledger) != [("open",)] and time.time() < end:
            time.sleep(0.01)
        time.sleep(0.2)                 # it connects, and nobody accepts
        began = time.time()
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=30)
        assert time.time() - began < 8, "it waited for the connection"
        assert run.returncode == 143, err
        assert intents(ledger) == [("unsent",)]
