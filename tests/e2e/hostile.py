"""A small HTTP server that misbehaves on purpose.

    request --> handler(request) --> Answer --> bytes, a drop, a stall

It speaks HTTP/1.1 over raw sockets, one thread a connection, so that a test
decides every byte. It records each request as it came from the socket, with
its arrival time; what is counted here really left the program.
"""
import collections
import datetime
import email.utils
import json
import socket
import threading
import time
import urllib.parse
import uuid


class Request:
    def __init__(self, raw, body, at):
        lines = raw.decode("latin-1").split("\r\n")
        self.raw, self.body, self.at = raw, body, at
        self.method, self.target = lines[0].split(" ")[:2]
        self.path, _, query = self.target.partition("?")
        self.query = urllib.parse.parse_qs(query, keep_blank_values=True)
        self.headers = collections.OrderedDict()
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()

    @property
    def id(self):
        parts = self.path.split("/")
        return parts[-2] if parts[-1] == "payloads" else None

    @property
    def key(self):
        return self.headers.get("idempotency-key")


class Answer:
    """`date`: True for now, a number of seconds for a skew, None for none.
    `drop`: "before" (not a byte), "middle" (half of the body), None.
    `raw`: these bytes and nothing else. `stall`: seconds before the first
    byte. `length`: a lie about the body's length. `play`: bytes to send and
    seconds to wait between them, one after the other; then it closes."""

    def __init__(self, status=200, body=b"", headers=(), date=True, drop=None,
                 raw=None, stall=0, length=None, play=None):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.headers, self.date = status, list(headers), date
        self.drop, self.raw, self.stall = drop, raw, stall
        self.length, self.play = length, play

    def bytes(self):
        if self.raw is not None:
            return self.raw
        head = ["HTTP/1.1 %d Words" % self.status]
        names = [name.lower() for name, _ in self.headers]
        if self.date is not None and self.date is not False:
            skew = 0 if self.date is True else self.date
            head.append("Date: " + email.utils.formatdate(
                time.time() + skew, usegmt=True))
        if "content-type" not in names:
            head.append("Content-Type: application/json")
        head.append("Content-Length: %d" % (
            len(self.body) if self.length is None else self.length))
        head += ["%s: %s" % pair for pair in self.headers]
        return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + self.body


def error(status, message="no", kind="server_error", **more):
    return Answer(status, {"error": {"type": kind, "message": message}},
                  **more)


class Server:
    """Serves until close(). `handler(request)` returns an Answer."""

    def __init__(self, handler):
        self.handler, self.requests = handler, []
        self.lock, self.open, self.over = threading.Lock(), set(), False
        self.flying, self.overlaps = collections.Counter(), []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        self.origin = "http://127.0.0.1:%d" % self.port
        self.url = self.origin + "/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.over = True
        for one in [self.socket] + list(self.open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def of(self, method, part=""):
        with self.lock:
            return [r for r in self.requests
                    if r.method == method and part in r.path]

    @property
    def deletes(self):
        return self.of("DELETE")

    def _accept(self):
        while not self.over:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open.add(client)
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        try:
            rest = b""
            while not self.over:
                rest = self._one(client, rest)
                if rest is None:
                    break
        except OSError:
            pass
        finally:
            self.open.discard(client)
            client.close()

    def _one(self, client, rest):
        while b"\r\n\r\n" not in rest:
            more = client.recv(65536)
            if not more or more[:1] == b"\x16":         # TLS: no, thanks
                return None
            rest += more
        raw, _, rest = rest.partition(b"\r\n\r\n")
        request = Request(raw, b"", time.time())
        length = int(request.headers.get("content-length", 0))
        while len(rest) < length:
            more = client.recv(65536)
            if not more:
                return None
            rest += more
        request.body, rest = rest[:length], rest[length:]
        with self.lock:
            self.requests.append(request)
            if request.id:
                self.flying[request.id] += 1
                if self.flying[request.id] > 1:
                    self.overlaps.append(request.id)
        try:
            answer = self.handler(request)
        finally:
            with self.lock:
                self.flying[request.id] -= 1
        return self._send(client, answer, rest)

    def _send(self, client, answer, rest):
        if answer.stall:
            until = time.time() + answer.stall
            while time.time() < until and not self.over:
                time.sleep(0.05)
        if answer.drop == "before":
            return None
        for step in answer.play or ():
            if isinstance(step, bytes):
                client.sendall(step)
            else:
                time.sleep(step)
        if answer.play is not None:
            return None
        data = answer.bytes()
        if answer.drop == "middle":
            client.sendall(data[:len(data) - max(1, len(answer.body) // 2)])
            return None
        client.sendall(data)
        if answer.raw is not None or answer.length is not None:
            return None
        return rest


def iso(seconds_ago):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(
        seconds=seconds_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def uuid4(random):
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def uuid7(random, seconds_ago):
    ms = int((time.time() - seconds_ago) * 1000)
    low = random.getrandbits(74)
    return str(uuid.UUID(int=ms << 80 | 7 << 76 | (low >> 62) << 64
                         | 2 << 62 | low & (1 << 62) - 1))


def row(id, seconds_ago=90 * 86400, endpoint="fal-ai/flux/dev", **fields):
    made = {"request_id": id, "endpoint_id": endpoint,
            "sent_at": iso(seconds_ago + 2), "ended_at": iso(seconds_ago),
            "started_at": iso(seconds_ago + 1), "status_code": 200,
            "duration": 1.5}
    made.update(fields)
    return made


DELETED = {"cdn_delete_results": []}


class Fal(Server):
    """The Platform API over a list of rows. `script[name]` (list, delete,
    usage, events, search, meta) is a queue of Answers, or a function of the request;
    what it does not answer (empty, None) is answered properly. It lists all
    rows whatever was asked for, unless `filters` (by endpoint) or `windows`
    (by end) is set."""

    filters = windows = False

    def __init__(self, rows=(), page=None, **script):
        self.rows, self.page, self.script = list(rows), page, script
        self.gone, self.cache = [], {}
        super().__init__(self._handle)

    def _scripted(self, name, request):
        what = self.script.get(name)
        if callable(what):
            return what(request)
        with self.lock:
            return what.pop(0) if what else None

    def _handle(self, request):
        name = self._name(request)
        answer = name and self._scripted(name, request)
        if answer is not None:
            return answer
        return getattr(self, "_" + name)(request) if name else error(404)

    @staticmethod
    def _name(request):
        if request.method == "DELETE" and request.id:
            return "delete"
        return {"/v1/models/requests/by-endpoint": "list",
                "/v1/models/usage": "usage", "/v1/meta": "meta",
                "/v1/models/requests/search": "search",
                "/v1/models/billing-events": "events"}.get(
                    request.path if request.method == "GET" else "")

    def _list(self, request):
        size = self.page or int(request.query.get("limit", ["50"])[0])
        at = int(request.query.get("cursor", ["0"])[0])
        rows = self.rows
        if self.filters:
            rows = [one for one in rows if one["endpoint_id"] in
                    request.query.get("endpoint_id", ())]
        if self.windows:
            rows = [one for one in rows if request.query["start"][0] <=
                    one["ended_at"] < request.query["end"][0]]
        if "request_id" in request.query:
            rows = [one for one in rows
                    if one["request_id"] == request.query["request_id"][0]]
        more = at + size < len(rows)
        return Answer(200, {"items": rows[at:at + size],
                            "has_more": more,
                            "next_cursor": str(at + size) if more else None})

    def _endpoints(self):
        return sorted({one["endpoint_id"] for one in self.rows})

    def _usage(self, _):
        return Answer(200, {"summary": [{"endpoint_id": e} for e in
                                        self._endpoints()],
                            "has_more": False, "next_cursor": None})

    def _search(self, _):
        return Answer(200, {"results": [
            {"endpoint_id": e, "sent_at": iso(90 * 86400), "ended_at": None}
            for e in self._endpoints()],
            "has_more": False, "next_cursor": None})

    def _events(self, _):
        return Answer(200, {"billing_events": [
            {"endpoint_id": e} for e in self._endpoints()],
            "has_more": False, "next_cursor": None})

    def _meta(self, _):
        return Answer(200, {"webhook_ip_ranges": []})

    def _delete(self, request):
        with self.lock:
            self.gone.append(request.id)
        return Answer(200, DELETED)
