"""falrun call: any operation of the Platform API, from one table."""
import json
import os
import re
import time

import pytest

import hostile
from conftest import ROOT, ledger_events, ms_of, on_terminal

ID = "019e6d0a-e5be-7b82-b329-35ae64296902"


def answering(world, *answers):
    """A server that answers with these, one after the other."""
    left = list(answers)
    server = hostile.Server(lambda request: left.pop(0))
    world.servers.append(server)
    world.url = server.url
    return server


def says(body, **more):
    return hostile.Answer(200, body, **more)


# ---- the list, the help, the reference ----

def operations(world):
    return world.run("call", "--list", "--json", check=0, key=False).json


def test_the_list_has_all_of_them(world):
    rows = operations(world)
    assert len(rows) == 82
    assert len({(r["method"], r["path"]) for r in rows}) == 82
    text = world.run("call", "--list", "assets.tags", check=0, key=False).out
    assert text.count("\n") == 9 and "assets.tags.create" in text
    done = world.run("call", "--list", "asets", check=2, key=False)
    assert "no operation" in done.err


def test_the_reading_posts_are_those_that_c_knows(world):
    text = (ROOT / "runtime/fal/read.c").read_text()
    known = re.search(r"reading_posts\[\] = \{(.*?)\}", text, re.S).group(1)
    posts = {r["path"] for r in operations(world)
             if r["method"] != "GET" and not r.get("changes")}
    assert posts == set(re.findall(r'"(.*?)"', known))


def test_help_is_from_the_table(world):
    for words in (("call", "models.requests.list", "--help"),
                  ("help", "call", "models.requests.list"),
                  ("call", "--all-pages", "models.requests.list", "-h")):
        out = world.run(*words, check=0, key=False).out
        assert "GET /models/requests/by-endpoint" in out
        assert "whole number, 1 to 100; default 50" in out
    assert "falrun call --list" in world.run("call", "--help", check=0).out
    done = world.run("call", "models.requests.lst", "--help", check=2)
    assert "did you mean models.requests.list?" in done.err


def test_the_reference_page_is_up_to_date(world):
    page = world.run("call", "--reference", check=0, key=False).out
    assert page == (ROOT / "docs/operations.md").read_text(), (
        "falrun call --reference > docs/operations.md")


# ---- wrong words: exit code 2, and nothing is sent ----

WRONG = [
    ((), "needs an operation"),
    (("models.pricng",), "did you mean models.pricing?"),
    (("assets.tags",), "is a group: falrun call --list assets.tags"),
    (("models.pricing",), "endpoint_id: it is missing"),
    (("models.pricing", "a"), "write name=value"),
    (("models.pricing", "endpoint=a"), "no parameter \"endpoint\""),
    (("models.list", "limt=5"), "did you mean limit?"),
    (("models.list", "limit=x"), 'a whole number is needed, got "x"'),
    (("models.list", "limit=0"), "of at least 1 is needed, got 0"),
    (("models.list", "limit=5", "limit=6"), "limit is given twice"),
    (("models.list", "status=activ"), "did you mean 'active'?"),
    (("models.list", "limit:=[1"), "limit is no JSON"),
    (("models.requests.list", "endpoint_id=a", "start=yesterday"),
     "not a time"),
    (("models.requests.search", "min_similarity=2"), "from 0 to 1"),
    (("models.requests.search", "only_api_requests=maybe"),
     'true or false is needed, got "maybe"'),
    (("compute.get", "id=.."), "is no name"),
    (("meta", "--timeout", "5"), "it has no unit"),
    (("meta", "--all-pages"), "has no pages"),
    (("meta", "--output", "x"), "answers no file"),
    (("meta", "--reason", "x"), "only reads"),
    (("meta", "--bdy", "x"), "did you mean --body?"),
    (("meta", "--body", "{}", "x=1"), "it has none"),
    (("models.estimate", "--body", "{"), "--body is no JSON"),
    (("models.estimate", "--body", "[1]"), "--body is no JSON object"),
    (("models.estimate", "--body", "@none.json"), "none.json"),
    (("models.estimate", "--body", '{"estimate_tpe":"unit_price"}'),
     "did you mean estimate_type?"),
    (("models.estimate", "estimate_type=unit_price", "endpoints=5"),
     "a table with names is needed, got 5"),
    (("models.usage", "expand=summary", "expand=time_series",
      "--all-pages"), "one of time_series, summary"),
    (("serverless.files.download", "file=a"), "needs --output"),
    (("serverless.files.download", "file=a", "--output", "b", "--raw"),
     "leave out --raw"),
    (("serverless.files.download", "file=a", "--output", "b/"),
     "no name for a file"),
    (("serverless.files.list", "--replace"), "leave out --replace"),
    (("serverless.files.list", "--max-events", "1"),
     "leave out --max-events"),
    (("serverless.logs.stream", "--max-events", "0"), "at least 1"),
    (("serverless.logs.stream", "--all-pages"), "has no pages"),
    (("keys.delete", "key_id=k"), "add --yes"),
    (("keys.delete", "key_id=k", "--no-input"), "add --yes"),
    (("keys.delete", "key_id=k", "--raw"), "leave out --raw"),
    (("models.requests.delete_payloads", "request_id=x"), "is no id"),
    (("models.requests.delete_payloads", "request_id=" + ID, "--timeout",
      "5"), "it has no unit"),
    (("keys.delete", "key_id=k", "--yes", "--idempotency-key", ""),
     "--idempotency-key: it is empty"),
]


@pytest.mark.parametrize("words, what", WRONG)
def test_wrong_words(world, words, what):
    server = answering(world)
    done = world.run("call", *words, check=2)
    assert what in done.err and done.out == ""
    assert server.requests == []


# ---- reading ----

PRICES = {"prices": [{"endpoint_id": "a/b", "unit_price": 0.01,
                      "unit": "image", "currency": "USD"}],
          "has_more": False, "next_cursor": None}


def test_json_comes_out(world):
    server = answering(world, says(PRICES))
    done = world.run("call", "models.pricing", "endpoint_id=a/b",
                     "endpoint_id=c/d", check=0)
    assert done.json == PRICES and done.err == ""
    assert server.requests[0].query == {"endpoint_id": ["a/b", "c/d"]}
    assert not world.ledger.exists()


def test_a_time_may_be_so_long_ago(world):
    answer = {"time_series": [], "has_more": False}
    server = answering(world, *[says(answer)] * 2)
    world.run("call", "models.usage", "start=7d", check=0)
    at = ms_of(server.requests[0].query["start"][0])
    assert abs(time.time() - 7 * 86400 - at / 1000) < 60
    world.run("call", "models.usage", "start=2026-01-02", check=0)
    assert server.requests[1].query["start"] == ["2026-01-02T00:00:00Z"]


def test_a_body_from_words_file_or_input(world):
    answer = {"estimate_type": "unit_price", "total_cost": 1,
              "currency": "USD"}
    body = {"estimate_type": "unit_price",
            "endpoints": {"a/b": {"unit_quantity": 2}}}
    text = json.dumps(body)
    (world.folder / "body.json").write_text(text)
    server = answering(world, *[says(answer)] * 4)
    world.run("call", "models.estimate", "--body", text, check=0)
    world.run("call", "models.estimate", "--body", "@body.json", check=0)
    world.run("call", "models.estimate", "--body", "-", stdin=text, check=0)
    world.run("call", "models.estimate", "estimate_type=unit_price",
              'endpoints:={"a/b":{"unit_quantity":2}}', check=0)
    lengths = {r.headers["content-length"] for r in server.requests}
    assert len(lengths) == 1 and int(lengths.pop()) > 60
    assert {r.method for r in server.requests} == {"POST"}


def test_raw_is_the_answer_as_it_came(world):
    text = '{ "prices": [],\n "odd": 1e2 }'
    answering(world, says(text))
    done = world.run("call", "models.pricing", "endpoint_id=a", "--raw",
                     check=0)
    assert done.out == text


def test_text_comes_as_it_is(world):
    csv = "BillingAccountId,BilledCost\nx,1.5\n"
    answering(world, says(csv, headers=[("Content-Type", "text/csv")]))
    done = world.run("call", "account.focus", "source=invoice", check=0)
    assert done.out == csv


@pytest.mark.parametrize("answer, code, what", [
    (hostile.error(404, "Resource not found"), 1, "404"),
    (hostile.error(400, "Invalid request parameters"), 1, "400"),
    (hostile.error(401, "no"), 5, "401"),
    (hostile.error(403, "no"), 5, "403"),
    (says({"prices": {}, "has_more": False}), 0, ""),
    (says({"prices": {"a": 1}}), 1, "prices is an object, not a list"),
    (says({"prices": ["a"]}), 1, "prices[1] is text, not an object"),
    (says("[]"), 1, "prices is missing"),
])
def test_exit_codes(world, answer, code, what):
    answering(world, answer)
    done = world.run("call", "models.pricing", "endpoint_id=a", check=code)
    assert what in done.err
    assert code == 0 or done.out == ""


def test_an_api_that_is_down(world):
    answering(world, *[hostile.error(500)] * 3)
    done = world.run("call", "models.pricing", "endpoint_id=a", check=7)
    assert done.out == "" and "500" in done.err


def test_without_a_key_it_is_said(world):
    server = answering(world)
    done = world.run("call", "keys.list", check=2, key=False)
    assert "FAL_ADMIN_KEY" in done.err and server.requests == []


# ---- pages ----

def page(ids, cursor=None, **more):
    return says(dict({"models": [{"endpoint_id": i} for i in ids],
                      "has_more": cursor is not None,
                      "next_cursor": cursor}, **more))


def test_all_pages(world):
    server = answering(world, page(["a", "b"], "x"), page([], "y"),
                       page(["c"]))
    done = world.run("call", "models.list", "q=v", "--all-pages", check=0)
    assert [m["endpoint_id"] for m in done.json] == ["a", "b", "c"]
    assert "3 items" in done.err
    assert [r.query.get("cursor") for r in server.requests] == [
        None, ["x"], ["y"]]


def test_all_pages_by_offset(world):
    def some(*ids):
        return says({"collections": [{"id": i, "name": i} for i in ids]})
    server = answering(world, some("a", "b"), some("c"), some())
    done = world.run("call", "assets.collections.list", "--all-pages",
                     check=0)
    assert [c["id"] for c in done.json] == ["a", "b", "c"]
    assert [r.query.get("offset") for r in server.requests] == [
        None, ["2"], ["3"]]


@pytest.mark.parametrize("answers, what", [
    ([page(["a"], "x"), page(["b"], "x")], "next_cursor came twice"),
    ([page(["a"], "x"), page(["a"], "y")], "a page came twice"),
    ([page(["a"], "x"), page(["b"], has_more=True)], "no next_cursor"),
    ([page(["a"], "x"), says({"models": []})], "has_more is missing"),
    ([page(["a"], "x"), says({"models": [5], "has_more": False})],
     "models[1] is a number"),
    ([page(["a"], "x"), hostile.error(400)], "400"),
    ([page(["a"], "x")] + [hostile.error(500)] * 3, "500"),
    ([page(["a"], "x")] + [says("{")] * 3, "JSON"),
])
def test_a_walk_that_fails_is_no_shorter_list(world, answers, what):
    answering(world, *answers)
    done = world.run("call", "models.list", "--all-pages")
    assert done.code in (1, 7) and what in done.err
    with pytest.raises(ValueError):
        json.loads(done.out)


# ---- the deletion ----

def test_the_deletion_is_falrun_delete(world):
    world.sandbox(requests=200, seed=5)
    ids = world.expired()[:3]
    name = "models.requests.delete_payloads"
    done = world.run("call", name, "request_id=" + ids[0], "--reason", "r",
                     check=0)
    assert done.json["status"] == "deleted"
    assert done.json["request_id"] == ids[0]
    world.run("hold", "add", ids[1], "--reason", "law", check=0)
    held = world.run("call", name, "request_id=" + ids[1], check=0)
    assert held.json["status"] == "held"
    plan = world.run("call", name, "request_id=" + ids[2], "--dry-run",
                     check=0)
    assert plan.json["status"] == "planned"
    again = world.run("call", name, "request_id=" + ids[0], check=0)
    assert again.json["status"] == "already_deleted"
    none = world.run("call", name, "request_id=" + ids[2], "--max-deletes",
                     "0", check=4)
    assert none.json["status"] == "refused"
    assert [t["request_id"] for t in world.effects()] == [ids[0]]
    assert world.outcomes(1) == {ids[0]: "deleted"}


def test_the_deletion_takes_the_lock_and_reading_does_not(world):
    server = world.fal(delete=[hostile.Answer(200, hostile.DELETED,
                                              stall=2)])
    running = world.start("delete", ID)
    running.until(lambda: server.deletes)
    world.run("call", "models.requests.delete_payloads", "request_id=" + ID,
              check=6)
    world.run("call", "meta", check=0)
    assert running.wait().code == 0 and len(server.deletes) == 1


# ---- policies ----

def test_a_policy_calls_operations(world):
    answering(world, says(PRICES), page(["a"], "x"), page(["b"]))
    done = world.lua("""
      local prices = assert(fal.models.pricing { endpoint_id = "a/b" })
      print(prices.prices[1].unit_price)
      for model in fal.models.list_each { q = "x" } do
        print(model.endpoint_id)
      end
    """, "--dry-run", check=0)
    assert done.out.split()[:3] == ["0.01", "a", "b"]


@pytest.mark.parametrize("line, what", [
    ('fal.models.pricng {}', "did you mean 'fal.models.pricing'?"),
    ('fal.model.pricing {}', "did you mean 'fal.models'?"),
    ('fal.models {}', "is a table, not a function"),
    ('fal.models:pricing { }', "with a dot"),
    ('fal.models.pricing = 5', "read-only"),
    ('fal.models.pricing { endpoint = "a" }', "there is no option"),
    ('for _ in fal.models.list_each { limit = "a" } do end',
     "a whole number is needed"),
])
def test_mistakes_of_a_policy(world, line, what):
    answering(world)
    done = world.lua(line, "--dry-run", check=1)
    assert what in done.err and "policy.lua:1:" in done.err


def test_a_list_in_a_policy_raises(world):
    answering(world, page(["a"], "x"), hostile.error(404))
    done = world.lua("""
      for _ in fal.models.list_each {} do end
      print "not reached"
    """, "--dry-run", check=1)
    assert "not reached" not in done.out and "404" in done.err


def test_check_knows_the_names(world):
    path = world.policy("""
      fal.models.pricng { endpoint_id = "a" }
      fal.models.requests.list { endpoint_id = { "a", 5 }, limit = 500 }
      fal.assets.collections.add_each {}
      fal.compute.create { instance_type = "gpu_1x", ssh_key = "k" }
      table.sort({}, function() return fal.meta() end)
      return fal.policy { name = "n", all = true, reason = "r",
        limits = { max = 1 },
        select = fal.requests { endpoint_id = "a", older_than = "30d" },
        where = function(r)
          return fal.keys.delete { key_id = r.request_id } ~= nil
        end }
    """)
    done = world.run("check", path, check=1, key=False)
    for what in ("did you mean 'pricing'?", "[2]: text is needed",
                 "from 1 to 100 is needed, not 500", '"add_each"',
                 '"gpu_1x" is none of', "fal.meta waits",
                 "fal.keys.delete in a rule"):
        assert what in done.err, what


# ---- a new operation is a row ----

MADE_UP = """
return {
  { name = "models.made_up", method = "GET", path = "/models/{id}/made-up",
    key = "api", doc = "what nobody asked for", list = "things",
    paging = "cursor", stands = { 200, 429 },
    params = {
      { name = "id", place = "path", type = "string", required = true,
        doc = "the thing" },
      { name = "size", place = "query", type = "integer", min = 1, max = 9,
        doc = "how big" },
      { name = "cursor", place = "query", type = "string", doc = "where" },
    } },
  { name = "models.made_over", method = "POST", path = "/models/made-over",
    key = "api", doc = "changes the made up", changes = "irreversible",
    stands = { 204 }, params = {} },
}
"""


def test_a_row_is_all_that_it_needs(world):
    folder = world.folder / "more" / "fal" / "operations"
    folder.mkdir(parents=True)
    (folder / "meta.lua").write_text(MADE_UP)
    env = {"FALRUN_PATH": str(world.folder / "more")}
    things = {"things": [{"id": "t"}], "has_more": False}
    server = answering(world, says(things), says(things))
    done = world.run("call", "models.made_up", "id=x", "size=2", env=env,
                     check=0)
    assert done.json == things
    assert server.requests[0].target == "/v1/models/x/made-up?size=2"
    done = world.run("call", "models.made_up", "id=x", "size=12", env=env,
                     check=2)
    assert "from 1 to 9" in done.err
    done = world.lua("""for t in fal.models.made_up_each { id = "y" } do
      print(t.id) end""", "--dry-run", env=env, check=0)
    assert done.out.startswith("t\n")
    for words, what in (
            (("call", "models.made_up", "--help"), "GET /models/{id}/made-up"),
            (("call", "--reference"), "### models.made_up"),
            (("call", "--list", "models"), "what nobody asked for"),
            (("types",), "function fal.models.made_up(params, options)")):
        assert what in world.run(*words, env=env, check=0).out, words
    path = world.policy("fal.models.made_upp {}")
    done = world.run("check", path, env=env, check=1)
    assert "did you mean 'made_up'?" in done.err
    done = world.run("call", "models.made_over", env=env, check=2)
    assert "add --yes" in done.err
    assert len(server.requests) == 2


def test_the_catalogue_needs_no_key(world):
    server = answering(world, page(["a"]), page(["a"]))
    world.run("call", "models.list", check=0, key=False)
    assert "authorization" not in server.requests[0].headers
    world.run("call", "models.list", check=0)
    assert server.requests[1].headers["authorization"].startswith("Key ")


def test_the_table_of_a_policy_is_read_late_and_whole(world):
    world.fal()
    done = world.lua("""
      local names = {}
      for name, f in pairs(fal.assets.tags) do
        names[#names + 1] = name .. ":" .. type(f)
      end
      table.sort(names)
      print(table.concat(names, " "))
      print(fal.assets.tags == fal.assets.tags, type(fal.meta()))
    """, "--dry-run", check=0)
    assert done.out.splitlines()[:2] == [
        "assign:function create:function delete:function list:function "
        "of_asset:function set:function unassign:function update:function",
        "true\ttable"]


def test_what_the_api_wrote_is_not_written_anew(world):
    """Empty lists, long numbers and the order of names stay."""
    one = '{"z":[],"models":[{"n":12345678901234567890,"t":[],' \
          '"endpoint_id":"a","b":1.0}],"has_more":%s,"next_cursor":%s}'
    answering(world, says(one % ("false", "null")),
              says(one % ("true", '"x"')),
              says('{"has_more":false,"models":[{"endpoint_id":"b","o":{}}]}'))
    done = world.run("call", "models.list", check=0)
    assert done.out == one % ("false", "null") + "\n"
    done = world.run("call", "models.list", "--all-pages", check=0)
    assert done.out == ('[\n{"n":12345678901234567890,"t":[],'
                        '"endpoint_id":"a","b":1.0},\n'
                        '{"endpoint_id":"b","o":{}}\n]\n')


def test_a_policy_that_needs_no_operation_reads_no_table(world):
    """A start stays short: the table is read when it is touched."""
    folder = world.folder / "more" / "fal" / "operations"
    folder.mkdir(parents=True)
    (folder / "meta.lua").write_text("error('it was read')")
    env = {"FALRUN_PATH": str(world.folder / "more")}
    world.fal()
    world.lua("print(fal.version, fal.keep)", "--dry-run", env=env, check=0)
    done = world.lua("print(fal.models)", "--dry-run", env=env)
    assert done.code != 0 and "it was read" in done.err


def test_a_no_on_a_terminal_changes_nothing(world):
    server = answering(world)
    code, said = on_terminal(world, b"n\n", "call", "keys.delete",
                             "key_id=k-7")
    assert code == 4 and server.requests == []
    assert "keys.delete: key_id k-7. It cannot be undone. [y/N]" in said
    assert "nothing was changed" in said


# ---- changes ----

def kinds(world):
    return [e["kind"] for e in ledger_events(world.ledger)]


COLLECTION = {"collection": {"id": "c1", "name": "legal-hold"}}


def test_a_change_is_announced_and_recorded(world):
    server = answering(world, hostile.Answer(201, COLLECTION))
    done = world.run("call", "assets.collections.create", "name=legal-hold",
                     "--reason", "ticket 7", check=0)
    assert done.json == COLLECTION
    request = server.requests[0]
    assert (request.method, request.path) == ("POST",
                                              "/v1/assets/collections")
    assert request.key
    begun, over = [e for e in ledger_events(world.ledger)
                   if e["kind"].startswith("change")]
    assert begun["data"]["operation"] == "assets.collections.create"
    assert begun["data"]["target"] == "name legal-hold"
    assert begun["data"]["reason"] == "ticket 7"
    assert over["data"]["state"] == "done"
    assert begun["at"] <= request.at * 1000 + 1
    world.run("verify", check=0)


def test_a_change_without_an_answer_body(world):
    server = answering(world, hostile.Answer(204, ""))
    done = world.run("call", "keys.delete", "key_id=k 1", "--yes", check=0)
    assert done.json == {"status": "done"}
    assert server.requests[0].path == "/v1/keys/k%201"
    assert server.requests[0].method == "DELETE"


def test_an_answer_that_is_only_true(world):
    answering(world, hostile.Answer(200, "true"))
    done = world.run("call", "serverless.files.upload_url", "file=a/b.bin",
                     "url=https://x.example/b.bin", check=0)
    assert done.out == "true\n"


@pytest.mark.parametrize("words", [("--dry-run",), ("--dry-run", "--yes")])
def test_a_dry_run_of_a_change_sends_nothing(world, words):
    server = answering(world)
    done = world.run("call", "keys.delete", "key_id=k", *words, check=0)
    assert done.json == {"status": "planned"} and server.requests == []


def test_a_change_takes_the_lock(world):
    server = world.fal(delete=[hostile.Answer(200, hostile.DELETED,
                                              stall=2)])
    running = world.start("delete", ID)
    running.until(lambda: server.deletes)
    world.run("call", "keys.create", "alias=x", check=6)
    assert running.wait().code == 0
    assert server.of("POST") == []


@pytest.mark.parametrize("answer, code, status", [
    (hostile.error(404, "Resource not found"), 3, "failed"),
    (hostile.error(422), 3, "failed"),
    (hostile.error(401), 5, "failed"),
    (hostile.Answer(drop="before"), 3, "unknown"),
])
def test_a_change_that_fails(world, answer, code, status):
    server = answering(world, answer)
    done = world.run("call", "compute.create",
                     "instance_type=gpu_1x_h100_sxm5", "ssh_key=ssh-rsa A",
                     check=code) if status != "unknown" else world.run(
                         "call", "keys.create", "alias=x", check=code)
    assert done.json["status"] == status
    assert len(server.requests) == 1


def test_a_change_whose_answer_is_odd_says_that_it_was_done(world):
    answering(world, hostile.Answer(201, {"key_id": 5}))
    done = world.run("call", "keys.create", "alias=x", check=1)
    assert "keys.create was done, but its answer is not what" in done.err


def test_a_policy_that_changes_needs_a_yes(world):
    server = answering(world, hostile.Answer(204, ""))
    line = 'local r, err = fal.keys.delete { key_id = "k" }\n' \
           'print(r and r.status or err.status)'
    done = world.lua(line, check=4)
    assert done.out.startswith("refused") and "--yes" in done.err
    assert server.requests == []
    done = world.lua(line, "--yes", check=0)
    assert done.out.startswith("done") and len(server.requests) == 1
    assert world.lua(line, "--dry-run", check=0).out.startswith("planned")
    assert len(server.requests) == 1


def test_a_yes_on_a_terminal(world):
    server = answering(world, hostile.Answer(204, ""))
    code, said = on_terminal(world, b"y\n", "call", "keys.delete",
                             "key_id=k-7")
    assert code == 0 and len(server.requests) == 1, said


def test_the_answer_of_a_change_is_not_written_anew(world):
    text = '{"workflow":{"nodes":[],"seed":12345678901234567890}}'
    answering(world, hostile.Answer(201, text + "\n"))
    contents = {"name": "n", "version": "1", "nodes": {}, "output": {},
                "schema": {}}
    done = world.run("call", "workflows.create", "name=n", "title=t",
                     "contents:=" + json.dumps(contents), check=0)
    assert done.out == text + "\n"


# ---- reports and metrics ----

def test_a_report_is_rows_or_an_error_never_a_shorter_one(world):
    answering(world, says(b'id,note\r\n1,"a ""b"",\r\nc"\r\n'),
              says(b'id,note\r\n1,x\r\n2,"cut'))
    rows = world.run("call", "account.model_access", "--json", check=0).json
    assert rows == [{"id": "1", "note": 'a "b",\r\nc'}]
    done = world.run("call", "account.model_access", "--json", check=1)
    assert "line 3: a quote opens here and never closes" in done.err
    assert done.out == ""


def test_metrics_are_samples_or_an_error(world):
    answering(world, says(b'# TYPE m gauge\nm{a="x"} 2\nm{a="y"} NaN\n'),
              says(b'm{a="x"} 2\nm{a="y'))
    samples = world.run("call", "serverless.metrics", "--json", check=0).json
    assert [(s["labels"], s["value"], s["type"]) for s in samples] == [
        ({"a": "x"}, 2, "gauge"), ({"a": "y"}, "NaN", "gauge")]
    done = world.run("call", "serverless.metrics", "--json", check=1)
    assert "line 2: the value of a label never ends" in done.err
    assert done.out == ""


# ---- a story against the sandbox ----

def call(world, *words, check=0):
    done = world.run("call", *words, check=check)
    return done.json if done.out else None


def test_a_collection_from_its_beginning_to_its_end(world):
    world.sandbox(requests=60, seed=7)
    made = call(world, "assets.collections.create", "name=case 12",
                "description=kept")["collection"]
    where = "collection_id=" + made["id"]
    assets = call(world, "assets.list", "section=generated", "--all-pages")
    asset = next(a for a in assets if a["request_id"])
    assert call(world, "assets.collections.add", where, "asset_id="
                + asset["asset_id"]) == {"success": True}
    found = call(world, "assets.collections.assets", where, "--all-pages")
    assert [a["request_id"] for a in found] == [asset["request_id"]]
    assert made["id"] in [c["id"] for c in call(
        world, "assets.collections.list", "limit=1", "--all-pages")]
    assert call(world, "assets.collections.update", where, "name=case 13")[
        "collection"]["name"] == "case 13"
    call(world, "assets.collections.remove", where,
         "asset_id=" + asset["asset_id"])
    assert call(world, "assets.collections.assets", where,
                "--all-pages") == []
    world.run("call", "assets.collections.delete", where, check=2)
    assert call(world, "assets.collections.delete", where, "--yes") == {
        "status": "done"}
    assert world.run("call", "assets.collections.get", where).code == 1
    states = [e["data"]["state"] for e in ledger_events(world.ledger)
              if e["kind"] == "change_outcome"]
    assert states == ["done"] * 5
    world.run("verify", check=0)


def test_a_policy_walks_the_library(world):
    world.sandbox(requests=60, seed=7)
    done = world.lua("""
      local n, named = 0, 0
      for asset in fal.assets.list_each { section = "generated", limit = 7 } do
        n, named = n + 1, named + (asset.request_id ~= json.null and 1 or 0)
      end
      print(n, named)
    """, "--dry-run", check=0)
    n, named = done.out.split()[:2]
    assert int(n) > 20 and n == named


#: What the sandbox has for the parameters that are needed.
EXAMPLES = {"owner": "{owner}", "name": "{app}", "asset_id": "{asset}",
            "endpoint_id": "fal-ai/flux/dev", "collection_id": "c-1",
            "character_id": "{character}", "username": "{user}",
            "workflow_name": "{workflow}", "dir": "models",
            "source": "estimate", "estimate_type": "unit_price",
            "endpoints": '{{"fal-ai/flux/dev":{{"unit_quantity":2}}}}',
            "url": "{file}"}


def known(world):
    app = call(world, "serverless.apps")["apps"][0]
    flow = call(world, "workflows.list")["workflows"][0]
    asset = next(a for a in call(world, "assets.list", "section=generated")[
        "assets"] if a["url"])
    return {"owner": app["owner"], "app": app["name"],
            "endpoint": app["endpoint_id"], "asset": asset["asset_id"],
            "file": asset["url"], "user": flow["user_nickname"],
            "workflow": flow["name"], "character": call(
                world, "assets.characters.list")["characters"][0]["id"]}


def test_every_operation_that_reads_reads_from_the_sandbox(world):
    """Each row's parameters, key, shape and pages, against an API that
    conforms to the document."""
    world.sandbox(requests=60, seed=7)
    facts, count = known(world), 0
    for row in operations(world):
        if row.get("changes") or row["media"] in ("bytes", "events") or \
                row["name"] == "compute.get":
            continue
        words = ["%s=%s" % (p["name"], EXAMPLES[p["name"]].format(**facts))
                 for p in row["params"] if p.get("required")]
        if row["name"].startswith("serverless.") and "endpoint_id" in str(
                words):
            words = ["endpoint_id=" + facts["endpoint"]]
        done = world.run("call", row["name"], *words, check=0)
        assert row["media"] != "json" or done.json is not None
        count += 1
        if row.get("paging"):
            done = world.run("call", row["name"], *words, "--all-pages",
                             check=0)
            assert isinstance(done.json, list), row["name"]
    assert count >= 45


CHANGES = dict(EXAMPLES, request_id=ID, id="i-1", key_id="k-1", tag_id="t-1",
               default="allow", expiration_seconds="60", type="image",
               instance_type="gpu_1x_h100_sxm5", ssh_key="ssh-rsa A",
               alias="x", title="t", description="d", reference_images="v-1",
               tag_ids="t-1", file="a b/c.bin", owner="acme", asset_id="a-1",
               character_id="ch-1", url="https://v3.fal.media/files/b/x.png",
               contents='{"name":"n","version":"1","nodes":{},"output":{},'
                        '"schema":{}}')


def words_of(row):
    words = ["%s=%s" % (p["name"], "n" if p["name"] == "name"
                        else CHANGES[p["name"]])
             for p in row["params"] if p.get("required")
             and p["name"] != "parent_collection_id"]
    names = [p["name"] for p in row["params"]]
    if "vector_id" in names:
        words.append("asset_id=a-1")
    elif row["method"] == "PATCH":
        words.append("name=n")
    elif row["name"] == "storage.set_settings":
        words.append("expiration_duration_seconds:=null")
    elif "move" in row["name"]:
        words.append("parent_collection_id:=null")
    return words


def test_every_change_can_be_planned_and_sends_nothing(world):
    server, count = world.fal(), 0
    for row in operations(world):
        if row.get("changes") and row["media"] == "json":
            done = world.run("call", row["name"], *words_of(row),
                             "--dry-run", check=0)
            assert done.json["status"] == "planned", row["name"]
            count += 1
    assert count == 33
    assert {request.method for request in server.requests} <= {"GET"}
