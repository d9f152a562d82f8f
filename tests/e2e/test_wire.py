"""What goes onto the wire, and what a bad listing does: a list that fails is
an error, never an empty list, and nothing is deleted after it."""
import time

import pytest

from conftest import OLDER
from hostile import Answer, error, row, uuid4

ALL = """
    fal.delete_all(fal.requests { endpoint_id = "fal-ai/flux/dev" },
                   { reason = "x" })
"""


def page(items, more=False, cursor=None, **fields):
    return dict({"items": items, "has_more": more, "next_cursor": cursor},
                **fields)


def test_the_bytes_of_a_deletion(world, rng):
    server = world.fal()
    id = uuid4(rng)
    world.lua('fal.delete_payloads(arg[1], { idempotency_key = "my-key" })',
              id, check=0)
    request, = server.deletes
    assert request.target == "/v1/models/requests/%s/payloads" % id
    assert request.headers["authorization"] == "Key " + world.key
    assert request.headers["host"] == "127.0.0.1:%d" % server.port
    assert request.key.startswith("my-key")
    assert "content-length" not in request.headers or (
        request.headers["content-length"] == "0")
    assert "cookie" not in request.headers
    assert "falrun" in request.headers["user-agent"]


def test_an_own_idempotency_key_belongs_to_one_id(world, rng):
    server = world.fal()
    done = world.lua("""
        assert(fal.delete_payloads(arg[1], { idempotency_key = "k1" }))
        local ok, err = pcall(fal.delete_payloads, arg[2],
                              { idempotency_key = "k1" })
        assert(not ok and tostring(err):find("k1"), tostring(err))
        for _, key in ipairs { "", "a b", "a\\r\\nX-Evil: 1", "\\0",
                               ("k"):rep(201), "ü" } do
          local ok = pcall(fal.delete_payloads, arg[2],
                           { idempotency_key = key })
          assert(not ok, "taken: " .. key)
        end
    """, uuid4(rng), uuid4(rng), check=0)
    assert len(server.deletes) == 1, done
    assert not any("x-evil" in r.headers for r in server.requests)


def test_made_keys_differ(world, rng):
    server = world.fal([row(uuid4(rng)) for _ in range(50)])
    world.run(OLDER, check=0)
    assert len({r.key for r in server.deletes}) == 50


@pytest.mark.parametrize("url", [
    "http://example.com/v1", "http://10.0.0.1/v1", "http://0.0.0.0/v1",
    "http://127.0.0.1.example.com/v1", "http://localhost.example.com/v1",
    "ftp://127.0.0.1/v1", "file:///etc/passwd", "api.fal.ai", "", "https://",
    "https://u:p@api.fal.ai/v1", "https://api.fal.ai/v1?x=1",
    "https://api.fal.ai/v1#x", "https://api.fal.ai/ v1", "http:///v1",
    "https://127.0.0.1:99999/v1", "http://127.0.0.1@example.com/v1",
    "http://[::ffff:8.8.8.8]/v1", "javascript:x"])
def test_origins_that_are_refused(world, rng, url):
    done = world.run("delete", uuid4(rng), "--api-url=" + url, check=2)
    assert "URL" in done.err or "api-url" in done.err, done
    assert len(done.err.splitlines()) == 1


def test_nothing_listens(world, rng):
    before = time.time()
    done = world.run(OLDER, "--api-url", "http://127.0.0.1:9/v1", timeout=60)
    assert done.code == 7, done
    assert "127.0.0.1" in done.err and time.time() - before < 30


def test_a_plain_server_spoken_to_with_tls(world, rng):
    server = world.fal()
    done = world.run("delete", uuid4(rng), "--api-url",
                     server.url.replace("http", "https"), timeout=60)
    assert done.code == 7, done
    assert not server.deletes


BAD = {
    "500": lambda r: error(500),
    "503": lambda r: error(503),
    "404": lambda r: error(404),
    "400": lambda r: error(400),
    "empty": lambda r: Answer(200, b""),
    "garbage": lambda r: Answer(200, b"<html>no"),
    "null": lambda r: Answer(200, b"null"),
    "list": lambda r: Answer(200, b"[]"),
    "no items": lambda r: Answer(200, {"has_more": False,
                                       "next_cursor": None}),
    "items null": lambda r: Answer(200, page(None)),
    "items object": lambda r: Answer(200, page({"a": 1})),
    "items empty object": lambda r: Answer(200, page({})),
    "no has_more": lambda r: Answer(200, {"items": [],
                                          "next_cursor": None}),
    "has_more text": lambda r: Answer(200, page([], "no")),
    "more, no cursor": lambda r: Answer(200, page([], True)),
    "more, empty cursor": lambda r: Answer(200, page([], True, "")),
    "cursor number": lambda r: Answer(200, page([], True, 7)),
    "cursor loop": lambda r: Answer(200, page([], True, "again")),
    "huge cursor": lambda r: Answer(200, page([], True, "x" * 5000)),
    "drop": lambda r: Answer(drop="before"),
    "half": lambda r: Answer(200, page([]), drop="middle"),
    "204": lambda r: Answer(raw=b"HTTP/1.1 204 None\r\n\r\n"),
    "too big": lambda r: Answer(200, b'{"items":[' + b" " * (17 << 20)),
    "deep": lambda r: Answer(200, b'{"items":' + b"[" * 100000),
    "item text": lambda r: Answer(200, page(["x"])),
    "bad id": lambda r: Answer(200, page([row("../../etc")])),
    "upper id": lambda r: Answer(200, page([row(
        "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA")])),
    "bad time": lambda r: Answer(200, page([row(
        "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", ended_at="last week")])),
    "time number": lambda r: Answer(200, page([row(
        "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", ended_at=17)])),
    "not asked for": lambda r: Answer(200, page([row(
        "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", endpoint="other/app")])),
    "status half": lambda r: Answer(200, page([row(
        "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", status_code=200.5)])),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_listing_that_fails_deletes_nothing(world, rng, name):
    server = world.fal(list=BAD[name])
    done = world.lua(ALL, "--concurrency", "8", timeout=60)
    assert done.code in (1, 7), done
    assert done.err.strip(), done
    assert not server.deletes
    assert len(server.of("GET", "by-endpoint")) <= 4
    if name in ("500", "503", "drop"):
        assert done.code == 7, done


@pytest.mark.parametrize("name", ["500", "garbage", "cursor loop"])
def test_a_listing_that_fails_in_pcall_is_not_zero(world, rng, name):
    """A policy that swallows the error must not report success when the API
    was down; what the API answers wrongly is the policy's to judge."""
    server = world.fal(list=BAD[name])
    done = world.lua("""
        local ok, err = pcall(function()
          for r in fal.requests { endpoint_id = "fal-ai/flux/dev" } do end
        end)
        assert(not ok and #tostring(err) > 20, tostring(err))
    """, timeout=60)
    assert done.code == (0 if name == "cursor loop" else 7), done
    assert not server.deletes


def test_a_second_page_that_fails_deletes_nothing(world, rng):
    rows = [row(uuid4(rng)) for _ in range(30)]
    for bad in ("500", "garbage", "empty"):
        server = world.fal(rows, page=10)
        server.script["list"] = lambda r: (
            BAD[bad](r) if r.query.get("cursor") == ["20"] else None)
        world.ledger = world.folder / ("%s.db" % bad)
        done = world.lua(ALL, timeout=60)
        assert done.code in (1, 7) and not server.deletes, done


def test_a_page_that_comes_twice(world, rng):
    rows = [row(uuid4(rng)) for _ in range(10)]
    count = []

    def handle(request):
        count.append(1)
        return Answer(200, page(rows, True, "c%d" % len(count)))
    server = world.fal(list=handle)
    done = world.lua(ALL, timeout=60)
    assert done.code == 1 and not server.deletes, done
    assert len(count) < 10


def test_doubles_across_pages_are_dropped(world, rng):
    rows = [row(uuid4(rng)) for _ in range(25)]
    server = world.fal(rows[:10] + rows[8:18] + rows[15:], page=10)
    done = world.lua(ALL, check=0)
    assert sorted(server.gone) == sorted(r["request_id"] for r in rows), done


def test_what_the_window_did_not_ask_for_is_left(world, rng):
    """fal gives rows that are too young: older_than is checked again."""
    old, young = row(uuid4(rng), 40 * 86400), row(uuid4(rng), 20 * 86400)
    none = row(uuid4(rng), ended_at=None)
    server = world.fal([old, young, none])
    world.run(OLDER, check=0)
    assert server.gone == [old["request_id"]]


def test_auto_fails_when_a_source_fails(world, rng):
    for name in ("usage", "events", "search"):
        for bad in (error(500), error(403), Answer(200, b"{}")):
            server = world.fal([row(uuid4(rng))])
            server.script[name] = lambda r: bad
            world.ledger = world.folder / ("%s-%d.db" % (name, id(bad)))
            done = world.run(OLDER, timeout=60)
            assert done.code in (1, 5, 7), done
            assert not server.deletes
            assert ('"auto" needs all' in done.err) == (bad.status == 403)


def test_an_endpoint_with_a_nul_fails_auto_before_a_deletion(world, rng):
    server = world.fal([row(uuid4(rng))], events=lambda r: Answer(200, {
        "billing_events": [{"endpoint_id": "a\0b"}], "has_more": False,
        "next_cursor": None}))
    done = world.run(OLDER, check=1)
    assert "endpoint_id" in done.err and not server.deletes, done


def test_auto_takes_the_union_and_reports_the_rest(world, rng):
    rows = [row(uuid4(rng), endpoint="fal-ai/a"),
            row(uuid4(rng), endpoint="fal-ai/b")]
    server = world.fal(rows, usage=lambda r: Answer(200, {
        "summary": [{"endpoint_id": "fal-ai/a"}], "has_more": False,
        "next_cursor": None}))
    done = world.run(OLDER, check=0)
    assert "fal-ai/b" in done.err and len(server.gone) == 2


def test_more_than_fifty_endpoints_are_asked_in_groups(world, rng):
    names = ["app/e%03d" % i for i in range(120)]
    rows = [row(uuid4(rng), endpoint=name) for name in names]
    server = world.fal(rows)

    def handle(request):
        asked = request.query["endpoint_id"]
        return Answer(200, page([r for r in rows
                                 if r["endpoint_id"] in asked]))
    server.script["list"] = handle
    world.run(OLDER, check=0)
    assert len(server.gone) == 120
    assert max(len(r.query["endpoint_id"])
               for r in server.of("GET", "by-endpoint")) == 50
