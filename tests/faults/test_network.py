"""Every kind of fault of kinds.py, on the way of a list or of a deletion: at
the first, a middle and the last of them, at a repeat; before or after the
deletion had its effect; once or for good.

    12 requests, 3 pages of a list, 12 deletions; one of these is harmed

What must hold: the fault is taken for what it is, in the record and in the
exit code; an effect is never lost from the ledger (on record, or open), and
nothing counts as deleted that was not answered so; a failed list deletes
nothing; it ends in bounded time, and the next run finishes the work."""
import functools
import itertools
import re
import socket
import ssl
import struct
import threading
import time

import pytest

from kinds import KINDS, STALLS, Play
from test_tls import certificates
from wire import (CALM, FULL, ONE, POLICY, Answer, Bench, Sweep, Truth, agree,
                  compiled, conftest, record, sampled)

PLACES = ("first", "middle", "last", "retry")
TRANSIENT = {"timeout", "connect", "dropped", "protocol", "server_error",
             "rate_limited"}
AT_DELETE = {"first": 1, "middle": 6, "last": 12, "retry": 6}
AT_PAGE = {"first": 0, "middle": 4, "last": 8, "retry": 4}
SAMPLE = 48
SECONDS = 45


def all_cases():
    for name, place, lasts in itertools.product(
            KINDS, PLACES, ("once", "lasting")):
        yield ":".join((name, "list", place, "before", lasts))
        effect = KINDS[name].effect
        if effect == "list":
            continue
        for when in ("before", "after"):
            if effect == "both" or (effect == "done") == (when == "after"):
                yield ":".join((name, "delete", place, when, lasts))


class Harmful(Truth):
    """Harms one page, or the deletion of one id: which is known when it
    comes."""

    def __init__(self, rows, case):
        (self.name, self.what, self.place, self.when,
         self.lasts) = case.split(":")
        self.kind = KINDS[self.name]
        self.struck, self.tries, self.victim, self.came = 0, 0, None, []
        super().__init__(rows, **{self.what: self.harm})

    def is_it(self, request):
        if self.what == "list":
            cursor = int(request.query.get("cursor", ["0"])[0])
            return cursor == AT_PAGE[self.place]
        with self.lock:
            if request.id not in self.came:
                self.came.append(request.id)
                if len(self.came) == AT_DELETE[self.place]:
                    self.victim = request.id
        return request.id == self.victim

    def harm(self, request):
        if not self.is_it(request):
            return None
        self.tries += 1
        if self.place == "retry" and self.tries == 1:
            return Answer(503, b"")
        if self.struck and self.lasts == "once":
            return None
        self.struck += 1
        return self.kind.make(self.body(request))

    def body(self, request):
        if self.what == "list":
            return self._list(request).body
        if self.when == "after":
            said = "sent" if self.kind.effect == "done" else "lost"
            return self.honest(request, said).body
        return b'{"cdn_delete_results":[]}'

    def _send(self, client, answer, rest):
        if not isinstance(answer, Play):
            return super()._send(client, answer, rest)
        answer.act(client, self)
        return rest if answer.keep else None


class Wired(Bench):
    def __init__(self, folder, library):
        super().__init__(folder, serve=Harmful)
        self.library = library
        self.path = self.policy(POLICY)

    def hurried(self, *words, times):
        began = time.monotonic()
        self.program = conftest.PROGRAM
        done = self.run(*words, timeout=90, env={
            "LD_PRELOAD": self.library, "FALRUN_HURRY": times,
            "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99"})
        self.program = CALM
        assert time.monotonic() - began < SECONDS, done
        return done


# ---- what must be seen --------------------------------------------------------

SENTENCES = {
    "timeout": "no answer from fal: ", "connect": "no answer from fal: ",
    "dropped": "no answer from fal: ",
    "protocol": "cannot be used|fal answered|not what the API documents",
    "too_big": "cannot be used", "server_error": r"fal answered \d+",
    "rate_limited": "fal answered 429", "auth": r"fal answered 40[13]",
    "bad_request": r"fal answered 4\d\d", "redirect": r"fal answered 3\d\d",
    "gives-up": "the API is unavailable: fal answered 429",
    "page": "not what the API documents"}


# What is valid JSON, but no page: Lua sees it, and it is not asked for again.
NO_PAGE = {"200-error"}


def list_code(says, lasts):
    if says == "ok" or (says in TRANSIENT and lasts == "once"):
        return 0
    return {"auth": 5, "gives-up": 7}.get(says, 7 if says in TRANSIENT else 1)


def check_list(bench, done, seen, lasts):
    codes = {list_code(one, lasts) for one in seen}
    if bench.server.name in NO_PAGE:
        codes = {1}
    if seen == ["page"] and lasts == "once":
        codes = {0, 1}          # of an odd row the page is asked for again
    assert done.code in codes, "exit codes %s: %s" % (codes, done)
    if done.code == 0:
        assert len(bench.effects()) == len(bench.ids)
        return
    assert not bench.server.deletes, "a failed list was taken for a short one"
    assert any(re.search(SENTENCES[one], done.err) for one in seen
               if one != "ok"), done


def in_doubt(says, server):
    """It left, and no answer says that nothing was done."""
    if says == "server_error":
        return server.kind.effect == "both"
    return says in TRANSIENT | {"too_big"} and says != "rate_limited"


def check_delete(bench, done, seen, lasts):
    server = bench.server
    outcome, loss = record(bench, server.victim)
    succeeds = [one for one in seen if one == "ok"
                or (one in TRANSIENT and lasts == "once")]
    if succeeds and outcome.get("state") == "deleted":
        assert done.code == 0, done
        check_success(server, outcome, seen)
        return
    failing = [one for one in seen if one not in succeeds]
    assert failing, "%s: %s %s" % (done, outcome, loss)
    check_failure(server, done, outcome, loss, failing)


def check_success(server, outcome, seen):
    at_first = server.place != "retry"
    if seen == ["ok"]:
        assert outcome["attempts"] == (1 if at_first else 2), outcome
        return
    assert outcome["attempts"] >= (2 if at_first else 3) or "ok" in seen
    lost = all(in_doubt(one, server) and one != "server_error"
               for one in seen)
    if lost:
        assert outcome["evidence"] in ("replayed", "inferred"), outcome
    if lost and server.when == "after" and at_first:
        assert outcome["evidence"] == "replayed", outcome


def check_failure(server, done, outcome, loss, failing):
    codes = {{"auth": 5, "gives-up": 7}.get(one, 3) for one in failing}
    assert done.code in codes, "exit codes %s: %s" % (codes, done)
    if any(in_doubt(one, server) for one in failing):
        assert not outcome, "it may have happened, and is %s" % outcome
        assert loss["kind"] in failing, loss
        return
    kinds = {"gives-up": "rate_limited"}
    assert outcome["kind"] in [kinds.get(one, one) for one in failing], outcome
    assert outcome["state"] == (
        "refused" if failing == ["auth"] else "failed"), outcome


def strike(bench, case):
    name = case.split(":")[0]
    seen = KINDS[name].says.split(",")
    bench.serve = functools.partial(Harmful, case=case)
    server = bench.fresh(12, seed="network")
    done = bench.hurried(bench.path, "--no-input", "--quiet",
                         times=20 if name in STALLS else 5)
    agree(bench, open_allowed=True)
    check = check_list if server.what == "list" else check_delete
    check(bench, done, seen, server.lasts)
    assert not server.overlaps, "two requests for one id"
    server.script.clear()
    bench.whole(bench.path)
    return server.struck, "%s %s" % (server.what, done.code)


def test_there_are_enough_cases():
    cases = list(all_cases())
    assert len(KINDS) >= 60 and len(cases) >= 1200
    assert sum(name.startswith("429-") for name in KINDS) >= 14


SHARDS = 8 if FULL else 2


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_fault_of_the_network(tmp_path, shard):
    library = str(compiled(tmp_path, "hurry"))
    cases = sampled(list(all_cases()), SAMPLE, "network")[shard::SHARDS]
    Sweep("network %d" % shard, tmp_path,
          lambda folder: Wired(folder, library), strike).run(cases, least=1)


# ---- nobody listens ---------------------------------------------------------------

class Gone(Harmful):
    """Where it would harm, it is gone: the listener and all connections."""

    def harm(self, request):
        if self.struck or not self.is_it(request):
            return None
        self.struck += 1
        if self.when == "after":
            self.honest(request, "lost")
        self.pause()
        return Answer(drop="before")

    def pause(self):
        for one in [self.socket] + list(self.open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.socket.close()
        # The port stays taken, or another test's server might get it.
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", self.port))

    def resume(self):
        self.socket.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()


def vanish(bench, case):
    bench.serve = functools.partial(Gone, case=case)
    server = bench.fresh(12, seed="gone")
    done = bench.hurried(bench.path, "--no-input", "--quiet", times=5)
    assert done.code in (3, 7), done
    assert server.what == "delete" or not server.deletes
    agree(bench, open_allowed=True)
    server.resume()
    bench.whole(bench.path)
    return server.struck, "%s %s" % (server.what, done.code)


def test_nobody_listens_any_more(tmp_path):
    library = str(compiled(tmp_path, "hurry"))
    cases = ["black-hole:%s:%s:%s:lasting" % (what, place, when)
             for what in ("list", "delete")
             for place in ("first", "middle", "last")
             for when in (("before",) if what == "list"
                          else ("before", "after"))]
    if ONE and ONE not in cases:
        pytest.skip("another position is asked for")
    Sweep("refused", tmp_path, lambda folder: Wired(folder, library),
          vanish).run(sampled(cases, 4, "gone", str), least=1)


# ---- TLS ------------------------------------------------------------------------------

TLS = ("expired", "other-name", "other-ca", "old", "plain", "closed", "reset",
       "garbage", "stalled", "closed-after-hello")


class Secured(Truth):
    """Speaks TLS as it should; from `place` on new connections get what the
    case says."""

    def __init__(self, rows, case, folder):
        self.name, self.place = case.split(":")[1:3]
        self.struck, self.folder, self.bad = 0, folder, self.place == "list"
        self.good = context(folder / "good")
        super().__init__(rows)
        self.url = "https://localhost:%d/v1" % self.port

    def _serve(self, client):
        if not self.bad:
            return self._speak(client, self.good)
        self.struck += 1
        if self.name in ("expired", "other-name", "other-ca", "old"):
            return self._speak(client, context(self.folder / self.name,
                                               self.name == "old"))
        return self._spoil(client)

    def _speak(self, client, how):
        try:
            super()._serve(how.wrap_socket(client, server_side=True))
        except OSError:
            client.close()

    def _spoil(self, client):
        with client:
            client.settimeout(5)
            if self.name in ("garbage", "plain", "closed-after-hello"):
                client.recv(4096)
            if self.name == "plain":
                client.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")
            elif self.name == "garbage":
                client.sendall(b"\x16\x03\x03\xff\xff" + b"\0" * 300)
            elif self.name == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
            elif self.name == "stalled":
                while not self.over and client.recv(4096):
                    pass

    def _list(self, request):
        """After the last page the connections end, and the next is bad."""
        answer = super()._list(request)
        if self.place == "delete" and b'"has_more": false' in answer.body:
            self.bad = True
            answer.headers.append(("Connection", "close"))
            answer.length = len(answer.body)
        return answer


def context(folder, old=False):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "server.pem", folder / "server.key")
    if old:
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


def authorities(folder):
    """A good certificate, and what is wrong with the others."""
    for name, host, days in (("good", "localhost", 2),
                             ("old", "localhost", 2),
                             ("expired", "localhost", -1),
                             ("other-name", "example.com", 2),
                             ("other-ca", "localhost", 2)):
        (folder / name).mkdir()
        certificates(folder / name, host, days)
    bundle = b"".join((folder / name / "ca.pem").read_bytes()
                      for name in ("good", "old", "expired", "other-name"))
    (folder / "ca.pem").write_bytes(bundle)


def shake(bench, case, folder):
    bench.serve = functools.partial(Secured, case=case, folder=folder)
    server = bench.fresh(12, seed="tls")
    words = [bench.path, "--no-input", "--ca-file", str(folder / "ca.pem")]
    done = bench.hurried(*words, "--quiet",
                         times=20 if "stalled" in case else 5)
    assert done.code == 7, done
    assert not server.deletes, "it spoke to whom it should not"
    if server.place == "list":
        assert not server.requests, "it spoke to whom it should not"
    else:
        agree(bench, open_allowed=False)
    server.bad, server.place = False, None
    bench.whole(*words)
    return server.struck, "%s %s" % (case.split(":")[2], done.code)


def test_tls_that_fails(tmp_path):
    library = str(compiled(tmp_path, "hurry"))
    folder = tmp_path / "certificates"
    folder.mkdir()
    authorities(folder)
    cases = ["tls:%s:%s" % (name, place) for name in TLS
             for place in ("list", "delete")]
    if ONE and ONE not in cases:
        pytest.skip("another position is asked for")
    Sweep("tls", tmp_path, lambda place: Wired(place, library),
          functools.partial(shake, folder=folder)).run(
              sampled(cases, 6, "tls", str), least=1)
