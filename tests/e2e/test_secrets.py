"""The key appears in no output and goes to no host but the origin. Every
test of the suite looks for it; these try hard to bring it out."""
import os
import resource
import signal
import time

import pytest

from conftest import OLDER
from hostile import Answer, Server, error, row, uuid4


def echo(request, status=400):
    auth = request.headers.get("authorization", "none")
    return Answer(status, {"error": {
        "type": auth, "message": "bad key %s" % auth,
        "request_id": auth, "docs_url": "https://x/" + auth}},
        headers=[("x-fal-request-id", auth), ("X-Echo", auth),
                 ("Retry-After", auth), ("x-ratelimit-reset", auth)])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500])
def test_an_answer_that_echoes_the_key(world, rng, status):
    server = world.fal(delete=lambda r: echo(r, status))
    id = uuid4(rng)
    done = world.lua("""
        local r, err = fal.delete_payloads(arg[1], { retries = 1 })
        print(tostring(err))
        for k, v in pairs(err) do print(k, v) end
        log.warn("it", err)
        local ok, text = pcall(json.encode, err)
        print(text)
        error(err)
    """, id, "-v")
    assert done.code in (1, 5)
    assert world.key in server.deletes[0].headers["authorization"]
    world.run("explain", id, "--json", check=0)
    world.run("show", "last", check=0)


def test_links_and_exceptions_that_echo_the_key(world, rng):
    def handle(request):
        auth = request.headers["authorization"]
        secret = auth.partition(":")[2]
        return Answer(200, {"cdn_delete_results": [
            {"link": "https://v3.fal.media/" + auth, "exception": auth},
            {"link": "https://v3.fal.media/" + secret, "exception": None},
            {"link": secret, "exception": secret},
            {"link": "https://x/?k=" + secret[:20] + "%20" + secret[20:],
             "exception": "".join("\\u%04x" % ord(c) for c in secret)}]})
    world.fal(delete=handle)
    id = uuid4(rng)
    world.run("delete", "--json", "-v", id, check=3)
    world.run("delete", "-v", uuid4(rng), check=3)
    world.run("show", "last", "--json", check=0)
    world.run("explain", id, check=0)


def test_json_escapes_hide_no_key(world, rng):
    """The body spells the key as \\u escapes: the decoded text is scrubbed
    as well."""
    def handle(request):
        auth = request.headers["authorization"]
        text = "".join("\\u%04x" % ord(c) for c in auth)
        return Answer(400, '{"error":{"message":"no %s"}}' % text)
    world.fal(delete=handle)
    world.run("delete", "--json", "-v", uuid4(rng), check=3)


def test_json_escapes_in_links(world, rng):
    def handle(request):
        auth = request.headers["authorization"]
        text = "".join("\\u%04x" % ord(c) for c in auth)
        return Answer(200, '{"cdn_delete_results":[{"link":"https://x/%s",'
                      '"exception":"%s"}]}' % (text, text))
    world.fal(delete=handle)
    id = uuid4(rng)
    world.run("delete", "--json", "-v", id, check=3)
    world.run("explain", id, check=0)


def test_a_listing_that_echoes_the_key(world, rng):
    def handle(request):
        auth = request.headers["authorization"]
        return Answer(200, {"items": [row(uuid4(rng), endpoint=auth)],
                            "has_more": True, "next_cursor": auth})
    world.fal(list=handle)
    world.lua("""
        for r in fal.requests { endpoint_id = "a/b" } do
          print(json.encode(r))
        end
    """, "-v")
    world.run("requests", "--endpoint", "a/b", "--json")


def test_rows_that_carry_the_key(world, rng):
    def handle(request):
        auth = request.headers["authorization"]
        escaped = "".join("\\u%04x" % ord(c) for c in auth)
        body = ('{"items":[{"request_id":"%s","endpoint_id":"a/b",'
                '"sent_at":"%s","started_at":"%s","ended_at":'
                '"2024-01-01T00:00:00Z","status_code":200}],'
                '"has_more":false,"next_cursor":null}')
        return Answer(200, body % (uuid4(rng), auth, escaped))
    world.fal(list=handle)
    world.run("requests", "--endpoint", "a/b", "--json")
    world.lua("""
        for r in fal.requests { endpoint_id = "a/b" } do
          print(json.encode(r), r.sent_at, r.started_at)
        end
    """, "-v")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(world, rng, status):
    with Server(lambda r: Answer(200, {"cdn_delete_results": []})) as other:
        to = ("Location", other.url + "/steal")
        server = world.fal([row(uuid4(rng))], delete=lambda r: Answer(
            status, headers=[to]))
        world.run(OLDER, check=3)
        assert len(server.deletes) == 1
        server.script["list"] = lambda r: Answer(status, headers=[to])
        world.run(OLDER)
        time.sleep(0.1)
        assert not other.requests


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy",
                                  "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_proxies_of_the_environment_are_not_used(world, rng, name):
    with Server(lambda r: error(502)) as proxy:
        server = world.fal([row(uuid4(rng))])
        world.run(OLDER, env={name: proxy.origin, "no_proxy": ""}, check=0)
        assert server.deletes and not proxy.requests


def test_a_proxy_that_is_asked_for_is_used(world, rng):
    with Server(lambda r: error(502)) as proxy:
        server = world.fal([row(uuid4(rng))])
        world.run(OLDER, "--proxy", proxy.origin, timeout=60)
        assert proxy.requests and not server.requests


def test_netrc_and_curlrc_are_not_read(world, rng):
    server = world.fal([row(uuid4(rng))])
    for name in (".netrc", "_netrc"):
        (world.home / name).write_text(
            "machine 127.0.0.1 login thief password hunter2\n"
            "default login thief password hunter2\n")
        (world.home / name).chmod(0o600)
    (world.home / ".curlrc").write_text("header = X-Evil: yes\n")
    world.run(OLDER, env={"NETRC": world.home / ".netrc",
                          "CURL_HOME": world.home}, check=0)
    for request in server.requests:
        auth = request.headers.get("authorization")
        assert auth in (None, "Key " + world.key), auth
        assert "x-evil" not in request.headers


def test_cookies_are_not_kept(world, rng):
    server = world.fal([row(uuid4(rng)) for _ in range(3)],
                       delete=lambda r: Answer(
                           200, {"cdn_delete_results": []},
                           headers=[("Set-Cookie", "a=b; Path=/")]))
    world.run(OLDER, "--concurrency", "1", check=0)
    assert not [r for r in server.requests if "cookie" in r.headers]


def test_lua_never_sees_a_key(world):
    world.fal()
    done = world.lua("""
        for _, name in ipairs { "FAL_KEY", "FAL_ADMIN_KEY", "FAL_KEY_SECRET",
                                "FAL_KEY_ID", "FAL_KEY_FILE" } do
          assert(not (os.getenv(name) or ""):find("%x%x%x%x%x%x%x%x"), name)
        end
        assert(os.getenv "HOME")
        local seen = {}
        local function walk(value, depth)
          if type(value) == "string" then print(value) end
          if type(value) ~= "table" or seen[value] or depth > 6 then
            return
          end
          seen[value] = true
          for k, v in next, value do walk(k, depth + 1) walk(v, depth + 1) end
          walk(getmetatable(value), depth + 1)
        end
        for _, name in ipairs { "fal", "log", "json", "arg", "string",
                                "os", "table", "math" } do
          walk(_ENV[name], 0)
        end
    """, env={"FAL_KEY": world.key}, check=0)
    assert world.secret not in done.out


def test_the_environment_of_the_process_holds_no_key(world, rng):
    server = world.fal(delete=lambda r: Answer(drop="before", stall=1.5))
    run = world.start("delete", uuid4(rng))
    run.until(lambda: server.deletes)
    for name in ("environ", "cmdline"):
        with open("/proc/%d/%s" % (run.pid, name), "rb") as file:
            assert not world.leaks(file.read()), name
    run.process.kill()
    run.process.wait()


def test_a_crash_leaves_no_core_with_the_key(world, rng):
    server = world.fal(delete=lambda r: Answer(drop="before", stall=5))
    most = resource.RLIM_INFINITY
    run = world.start("delete", uuid4(rng), limits={
        resource.RLIMIT_CORE: (most, most)}, env={
            "ASAN_OPTIONS": "disable_coredump=0:handle_segv=0"})
    run.until(lambda: server.deletes)
    run.signal(signal.SIGSEGV)
    run.process.wait(20)
    assert run.process.returncode == -signal.SIGSEGV
    cores = list(world.folder.glob("core*"))
    try:
        world.scan()
    finally:
        for core in cores:
            core.unlink()


def test_no_option_takes_a_key(world):
    text = world.run("--help", check=0).out
    assert "--key" not in text
    for option in ("--key", "--fal-key", "--api-key", "--admin-key"):
        world.run(OLDER, option, "a:b", check=2)


def test_a_key_put_into_the_wrong_variable_is_not_shown(world):
    world.fal()
    for name in ("FAL_KEY_FILE", "FAL_ADMIN_KEY_FILE", "FAL_KEY_ID"):
        done = world.run(OLDER, key=False, env={name: world.key}, check=2)
        assert name in done.err


def test_a_key_put_on_the_line_is_not_kept(world):
    """It is on the line already, but the record need not repeat it."""
    server = world.fal()
    user = "https://user:%s@api.fal.ai/v1" % world.secret
    world.run(OLDER, env={"FALRUN_API_URL": user}, check=2)
    world.run(OLDER, "--api-url", user, check=2)
    assert not server.requests


def test_key_files(world, rng):
    server = world.fal(delete=None)
    path = world.folder / "key"
    world.own.add(path)
    path.write_text(world.key + "\n")
    for mode, code in ((0o600, 0), (0o400, 0), (0o640, 2), (0o604, 2),
                       (0o644, 2), (0o620, 2), (0o666, 2)):
        path.chmod(mode)
        done = world.run("delete", uuid4(rng), key=False,
                         env={"FAL_ADMIN_KEY_FILE": path}, check=code)
        assert code == 0 or ("chmod 600" in done.err
                             and str(path) in done.err)
    assert len(server.deletes) == 2
    folder = world.folder / "credentials"
    folder.mkdir()
    file = folder / "fal_admin_key"
    world.own.add(file)
    file.write_text(world.key)
    file.chmod(0o600)
    world.run("delete", uuid4(rng), key=False,
              env={"CREDENTIALS_DIRECTORY": folder}, check=0)
    assert server.deletes[-1].headers["authorization"] == "Key " + world.key


@pytest.mark.parametrize("key", [
    "nocolon", ":secret", "id:", "id:se cret", "id:sec\nret", "i\u00e9:x",
    "id:" + "x" * 100000, " ", "id:x\r\nX-Evil: 1"])
def test_malformed_keys(world, rng, key):
    server = world.fal()
    done = world.run("delete", uuid4(rng), key=False,
                     env={"FAL_ADMIN_KEY": key}, check=2)
    assert "FAL_ADMIN_KEY" in done.err and not server.requests
    assert len(done.err.splitlines()) == 1
    path = world.folder / "key"
    path.write_text(key)
    path.chmod(0o600)
    done = world.run("delete", uuid4(rng), key=False,
                     env={"FAL_KEY_FILE": path}, check=2)
    assert not server.requests


def test_key_file_that_is_no_file(world, rng):
    server = world.fal()
    fifo = world.folder / "fifo"
    os.mkfifo(fifo)
    world.own.add(fifo)
    for path in (fifo, world.folder, world.folder / "absent", "/dev/zero"):
        done = world.run("delete", uuid4(rng), key=False, timeout=10,
                         env={"FAL_KEY_FILE": path}, check=2)
        assert str(path) in done.err
    assert not server.requests


def test_no_key(world, rng):
    server = world.fal([row(uuid4(rng))])
    for words in ([OLDER], ["delete", uuid4(rng)], ["plan", OLDER],
                  ["requests", "--endpoint", "a/b"]):
        done = world.run(*words, key=False, check=2)
        assert "FAL_KEY" in done.err
    assert not [r for r in server.requests if r.path != "/v1/meta"]


def test_key_precedence(world, rng):
    server = world.fal([row(uuid4(rng))])
    world.run("delete", uuid4(rng), env={"FAL_KEY": "api-low:aaaa"}, check=0)
    assert server.deletes[-1].headers["authorization"] == "Key " + world.key
    world.run("delete", uuid4(rng), key=False, check=0, env={
        "FAL_KEY": "one:aaaa", "FAL_KEY_ID": "two",
        "FAL_KEY_SECRET": "bbbb"})
    assert server.deletes[-1].headers["authorization"] == "Key one:aaaa"
    world.run("delete", uuid4(rng), key=False, check=0, env={
        "FAL_KEY_ID": "two", "FAL_KEY_SECRET": "bbbb"})
    assert server.deletes[-1].headers["authorization"] == "Key two:bbbb"
