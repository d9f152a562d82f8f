"""TLS and HTTP/2, through nginx in front of the sandbox: what is accepted,
what is refused before a key is sent, and that no deletion is lost or doubled
where the server ends connections with a GOAWAY.
"""
import os
import socket
import sqlite3
import subprocess
import time

import pytest

from conftest import OLDER, agree

CONF = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 512; }}
http {{
  log_format line '$server_protocol $status $request_method $connection';
  access_log {folder}/access.log line;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl {http2};
    server_name localhost;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    ssl_protocols {protocols};
    ssl_ciphers DEFAULT:@SECLEVEL=0;
    keepalive_requests {keepalive};
    location / {{
      proxy_pass {upstream};
      proxy_set_header Host $host;
    }}
  }}
}}
"""


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates(folder, name, days):
    """A CA of this test's own, and a certificate for `name` by it."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-days", "2", "-subj", "/CN=a CA for tests")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
            "-out", "server.csr", "-subj", "/CN=" + name)
    (folder / "san").write_text("subjectAltName=DNS:%s\n" % name)
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem",
            "-days", str(days), "-extfile", "san")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until_open(process, port):
    end = time.time() + 10
    while time.time() < end:
        assert process.poll() is None, "nginx did not start"
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")


def front(world, name="localhost", days=2, http2="http2", keepalive=1000,
          protocols="TLSv1.2 TLSv1.3"):
    """nginx in front of the world's sandbox; the world's URL is then its."""
    folder, port = world.folder / "nginx", free_port()
    folder.mkdir()
    certificates(folder, name, days)
    (folder / "nginx.conf").write_text(CONF.format(
        folder=folder, port=port, http2=http2, keepalive=keepalive,
        protocols=protocols, upstream=world.url[:-len("/v1")]))
    process = subprocess.Popen(
        ["/usr/sbin/nginx", "-e", str(folder / "nginx.err"), "-p",
         str(folder), "-c", str(folder / "nginx.conf")],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]})
    world.running.append(process)
    until_open(process, port)
    world.url = "https://localhost:%d/v1" % port
    return folder


def served(folder):
    log = folder / "access.log"
    return log.read_text().split("\n")[:-1] if log.exists() else []


def attempts(world):
    with sqlite3.connect(world.ledger) as db:
        return db.execute("SELECT sum(json_extract(data, '$.attempts')) FROM "
                          "events").fetchone()[0]


@pytest.mark.parametrize("http2, protocol, keepalive", [
    ("http2", "HTTP/2.0", 20), ("http2", "HTTP/2.0", 3),
    ("", "HTTP/1.1", 20)])
def test_connections_that_end_lose_nothing(world, http2, protocol, keepalive):
    world.sandbox(requests=600, seed=3)
    folder = front(world, http2=http2, keepalive=keepalive)
    ca = str(folder / "ca.pem")
    world.run(OLDER, "--ca-file", ca, check=0)
    lines = [line.split() for line in served(folder)]
    deletes = [line for line in lines if line[2] == "DELETE"]
    assert len(deletes) == len(world.effects()) > 300
    assert {line[0] for line in lines} == {protocol}
    assert len({line[3] for line in lines}) > 10, "no connection ended"
    assert attempts(world) < 1.1 * len(deletes) + 30, "few are lost with them"
    agree(world)


def test_an_unknown_authority_is_refused(world):
    world.sandbox(requests=50)
    folder = front(world)
    done = world.run("delete", "019e6d0a-e5be-7b82-b329-35ae64296902",
                     check=7)
    assert "certificate" in done.err
    assert not served(folder) and not world.truths()


@pytest.mark.parametrize("what", [{"name": "example.com"}, {"days": -1},
                                  {"protocols": "TLSv1.1"}])
def test_a_wrong_peer_is_refused(world, what):
    world.sandbox(requests=50)
    folder = front(world, **what)
    world.run("delete", "019e6d0a-e5be-7b82-b329-35ae64296902", "--ca-file",
              str(folder / "ca.pem"), check=7)
    assert not served(folder) and not world.truths()
