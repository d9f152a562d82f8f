"""falrun doctor: what stands in the way of a run, and what to do about it."""

import os
import sqlite3
import stat

from conftest import OLDER
from hostile import Answer, Server, error

WELL = {"keys", "API", "clock", "ADMIN key", "API key", "storage", "ledger",
        "open work", "lock", "disk", "runs", "config"}


class Account(Server):
    """An account that refuses what it is told to, and whose clock is off."""

    def __init__(self, refuse=(), skew=True):
        self.refuse, self.skew = refuse, skew
        super().__init__(self._handle)

    def _handle(self, request):
        for path, status in self.refuse:
            if path in request.path:
                return error(status, "no such key", "authorization_error")
        bodies = {"/v1/meta": {"webhook_ip_ranges": []},
                  "/v1/account/billing": {"username": "acme\x1b[31m"},
                  "/v1/models/requests/search": {
                      "results": [], "has_more": False, "next_cursor": None},
                  "/v1/storage/settings": {
                      "expiration_duration_seconds": 86400,
                      "initial_acl": {"default": "hide", "rules": []}}}
        return Answer(200, bodies[request.path], date=self.skew)


def serve(world, **how):
    server = Account(**how)
    world.servers.append(server)
    world.url = server.url
    return server


def findings(done):
    return {one["check"]: one for one in done.json["checks"]}


def states(done):
    return {name: one["state"] for name, one in findings(done).items()}


def test_all_is_well(world):
    server = serve(world)
    done = world.run("doctor", "--json", check=0)
    assert done.json["ok"] and set(findings(done)) == WELL
    assert states(done)["API"] == "ok"
    assert not [r for r in server.requests if r.method != "GET"]
    shown = world.run("doctor", check=0)
    assert "account acme?[31m" in shown.out and "\x1b" not in shown.out
    assert "new files expire after 1d, and not everyone" in shown.out
    assert "nothing stands in the way" in shown.err
    assert world.run("doctor", "--quiet", check=0).err == ""
    assert not world.ledger.exists()


def test_against_the_sandbox(world):
    done = world.run("doctor", "--sandbox", "--json", key=False, check=0)
    assert set(states(done).values()) <= {"ok", "skipped"}


def test_no_key_is_configuration(world):
    serve(world)
    done = world.run("doctor", "--json", key=False, check=2)
    assert states(done)["keys"] == "failed"
    assert states(done)["API"] == "ok"          # it needs none
    assert "FAL_ADMIN_KEY_FILE" in findings(done)["keys"]["advice"]


def test_a_key_file_that_others_can_read(world):
    serve(world)
    path = world.folder / "key"
    path.write_text(world.key)
    world.own.add(path)
    path.chmod(0o644)
    done = world.run("doctor", key=False, check=2,
                     env={"FAL_ADMIN_KEY_FILE": path})
    assert "chmod 600" in done.out and "FAIL  keys" in done.out
    path.chmod(0o600)
    world.run("doctor", key=False, check=0, env={"FAL_ADMIN_KEY_FILE": path})


def test_a_key_without_admin_scope(world):
    server = serve(world, refuse=[("/account/", 403)])
    done = world.run("doctor", "--json", check=5)
    assert states(done)["ADMIN key"] == "failed"
    assert states(done)["API key"] == "ok"      # it goes on after a refusal
    assert states(done)["storage"] == "ok"
    assert "HTTP 403" in findings(done)["ADMIN key"]["message"]
    assert len(server.of("GET", "/search")) == 1


def test_a_key_that_nobody_knows(world):
    serve(world, refuse=[("/account/", 401), ("/search", 401),
                         ("/storage/", 401)])
    done = world.run("doctor", "--json", check=5)
    assert states(done)["ADMIN key"] == states(done)["API key"] == "failed"
    assert states(done)["storage"] == "skipped"


def test_the_clock(world):
    serve(world, skew=3600)
    done = world.run("doctor", "--json", check=4)
    assert states(done)["clock"] == "failed"
    assert "behind" in findings(done)["clock"]["message"]
    world.servers.pop().close()
    serve(world, skew=-60)
    done = world.run("doctor", "--json", check=0)
    assert states(done)["clock"] == "warning"
    world.servers.pop().close()
    serve(world, skew=None)
    assert states(world.run("doctor", "--json", check=0))["clock"] == "skipped"


def test_nobody_answers(world):
    server = serve(world)
    server.close()
    world.servers.remove(server)
    done = world.run("doctor", "--json", check=7)
    assert states(done)["API"] == "failed"
    assert states(done)["ADMIN key"] == "skipped"
    assert states(done)["disk"] == "ok"


def test_a_damaged_ledger_does_not_hide_the_rest(world):
    world.sandbox(requests=50)
    world.run(OLDER, check=0)
    assert states(world.run("doctor", "--json", check=0))["runs"] == "ok"
    base = sqlite3.connect(world.ledger)
    base.execute("UPDATE deletions SET state = 'failed'")
    base.commit()
    base.close()
    done = world.run("doctor", "--json", check=8)
    assert states(done)["ledger"] == "failed"
    assert states(done)["ADMIN key"] == "ok"
    world.ledger.write_bytes(b"no ledger at all" * 100)
    done = world.run("doctor", "--json", check=8)
    assert states(done)["ledger"] == "failed"
    assert states(done)["open work"] == "skipped"
    assert states(done)["ADMIN key"] == "ok"


def test_a_ledger_of_another_origin(world):
    world.sandbox(requests=50)
    world.run(OLDER, check=0)
    serve(world)
    done = world.run("doctor", "--json", check=2)
    assert states(done)["ledger"] == "failed"
    assert "--api-url" in findings(done)["ledger"]["advice"]


def test_the_lock_is_seen_and_not_taken(world):
    world.sandbox(requests=50, latency="200ms")
    run = world.start(OLDER)
    lock = str(world.ledger) + ".lock"
    run.until(lambda: os.path.exists(lock) and os.path.getsize(lock) > 0)
    done = world.run("doctor", "--json", check=0)
    assert str(run.pid) in findings(done)["lock"]["message"]
    run.process.kill()
    run.process.wait()
    assert states(world.run("doctor", "--json", check=0))["lock"] == "ok"


def test_a_killed_run_and_its_open_work(world):
    world.sandbox(requests=50, latency="50ms")
    run = world.start(OLDER)
    run.until(lambda: world.truth.exists() and world.truth.stat().st_size)
    run.process.kill()
    run.process.wait()
    done = world.run("doctor", "--json", check=0)
    assert states(done)["open work"] == states(done)["runs"] == "warning"
    assert "falrun show" in findings(done)["runs"]["advice"]


def test_no_room_on_the_disk(world):
    serve(world)
    folder = world.folder / "gone"
    done = world.run("doctor", "--json", check=0,
                     env={"FALRUN_LEDGER": folder / "a" / "b" / "ledger.db"})
    assert states(done)["disk"] == "ok" and not folder.exists()
    done = world.run("doctor", "--json",
                     env={"FALRUN_LEDGER": "/proc/nowhere/ledger.db"})
    assert states(done)["disk"] in ("failed", "warning")
    assert stat.S_ISDIR(os.stat("/proc").st_mode)


def test_it_takes_no_words(world):
    assert "takes" in world.run("doctor", "now", check=2).err
