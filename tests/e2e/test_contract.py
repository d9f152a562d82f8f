"""The sandbox, and what falrun sends, held against the API's document.

tests/contract/*.json is the document without its prose (scripts/dev/contract
makes it). Every answer here is checked by a JSON Schema validator; so is
every request that falrun sends.
"""
import email
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from conftest import ROOT
from test_sandbox import Client

FOLDER = ROOT / "tests" / "contract"
OPERATIONS = {
    (one["method"], one["path"]): one
    for path in sorted(FOLDER.glob("*.json")) if path.stem != "error"
    for one in json.loads(path.read_text())}
ERROR = json.loads((FOLDER / "error.json").read_text())
API = {"Authorization": "Key api-someone:secret"}
ADMIN = {"Authorization": "Key someone:secret"}
FLUX = "fal-ai/flux/dev"
# What any operation may answer, though the document is silent: it lists no
# 400 for some whose parameters can be wrong.
ALWAYS = {"400"}

formats = FormatChecker(["uuid"])


@formats.checks("date-time")
def is_date_time(text):
    return not isinstance(text, str) or re.fullmatch(
        r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?"
        r"(Z|[+-]\d\d:\d\d)", text) is not None


@formats.checks("uri")
def is_uri(text):
    return not isinstance(text, str) or re.fullmatch(
        r"[A-Za-z][\w+.-]*:[^\s<>]+", text) is not None


def valid(schema, value, what):
    errors = sorted(Draft202012Validator(
        schema, format_checker=formats).iter_errors(value), key=str)
    assert not errors, "%s: %s" % (what, "; ".join(
        "%s: %s" % (e.json_path, e.message[:200]) for e in errors[:5]))


def named(one):
    return "%s %s" % (one["method"], one["path"])


class Api:
    """Calls operations, and holds each answer against the document."""

    def __init__(self, world):
        self.client, self.good = Client(world), set()

    def __call__(self, *args, want=None, **how):
        """A call that must go well, or answer `want`."""
        answer = self.ask(*args, **how)
        assert want == answer.status if want else answer.status < 300, (
            args, answer.status, answer.raw[:300])
        return answer

    def ask(self, method, path, body=None, key=ADMIN, headers=None, **query):
        one = operation_of(method, path)
        sent = dict(key or {}, **(headers or {}))
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        pairs = [(name, part) for name, value in query.items()
                 for part in (value if isinstance(value, list) else [value])]
        if pairs:
            path += "?" + urllib.parse.urlencode(pairs)
        answer = self.client(path, method=method, headers=sent, body=body)
        self.check(one, answer)
        return answer

    def check(self, one, answer):
        what, status = named(one), str(answer.status)
        if answer.status >= 400:
            assert status in set(one["responses"]) | ALWAYS, (what, status)
            valid(ERROR, answer.json, "%s: %s" % (what, status))
            assert answer.json["error"]["message"], what
            return
        documented = one["responses"]
        if status != "206":
            assert status in documented, (what, status)
        content = documented["200" if status == "206" else status]
        self.good.add((one["method"], one["path"]))
        if not content:
            assert answer.raw == b"", (what, answer.raw)
            return
        kind = answer.headers["Content-Type"].split(";")[0]
        assert kind in content, (what, kind)
        if kind == "application/json":
            valid(content[kind], answer.json, what)


def pattern(one):
    """Of a path; the parts named for files may have slashes in them."""
    return "^" + re.sub(r"\\{(\w+)\\}", lambda m: "(?P<%s>%s)" % (
        m.group(1), ".+" if m.group(1) in ("dir", "file", "target_path")
        else "[^/]+"), re.escape(one["path"])) + "$"


def operation_of(method, path):
    found = [one for one in OPERATIONS.values()
             if one["method"] == method and re.match(pattern(one), path)]
    assert found, "the document has no %s %s" % (method, path)
    return min(found, key=lambda one: one["path"].count("{"))


def form(data):
    return (b'--x\r\nContent-Disposition: form-data; name="file_upload"; '
            b'filename="f"\r\n\r\n' + data + b"\r\n--x--\r\n",
            {"Content-Type": "multipart/form-data; boundary=x"})


# ---- every operation --------------------------------------------------------

def ask_models(api):
    api("GET", "/meta", key=None)
    api("GET", "/models", key=None, expand=["openapi-3.0",
                                            "enterprise_status"])
    api("GET", "/models/pricing", endpoint_id=FLUX)
    for kind, unit in (("unit_price", "unit_quantity"),
                       ("historical_api_price", "call_quantity")):
        assert api("POST", "/models/pricing/estimate", {
            "estimate_type": kind, "endpoints": {FLUX: {unit: 3}}
        }).json["total_cost"] == pytest.approx(0.03)
    for path in ("/models/usage", "/organization/usage"):
        api("GET", path, expand=["summary", "time_series", "auth_method",
                                 "auth_method_structured"])
    api("GET", "/models/analytics", endpoint_id=FLUX, expand=[
        "summary", "time_series", "request_count", "success_count",
        "p50_duration", "p90_prepare_duration", "cold_boot_count"])
    for path in ("/models/billing-events", "/organization/billing-events"):
        api("GET", path, expand=["auth_method", "auth_method_structured"])
    rows = api("GET", "/models/requests/by-endpoint", endpoint_id=FLUX,
               expand="payloads").json["items"]
    api("GET", "/models/requests/search", limit=5)
    done = [r for r in rows if r["status_code"] == 200]
    api("DELETE", "/models/requests/%s/payloads" % done[0]["request_id"])


def ask_apps(api):
    app = "/serverless/apps/sandbox/upscaler"
    api("GET", "/serverless/apps", expand="endpoints")
    assert api("GET", app + "/queue").json["queue_size"] > 0
    api("DELETE", app + "/queue")
    assert api("GET", app + "/queue").json["queue_size"] == 0
    api("GET", app + "/runners/history", aggregation="avg")
    api("GET", app + "/events", category=["runner_started",
                                          "deployment_ended"])
    api("GET", app + "/revisions", limit=2)
    api("GET", "/serverless/analytics", endpoint_id="sandbox/tagger",
        expand=["summary", "request_count"])
    api("GET", "/serverless/requests/by-endpoint", limit=100,
        endpoint_id="sandbox/tagger", expand=["payloads", "billing"])
    api("GET", "/serverless/usage", expand=["summary", "time_series"])
    api("GET", "/serverless/metrics")
    api("POST", "/serverless/logs/history", [
        {"key": "run_source", "value": ["gateway"], "condition_type": "in"}])
    events = api("POST", "/serverless/logs/stream",
                 end="2100-01-01").raw.decode()
    assert [json.loads(line[6:]) for line in events.splitlines()
            if line.startswith("data: ")]
    last = re.findall(r"^id: (\d+)$", events, re.M)[-1]
    rest = api.client("/serverless/logs/stream?end=2100-01-01", method="POST",
                      headers=dict(ADMIN, **{"Last-Event-ID": last}))
    assert (rest.status, rest.raw) == (204, b"")


def ask_files(api):
    api("GET", "/serverless/files/list")
    body, headers = form(b"\x00\xffhello\r\n")
    api("POST", "/serverless/files/file/local/new/a.bin", body,
        headers=headers)
    api("POST", "/serverless/files/file/url/new/b.bin",
        {"url": "https://example.com/b.bin"})
    names = [f["path"] for f in api("GET", "/serverless/files/list/new").json]
    assert names == ["new/a.bin", "new/b.bin"]
    path = "/serverless/files/file/new/a.bin"
    assert api("GET", path).raw == b"\x00\xffhello\r\n"
    part = api("GET", path, headers={"Range": "bytes=2-3"})
    assert (part.status, part.raw) == (206, b"he")
    assert part.headers["Content-Range"] == "bytes 2-3/9"
    tag = part.headers["ETag"]
    for known, status in ((tag, 206), ('"other"', 200)):
        assert api("GET", path, headers={
            "Range": "bytes=2-3", "If-Range": known}).status == status


def ask_storage(api, url):
    rules = {"default": "forbid", "rules": [
        {"user": "sandbox", "decision": "allow"},
        {"user": "nobody-knows", "decision": "allow"}]}
    answer = api("PUT", "/storage/files/acl", rules, url=url).json
    assert answer["rules"] == rules["rules"][:1]
    assert api("GET", "/storage/files/acl", url=url).json == answer
    api("POST", "/storage/files/sign", {"expiration_seconds": 60}, url=url)
    api("PUT", "/storage/settings", {"expiration_duration_seconds": 60,
                                     "initial_acl": {"default": "hide"}})
    assert api("GET", "/storage/settings").json["initial_acl"] == {
        "default": "hide", "rules": []}


def ask_assets(api):
    assets = api("GET", "/assets", limit=3).json["assets"]
    one = assets[0]
    which = {"asset_id": one["asset_id"]}
    for path in ("", "/lineage", "/tags"):
        api("GET", "/assets/%s%s" % (one["asset_id"], path))
    assert api("POST", "/assets/favorite", which).json["is_favorited"]
    assert one["asset_id"] in [a["asset_id"] for a in api(
        "GET", "/assets", section="favorites").json["assets"]]
    assert not api("POST", "/assets/unfavorite", which).json["is_favorited"]
    tag = api("POST", "/assets/tags", {"name": "new"}).json["tag"]["id"]
    api("PATCH", "/assets/tags/" + tag, {"name": "newer"})
    api("POST", "/assets/tags/%s/assign" % tag, which)
    assert api("GET", "/assets", tag_id=tag).json["assets"]
    api("DELETE", "/assets/tags/%s/assign" % tag, which)
    assert not api("GET", "/assets", tag_id=tag).json["assets"]
    api("PUT", "/assets/tags", {"request_id": one["request_id"],
                                "tag_ids": [tag]})
    api("DELETE", "/assets/tags/" + tag)
    assert tag not in [t["id"] for t in api("GET",
                                            "/assets/tags").json["tags"]]
    api("POST", "/assets/uploads", {
        "url": "https://v3.fal.media/files/u/x.png", "type": "image"})
    return one["url"]


def ask_collections(api):
    made = api("POST", "/assets/collections", {"name": "new"}).json
    path = "/assets/collections/" + made["collection"]["id"]
    one = api("GET", "/assets", source="response").json["assets"][0]
    api("GET", "/assets/collections")
    api("PATCH", path, {"description": "new"})
    assert api("GET", path).json["collection"]["description"] == "new"
    for word in ("favorite", "unfavorite"):
        api("POST", path + "/" + word)
    api("POST", path + "/assets", {"request_id": one["request_id"]})
    assert api("GET", path).json["collection"]["asset_count"] == 1
    assert len(api("GET", path + "/assets").json["assets"]) == 1
    api("DELETE", path + "/assets", {"vector_id": one["vector_id"]})
    assert api("GET", path).json["collection"]["asset_count"] == 0
    api("POST", path + "/move", {"parent_collection_id": "c-2"})
    assert [a["id"] for a in api("GET", path + "/hierarchy").json[
        "ancestors"]] == ["c-1", "c-2"]
    api("POST", "/assets/collections/c-1/move",
        {"parent_collection_id": "c-2"}, want=409)
    api("DELETE", path)
    api("GET", path, want=404)


def ask_characters(api):
    made = api("POST", "/assets/characters", {
        "name": "Bob", "description": "a man", "reference_images": ["x"]})
    path = "/assets/characters/" + made.json["character"]["id"]
    api("GET", "/assets/characters", offset=1)
    api("PATCH", path, {"description": "an old man"})
    assert api("GET", path).json["character"]["description"] == "an old man"
    for word in ("favorite", "unfavorite"):
        api("POST", path + "/" + word)
    api("POST", "/assets/characters", {
        "name": "Bob", "description": "a man", "reference_images": ["x"]
    }, want=409)
    api("DELETE", path)
    api("GET", path, want=404)


def ask_account(api):
    made = api("POST", "/compute/instances", {
        "instance_type": "gpu_8x_h100_sxm5", "ssh_key": "k",
        "sector": "sector_2"}).json
    path = "/compute/instances/" + made["id"]
    assert [i["id"] for i in api("GET", "/compute/instances").json[
        "instances"]] == [made["id"]]
    api("GET", path)
    api("DELETE", path)
    api("GET", path, want=404)
    key = api("POST", "/keys", {"alias": "new"}).json
    ours = {"Authorization": "Key " + key["key"]}
    api("GET", "/keys", key=ours, want=403)
    api("GET", "/workflows", key=ours)
    api("GET", "/keys", expand="creator_info")
    api("DELETE", "/keys/" + key["key_id"])
    api("GET", "/workflows", key=ours, want=401)
    api("POST", "/workflows", {"name": "new", "title": "New", "contents": {
        "name": "n", "version": "1", "nodes": {}, "output": {},
        "schema": {"input": {}, "output": {}}}})
    api("GET", "/workflows/sandbox/new")
    api("GET", "/account/billing", expand="credits")
    api("GET", "/account/model-access-controls")
    api("GET", "/organization/teams")
    for path in ("/account/focus", "/organization/focus"):
        lines = api("GET", path, source="estimate").raw.decode().splitlines()
        assert len(lines) > 1


def test_every_operation_answers_as_documented(world):
    world.sandbox(requests=400, span="20h")
    api = Api(world)
    ask_models(api)
    ask_apps(api)
    ask_files(api)
    ask_storage(api, ask_assets(api))
    ask_collections(api)
    ask_characters(api)
    ask_account(api)
    assert len(OPERATIONS) == 82
    assert not sorted(set(OPERATIONS) - api.good)


# ---- what is refused --------------------------------------------------------

PARTS = {"owner": "sandbox", "name": "upscaler", "dir": "models",
         "file": "readme.txt", "target_path": "x", "tag_id": "t-1",
         "collection_id": "c-1", "character_id": "c-4", "id": "i-1",
         "key_id": "none", "asset_id": "none", "username": "sandbox",
         "workflow_name": "portrait",
         "request_id": "018f0000-0000-7000-8000-000000000000"}
GOOD = {"endpoint_id": FLUX, "source": "estimate",
        "url": "https://v3.fal.media/files/sandbox/x.png"}


def path_of(one):
    return re.sub(r"\{(\w+)\}", lambda m: PARTS[m.group(1)], one["path"])


def wrong_values(schema):
    """Text that breaks a parameter's schema, as far as text can."""
    for part in schema.get("anyOf", [schema]):
        of_all = schema.get("anyOf", [schema])
        if "array" in types_of(part):
            part = part["items"]
        if "enum" in part:
            yield "nonsense"
        if "minimum" in part:
            yield str(int(part["minimum"]) - 1)
        if "maximum" in part:
            yield str(int(part["maximum"]) + 1)
        if types_of(part) & {"integer", "number", "boolean"}:
            yield "nonsense"
        if part.get("format") in ("uuid", "uri") or (
                part.get("format") == "date-time" and len(of_all) > 1):
            yield "nonsense"
        if "pattern" in part and len(of_all) == 1:
            yield "no such thing"


def types_of(schema):
    kind = schema.get("type")
    return set(kind if isinstance(kind, list) else [kind])


def wrong_queries(one):
    """Queries, each with one thing wrong, and what it is."""
    params = [p for p in one["parameters"] if p["in"] == "query"]
    good = {p["name"]: GOOD[p["name"]] for p in params if p["required"]}
    for p in params:
        if p["required"]:
            yield p["name"] + " missing", {
                k: v for k, v in good.items() if k != p["name"]}
        for value in wrong_values(p["schema"]):
            yield "%s=%s" % (p["name"], value), dict(good,
                                                     **{p["name"]: value})
        if p["name"] == "cursor":
            yield "cursor", dict(good, cursor="!!")


def bodies(one):
    for kind, schema in one.get("body", {}).items():
        if kind == "application/json":
            yield from schema.get("oneOf", [schema])


def wrong_bodies(one):
    for schema in bodies(one):
        if schema.get("type") != "object":
            yield "object", {"no": "list"}
            continue
        yield "no JSON", b"{"
        yield "a list", [1]
        if schema.get("required"):
            yield "empty", {}
        for name, part in schema["properties"].items():
            if part.get("type"):
                yield name, {name: {"no": ["thing"]}} if part[
                    "type"] != "object" else {name: "nothing"}


def test_what_breaks_the_document_is_refused(world):
    world.sandbox(requests=50, span="20h")
    api, count, taken = Api(world), 0, []
    for one in OPERATIONS.values():
        cases = [(what, query, None) for what, query in wrong_queries(one)]
        query = {p["name"]: GOOD[p["name"]] for p in one["parameters"]
                 if p["in"] == "query" and p["required"]}
        cases += [(what, query, body) for what, body in wrong_bodies(one)]
        body, headers = form(b"") if "multipart/form-data" in one.get(
            "body", {}) else (None, None)
        for what, query, wrong in cases:
            answer = api.ask(one["method"], path_of(one),
                             body if wrong is None else wrong, headers=headers,
                             **query)
            count += 1
            if answer.status != 400:
                taken.append((named(one), what, answer.status))
    assert not taken
    assert count > 150


def test_keys_have_scopes(world):
    world.sandbox(requests=50)
    api = Api(world)
    for one in OPERATIONS.values():
        path = path_of(one)
        anonymous = api.client(path, method=one["method"], headers={})
        if one["path"] in ("/meta", "/models"):
            assert anonymous.status == 200
            continue
        assert anonymous.status == 401, named(one)
        valid(ERROR, anonymous.json, named(one))
        ends = {"end": "2100-01-01"} if path.endswith("/stream") else {}
        answer = api.ask(one["method"], path, key=API, **ends)
        assert (answer.status == 403) == (one["key"] == "admin"), named(one)


def test_a_key_of_a_change_does_it_once(world):
    world.sandbox(requests=50)
    api = Api(world)
    again = {"Idempotency-Key": "k"}
    first = api("POST", "/assets/collections", {"name": "a"}, headers=again)
    assert api("POST", "/assets/collections", {"name": "a"},
               headers=again).json == first.json
    other = api("POST", "/assets/collections", {"name": "a"},
                headers={"Idempotency-Key": "l"})
    assert other.json["collection"]["id"] != first.json["collection"]["id"]
    path = "/assets/collections/" + first.json["collection"]["id"]
    api("DELETE", path, headers=again, want=204)
    api("DELETE", path, headers=again, want=204)
    api("DELETE", path, want=404)


# ---- one world --------------------------------------------------------------

def pages(api, path, name, **query):
    rows, cursor = [], None
    while True:
        page = api("GET", path, **dict(query, **(
            {"cursor": cursor} if cursor else {}))).json
        rows += page[name]
        cursor = page["next_cursor"]
        assert (cursor is not None) == page["has_more"]
        if not cursor:
            return rows


def test_the_counts_agree(world):
    world.sandbox(requests=300, span="20h", anchor="2026-01-31T00:00:00Z")
    api = Api(world)
    span = {"start": "2026-01-30", "end": "2026-01-31T01:00:00Z"}
    rows = pages(api, "/models/requests/by-endpoint", "items", limit=100,
                 endpoint_id=FLUX, **span)
    events = pages(api, "/models/billing-events", "billing_events", limit=30,
                   endpoint_id=FLUX, **span)
    good = {r["request_id"] for r in rows if r["status_code"] == 200}
    assert {e["request_id"] for e in events} == good and len(rows) == 100
    team = pages(api, "/organization/billing-events", "billing_events",
                 limit=30, endpoint_id=FLUX, **span)
    assert {e["request_id"] for e in team} == good
    usage = api("GET", "/models/usage", expand="summary", endpoint_id=FLUX,
                **span).json["summary"][0]
    count = api("GET", "/models/analytics", endpoint_id=FLUX, expand=[
        "summary", "request_count", "success_count"], **span).json["summary"]
    assert usage["quantity"] == count[0]["request_count"] == len(rows)
    assert count[0]["success_count"] == len(good)
    for one in [usage] + events:
        units = one.get("quantity", one.get("output_units"))
        assert one["cost_total"] == pytest.approx(units * one["unit_price"])


def test_the_seconds_of_apps_agree(world):
    world.sandbox(requests=200, span="20h", anchor="2026-01-31T00:00:00Z")
    api = Api(world)
    span = {"start": "2026-01-30", "end": "2026-01-31T01:00:00Z"}
    rows = pages(api, "/serverless/requests/by-endpoint", "items", limit=100,
                 endpoint_id="sandbox/tagger", expand="billing", **span)
    used = api("GET", "/serverless/usage", app="sandbox/tagger",
               expand="summary", **span).json["summary"][0]
    assert used["quantity"] == pytest.approx(
        sum(r["billable_units"] or 0 for r in rows))
    assert used["cost"] == pytest.approx(used["quantity"] * used["unit_price"])
    lines, cursor = [], {}
    while cursor is not None:
        page = api("POST", "/serverless/logs/history", limit=50,
                   app_id="sandbox/tagger", **span, **cursor).json
        lines += page["items"]
        cursor = page["has_more"] and {"cursor": page["next_cursor"]} or None
    assert {line["labels"]["fal_request_id"] for line in lines} == {
        r["request_id"] for r in rows if r["ended_at"]}


def test_marks_and_files_of_the_history(world):
    world.sandbox(requests=400, span="20h", cdn_cache="1h")
    api = Api(world)
    held = api("GET", "/assets/collections/c-1/assets").json["assets"]
    assert api("GET", "/assets/collections/c-1").json["collection"][
        "name"] == "legal-hold" and len(held) == 3
    one = held[0]

    def get(query="", **headers):
        url = world.url[:-len("/v1")] + one["url"].replace(
            "https://v3.fal.media", "/cdn") + query
        try:
            answer = urllib.request.urlopen(urllib.request.Request(
                url, headers=headers), timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, dict(answer.headers), answer.read()

    status, headers, body = get(Range="bytes=0-0")
    assert (status, len(body)) == (206, 1) and headers["x-cache"] == "MISS"
    api("PUT", "/storage/files/acl", {"default": "forbid"}, url=one["url"])
    assert get()[0] == 403
    signed = api("POST", "/storage/files/sign", {"expiration_seconds": 9},
                 url=one["url"]).json["signed_url"]
    assert get("?" + signed.split("?")[1])[0] == 200
    assert get("?" + signed.split("?")[1].replace("expires=", "expires=9"))[
        0] == 403
    api("PUT", "/storage/files/acl", {"default": "hide"}, url=one["url"])
    assert get()[0] == 404
    api("DELETE", "/models/requests/%s/payloads" % one["request_id"])
    status, headers, _ = get()
    assert status == 200 and headers["x-cache"] == "HIT" and "Age" in headers
    assert get("?bust")[0] == 404
    assert len(api("GET", "/assets/collections/c-1/assets").json[
        "assets"]) == 2
    api("GET", "/assets/" + one["asset_id"], want=404)
    assert [c["operation"] for c in world.changes()] == [
        "storage.set_acl", "storage.sign", "storage.set_acl"]
    assert len(world.truths()) == 1


# ---- what falrun sends ------------------------------------------------------

# Of parameters that shut each other out, only one is given.
ALONE = {"image_url", "video_url", "only_api_requests", "request_id",
         "vector_id"}
# Files and streams: falrun call sends them.
STREAMED = {"serverless.files.download", "serverless.logs.stream"}
WORDS = {"expand": "time_series", "billing_month": "2026-01",
         "charge_month": "2026-01", "cursor": "Mg==", "timezone": "UTC",
         "product": "model_apis"}


def sample(name, schema, words):
    """A good value of a schema; of text, the one that is known by name."""
    for part in schema.get("anyOf", schema.get("oneOf", [schema])):
        types = types_of(part)
        if "enum" in part:              # one says true as text
            return {"true": True}.get(part["enum"][0], part["enum"][0])
        if part.get("format") == "date-time":
            return {"start": "2026-01-30T00:00:00Z"}.get(
                name, "2026-01-31T00:00:00Z")
        if part.get("format") == "uri":
            return GOOD["url"]
        if "object" in types:
            return {key: sample(key, of, {}) for key, of in
                    part.get("properties", {}).items() if key not in ALONE}
        if "array" in types:
            return [sample(name, part.get("items", {}), words)]
        if "boolean" in types:
            return True
        if types & {"integer", "number"}:
            return max(1, part.get("minimum", 1))
        return words.get(name, WORDS.get(name, "sample"))


def arguments_of(one):
    words = dict(PARTS, endpoint_id=FLUX)
    if one["path"].endswith("/by-endpoint"):
        words["expand"] = "payloads"
    elif one["path"] in EXPANDS:
        words["expand"] = EXPANDS[one["path"]]
    given = {p["name"]: sample(p["name"], p["schema"], words)
             for p in one["parameters"] if p["in"] != "header"
             and (p["name"] not in ALONE or p["in"] == "path")}
    if "expand" in given and "analytics" in one["path"]:
        given["expand"] = ["summary", "request_count"]
    for schema in list(bodies(one))[:1]:
        if schema["type"] == "array":
            given["filters"] = [sample("", schema["items"], {})]
        else:
            given.update(sample("", schema, {}))
    if one["path"] == "/models/pricing/estimate":
        given["endpoints"] = {FLUX: {"call_quantity": 2}}
    for schema in one.get("body", {}).get("multipart/form-data", {}).get(
            "properties", {}):
        given[schema] = "a-file"
    given.pop("unzip", None)            # the sandbox unpacks nothing
    return given


CONTENT = b"a line\n--falrun-\r\n"
EXPANDS = {"/models": "enterprise_status", "/keys": "creator_info",
           "/account/billing": "credits", "/account/focus": "organization",
           "/serverless/apps": "endpoints",
           "/models/billing-events": "auth_method",
           "/organization/billing-events": "auth_method"}

EVERY = """
for _, call in ipairs(json.decode(CALLS)) do
  local f = fal
  for part in call.name:gmatch "[^.]+" do
    f = f[part]
  end
  local fine, err = pcall(f, call.given)
  if not fine and tostring(err):find("bad argument", 1, true) then
    print(call.name .. ": " .. tostring(err))
  end
end
fal.delete_payloads "%s"
"""


def typed(schema, values):
    """What the texts of one parameter can mean, as its schema sees them."""
    yield values
    for text in values[:1] if len(values) == 1 else []:
        yield text
        yield {"true": True, "false": False}.get(text, text)
        if re.fullmatch(r"-?\d+(\.\d+)?", text):
            yield json.loads(text)


def check_query(one, query):
    known = {p["name"]: p["schema"] for p in one["parameters"]
             if p["in"] == "query"}
    given = {}
    for name, value in query:
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        assert name in known, "%s: there is no %s" % (named(one), name)
        checker = Draft202012Validator(known[name], format_checker=formats)
        assert any(checker.is_valid(v) for v in typed(known[name], values)), (
            named(one), name, values)
    for p in one["parameters"]:
        if p["in"] == "query" and p["required"]:
            assert p["name"] in given, (named(one), p["name"])


def check_form(schema, line):
    """A form, as an independent reader sees it."""
    message = email.message_from_bytes(("Content-Type: %s\r\n\r\n%s" % (
        line["content_type"], line["body"])).encode())
    assert message.get_content_type() == "multipart/form-data"
    assert not message.defects
    parts = {part.get_param("name", header="content-disposition"):
             part.get_payload(decode=True) for part in message.get_payload()}
    valid(schema, {name: content.decode() for name, content in parts.items()},
          "the form")
    assert parts == {"file_upload": CONTENT}


def check_request(line):
    """A request that falrun sent, against the operation it is for."""
    path = line["path"][len("/v1"):]
    one = operation_of(line["method"], path)
    check_query(one, line["query"])
    for name, value in re.match(pattern(one), path).groupdict().items():
        schema = [p["schema"] for p in one["parameters"]
                  if p["in"] == "path" and p["name"] == name][0]
        valid(schema, urllib.parse.unquote(value), named(one))
    headers = {p["name"] for p in one["parameters"] if p["in"] == "header"}
    if line.get("idempotency_key"):
        assert "Idempotency-Key" in headers, named(one)
    elif headers:
        raise AssertionError("%s went without its key" % named(one))
    form = one.get("body", {}).get("multipart/form-data")
    schema = one.get("body", {}).get("application/json")
    if form:
        check_form(form, line)
    elif schema and (line["body"] or one["body_required"]):
        assert line["content_type"] == "application/json", named(one)
        valid(schema, json.loads(line["body"]), named(one))
    else:
        assert not line["body"], (named(one), line["body"])
    return one["method"], one["path"]


def test_what_falrun_sends_is_as_documented(world):
    record = world.folder / "record.jsonl"
    world.sandbox(requests=50, span="20h", record=record)
    rows = world.run("call", "--list", "--json", check=0, key=False).json
    calls = [{"name": row["name"], "given": arguments_of(
        OPERATIONS[row["method"], row["path"]])} for row in rows
        if row["name"] not in STREAMED and "payloads" not in row["path"]]
    id = world.expired("0s", FLUX)[0]
    (world.folder / "a-file").write_bytes(CONTENT)
    text = "local CALLS = [==[%s]==]\n" % json.dumps(calls) + EVERY % id
    done = world.lua(text, "--yes", "--min-age", "0s")
    assert not done.out, done
    world.run("call", "serverless.files.download", "file=readme.txt",
              "--output", "saved", check=0)
    given = arguments_of(OPERATIONS["POST", "/serverless/logs/stream"])
    world.run("call", "serverless.logs.stream", *(
        "%s:=%s" % pair for pair in zip(given, map(json.dumps,
                                                   given.values()))), check=0)
    sent = {check_request(json.loads(line))
            for line in record.read_text().splitlines()}
    assert not set(OPERATIONS) - sent, done


def test_faults_strike_changes_by_their_own_count(world):
    world.sandbox(requests=50, faults="500@change=#1,drop-after@change=#2")
    api = Api(world)
    api("GET", "/assets/tags")
    api("POST", "/assets/tags", {"name": "a"}, want=500)
    lost = api.client("/assets/tags", method="POST", headers=ADMIN,
                      body=json.dumps({"name": "b"}))
    assert lost.status is None          # it was done, and nobody answered
    assert [t["name"] for t in api("GET", "/assets/tags").json["tags"]] == [
        "keep", "b"]


def test_an_access_list_can_be_ignored_by_the_cdn(world):
    world.sandbox(requests=50, cdn_acl="ignore")
    api = Api(world)
    url = api("GET", "/assets", limit=1).json["assets"][0]["url"]
    api("PUT", "/storage/files/acl", {"default": "hide"}, url=url)
    link = url.replace("https://v3.fal.media", world.url[:-3] + "/cdn")
    with urllib.request.urlopen(link, timeout=20) as answer:
        assert answer.status == 200
    for option in ("--cdn-acl", "--cdn-cache"):
        done = world.run("sandbox", option, "nonsense", check=2)
        assert option in done.err
