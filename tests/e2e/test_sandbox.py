"""The sandbox itself: its lists, its deletions, its faults, its truth. Every
other story leans on it, so here it is asked without falrun's own client."""
import base64
import calendar
import concurrent.futures
import http.client
import json
import re
import signal
import socket
import subprocess
import time
import uuid

import pytest

from conftest import PROGRAM

ADMIN = {"Authorization": "Key someone:secret"}
LIST = "/models/requests/by-endpoint"
SEARCH = "/models/requests/search"
FLUX, FAST = "fal-ai/flux/dev", "fal-ai/flux/schnell"
ALL = ",".join([FLUX, FAST, "fal-ai/kling-video/v2/master"])
ANCHOR = "2026-01-31T00:00:00Z"
SPAN = {"start": "2025-11-01", "end": "2026-02-01"}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body

    @property
    def json(self):
        return json.loads(self.raw)


class Client:
    def __init__(self, world, timeout=20):
        self.port = int(world.url.split(":")[2].split("/")[0])
        self.timeout, self.http = timeout, None

    def __call__(self, path, method="GET", headers=None, body=None, **query):
        if query:
            path += "?" + "&".join(
                "%s=%s" % pair for pair in sorted(query.items()))
        self.http = self.http or http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=self.timeout)
        try:
            self.http.request(method, "/v1" + path, body=body, headers=(
                ADMIN if headers is None else headers))
            response = self.http.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.http.close()
            self.http = None
            return Answer(None, {}, repr(error).encode())

    def list(self, **query):
        return self(LIST, **{"endpoint_id": ALL, "limit": 100, **SPAN,
                             **query})

    def walk(self, path=LIST, name="items", **query):
        """All rows of all pages; every cursor is checked on the way."""
        rows, seen = [], set()
        query = {"endpoint_id": ALL, "limit": 100, **SPAN, **query}
        while True:
            answer = self(path, **query)
            assert answer.status == 200, answer.raw
            body = answer.json
            rows += body[name]
            cursor = body["next_cursor"]
            assert body["has_more"] == (cursor is not None)
            if cursor is None:
                return rows
            assert cursor not in seen and body[name]
            seen.add(cursor)
            query["cursor"] = cursor

    def delete(self, id, key=None, headers=None):
        headers = dict(ADMIN if headers is None else headers)
        if key:
            headers["Idempotency-Key"] = key
        return self("/models/requests/%s/payloads" % id, "DELETE", headers)


@pytest.fixture
def sandbox(world):
    def start(client=None, **options):
        world.sandbox(**{"anchor": ANCHOR, "requests": 300, **options})
        return Client(world, **(client or {}))
    return start


def cursor(text):
    return base64.b64encode(text.encode()).decode()


def ms(text):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{3})?Z", text)
    assert match, text
    seconds = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    return seconds * 1000 + round(float(match[2] or 0) * 1000)


def ids(rows):
    return [row["request_id"] for row in rows]


def ended(rows):
    return [row for row in rows if row["ended_at"]]


# ---- the command -----------------------------------------------------------

def test_one_line_and_an_end_by_signal(world):
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        process = world.start("sandbox", "--requests", "5").process
        line = process.stdout.readline()
        assert re.fullmatch(rb"http://127\.0\.0\.1:\d+/v1\n", line)
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out) == (code, b""), err
        assert b"serves 5 requests" in err and b"ERROR" not in err


def test_auto_finds_what_only_search_lists(world):
    names = ["a/one", "a/two", "a/three"]
    world.sandbox(requests=60, endpoints=",".join(names), unbilled="a/two")
    done = world.run("requests", "--endpoint", "auto", "--json", check=0)
    assert {r["endpoint_id"] for r in done.json} == set(names)
    assert "only search lists, not usage and billing events" in done.err
    assert "a/two" in done.err


def test_help_lists_every_option(world):
    text = world.run("sandbox", "--help", check=0).out
    for name in ("port requests seed endpoints span anchor rate-limit "
                 "concurrency-limit latency counts faults fault-seed truth "
                 "second-delete cache-errors deleted-rows window-field "
                 "unbilled sort").split():
        assert "--%s " % name in text
    for name in ("timeout", "cdn-exception", "drop-before", "drop-after",
                 "garbage", "truncate", "late-rows", "429"):
        assert name in text


@pytest.mark.parametrize("option,values", [
    ("port", ["x", "-1", "65536"]),
    ("requests", ["1.5", "-1", "2000001", "9" * 30]),
    ("seed", ["one"]), ("fault-seed", ["-2"]),
    ("endpoints", ["0", "a,a", ",", "a;b", "1001"]),
    ("span", ["90", "0s", "99999d", "soon"]),
    ("anchor", ["yesterday", "2026-13-01"]),
    ("rate-limit", ["0", "fast", "1.2.3", "5/m", "5s", "5,", "5,6", "5@1s",
                    "5,6@", "5,6@1", "5,6@2s,7@1s", "5,0@1s", ",5@1s"]),
    ("concurrency-limit", ["0", "x", "1.5", "5,6", "5,x@1s", "5,6@1s,7@1s"]),
    ("latency", ["5", "80ms-20ms", "-", "1s-"]),
    ("faults", ["nope=1", "500", "500=", "500=2", "500=-1", "500=#0", "=0.5",
                "500@moon=1", "500@=1", "late-rows=#3", "200=0.5",
                "cdn-exception@list=0.1", "late-rows@delete=0.1"]),
    ("truth", ["/nowhere/at/all", "/"]), ("counts", ["/nowhere/at/all"]),
    ("second-delete", ["maybe"]), ("cache-errors", ["1"]),
    ("deleted-rows", [""]), ("window-field", ["id"]), ("sort", ["up"]),
    ("unbilled", ["nobody/knows", ""]),
])
def test_wrong_values(world, option, values):
    for value in values:
        done = world.run("sandbox", "--%s=%s" % (option, value), check=2)
        assert done.out == "" and done.err.count("\n") == 1, done
        assert option in done.err and ".lua:" not in done.err, done


def test_a_port_that_is_taken(world, sandbox):
    client = sandbox()
    done = world.run("sandbox", "--port", client.port, check=2)
    assert str(client.port) in done.err


def test_words_are_refused(world):
    assert "takes no words" in world.run("sandbox", "now", check=2).err


# ---- the history -----------------------------------------------------------

def test_the_seed_and_the_anchor_decide(world, sandbox):
    first = sandbox().list().raw
    assert sandbox().list().raw == first
    assert sandbox(seed=2).list().raw != first
    assert sandbox(anchor="2026-01-30T00:00:00Z").list().raw != first


def test_rows(sandbox):
    rows = sandbox(requests=1000).walk()
    assert len(rows) == 1000 == len(set(ids(rows)))
    running = [row for row in rows if row["ended_at"] is None]
    assert 1 <= len(running) <= 20
    for row in rows:
        id = uuid.UUID(row["request_id"])
        assert id.version == 7 and id.variant == uuid.RFC_4122
        assert id.int >> 80 == ms(row["sent_at"])
        assert ms(row["started_at"]) >= ms(row["sent_at"])
        if row["ended_at"]:
            assert row["status_code"] in (200, 422, 500)
            took = ms(row["ended_at"]) - ms(row["sent_at"])
            assert took > 0 and abs(took / 1000 - row["duration"]) < 1e-6
        else:
            assert row["status_code"] is None is row["duration"]


def test_every_id_is_known_again_and_no_other(sandbox):
    client = sandbox()
    for row in client.walk()[::17]:
        id = row["request_id"]
        assert ids(client.list(request_id=id).json["items"]) == [id]
        assert ids(client.list(request_id=id.upper()).json["items"]) == [id]
        for place in (0, 15, 20, 25, 35):
            other = id[:place] + "%x" % (int(id[place], 16) ^ 1) + id[
                place + 1:]
            assert client.list(request_id=other).json["items"] == []
            assert client.delete(other).status == 404


def test_endpoints_by_name_and_none_at_all(sandbox):
    client = sandbox(endpoints="me/app,you/app", requests=10)
    assert len(client.list(endpoint_id="you/app").json["items"]) == 5
    client = sandbox(requests=0)
    assert client.list().json == {"items": [], "next_cursor": None,
                                  "has_more": False}
    assert client(SEARCH).json["results"] == []
    assert client("/models/usage").status == 200


# ---- by-endpoint -----------------------------------------------------------

def test_pages_are_offsets(sandbox):
    client = sandbox()
    everything = ids(client.walk())
    for limit in (1, 7, 50, 100):
        for page in (1, 2, 3, 300 // limit):
            got = client.list(limit=limit, cursor=cursor(str(page))).json
            assert ids(got["items"]) == everything[limit * (page - 1):
                                                   limit * page]
    beyond = client.list(cursor=cursor("4")).json
    assert beyond == {"items": [], "next_cursor": None, "has_more": False}
    assert len(client(LIST, endpoint_id=ALL, **SPAN).json["items"]) == 50
    assert client.list(limit=50).json["next_cursor"] == "Mg=="


def test_the_window(sandbox):
    client = sandbox()
    rows = ended(client.walk())
    at = rows[100]["ended_at"]
    assert rows[100]["request_id"] in ids(client.walk(start=at))
    assert rows[100]["request_id"] not in ids(client.walk(end=at))
    both = ids(client.walk(end=at)) + ids(client.walk(start=at))
    assert sorted(both) == sorted(ids(client.walk()))
    assert client(LIST, endpoint_id=ALL).json["items"] == []  # the last day
    old = client(LIST, endpoint_id=ALL, end="2025-12-31")
    assert (old.status, old.json["items"]) == (200, [])


@pytest.mark.parametrize("field", ["ended_at", "sent_at", "started_at"])
@pytest.mark.parametrize("sort", ["desc", "asc"])
def test_the_field_and_the_order(sandbox, field, sort):
    client = sandbox(window_field=field, sort=sort, span="30m", anchor=ANCHOR)
    window = {"start": "2026-01-30T23:40:00Z", "end": "2026-01-30T23:50:00Z"}
    rows = client.walk(**window)
    everything = client.walk()
    low, high = ms(window["start"]), ms(window["end"])
    fit = [row["request_id"] for row in everything
           if low <= ms(row[field] or row["sent_at"]) < high]
    assert ids(rows) == fit and 50 < len(fit) < 150
    times = [ms(row["ended_at"]) for row in ended(everything)]
    assert times == sorted(times, reverse=sort == "desc")
    one = ended(rows)[3]["request_id"]
    assert ids(client.list(request_id=one, **window).json["items"]) == [one]
    outside = next(i for i in ids(everything) if i not in fit)
    assert client.list(request_id=outside, **window).json["items"] == []


@pytest.mark.parametrize("sort", ["desc", "asc"])
def test_sort_by_duration(sandbox, sort):
    rows = sandbox(sort=sort).walk(sort_by="duration")
    took = [row["duration"] or 0 for row in rows]
    assert took == sorted(took, reverse=sort == "desc") and len(rows) == 300


def test_endpoint_and_status(sandbox):
    client = sandbox()
    rows = client.walk()
    for wanted in (FLUX, FLUX + "," + FAST, FLUX + "&endpoint_id=" + FAST,
                   FLUX + "," + FLUX):
        names = set(wanted.replace("&endpoint_id=", ",").split(","))
        assert ids(client.walk(endpoint_id=wanted)) == [
            row["request_id"] for row in rows if row["endpoint_id"] in names]
    count = 0
    for status, low, high in (("success", 200, 399), ("user_error", 400, 499),
                              ("error", 500, 599)):
        got = ids(client.walk(status=status, limit=9))
        assert got == [row["request_id"] for row in rows
                       if low <= (row["status_code"] or 0) <= high]
        count += len(got)
        assert got and client.list(
            request_id=got[0], status=status).json["items"]
        assert not client.list(request_id=got[0], status="error" if status !=
                               "error" else "success").json["items"]
    assert count == len(ended(rows))


def test_a_request_id_looks_back_90_days(sandbox):
    client = sandbox(requests=20, span="200d", anchor=time.strftime(
        "%Y-%m-%d"))
    rows = ended(client.walk(start="2020-01-01", end="2100-01-01"))
    assert len(rows) > 15
    for row in rows:
        days = time.time() / 86400 - ms(row["ended_at"]) / 86400000
        got = client(LIST, endpoint_id=ALL, request_id=row["request_id"])
        assert len(got.json["items"]) == (days < 90), days
        other = next(n for n in ALL.split(",") if n != row["endpoint_id"])
        assert client.list(endpoint_id=other, start="2020-01-01",
                           end="2100-01-01", request_id=row["request_id"]
                           ).json["items"] == []


def test_payloads(sandbox):
    client = sandbox()
    rows = client.walk(expand="payloads")
    for row in rows:
        assert "prompt" in row["json_input"]
        assert ("json_output" in row) == (row["ended_at"] is not None)
    with_files = [row for row in ended(rows) if row["json_output"]["files"]]
    assert len(with_files) > 200
    gone = with_files[0]
    links = [r["link"] for r in client.delete(
        gone["request_id"]).json["cdn_delete_results"]]
    assert links == gone["json_output"]["files"]
    after = client.list(request_id=gone["request_id"], expand="payloads"
                        ).json["items"][0]
    assert "json_input" not in after and "json_output" not in after


@pytest.mark.parametrize("query", [
    {"endpoint_id": ""}, {"endpoint_id": ",".join("a%d" % i
                                                  for i in range(51))},
    {"limit": 0}, {"limit": 101}, {"limit": "x"}, {"limit": ""},
    {"limit": "9" * 40}, {"cursor": ""}, {"cursor": "!"},
    {"cursor": cursor("0")}, {"cursor": cursor("-1")},
    {"cursor": cursor("9223372036854775807")}, {"cursor": "M" * 300},
    {"start": "x"}, {"start": ""}, {"end": "2026-02-30"},
    {"start": "2026-01-02", "end": "2026-01-01"}, {"status": "ok"},
    {"request_id": "12"}, {"sort_by": "id"}, {"expand": "everything"},
])
def test_what_is_refused(world, sandbox, query):
    answer = sandbox(requests=3).list(**query)
    assert answer.status == 400, answer.raw
    error = answer.json["error"]
    assert error["type"] == "validation_error"
    assert any(name in error["message"] for name in query)


def test_an_unknown_endpoint(sandbox):
    client = sandbox()
    for name in ("fal-ai/none", FLUX + ",x", "%FF%00%C3", "x" * 20000):
        answer = client.list(endpoint_id=name)
        assert answer.status == 404 and len(answer.raw) < 500, answer.raw
        assert answer.json["error"]["type"] == "not_found"
    assert client.list().status == 200


@pytest.mark.parametrize("rows", ["stay", "vanish"])
def test_deleted_rows(sandbox, rows):
    client = sandbox(deleted_rows=rows)
    before = ids(client.walk())
    gone = ids(ended(client.walk())[5:25])
    for id in gone:
        assert client.delete(id).status == 200
    left = before if rows == "stay" else [i for i in before if i not in gone]
    assert ids(client.walk()) == left
    assert ids(client.walk(limit=10, status="success")) == [
        i for i in left if i in ids(client.walk(status="success"))]
    assert len(client.list(request_id=gone[0]).json["items"]) == (
        rows == "stay")
    assert len(client.walk(SEARCH, "results")) == len(left)


def test_late_rows(sandbox):
    client = sandbox(faults="late-rows=0.3")
    sizes = [len(client.walk()) for _ in range(5)]
    assert 150 < sizes[0] < 290 and sizes == sorted(sizes)
    assert sizes[-1] == 300


# ---- the other lists -------------------------------------------------------

def test_search(sandbox):
    client = sandbox()
    rows = client.walk(SEARCH, "results", limit=70)
    assert ids(rows) == ids(client.walk())
    assert ids(client(SEARCH, endpoint=FAST, limit=1000).json["results"]) == [
        row["request_id"] for row in rows if row["endpoint_id"] == FAST]
    for query in ({"query": "a", "image_url": "b"}, {"limit": 0},
                  {"exclude_api_requests": "1"}, {"min_similarity": 2},
                  {"only_api_requests": "true",
                   "exclude_api_requests": "true"}, {"cursor": "x"}):
        assert client(SEARCH, **query).status == 400, query


def test_billing_events(sandbox):
    client = sandbox()
    path, name = "/models/billing-events", "billing_events"
    rows = client.walk(status="success")
    for limit in (1000, 31):
        events = client.walk(path, name, limit=limit, end="2026-01-30")
        assert ids(events) == [i for i in ids(client.walk(
            status="success", end="2026-01-30"))[::-1]]
    some = ids(rows)[:40]
    got = client.walk(path, name, limit=7, start="2025-11-10",
                      request_id=",".join(some) + ",zz," + some[0])
    assert sorted(ids(got)) == sorted(some)
    got = client.walk(path, name, endpoint_id=FAST, start="2025-11-10")
    assert {row["endpoint_id"] for row in got} == {FAST}
    for query in ({"start": "2025-01-01"}, {"limit": 10001},
                  {"cursor": cursor("1")}, {"cursor": cursor("," + "9" * 30)},
                  {"expand": "payloads"}, {"endpoint_id": ""}):
        query = {"start": "2026-01-01", "end": "2026-01-31", **query}
        assert client(path, **query).status == 400, query
    assert client(path, api_key_id="x", start="2026-01-01",
                  end="2026-01-31").json[name] == []


def test_usage(sandbox):
    client = sandbox()
    rows = client.walk()
    def usage(**query):
        answer = client("/models/usage", **{**SPAN, **query})
        assert answer.status == 200, answer.raw
        return answer.json
    count = {n: sum(r["endpoint_id"] == n for r in rows)
             for n in ALL.split(",")}
    summary = usage(expand="summary")["summary"]
    assert {r["endpoint_id"]: r["quantity"] for r in summary} == count
    pages = [usage(expand="summary", limit=2, cursor=cursor(str(page)))
             for page in (1, 2)]
    assert [len(page["summary"]) for page in pages] == [2, 1]
    assert [page["has_more"] for page in pages] == [True, False]
    for frame, buckets in (("day", 92), ("week", 14), ("month", 3),
                           ("hour", 92 * 24)):
        series = usage(timeframe=frame, limit=1000)["time_series"]
        assert len(series) == min(buckets, 1000), frame
        if buckets <= 1000:
            assert sum(r["quantity"] for b in series
                       for r in b["results"]) == 300
    assert [b["bucket"][:10] for b in usage(timeframe="month")["time_series"]
            ] == ["2025-11-01", "2025-12-01", "2026-01-01"]
    assert usage(endpoint_id=FAST, expand="summary")["summary"][0][
        "endpoint_id"] == FAST
    for query in ({"expand": "auth_method"}, {"timeframe": "year"},
                  {"expand": "x"}, {"limit": 0}, {"cursor": "!"}):
        assert client("/models/usage", **query).status == 400, query


# ---- the document ----------------------------------------------------------

TIME, ID, MONEY = "time", "uuid", "number"
ROW = {"request_id": ID, "endpoint_id": "text", "sent_at": TIME,
       "started_at": TIME, "ended_at?": "time or null", "status_code?":
       "integer or null", "duration?": "number or null", "json_input?":
       "any", "json_output?": "any"}
AUTH = {"auth_method?": "text", "auth_method_structured?": {
    "detail": "text", "api_key_id?": "text", "login_username?": "text"}}
USED = {"endpoint_id": "text", "unit": "text", "quantity": MONEY,
        "unit_price": MONEY, "percent_discount": "number or null",
        "cost_subtotal": MONEY, "cost_discount": MONEY, "cost_total": MONEY,
        "cost": MONEY, "currency": "text", **AUTH}
EVENT = {"request_id": "text", "endpoint_id": "text", "timestamp": TIME,
         "output_units": "number or null", "unit_price": "number or null",
         "percent_discount": "number or null", "cost_subtotal": MONEY,
         "cost_discount": MONEY, "cost_total": MONEY,
         "cost_estimate_nano_usd": MONEY, **AUTH}
PAGED = {"next_cursor": "text or null", "has_more": "flag"}
ERROR = {"error": {"type": "error type", "message": "text",
                   "docs_url?": "text", "request_id?": "text"}}
DELETED = {"cdn_delete_results": [{"link": "text",
                                   "exception": "text or null"}]}
KINDS = {
    "any": lambda v: True, "null": lambda v: v is None,
    "text": lambda v: isinstance(v, str),
    "flag": lambda v: isinstance(v, bool),
    "integer": lambda v: type(v) is int,
    "number": lambda v: type(v) in (int, float),
    "time": lambda v: ms(v) > 0,
    "uuid": lambda v: str(uuid.UUID(v)) == v,
    "error type": lambda v: v in (
        "authorization_error", "validation_error", "not_found",
        "rate_limited", "server_error", "not_implemented"),
}


def conforms(shape, value, where="$"):
    """Required fields, types, and nothing that the document lacks."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        for name, inner in shape.items():
            bare = name.rstrip("?")
            assert bare in value or name != bare, "%s lacks %s" % (where, bare)
            if bare in value:
                conforms(inner, value[bare], where + "." + bare)
        known = {name.rstrip("?") for name in shape}
        assert set(value) <= known, (where, set(value) - known)
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for item in value:
            conforms(shape[0], item, where + "[]")
    else:
        kinds = shape.split(" or ")
        if value is None:
            assert "null" in kinds, where
        else:
            assert KINDS[kinds[0]](value), (where, value)


def test_answers_conform(sandbox):
    client = sandbox(faults="cdn-exception=0.5")
    page = {"items": [ROW], **PAGED}
    conforms(page, client.list().json)
    conforms(page, client.list(expand="payloads").json)
    conforms({"results": [dict(ROW, **{"similarity?": MONEY})], **PAGED},
             client(SEARCH).json)
    expand = "time_series,summary,auth_method,auth_method_structured"
    conforms({"time_series": [{"bucket": TIME, "results": [USED]}],
              "summary": [USED], **PAGED},
             client("/models/usage", expand=expand, **SPAN).json)
    conforms({"billing_events": [EVENT], **PAGED}, client(
        "/models/billing-events", start="2026-01-01", end="2026-02-01",
        expand="auth_method,auth_method_structured").json)
    conforms({"webhook_ip_ranges": ["text"]},
             client("/meta", headers={}).json)
    for row in ended(client.walk())[:60]:
        answer = client.delete(row["request_id"])
        assert answer.headers["Content-Type"] == "application/json"
        conforms(DELETED, answer.json)
    for answer in (client.list(limit=0), client.list(endpoint_id="x"),
                   client.list(headers={}), client.delete("x"),
                   client("/nothing"), client.delete(uuid.uuid4())):
        conforms(ERROR, answer.json)
        assert answer.headers["x-fal-request-id"] == (
            answer.json["error"]["request_id"])


# ---- keys ------------------------------------------------------------------

def test_keys_and_their_scopes(sandbox):
    client = sandbox()
    id = ended(client.list().json["items"])[0]["request_id"]
    def statuses(key):
        headers = {"Authorization": key} if key else {}
        return [client.list(headers=headers).status] + [
            client(path, headers=headers, start="2026-01-01",
                   end="2026-01-31").status
            for path in (SEARCH, "/models/usage", "/models/billing-events",
                         "/meta")] + [client.delete(
                             id, headers=headers).status]
    assert statuses("Key api-1:s") == [200, 200, 403, 403, 200, 403]
    for key in ("Key admin:s", "Key x:y:z", "Key " + "k" * 900 + ":s"):
        assert statuses(key) == [200] * 6, key
    for key in (None, "Bearer a:b", "Key a", "Key :b", "Key a:", "a:b",
                "Key revoked-1:s", "Key a:b c"):
        assert statuses(key) == [401] * 4 + [200, 401], key


# ---- deletion --------------------------------------------------------------

def some(client, count=1):
    """Ids that ended with files."""
    rows = [row for row in ended(client.list(expand="payloads").json["items"])
            if len(row["json_output"]["files"]) > 0]
    return ids(rows)[0] if count == 1 else ids(rows)[:count]


def test_what_is_not_there(world, sandbox):
    client = sandbox(requests=1000)
    for text in ("x", "%2e%2e", "0" * 32, "x" * 9000, "%00",
                 "01a20b9c-f000-7000-8000-00000000000g"):
        assert client.delete(text).status == 400, text
    for text in ("..", "a/b", ""):
        assert client.delete(text).status in (400, 404)
    assert client.delete(uuid.uuid4()).status == 404
    running = next(r for r in client.walk() if r["ended_at"] is None)
    assert client.delete(running["request_id"]).status == 404
    assert world.truths() == []


@pytest.mark.parametrize("how", ["empty", "404", "same"])
def test_a_second_deletion(world, sandbox, how):
    client = sandbox(second_delete=how)
    id = some(client)
    first, second = client.delete(id), client.delete(id.upper())
    assert first.status == 200 and first.json["cdn_delete_results"]
    if how == "404":
        assert second.status == 404
    else:
        assert second.json == (first.json if how == "same"
                               else {"cdn_delete_results": []})
    assert [t["effect"] for t in world.truths()] == ["deleted", "repeat"]


def test_the_idempotency_cache(world, sandbox):
    client = sandbox(second_delete="404")
    one, two = some(client, 2)
    first = client.delete(one, "k")
    assert client.delete(one, "k").raw == first.raw
    other = client.delete(two, "k")
    assert other.status == 200 and other.raw != first.raw
    assert client.delete(one, "k").raw == first.raw
    assert client.delete(one, "another").status == 404
    assert client.delete(one).status == 404
    truths = world.truths()
    assert [t["effect"] for t in truths] == ["deleted", "deleted", "repeat",
                                             "repeat"]
    assert [t["n"] for t in truths] == [1, 3, 5, 6]
    assert truths[0]["idempotency_key"] == "k"


@pytest.mark.parametrize("fault", ["drop-after", "garbage", "truncate"])
def test_a_lost_answer_is_replayed(world, sandbox, fault):
    client = sandbox(second_delete="404", faults=fault + "@delete=#1")
    id = some(client)
    first = client.delete(id, "k")
    assert first.status != 200 or b"html" in first.raw
    again = client.delete(id, "k")
    assert again.status == 200 and again.json["cdn_delete_results"]
    assert [(t["effect"], t["answer"]) for t in world.truths()] == [
        ("deleted", "garbage" if fault == "garbage" else "lost")]


@pytest.mark.parametrize("kept", ["yes", "no"])
def test_cached_errors(world, sandbox, kept):
    client = sandbox(cache_errors=kept, faults="500@delete=#1,503@delete=#3,"
                     "500@delete=#6")
    one, two, three = some(client, 3)
    assert client.delete(one, "a").status == 500                        # 1
    assert client.delete(one, "a").status == (500 if kept == "yes" else 200)
    assert client.delete(two, "b").status == 503                        # 3
    assert client.delete(two, "b").status == 200
    assert client.delete(three, "c").status == 200                      # 5
    assert client.delete(three, "c").status == 500
    assert client.delete(three, "c").status == 200      # the first one stays
    assert len(world.truths()) == (2 if kept == "yes" else 3)


def test_a_file_that_stays(world, sandbox):
    client = sandbox(faults="cdn-exception=#1", second_delete="empty")
    rows = client.list(expand="payloads").json["items"]
    row = next(r for r in ended(rows) if len(r["json_output"]["files"]) > 1)
    first = client.delete(row["request_id"]).json["cdn_delete_results"]
    left = [r["link"] for r in first if r["exception"]]
    assert [r["link"] for r in first] == row["json_output"]["files"] and left
    second = client.delete(row["request_id"]).json["cdn_delete_results"]
    assert second == [{"link": link, "exception": None} for link in left]
    assert client.delete(row["request_id"]).json["cdn_delete_results"] == []
    truths = world.truths()
    assert [t["effect"] for t in truths] == ["partial", "deleted", "repeat"]
    assert truths[0]["files_left"] == len(left) == truths[1]["files_deleted"]


def test_truth_is_told_at_the_effect(world, sandbox):
    client = sandbox(latency="700ms")
    id = some(client)
    began = time.time()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(client.delete, id, "k\xe9")
        while not world.truths():
            assert time.time() - began < 5
            time.sleep(0.01)
        assert not answer.done() and answer.result().status == 200
    truth = world.truths()[0]
    assert set(truth) == {"at", "n", "request_id", "idempotency_key",
                          "effect", "files_deleted", "files_left", "answer"}
    assert began * 1000 - 50 <= ms(truth["at"]) <= began * 1000 + 600
    assert truth["idempotency_key"] == "k?" and truth["answer"] == "sent"


def test_what_cannot_be_told_does_not_happen(world, sandbox):
    """The handler's error is a 500, and the sandbox goes on."""
    client = sandbox(truth="/dev/full")
    id = some(client)
    for _ in range(3):
        assert client.delete(id).status == 500
        row = client.list(request_id=id, expand="payloads").json["items"][0]
        assert row["json_input"]


# ---- faults ----------------------------------------------------------------

def struck(client, call, count):
    """Which of `count` calls were not answered as they should."""
    out = []
    for n in range(1, count + 1):
        answer = call(n)
        if answer.status != 200 or not answer.raw.startswith(b"{"):
            out.append((n, answer.status))
    return out


@pytest.mark.parametrize("fault", ["500", "429", "404", "drop-before",
                                   "drop-after", "garbage", "truncate",
                                   "timeout"])
@pytest.mark.parametrize("place", ["list", "delete", ""])
def test_a_fault_strikes_where_it_should(world, sandbox, fault, place):
    client = sandbox({"timeout": 0.3}, requests=30, faults="%s%s=#3" % (
        fault, place and "@" + place))
    client(SEARCH)                                      # lists: number 1
    targets = ids(ended(client.list().json["items"]))
    status = int(fault) if fault.isdigit() else (
        200 if fault == "garbage" else None)
    lists = struck(client, lambda n: client.list(), 4)  # from number 3 on
    deletes = struck(client, lambda n: client.delete(targets[n]), 4)
    assert lists == ([(1, status)] if place != "delete" else [])
    assert deletes == ([(3, status)] if place != "list" else [])
    effects = [(t["request_id"], t["answer"]) for t in world.truths()]
    third = [answer for id, answer in effects if id == targets[3]]
    kept = {"drop-after": ["lost"], "truncate": ["lost"],
            "garbage": ["garbage"]}
    if place == "list":
        assert third == ["sent"]
    elif fault == "timeout":
        assert third in ([], ["stalled"])
    else:
        assert third == kept.get(fault, [])
    assert len(effects) == 3 + len(third)


def test_shares_and_the_fault_seed(sandbox):
    def draws(seed):
        client = sandbox(requests=5, faults="500@list=0.2,429@list=0.1",
                         fault_seed=seed)
        return struck(client, lambda n: client.list(), 300)
    first = draws(1)
    statuses = [status for _, status in first]
    assert 40 <= statuses.count(500) <= 80
    assert 10 <= statuses.count(429) <= 40
    assert draws(1) == first and draws(2) != first


def test_a_timeout_happened_or_did_not(world, sandbox):
    client = sandbox({"timeout": 0.1}, faults="timeout@delete=1")
    for id in some(client, 16):
        assert client.delete(id, "k").status is None
    stalled = world.truths()
    assert 2 <= len(stalled) <= 14
    assert {t["answer"] for t in stalled} == {"stalled"}


# ---- limits ----------------------------------------------------------------

def test_the_rate_limit(sandbox):
    client = sandbox(rate_limit="40/s", requests=5)
    granted, names, began = 0, [], time.time()
    while time.time() - began < 1.5:
        answer = client.list()
        granted += answer.status == 200
        if answer.status == 429:
            assert answer.json["error"]["type"] == "rate_limited"
            names.append([n for n in ("Retry-After", "x-ratelimit-reset")
                          if n in answer.headers])
            assert int(answer.headers[names[-1][0]]) == 1
    assert 40 + 40 * 1.3 <= granted <= 40 + 40 * 1.8
    assert names[:4] == [["Retry-After"], ["x-ratelimit-reset"]] * 2


def test_a_slow_rate_says_how_long(sandbox):
    client = sandbox(rate_limit="0.2/s", requests=5)
    assert [client.list().status for _ in range(2)] == [200, 429]
    assert int(client.list().headers["x-ratelimit-reset"]) in (4, 5)


def test_the_concurrency_limit(world, sandbox):
    sandbox(concurrency_limit=3, latency="300ms", requests=5)
    clients = [Client(world) for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = [a.status for a in pool.map(lambda c: c.list(), clients)]
    assert sorted(got) == [200] * 3 + [429] * 5


def statuses_until(client, status):
    seen, end = [], time.time() + 20
    while not seen or seen[-1] != status:
        assert time.time() < end, seen[-20:]
        seen.append(client.list().status)
    return seen


def test_limits_change_with_time(sandbox):
    client = sandbox(rate_limit="2000/s,0.01/s@300ms,2000@900ms", requests=5)
    assert client.list().status == 200
    assert set(statuses_until(client, 429)) == {200, 429}
    assert set(statuses_until(client, 200)) == {200, 429}


def test_seconds_are_counted(world, sandbox):
    path = world.folder / "counts.jsonl"
    client = sandbox(rate_limit="2/s", counts=path, requests=5)
    seen, end = [], time.time() + 20
    while (not path.exists() or not path.read_text()) and time.time() < end:
        seen.append(client.list().status)
    line = json.loads(path.read_text().splitlines()[0])
    assert line["second"] == 0
    assert line["passed"] == seen[:-1].count(200)
    assert line["limited"] == seen[:-1].count(429) > 0


def test_a_concurrency_limit_changes_too(world, sandbox):
    sandbox(concurrency_limit="1,3@1ms", latency="300ms", requests=5)
    clients = [Client(world) for _ in range(8)]
    assert clients[0].list().status == 200
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        then = [a.status for a in pool.map(lambda c: c.list(), clients)]
    assert then.count(200) == 3


def test_a_client_that_leaves_gives_its_place_back(world, sandbox):
    sandbox(concurrency_limit=1, latency="400ms", requests=5)
    for _ in range(3):
        assert Client(world, timeout=0.1).list().status is None
        time.sleep(0.1)
        assert Client(world).list().status == 200


def test_latency(sandbox):
    client = sandbox(latency="60ms-90ms", requests=5)
    for _ in range(5):
        began = time.time()
        assert client.list().status == 200
        assert 0.059 <= time.time() - began < 0.5


# ---- size and strength -----------------------------------------------------

def rss_mib(process):
    with open("/proc/%d/status" % process.pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


def fastest(call, times=5):
    best = 9.0
    for _ in range(times):
        began = time.time()
        assert call().status == 200
        best = min(best, time.time() - began)
    return best


def test_a_million_requests(world, sandbox):
    began = time.time()
    client = sandbox(requests=1000000)
    assert time.time() - began < 5
    before = rss_mib(world.box)
    last = {"cursor": cursor("10000"), "limit": 100}
    assert len(client.list(**last).json["items"]) == 100
    assert client.list(**last).json["has_more"] is False
    for call in (lambda: client.list(**last), lambda: client(SEARCH, **last),
                 lambda: client("/models/usage", expand="summary", **SPAN),
                 lambda: client("/models/billing-events", cursor=cursor(
                     ",999900"), start="2025-12-01", end="2026-02-01")):
        assert fastest(call) < 0.2
    got = client.list(status="error", **last).json      # it walks, once
    pages = fastest(lambda: client.list(status="error", limit=100,
                                        cursor=cursor("7")))
    assert got["items"] == [] and pages < 0.2
    assert rss_mib(world.box) - before < 150


def test_others_go_on_during_a_walk(world, sandbox):
    sandbox(requests=1000000)
    walker, other = Client(world), Client(world)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        walk = pool.submit(walker.list, sort_by="duration", cursor=cursor(
            "10000"))
        answers = 0
        while not walk.done():
            answers += other("/meta").status == 200
    took = [r["duration"] or 0 for r in walk.result().json["items"]]
    assert answers > 10 and len(took) == 100
    assert took == sorted(took, reverse=True)


def test_memory_stays_flat(world):
    world.box = world.start(
        "sandbox", "--requests", 2000, "--anchor", ANCHOR, "--quiet",
        env={"ASAN_OPTIONS": "quarantine_size_mb=1"}).process
    world.url = world.box.stdout.readline().decode().strip()
    client = Client(world)
    everything = ids(ended(client.walk()))
    def round_of(count, start):
        for n in range(start, start + count):
            assert client.delete(everything[n % 1000], "k%d" % (
                n % 1500)).status == 200
            if n % 5 == 0:
                assert client.list(limit=1).status == 200
    round_of(3000, 0)
    before = rss_mib(world.box)
    round_of(3000, 3000)
    assert rss_mib(world.box) - before < 16


def raw(port, data, wait=5):
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as peer:
        try:
            peer.sendall(data)
            return peer.recv(65536)
        except OSError:
            return b""


AUTHORIZED = b"Host: x\r\nAuthorization: Key a:b\r\nConnection: close\r\n"


def test_hostile_requests(world, sandbox):
    client = sandbox()
    def get(target, headers=b"", verb=b"GET"):
        return raw(client.port, verb + b" /v1/models/requests/by-endpoint" +
                   target + b" HTTP/1.1\r\n" + AUTHORIZED + headers +
                   b"\r\n")
    good = b"?endpoint_id=" + FLUX.encode() + b"&start=2025-11-01"
    for target in (b"?" + b"&".join([b"a"] * 400), b"?%zz=%&&=&%",
                   b"?endpoint_id=%00", b"?endpoint_id=%ff%fe", b"?" + b"=" *
                   9000, b"%00", b"?start=%00", b"?cursor=%00", b"?" + b"a" *
                   60000, b"?endpoint_id=" + b"," * 20000):
        answer = get(target)
        assert re.match(rb"HTTP/1\.1 4\d\d ", answer), (target[:40], answer)
    raw(client.port, b"GET /v1/meta?" + b"&".join([b"a"] * 10000) +
        b" HTTP/1.1\r\n" + AUTHORIZED + b"\r\n", 0.3)
    for headers in (b"X: " + b"h" * 60000 + b"\r\n", b"A: b\r\n" * 5000,
                    b"\xff\x00: b\r\n", b": \r\n"):
        get(good, headers)
    assert get(good).startswith(b"HTTP/1.1 200")
    assert raw(client.port, b"\x00\xff" * 500 + b"\r\n\r\n", 0.3) is not None
    for size in (10, 100000, 3 << 20):
        for verb in ("POST", "PUT", "GET", "DELETE"):
            status = client(LIST, verb, body=b"x" * size).status
            assert status in (400, 404, 413, None), (verb, size, status)
    for verb in (b"HEAD", b"OPTIONS", b"PATCH", b"BREW"):
        get(good, verb=verb)
    assert client.list().status == 200 and world.box.poll() is None


def test_no_key_in_its_output(world, sandbox):
    client = sandbox()
    client.delete(some(client), headers={"Authorization": "Key " + world.key})
    client.list(headers={"Authorization": "Key " + world.key})
    world.scan()
