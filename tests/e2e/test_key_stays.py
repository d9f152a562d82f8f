"""The key goes to the configured origin and nowhere else: 64 combinations of
redirects, proxies, .netrc and other things of the environment. A trap on
another address counts every byte that reaches it."""
import itertools
import socket
import threading

import pytest

from conftest import OLDER
from hostile import Answer, row, uuid4

OTHER = "127.0.0.2"
OK = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: "
      b"application/json\r\n\r\n{}")


class Trap:
    """Takes whatever comes, answers 200 and keeps all bytes."""

    def __init__(self):
        self.bytes, self.connections = b"", 0
        self.socket = socket.create_server((OTHER, 0))
        self.place = "%s:%d" % (OTHER, self.socket.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.drain, args=(client,),
                             daemon=True).start()

    def drain(self, client):
        with client:
            while True:
                try:
                    more = client.recv(65536)
                    if not more:
                        return
                    self.bytes += more
                    client.sendall(OK)
                except OSError:
                    return

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def trap():
    one = Trap()
    yield one
    one.close()


def to(trap, status, user=""):
    return Answer(status, headers=[
        ("Location", "http://%s%s/steal" % (user, trap.place)),
        ("Refresh", "0; url=http://%s/" % trap.place),
        ("Alt-Svc", 'h2="%s"; ma=3600' % trap.place)])


# what the server does, by the exit code that it makes
REDIRECTS = {
    "none": (0, lambda trap: {}),
    "list": (1, lambda trap: {"list": lambda r: to(trap, 307)}),
    "delete": (3, lambda trap: {"delete": lambda r: to(trap, 308)}),
    "login": (3, lambda trap: {"delete": lambda r: to(trap, 302, "a:b@")}),
}
PROXIES = {
    "none": lambda trap: {},
    "http": lambda trap: {"http_proxy": "http://" + trap.place,
                          "HTTP_PROXY": "http://" + trap.place},
    "all": lambda trap: {"all_proxy": "http://" + trap.place,
                         "ALL_PROXY": "http://" + trap.place,
                         "no_proxy": ""},
    "socks": lambda trap: {"all_proxy": "socks5h://" + trap.place,
                           "http_proxy": "socks5h://" + trap.place,
                           "https_proxy": "socks5h://" + trap.place},
}


def write_netrc(world):
    for name in (".netrc", "_netrc"):
        path = world.home / name
        path.write_text("machine 127.0.0.1 login thief password hunter2\n"
                        "machine %s login thief password hunter2\n"
                        "default login thief password hunter2\n" % OTHER)
        path.chmod(0o600)
    return {"NETRC": world.home / ".netrc"}


def write_settings(world, trap):
    """What curl, its libraries or a shell would read of a home."""
    text = 'proxy = "http://%s"\nlocation-trusted\nheader = "X-Evil: yes"\n'
    (world.home / ".curlrc").write_text(text % trap.place)
    (world.home / "aliases").write_text("127.0.0.1 %s\n" % OTHER)
    return {"CURL_HOME": world.home, "HOSTALIASES": world.home / "aliases",
            "SSLKEYLOGFILE": world.home / "tls", "FTP_PROXY": trap.place,
            "CGI_HTTP_PROXY": "http://" + trap.place}


@pytest.mark.parametrize(
    "redirect,proxy,netrc,settings",
    itertools.product(REDIRECTS, PROXIES, ("no netrc", "netrc"),
                      ("plain", "settings")))
def test_no_byte_goes_elsewhere(world, rng, trap, redirect, proxy, netrc,
                                settings):
    code, script = REDIRECTS[redirect]
    server = world.fal([row(uuid4(rng)), row(uuid4(rng))], **script(trap))
    env = PROXIES[proxy](trap)
    if netrc == "netrc":
        env.update(write_netrc(world))
    if settings == "settings":
        env.update(write_settings(world, trap))
    world.run(OLDER, env=env, check=code)
    assert (trap.connections, trap.bytes) == (0, b"")
    assert server.requests
    for request in server.requests:
        auth = request.headers.get("authorization")
        assert auth in (None, "Key " + world.key), auth
        assert "x-evil" not in request.headers
    assert not (world.home / "tls").exists()


def test_the_trap_sees_what_goes_elsewhere(world, rng, trap):
    """The same with a proxy that was asked for: the trap can fail."""
    world.fal([row(uuid4(rng))])
    world.run(OLDER, "--proxy", "http://" + trap.place, "--max-runtime", "2s",
              timeout=60)
    assert trap.connections and world.key.encode() in trap.bytes
