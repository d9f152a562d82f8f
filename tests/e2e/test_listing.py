"""A list is the same list, however its pages are written: rows as documented
wait in C, others are read in Lua, and a policy cannot tell which."""
import json

import pytest

from hostile import Answer, uuid4

PRINT = """
    for r in fal.requests { endpoint_id = { "a/b", "c/d" } } do
      print(r.request_id, r.endpoint_id, r.sent_at, r.started_at, r.ended_at,
            r.status_code, math.type(r.status_code), r.duration,
            math.type(r.duration), getmetatable(r))
      local names = {}
      for name in pairs(r) do names[#names + 1] = name end
      table.sort(names)
      print(table.concat(names, " "))
    end
"""


def rows_of(rng, count):
    rows = []
    for n in range(count):
        at = "2026-03-%02dT04:05:%02d" % (1 + n // 60, n % 60)
        rows.append({
            "request_id": uuid4(rng), "endpoint_id": rng.choice(["a/b", "c/d",
                                                                 "c/d/e"]),
            "sent_at": at + ".125Z", "started_at": at + ".250Z",
            "ended_at": at + ".500Z", "status_code": rng.choice([200, 500]),
            "duration": rng.choice([8, 8.25, 0.1])})
    rows[3].update(started_at=None, status_code=None, duration=None)
    rows[5].update(ended_at=None)
    rows[6].update(ended_at=rows[7]["ended_at"])
    del rows[8]["sent_at"]
    return rows


def as_plain(rows):
    return json.dumps(rows)


def as_odd(rows):
    """The same facts in the forms that jansson and row.lua are for."""
    text = json.dumps(rows).replace("a/b", "a\\/b").replace(": 200,",
                                                            ": 200.0,")
    return text.replace(".500Z\"", ".500+00:00\"").replace("a\\/b",
                                                           "\\u0061/b")


def serve(pages, write):
    def handler(request):
        at = int(request.query.get("cursor", ["0"])[0])
        more = at + 1 < len(pages)
        return Answer(200, '{"items":%s,"has_more":%s,"next_cursor":%s}' % (
            write(at, pages[at]), json.dumps(more),
            json.dumps(str(at + 1) if more else None)))
    return handler


def listed(world, pages, write, check=0):
    world.fal(list=serve(pages, write))
    return world.lua(PRINT, check=check)


def pages_of(rows):
    """Newest first, and each page begins with the end of the one before."""
    rows = rows[::-1]
    return [rows[max(at - 1, 0):at + 7] for at in range(0, len(rows), 7)]


@pytest.mark.parametrize("odd", ["none", "first", "second", "all"])
def test_the_same_rows(world, rng, odd):
    rows = rows_of(rng, 40)
    pages = pages_of(rows)

    def write(at, page):
        is_odd = odd == "all" or (odd == "first" and at == 0) or (
            odd == "second" and at == 1)
        return (as_odd if is_odd else as_plain)(page)

    done = listed(world, pages, write)
    lines = done.out.splitlines()
    ended = sorted((r for r in rows if r["ended_at"]),
                   key=lambda r: (r["ended_at"], r["request_id"]))
    assert [line.split("\t")[0] for line in lines[::2]] == [
        r["request_id"] for r in ended]
    for line, names, r in zip(lines[::2], lines[1::2], ended):
        def show(value):
            return "nil" if value is None else str(value)
        code, duration = r["status_code"], r["duration"]
        kind = {int: "integer", float: "float", type(None): "nil"}
        wanted = [r["request_id"], r["endpoint_id"], show(r.get("sent_at")),
                  show(r["started_at"]), r["ended_at"], show(code),
                  "nil" if code is None else "integer", show(duration),
                  kind[type(duration)], "false"]
        got = line.split("\t")
        got[4] = got[4].replace(".5Z", ".500Z")
        assert got == wanted
        assert names.split() == sorted(k for k, v in r.items()
                                       if v is not None)
    assert "left out: 1 request" in done.err


@pytest.mark.parametrize("odd", [False, True])
def test_a_row_that_was_not_asked_for(world, rng, odd):
    rows = rows_of(rng, 40)
    rows[10]["endpoint_id"] = "x/y"
    done = listed(world, pages_of(rows), lambda at, page: (
        as_odd if odd else as_plain)(page), check=1)
    assert "endpoint_id was not asked for" in done.err
    assert done.out == ""


@pytest.mark.parametrize("odd", [False, True])
def test_a_page_that_comes_twice(world, rng, odd):
    pages = pages_of(rows_of(rng, 40))
    pages.insert(4, pages[2])
    done = listed(world, pages, lambda at, page: (
        as_odd if odd else as_plain)(page), check=1)
    assert "a page came twice" in done.err
    assert done.out == ""
