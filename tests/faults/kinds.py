"""What a server can do to an answer: one row for each kind of fault.

    Kind(name, says, make, effect)

`make(body)` gives what is sent in place of the honest answer, whose body it is
given. `says` is what falrun must take it for, the name of an error (err.h), or
"ok". `effect`: where a deletion may have its effect, "both" before and after
the fault, "none" where the answer says that nothing was done (a server that
says so and did is another kind of liar), "done" where it says that all was;
"list": it is no fault of a deletion at all.
"""
import collections
import email.utils
import gzip
import json
import socket
import struct
import time
import uuid

from wire import Answer

Kind = collections.namedtuple("Kind", "name says make effect")
KINDS = {}


class Play(Answer):
    """act(client) does it; the connection is closed after it, or kept."""

    def __init__(self, act, keep=False):
        super().__init__()
        self.act, self.keep = act, keep


def kind(name, says, make, effect="both"):
    assert name not in KINDS
    KINDS[name] = Kind(name, says, make, effect)


def head(body, *lines, status="200 OK", version="1.1", length=True):
    made = ["HTTP/%s %s" % (version, status),
            "Date: " + email.utils.formatdate(time.time(), usegmt=True),
            "Content-Type: application/json"]
    if length:
        made.append("Content-Length: %d" % len(body))
    return ("\r\n".join(made + list(lines)) + "\r\n\r\n").encode("latin-1")


def raw(*parts):
    return Answer(raw=b"".join(parts))


# ---- cut, by a FIN or a RST, at five points ----------------------------------

POINTS = {
    "before": lambda body: b"",
    "in-status": lambda body: b"HTTP/1.1 2",
    "in-head": lambda body: head(body)[:60],
    "after-head": lambda body: head(body),
    "in-body": lambda body: head(body) + body[:len(body) // 2],
}


def reset_after(data):
    def act(client, _):
        client.sendall(data)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
    return Play(act)


for point, data in POINTS.items():
    cut_head = point in ("in-status", "in-head")
    kind("close-" + point, "dropped,protocol" if cut_head else "dropped",
         lambda body, data=data: raw(data(body)))
    kind("reset-" + point, "dropped,protocol" if cut_head else "dropped",
         lambda body, data=data: reset_after(data(body)))


# ---- slow ---------------------------------------------------------------------

def stalled(data):
    def act(client, server):
        client.sendall(data)
        client.settimeout(0.2)
        while not server.over:
            try:
                if not client.recv(1):
                    return
            except socket.timeout:
                pass
    return Play(act)


def dripping(data, pause):
    """A byte at a time, until it is all there or nobody listens."""
    def act(client, server):
        for at in range(len(data)):
            if server.over:
                return
            client.sendall(data[at:at + 1])
            time.sleep(pause)
    return Play(act)


kind("black-hole", "timeout", lambda body: stalled(b""))
kind("stall-in-head", "timeout", lambda body: stalled(head(body)[:40]))
kind("stall-in-body", "timeout",
     lambda body: stalled(head(body) + body[:len(body) // 2]))
kind("slow-head", "timeout", lambda body: dripping(
    b"HTTP/1.1 200 OK\r\n" + b"X: 0123456789\r\n" * 99, 0.2))
kind("slow-body", "timeout", lambda body: dripping(
    head(body + b" " * 2000) + body + b" " * 2000, 0.2))
kind("slow-and-whole", "ok", lambda body: dripping(
    head(body) + body, 0.25 / (200 + len(body))), "done")


# ---- lengths and chunks -------------------------------------------------------

def length(text):
    return lambda body: raw(head(body, "Content-Length: " + text,
                                 length=False), body)


def chunk(body):
    return b"%x\r\n%s\r\n" % (len(body), body)


def chunked(make, *lines):
    return lambda body: raw(head(body, "Transfer-Encoding: chunked", *lines,
                                 length=False), make(body))


kind("length-too-long", "dropped", lambda body: raw(
    head(body + b" " * 50), body))
kind("length-too-short", "protocol", lambda body: raw(
    head(body[:-2]), body))
kind("length-zero", "protocol", length("0"))
kind("length-negative", "protocol,too_big", length("-5"))
kind("length-words", "protocol,too_big", length("many"))
kind("length-2-64", "ok,protocol,too_big,dropped",
     length("18446744073709551617"), "done")
kind("length-2-63", "protocol,too_big,dropped", length("9223372036854775807"))
kind("length-two-values", "protocol,dropped", lambda body: raw(
    head(body, "Content-Length: 2"), body))
kind("length-twice-the-same", "ok", lambda body: raw(
    head(body, "Content-Length: %d" % len(body)), body), "done")
kind("length-none", "ok", lambda body: raw(
    head(body, length=False), body), "done")
kind("chunks", "ok", chunked(
    lambda b: chunk(b[:5]) + chunk(b[5:]) + b"0\r\n\r\n"), "done")
kind("chunks-and-trailers", "ok", chunked(
    lambda b: chunk(b) + b"0\r\nRetry-After: 3600\r\nDate: no\r\n\r\n"),
    "done")
kind("chunk-size-words", "protocol,dropped", chunked(lambda b: b"zz\r\n" + b))
kind("chunk-cut", "dropped", chunked(lambda b: chunk(b)[:-9]))
kind("chunk-no-last", "dropped", chunked(chunk))
kind("chunk-huge", "protocol,dropped", chunked(
    lambda b: b"ffffffffffffffffff\r\n" + b))
kind("chunk-wrong-end", "protocol,dropped", chunked(
    lambda b: b"%x\r\n%sXX0\r\n\r\n" % (len(b), b)))

# ---- 1xx ----------------------------------------------------------------------

GO_ON, HINTS = b"HTTP/1.1 100 Continue\r\n\r\n", \
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
kind("1xx-some", "ok", lambda body: raw(
    GO_ON * 3, HINTS * 3, head(body), body), "done")
kind("1xx-storm", "too_big", lambda body: raw(GO_ON * 5000, head(body), body))
kind("1xx-alone", "dropped,protocol", lambda body: raw(GO_ON))
kind("1xx-with-lies", "protocol", lambda body: raw(
    b"HTTP/1.1 102 Processing\r\nContent-Length: 22\r\n\r\n", body))
kind("101", "protocol,dropped", lambda body: raw(
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", body))

# ---- gateways -----------------------------------------------------------------

PAGE = (b"<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center>"
        b"<h1>%s</h1></center>\r\n<hr><center>nginx</center></body></html>")


def status(number, body=b"", *lines, words="Words"):
    return lambda _: raw(head(body, *lines, status="%d %s" % (number, words)),
                         body)


def page(number, words):
    text = b"%d %s" % (number, words.encode())
    return status(number, PAGE % (text, text), words=words)


JSON = b'{"error":{"type":"x","message":"no"}}'
kind("502-page", "server_error", page(502, "Bad Gateway"))
kind("503-page", "server_error", page(503, "Service Unavailable"), "none")
kind("504-page", "server_error", page(504, "Gateway Time-out"))
kind("520-page", "server_error", page(520, "Web Server Error"))
kind("502-empty", "server_error", status(502))
kind("500-json", "server_error", status(500, JSON))
kind("500-of-lies", "server_error", status(500,
                                           b'{"cdn_delete_results":[]}'))
kind("503-later", "server_error", status(503, JSON, "Retry-After: 2"), "none")
kind("408", "server_error", status(408, JSON), "none")
kind("425", "server_error", status(425, JSON), "none")
kind("200-page", "protocol", status(200, PAGE % (b"Log in", b"Log in")))
kind("200-empty", "protocol", status(200))
kind("200-error", "protocol", status(200, JSON))
kind("201", "protocol", lambda body: raw(
    head(body, status="201 Created"), body))
kind("202", "protocol", lambda body: raw(
    head(body, status="202 Accepted"), body))
kind("206", "protocol", lambda body: raw(
    head(body, status="206 Partial Content"), body))
kind("400", "bad_request", status(400, JSON), "none")
kind("401", "auth", status(401, JSON), "none")
kind("403", "auth", status(403, JSON), "none")
kind("405", "bad_request", status(405, JSON), "none")
kind("409", "bad_request", status(409, JSON), "none")
kind("413", "bad_request", status(413, JSON), "none")
kind("422", "bad_request", status(422, JSON), "none")
kind("501", "server_error", status(501, JSON), "none")
kind("600", "protocol", status(600, JSON))
kind("999", "protocol", status(999, JSON))

# ---- 429, in fourteen forms ----------------------------------------------------


def at(seconds, form):
    return time.strftime(form, time.gmtime(time.time() + seconds))


FORMS = {
    "none": lambda: [], "1": lambda: ["Retry-After: 1"],
    "0": lambda: ["Retry-After: 0"], "minus": lambda: ["Retry-After: -1"],
    "fraction": lambda: ["Retry-After: 1.5"],
    "words": lambda: ["Retry-After: soon"], "empty": lambda: ["Retry-After:"],
    "spaces": lambda: ["Retry-After:   2   "],
    "absurd": lambda: ["Retry-After: 99999999999999999999"],
    "imf": lambda: [at(2, "Retry-After: %a, %d %b %Y %H:%M:%S GMT")],
    "rfc850": lambda: [at(2, "Retry-After: %A, %d-%b-%y %H:%M:%S GMT")],
    "asctime": lambda: [at(2, "Retry-After: %a %b %e %H:%M:%S %Y")],
    "past": lambda: [at(-99, "Retry-After: %a, %d %b %Y %H:%M:%S GMT")],
    "reset": lambda: ["x-ratelimit-reset: 1.25"],
}
for form, lines in FORMS.items():
    kind("429-" + form, "rate_limited", lambda _, lines=lines: raw(
        head(JSON, *lines(), status="429 Too Many Requests"), JSON), "none")
kind("429-hour", "gives-up", lambda _: raw(
    head(JSON, "Retry-After: 3600", status="429 Too Many Requests"), JSON),
    "none")

# ---- redirects ------------------------------------------------------------------

for code in (300, 301, 302, 303, 304, 307, 308):
    kind(str(code), "redirect", status(
        code, b"" if code == 304 else JSON, "Location: /v1/elsewhere"),
        "none")

# ---- versions, headers, what trails ----------------------------------------------

kind("http-1.0", "ok", lambda body: raw(
    head(body, version="1.0"), body), "done")
kind("http-1.0-no-length", "ok", lambda body: raw(
    head(body, version="1.0", length=False), body), "done")
kind("http-0.9", "protocol,dropped", lambda body: raw(body))
kind("http-3.7", "protocol,dropped", lambda body: raw(
    head(body, version="3.7"), body))
kind("icy", "protocol,dropped", lambda body: raw(
    b"ICY 200 OK\r\n\r\n", body))
kind("status-words", "protocol,dropped", lambda body: raw(
    head(body, status="OK fine"), body))
kind("status-short", "protocol,dropped", lambda body: raw(
    head(body, status="20"), body))
kind("garbage", "protocol,dropped", lambda body: raw(b"\x00\xff" * 300))
kind("ssh", "protocol,dropped", lambda body: raw(b"SSH-2.0-OpenSSH_9\r\n"))
kind("header-giant", "too_big", lambda body: raw(
    head(body, "X: " + "y" * 90000), body))
kind("headers-many", "too_big", lambda body: raw(
    head(body, *["X-%d: y" % n for n in range(9000)]), body))
kind("header-folded", "ok", lambda body: raw(
    head(body, "X: a", " b", "\tc"), body), "done")
kind("header-no-colon", "ok,protocol,dropped", lambda body: raw(
    head(body, "nothing here"), body), "done")
kind("header-nul", "ok,protocol,dropped", lambda body: raw(
    head(body, "X: a\0b"), body), "done")
kind("header-lone-lf", "ok", lambda body: raw(
    head(body).replace(b"\r\n", b"\n"), body), "done")
kind("headers-double", "ok", lambda body: raw(
    head(body, "Date: yesterday", "Content-Type: text/html"), body), "done")
kind("type-wrong", "ok", lambda body: raw(head(body).replace(
    b"application/json", b"image/png"), body), "done")
kind("gzip-unasked", "protocol", lambda body: raw(head(
    gzip.compress(body), "Content-Encoding: gzip"), gzip.compress(body)))
kind("bom", "protocol", lambda body: raw(
    head(b"\xef\xbb\xbf" + body), b"\xef\xbb\xbf", body))
kind("trailing-garbage", "ok", lambda body: raw(
    head(body), body, b"\r\nand so on" * 9), "done")


def answered(data, later=b"", pause=0.0, keep=False):
    def act(client, _):
        client.sendall(data)
        if later:
            time.sleep(pause)
            client.sendall(later)
    return Play(act, keep)


kind("trailing-answer", "ok", lambda body: answered(
    head(body) + body + head(body) + body, keep=True), "done")
kind("close-announced", "ok", lambda body: raw(
    head(body, "Connection: close"), body), "done")
kind("close-unannounced", "ok", lambda body: raw(head(body), body), "done")
kind("keep-alive-lies", "ok", lambda body: raw(
    head(body, "Connection: keep-alive", "Keep-Alive: timeout=600, max=99"),
    body), "done")

# ---- lies in paging: of a list alone ---------------------------------------------


def lie(name, says, change):
    def make(body):
        page = json.loads(body)
        told = json.dumps(change(page) or page).encode()
        return raw(head(told), told)
    kind("page-" + name, says, make, "list")


def put(**fields):
    return lambda page: dict(page, **fields)


def in_first(**fields):
    return lambda page: page["items"][0].update(fields)


def add(item):
    return lambda page: page["items"].append(item(dict(page["items"][0])))


def young(item):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
    return dict(item, request_id=str(uuid.uuid4()), ended_at=now)


lie("more-missing", "page", lambda page: page.pop("has_more") and None)
lie("more-word", "page", put(has_more="no"))
lie("more-number", "page", put(has_more=0))
lie("more-without-cursor", "page", put(has_more=True, next_cursor=None))
lie("more-and-empty-cursor", "page", put(has_more=True, next_cursor=""))
lie("cursor-number", "page", put(next_cursor=7))
lie("cursor-huge", "page", put(has_more=True, next_cursor="x" * 5000))
lie("cursor-goes-round", "page", put(has_more=True, next_cursor="0"))
lie("items-null", "page", put(items=None))
lie("items-object", "page", put(items={"a": 1}))
lie("item-word", "page", put(items=["x"]))
lie("id-path", "page", in_first(request_id="../../etc"))
lie("id-upper", "page", in_first(
    request_id="AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA"))
lie("endpoint-other", "page", in_first(endpoint_id="other/app"))
lie("time-words", "page", in_first(ended_at="last week"))
lie("status-half", "page", in_first(status_code=200.5))
lie("item-twice", "ok", add(lambda item: item))
lie("item-too-young", "ok", add(young))
lie("item-not-ended", "ok", add(lambda item: dict(
    item, request_id=str(uuid.uuid4()), ended_at=None)))

STALLS = {name for name in KINDS if KINDS[name].says == "timeout"}
