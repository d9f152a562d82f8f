"""The servers of the benchmark, all on free ports of 127.0.0.1 and one core.

Each is a context that ends its own process. `requests()` is how many requests
it has answered, by a counter that costs it nothing (stub_status).
"""
import contextlib
import json
import os
import random
import re
import socket
import subprocess
import time
import urllib.request

BODY = ('{"cdn_delete_results":[{"link":"https://v3.fal.media/files/penguin/'
        'Zb8xk0VdJ5Vf1q3n7mQpf1e2d3c4b5a69788796a5b4c3d2e1f0.png",'
        '"exception":null},{"link":"https://v3.fal.media/files/koala/'
        'x9qYb2.png","exception":null}]}')
assert len(BODY) == 215
GROUP, PAGES, ROWS = 50, 100, 100      # endpoints, pages, rows of a page
FROM, TO = 1609459200000, 1780272000000        # 2021-01-01 to 2026-06-01, ms

CONF = """
daemon off; master_process off; worker_processes 1;
pid {dir}/nginx.pid; error_log {dir}/error.log error;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_timeout 3600s; keepalive_time 24h;
  tcp_nodelay on; sendfile on; default_type application/json;
  keepalive_requests {keepalive};
  open_file_cache max=4000 inactive=1h; large_client_header_buffers 8 32k;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2;
  fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  map $arg_cursor $page {{ default $arg_cursor; "" p0; }}
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls} ssl http2;
    ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
    location /v1/models/requests/ {{ return 200 '{body}'; }}
    location = /v1/models/requests/by-endpoint {{
      root {dir}/pages; try_files /$arg_endpoint_id/$page.json =404;
    }}
    location = /status {{ stub_status; }}
  }}
}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def pinned(place):
    """What is started meanwhile has one core: the client the last of ours,
    the server the first."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(ours) if place == "server" else max(ours)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


class Server:
    def __init__(self, words, **more):
        with pinned("server"):
            self.process = subprocess.Popen(words, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True)


class Nginx(Server):
    def __init__(self, folder, keepalive=100000000):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        certificate(folder)
        self.port, self.tls = free_port(), free_port()
        (folder / "nginx.conf").write_text(CONF.format(
            dir=folder, keepalive=keepalive, port=self.port, tls=self.tls,
            body=BODY))
        program = "/usr/sbin/nginx"
        super().__init__([program, "-p", str(folder), "-c",
                          str(folder / "nginx.conf")],
                         stderr=subprocess.DEVNULL)
        self.asked = 0
        self.wait()

    def wait(self):
        end = time.time() + 10
        while True:
            try:
                return self.requests()
            except OSError:
                if self.process.poll() is not None or time.time() > end:
                    raise SystemExit("bench: nginx does not start: " + (
                        self.folder / "error.log").read_text())
                time.sleep(0.02)

    def requests(self):
        text = urllib.request.urlopen(
            "http://127.0.0.1:%d/status" % self.port).read().decode()
        self.asked += 1
        return int(re.search(r"\d+ +\d+ +(\d+)", text)[1]) - self.asked

    def url(self, tls=False):
        return ("https" if tls else "http") + "://127.0.0.1:%d" % (
            self.tls if tls else self.port)


class Slow(Server):
    def __init__(self, program, milliseconds):
        super().__init__([program, str(milliseconds), BODY],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         text=True)
        self.port = int(self.process.stdout.readline())

    def url(self, tls=False):
        return "http://127.0.0.1:%d" % self.port

    def __exit__(self, *_):
        self.process.stdin.close()
        self.answered = int(self.process.stdout.readline())
        self.process.wait()


class Sandbox(Server):
    def __init__(self, program, requests, env, *more):
        super().__init__([program, "sandbox", "--quiet", "--requests",
                          str(requests), "--anchor", "2026-06-01T00:00:00Z",
                          *more],
                         stdout=subprocess.PIPE, text=True, env=env)
        self.base = self.process.stdout.readline().strip()

    def url(self, tls=False):
        return self.base[:-len("/v1")]


def get(url):
    asked = urllib.request.Request(
        url, headers={"Authorization": "Key admin-me:secret"})
    return json.load(urllib.request.urlopen(asked))


def record(program, env):
    """One page of a hundred rows, as the sandbox writes it."""
    with Sandbox(program, 400, env, "--endpoints", "e") as sandbox:
        page = get(sandbox.base + "/models/requests/by-endpoint?endpoint_id=e"
                   "&limit=100&start=2026-01-01T00:00:00Z"
                   "&end=2026-06-01T00:00:00Z")
    assert len(page["items"]) == ROWS, page
    return page


def uuid7(luck, ms):
    """An id as fal makes them, of one time."""
    low = luck.getrandbits(74)
    return "%08x-%04x-7%03x-%x%03x-%012x" % (
        ms >> 16, ms & 0xffff, low >> 62, 8 | low >> 60 & 3,
        low >> 48 & 0xfff, low & 0xffffffffffff)


def ids(count, seed=1):
    """Distinct ids of ninety days in the past, in no order, one by one: what
    is resident here when a child begins counts as the child's."""
    luck, now = random.Random(seed), int(time.time() * 1000)
    day = 86400000
    return (uuid7(luck, now - luck.randrange(10 * day, 100 * day))
            for _ in range(count))


def stamp(ms):
    return "%s.%03dZ" % (time.strftime("%Y-%m-%dT%H:%M:%S",
                                       time.gmtime(ms // 1000)), ms % 1000)


def write_pages(folder, page, rows):
    """Pages of `rows` rows in all, in groups of fifty endpoints with at most
    a hundred pages, newest first and as dense at the end of the span as at
    its start: what falrun asks for without cutting a window. Returns the
    endpoints and the query of each group's first page."""
    luck = random.Random(2)
    groups, endpoints = [], []
    total = -(-rows // ROWS)
    for first in range(0, total, PAGES):
        names = ["bench-%04d" % (len(endpoints) + i) for i in range(GROUP)]
        endpoints += names
        last = min(first + PAGES, total) - first
        place = folder / "pages" / names[0]
        place.mkdir(parents=True)
        for number in range(last):
            more = number + 1 < last
            for at, item in enumerate(page["items"]):
                back = (number * ROWS + at + 1) * (TO - FROM) // (last * ROWS)
                for field, before in (("ended_at", 0), ("started_at", 3000),
                                      ("sent_at", 3200)):
                    item[field] = stamp(max(TO - back, FROM + 4000) - before)
                item["endpoint_id"] = names[at % GROUP]
                item["request_id"] = uuid7(luck, TO - back)
            page["has_more"] = more
            page["next_cursor"] = "p%d" % (number + 1) if more else None
            (place / ("p%d.json" % number)).write_text(
                json.dumps(page, separators=(",", ":")))
        groups.append("&".join("endpoint_id=" + name for name in names))
    return endpoints, groups
