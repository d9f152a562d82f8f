"""How each program is started, timed and held against what it should do."""
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import time

import servers

HERE = pathlib.Path(__file__).resolve().parent
AUTH = "Authorization: Key " + "0123456789abcdef" * 2 + ":" + \
       "0123456789abcdef" * 2
LIMIT_S = 900                    # of one run


class Wrong(Exception):
    """The work was not done, so its time means nothing."""


def wait(child):
    """Its status and what it used. A child that hangs is ended, and so is one
    whose end we shall not see."""
    fd = os.pidfd_open(child.pid)
    try:
        if not select.select([fd], [], [], LIMIT_S)[0]:
            raise Wrong("%s: not over after %d s" % (child.args[0], LIMIT_S))
        return os.wait4(child.pid, 0)[1:]
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        os.close(fd)


class Bench:
    def __init__(self, work, falrun, programs, words):
        self.work, self.falrun = work, str(falrun)
        self.programs, self.words = programs, words
        self.number = 0
        self.prefix = []                 # words before those of a program
        self.env = {"PATH": os.environ["PATH"], "HOME": str(work),
                    "FAL_KEY": "admin-bench:" + "0123456789abcdef" * 2}

    def program(self, name):
        return str(self.programs / name)

    def folder(self, root=None):
        self.number += 1
        place = pathlib.Path(root or self.work) / ("run%d" % self.number)
        place.mkdir()
        return place

    def timed(self, words, stdin=None, env=None, code=0):
        """Runs it on the client's core; wall and CPU seconds, peak KiB. No
        code of this program runs in the child, so that it is not forked:
        copying this program's memory would be in everyone's start."""
        out, err = self.work / "out", self.work / "err"
        with open(out, "wb") as o, open(err, "wb") as e, \
                open(stdin or os.devnull, "rb") as i:
            with servers.pinned("client"):
                began = time.perf_counter()
                child = subprocess.Popen(self.prefix + words, stdin=i,
                                         stdout=o, stderr=e,
                                         env=env or self.env)
            status, used = wait(child)
            wall = time.perf_counter() - began
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != code:
            raise Wrong("%s: exit %d: %s" % (words[0], child.returncode,
                                             err.read_text()[-800:]))
        return {"wall": wall, "user": used.ru_utime, "sys": used.ru_stime,
                "cpu": used.ru_utime + used.ru_stime,
                "rss_kib": used.ru_maxrss}

    def counted(self, server, count, exact, words, others=0, **more):
        """The same, and the server must have had so many requests, and
        `others` that are not the work itself."""
        before = server.requests() if hasattr(server, "requests") else 0
        run = self.timed(words, **more)
        run["count"] = count
        if hasattr(server, "requests"):
            run["requests"] = server.requests() - before - others
            if run["requests"] < count or exact and run["requests"] != count:
                raise Wrong("%s: %d requests at the server, not %d" % (
                    words[0], run["requests"], count))
        return run

    # ---- deletions ------------------------------------------------------

    def falrun_delete(self, server, ids, count, tls=False, flight=64,
                      memory=False, verify=False):
        place = self.folder("/dev/shm" if memory else None)
        words = [self.falrun, "delete", "-", "--max-deletes", str(count),
                 "--concurrency", str(flight), "--ledger",
                 str(place / "ledger.db"), "--api-url",
                 server.url(tls) + "/v1", *self.words]
        if tls:
            words += ["--ca-file", str(server.folder / "cert.pem")]
        env = dict(self.env)
        if memory:
            env["LD_PRELOAD"] = self.program("lean_nosync.so")
        try:
            run = self.counted(server, count, False, words, stdin=ids,
                               env=env, others=1)   # GET /meta: the clock
            self.check_falrun(count)
            if verify:
                subprocess.run([self.falrun, "verify", "--ledger",
                                str(place / "ledger.db")], check=True,
                               capture_output=True, env=self.env)
        finally:
            shutil.rmtree(place)
        return run

    def check_falrun(self, count):
        with open(self.work / "out", "rb") as out:
            done = sum(line.endswith(b"\tdeleted\n") for line in out)
        said = (self.work / "err").read_text()
        summary = re.search(r"\bdeleted ([\d,]+)", said)
        if done != count or not summary or \
                int(summary[1].replace(",", "")) != count:
            raise Wrong("falrun: %d lines say deleted, not %d; %s" % (
                done, count, said[-400:]))

    def lean_delete(self, server, ids, count, tls=False, flight=64,
                    loop="poll", cork=False):
        words = [self.program("lean_delete"), server.url(tls), str(ids),
                 str(flight), loop, "1" if tls else "0", "01"[cork]]
        if tls:
            words.append(str(server.folder / "cert.pem"))
        run = self.counted(server, count, True, words)
        said = json.loads((self.work / "out").read_text())
        if said != {"done": count, "bad": 0, "bytes": 215 * count}:
            raise Wrong("lean_delete: %s" % said)
        return run

    def curl_delete(self, server, ids, count):
        config = self.work / "curl.conf"
        with open(ids) as lines, open(config, "w") as out:
            for line in lines:
                out.write('url="%s/v1/models/requests/%s/payloads"\n'
                          'output=/dev/null\n' % (server.url(), line.strip()))
        return self.counted(
            server, count, True,
            ["curl", "-s", "--parallel", "--parallel-max", "64", "-X",
             "DELETE", "-H", AUTH, "-H", "Idempotency-Key: bench", "-K",
             str(config)])

    def node_delete(self, script, server, ids, count):
        run = self.counted(server, count, True, [
            "node", str(HERE / "node" / script), server.url(), str(ids)])
        said = json.loads((self.work / "out").read_text())
        if said != {"done": count, "bad": 0}:
            raise Wrong("%s: %s" % (script, said))
        return run

    def fresh_start(self, words):
        """The same start, where a ledger must be made first."""
        place = self.folder()
        try:
            return self.timed(words[:-1] + [str(place / "ledger.db")])
        finally:
            shutil.rmtree(place)

    # ---- listings -------------------------------------------------------

    def lean_list(self, server, urls, rows, how):
        run = self.counted(server, -(-rows // servers.ROWS), True,
                           [self.program("lean_list"), str(urls), how])
        said = json.loads((self.work / "out").read_text())
        if how == "parse" and said["rows"] != rows:
            raise Wrong("lean_list: %s" % said)
        run["count"] = rows
        return run

    def falrun_list(self, server, endpoints, rows, pages=True):
        words = [self.falrun, "requests", "--api-url", server.url() + "/v1",
                 "--end", "2026-06-01T00:00:00Z"]
        for name in endpoints:
            words += ["--endpoint", name]
        run = self.counted(server, -(-rows // servers.ROWS), pages, words)
        with open(self.work / "out", "rb") as out:
            seen = sum(1 for _ in out) - 1             # the head
        # Of the sandbox's history a few are still running and have no end.
        if seen != rows if pages else not rows * 0.98 <= seen <= rows:
            raise Wrong("falrun requests: %d rows, not %d" % (seen, rows))
        run["count"] = seen
        return run

    def falrun_script(self, server, script, rows):
        """A script that lists, looks at each row and prints how many."""
        run = self.counted(server, -(-rows // servers.ROWS), True,
                           [self.falrun, str(script), "--dry-run", "--quiet",
                            "--api-url", server.url() + "/v1"])
        said = (self.work / "out").read_text().split("\n")[0]
        if said != str(rows):
            raise Wrong("falrun: %r rows, not %d" % (said, rows))
        run["count"] = rows
        return run

    def falrun_policy(self, server, policy, rows):
        place = self.folder()
        try:
            run = self.counted(
                server, -(-rows // servers.ROWS), True,
                [self.falrun, "plan", str(policy), "--api-url",
                 server.url() + "/v1", "--ledger", str(place / "ledger.db")])
            said = (self.work / "out").read_text() + \
                (self.work / "err").read_text()
            if not re.search(r"\b%s\b" % "{:,}".format(rows), said) and \
                    not re.search(r"\b%d\b" % rows, said):
                raise Wrong("falrun plan says nothing of %d rows: %s" % (
                    rows, said[-600:]))
        finally:
            shutil.rmtree(place)
        run["count"] = rows
        return run
