"""Golden bodies, what can be done to them, and an own judge of the result.

    golden value --> encode, with one place changed --> body --> sound(body)?

`sound` reads as the API's document does and shares nothing with falrun: what
it refuses must never count as a success."""
import datetime
import gzip
import itertools
import json
import math
import uuid
import zlib

LINK = "https://v3.fal.media/files/%s.png"
DEEP = 100000
MIB = 1 << 20


class Raw(bytes):
    """These bytes, where a value or the name of a field would stand."""


class Pairs(list):
    """An object as its pairs, so that a name can come twice."""


def golden(target, rows):
    """What fal would answer."""
    ids = sorted({row["endpoint_id"] for row in rows})
    end = {"next_cursor": None, "has_more": False}
    return {
        "delete": {"cdn_delete_results": [
            {"link": LINK % "a", "exception": None},
            {"link": LINK % "b", "exception": None}]},
        "list": {"items": rows, "next_cursor": "4", "has_more": True},
        "usage": dict(summary=[
            {"endpoint_id": e, "unit": "image", "quantity": 4,
             "unit_price": 0.1, "currency": "USD"} for e in ids], **end),
        "events": dict(billing_events=[
            {"request_id": rows[0]["request_id"], "endpoint_id": e,
             "timestamp": rows[0]["ended_at"], "output_units": 1.0,
             "cost_estimate_nano_usd": 1000} for e in ids], **end),
        "search": dict(results=[
            {"request_id": rows[0]["request_id"], "endpoint_id": e,
             "sent_at": rows[0]["sent_at"], "ended_at": rows[0]["ended_at"]}
            for e in ids], **end),
    }[target]


def encode(value):
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, dict):
        value = Pairs(value.items())
    if isinstance(value, Pairs):
        return b"{" + b",".join(encode(k) + b":" + encode(v)
                                for k, v in value) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(encode, value)) + b"]"
    return json.dumps(value).encode()


# ---- places: the way to each value ---------------------------------------------

def places(value, way=()):
    yield way
    parts = (value.items() if isinstance(value, dict)
             else enumerate(value) if isinstance(value, list) else ())
    for name, part in parts:
        yield from places(part, way + (name,))


def at(value, way):
    for name in way:
        value = value[name]
    return value


def changed(value, way, make):
    """A copy in which make(old) stands at the place."""
    if not way:
        return make(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = changed(value[way[0]], way[1:], make)
    return copy


def spelled(way):
    return ".".join(map(str, way)) or "all"


SWAPS = {
    "null": None, "true": True, "zero": 0, "minus": -1, "half": 1.5,
    "empty": "", "word": "x", "list": [], "object": {}, "nested": [[{}]],
    "number": "7", "2026": "2026-01-01", "long": "y" * 70000,
    "1e999": Raw(b"1e999"), "2-64": Raw(b"18446744073709551616"),
    "many-digits": Raw(b"9" * 5000), "minus-zero": Raw(b"-0"),
    "hex": Raw(b"0x10"), "octal": Raw(b"017"), "plus": Raw(b"+1"),
    "NaN": Raw(b"NaN"), "Infinity": Raw(b"-Infinity"), "dot": Raw(b"1."),
    "bare": Raw(b"undefined"), "quote": Raw(b"'x'"), "nothing": Raw(b""),
    "deep": Raw(b"[" * DEEP + b"]" * DEEP),
    "deeper": Raw(b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    "open": Raw(b"[" * DEEP),
}
BAD_TEXT = {
    "ff": b"\xff", "overlong": b"\xc0\xaf", "surrogate": b"\xed\xa0\x80",
    "beyond": b"\xf5\x80\x80\x80", "cut": b"\xe2\x82", "nul": b"\0",
    "u0000": b"\\u0000", "lone": b"\\ud800", "escape": b"\\x41",
    "newline": b"\n", "control": b"\x1b[2J",
}


# What surrounds a body: name -> function of it.
AROUND = {
    "bom": lambda b: b"\xef\xbb\xbf" + b,
    "utf-16": lambda b: b.decode().encode("utf-16"),
    "twice": lambda b: b + b,
    "garbage": lambda b: b + b"x",
    "nul-behind": lambda b: b + b"\0",
    "comment": lambda b: b"/* no */" + b,
    "comma": lambda b: b[:-1] + b",}",
    "single": lambda b: b.replace(b'"', b"'"),
    "text": lambda b: json.dumps(b.decode()).encode(),
    "list": lambda b: b"[" + b + b"]",
    "xml": lambda b: b"<?xml version='1.0'?><a/>",
    "blanks": lambda b: b" \r\n\t" * 50 + b + b" \r\n\t" * 50,
    "64MiB-before": lambda b: b" " * (64 * MIB) + b,
    "64MiB-text": lambda b: b'"' + b"x" * (64 * MIB) + b'"',
    "64MiB-list": lambda b: b"[" + b"0," * (32 * MIB) + b"0]",
    "64MiB-field": lambda b: b[:-1] + b',"x":"' + b"y" * (64 * MIB) + b'"}',
}


def bomb(body):
    return body[:-1] + b',"x":"' + b"y" * (32 * MIB) + b'"}'


# What it is packed into, though nobody asked for that: header, function.
PACKED = {
    "gzip": ("gzip", gzip.compress),
    "gzip-bomb": ("gzip", lambda b: gzip.compress(bomb(b))),
    "gzip-twice": ("gzip, gzip",
                   lambda b: gzip.compress(gzip.compress(bomb(b)))),
    "deflate": ("deflate", zlib.compress),
    "gzip-cut": ("gzip", lambda b: gzip.compress(b)[:-9]),
    "br": ("br", lambda b: b),
    "identity": ("identity", lambda b: b),
}


def with_swap(value, way, new):
    return encode(changed(value, way, lambda _: new))


def without(value, way):
    def take(old):
        if isinstance(old, dict):
            return {k: v for k, v in old.items() if k != way[-1]}
        return [v for i, v in enumerate(old) if i != way[-1]]
    return encode(changed(value, way[:-1], take))


def doubled(value, way, second):
    """The last name of the way comes twice in its object."""
    return encode(changed(value, way[:-1], lambda old: Pairs(
        list(old.items()) + [(way[-1], second)])))


def cases(target, rows):
    """name -> (function that gives the body, headers)."""
    value = golden(target, rows)
    body, made = encode(value), {}

    def add(name, make, *headers):
        made["%s:%s" % (target, name)] = (make, headers)

    for cut in range(len(body)):
        add("cut:%d" % cut, lambda cut=cut: body[:cut])
    for way, swap in itertools.product(places(value), SWAPS):
        add("swap:%s:%s" % (spelled(way), swap),
            lambda way=way, swap=swap: with_swap(value, way, SWAPS[swap]))
    for way in places(value):
        if not way:
            continue
        add("without:" + spelled(way), lambda way=way: without(value, way))
        if isinstance(way[-1], str):
            for name, second in (("same", at(value, way)), ("null", None),
                                 ("other", "x"), ("list", [])):
                add("twice:%s:%s" % (spelled(way), name),
                    lambda way=way, second=second: doubled(value, way,
                                                           second))
        if isinstance(at(value, way), str):
            for name in BAD_TEXT:
                add("text:%s:%s" % (spelled(way), name),
                    lambda way=way, name=name: with_swap(
                        value, way, Raw(b'"a' + BAD_TEXT[name] + b'b"')))
    for name, make in AROUND.items():
        add("body:" + name, lambda make=make: make(body))
    for name, (header, make) in PACKED.items():
        add("packed:" + name, lambda make=make: make(body),
            ("Content-Encoding", header))
    return made


# ---- the judge -------------------------------------------------------------------

def no_doubles(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name comes twice")
    return dict(pairs)


def refuse(word):
    raise ValueError(word)


def strict(body):
    """The value, or ValueError."""
    text = body.decode("utf-8")
    if text.startswith("\ufeff"):
        raise ValueError("a mark")
    value = json.loads(text, object_pairs_hook=no_doubles,
                       parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode("utf-8")    # no surrogates
    return value


def read(body):
    if len(body) > 16 * MIB:
        return None
    try:
        return strict(body)
    except (ValueError, RecursionError, UnicodeError):
        return None


def is_time(value):
    if not isinstance(value, str):
        return False
    try:
        datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def is_id(value):
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False


def is_number(value, whole=False):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and (not whole or value == int(value))


def sound_row(row):
    return (isinstance(row, dict) and is_id(row.get("request_id"))
            and isinstance(row.get("endpoint_id"), str)
            and row["endpoint_id"] != ""
            and all(row.get(n) is None or is_time(row[n])
                    for n in ("ended_at",))
            and all(row.get(n) is None or isinstance(row[n], str)
                    for n in ("sent_at", "started_at"))
            and (row.get("status_code") is None
                 or is_number(row["status_code"], whole=True))
            and (row.get("duration") is None or is_number(row["duration"])))


def sound_page(value, name, is_row):
    if not isinstance(value, dict) or not isinstance(value.get(name), list):
        return False
    more, cursor = value.get("has_more"), value.get("next_cursor")
    return (isinstance(more, bool)
            and (cursor is None or isinstance(cursor, str))
            and (not more or bool(cursor))
            and all(map(is_row, value[name])))


def names_endpoint(row):
    return (isinstance(row, dict) and isinstance(row.get("endpoint_id"), str)
            and row["endpoint_id"] != "")


def found_row(row):
    return (names_endpoint(row) and is_time(row.get("sent_at"))
            and (row.get("ended_at") is None or is_time(row["ended_at"])))


def sound(target, body):
    value = read(body)
    if target == "delete":
        return deleted_all(value)
    return sound_page(value, *{
        "list": ("items", sound_row), "usage": ("summary", names_endpoint),
        "events": ("billing_events", names_endpoint),
        "search": ("results", found_row)}[target])


def deleted_all(value):
    results = value.get("cdn_delete_results") if isinstance(
        value, dict) else None
    return isinstance(results, list) and all(
        isinstance(r, dict) and isinstance(r.get("link"), str)
        and "exception" in r and r["exception"] is None for r in results)
