"""The rows of the table: who runs against whom, and what must come out.

A block is a list of shapes that run in turn, round after round, so that a
machine which drifts drifts for all of them. A row is a ratio, or a figure, of
the medians of one block.
"""
import statistics
import subprocess

import counted
import servers
import shapes

EMPTY = "-- nothing to do\n"
STARTS = 40                      # of each, in a round
# A share of 1 in 256 is selected: deciding is measured, not planning.
DECIDES = """return fal.policy {
  name = "bench",
  select = fal.requests { endpoint_id = { %s },
                          ["end"] = "2026-06-01T00:00:00Z" },
  where = function(request, now)
    return request.ended_at < "2026-06-01" and request.status_code ~= 500
      and request.request_id:sub(-2) == "00"
  end,
  reason = "measured",
}
"""
# As much as lean_list does: looks at two fields of each row.
LISTS = """local n, sum = 0, 0
for request in fal.requests { endpoint_id = { %s },
                              ["end"] = "2026-06-01T00:00:00Z" } do
  sum = sum + request.request_id:byte(-1) + request.ended_at:byte(1)
  n = n + 1
end
print(n)
"""
MIB = 1024.0
LEAST_ROWS = 1000                # ten pages: enough to be cut, if it is so
FLIGHTS = (32, 64, 100)          # the leanest loop is tried with each


class Tables:
    """Runs blocks, keeps what came out, and judges it."""

    def __init__(self, bench, count, rounds, say):
        self.bench, self.count, self.rounds = bench, count, rounds
        self.say, self.runs, self.rows = say, {}, []
        self.instructions = {}

    def block(self, title, shapes_, rounds=None):
        rounds = rounds or self.rounds
        for round_ in range(rounds):
            for name, run in shapes_.items():
                key = title + " " + name
                one = run(round_ + 1 == rounds)
                self.runs.setdefault(key, []).append(one)
                self.say("%-28s %d/%d %8.2f s %8.2f us cpu %6.1f MiB" % (
                    key, round_ + 1, rounds, one["wall"],
                    one["cpu"] / max(one.get("count", 1), 1) * 1e6,
                    one["rss_kib"] / MIB))

    def series(self, key, of):
        return [of(run) for run in self.runs[key]]

    def median(self, key, of):
        return statistics.median(self.series(key, of))

    def ratio(self, what, target, a, b, of, per=1):
        """Of the medians; the spread is that of the rounds' own ratios, where
        a round is `per` runs and their median."""
        def rounds(key):
            values = self.series(key, of)
            return [statistics.median(values[i:i + per])
                    for i in range(0, len(values), per)]
        one, two = rounds(a), rounds(b)
        each = [x / y for x, y in zip(one, two)]
        self.add(what, target, statistics.median(one) / statistics.median(two),
                 min(each), max(each))

    def figure(self, what, target, key, of, unit):
        values = self.series(key, of)
        self.add(what, target, statistics.median(values), min(values),
                 max(values), unit)

    def add(self, what, target, value, low, high, unit=""):
        ok = None
        if target:
            sense, limit = target
            ok = value >= limit if sense == ">=" else value <= limit
        self.rows.append({"what": what, "unit": unit, "value": value,
                          "target": " ".join(map(str, target or ())),
                          "low": low, "high": high, "pass": ok})


def rate(run):
    return run["count"] / run["wall"]


def cpu(run):
    return run["cpu"] / run["count"] * 1e6


def wall(run):
    return run["wall"]


def rss(run):
    return run["rss_kib"] / MIB


def id_file(tables, count):
    path = tables.bench.work / ("ids-%d" % count)
    if not path.exists():
        with open(path, "w") as out:
            for one in servers.ids(count):
                out.write(one + "\n")
    return path


def best_flight(tables, nginx, count, tls, way):
    """How many in flight suit one way of the leanest loop: of some, the one
    with the least CPU in the better of two short runs."""
    few = min(count, 40000)
    ids, least = id_file(tables, few), {}
    for flight in FLIGHTS * 2:
        run = tables.bench.lean_delete(nginx, ids, few, tls, flight=flight,
                                       loop=way[0], cork=way[1])
        least[flight] = min(cpu(run), least.get(flight, cpu(run)))
    return min(least, key=least.get)


def deletions(tables, nginx, title, count, tls, peers):
    """falrun, the leanest loop in each of its ways, and the peers. The best
    of the ways is "lean", for throughput, and "lean cpu", for CPU."""
    b, ids = tables.bench, id_file(tables, count)
    shapes_ = {"falrun": lambda last: b.falrun_delete(nginx, ids, count, tls,
                                                      verify=last)}
    ways = [(loop, cork) for loop in ("poll", "socket")
            for cork in ((False, True) if tls else (False,))]
    flights = [best_flight(tables, nginx, count, tls, way) for way in ways]
    names = ["lean %s%s %d" % (loop, " corked" * cork, flight)
             for (loop, cork), flight in zip(ways, flights)]
    for name, (loop, cork), flight in zip(names, ways, flights):
        shapes_[name] = lambda last, loop=loop, cork=cork, flight=flight: \
            b.lean_delete(nginx, ids, count, tls, flight, loop, cork)
    shapes_.update({name: (lambda last, f=f: f(b, nginx, ids, count))
                    for name, f in peers.items()})
    tables.block(title, shapes_)
    keys = [title + " " + name for name in names]
    tables.runs[title + " lean"] = tables.runs[
        max(keys, key=lambda key: tables.median(key, rate))]
    tables.runs[title + " lean cpu"] = tables.runs[
        min(keys, key=lambda key: tables.median(key, cpu))]


def h1(tables, nginx):
    peers = {
        "curl": shapes.Bench.curl_delete,
        "memory": lambda b, server, ids, count: b.falrun_delete(
            server, ids, count, memory=True),
    }
    deletions(tables, nginx, "h1", tables.count, False, peers)
    tables.ratio("throughput, HTTP/1.1, to the leanest loop", (">=", 0.70),
                 "h1 falrun", "h1 lean", rate)
    tables.ratio("CPU per deletion, HTTP/1.1, to the leanest loop",
                 ("<=", 1.6), "h1 falrun", "h1 lean cpu", cpu)
    tables.ratio("throughput to curl --parallel", (">=", 1.6), "h1 falrun",
                 "h1 curl", rate)
    tables.ratio("throughput, synced ledger to ledger in memory",
                 (">=", 0.80), "h1 falrun", "h1 memory", rate)
    tables.figure("resident memory", ("<=", 40), "h1 falrun", rss, "MiB")


def h2(tables, nginx):
    deletions(tables, nginx, "h2", tables.count, True, {})
    tables.ratio("throughput, HTTP/2 over TLS, to the leanest loop",
                 (">=", 0.70), "h2 falrun", "h2 lean", rate)
    tables.ratio("CPU per deletion, HTTP/2 over TLS, to the leanest loop",
                 ("<=", 1.6), "h2 falrun", "h2 lean cpu", cpu)


def node(tables, nginx):
    b = tables.bench
    if not (shapes.HERE / "node" / "node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], check=True,
                       cwd=shapes.HERE / "node", stdout=subprocess.DEVNULL)
    few = min(tables.count, 20000)
    ids, few_ids = id_file(tables, tables.count), id_file(tables, few)
    tables.block("node", {
        "falrun": lambda last: b.falrun_delete(nginx, ids, tables.count,
                                               verify=last),
        "undici": lambda last: b.node_delete("undici.mjs", nginx, ids,
                                             tables.count),
        "fetch": lambda last: b.node_delete("fetch.mjs", nginx, few_ids,
                                            few),
    })
    tables.ratio("throughput to Node's fetch", (">=", 10), "node falrun",
                 "node fetch", rate)
    tables.ratio("throughput to undici's pool", (">=", 1.15), "node falrun",
                 "node undici", rate)


def goaway(tables, nginx):
    """nginx as it comes: 1,000 requests, then GOAWAY."""
    b, ids = tables.bench, id_file(tables, tables.count)
    with servers.Nginx(b.work / "goaway", keepalive=1000) as server:
        tables.block("goaway", {"falrun": lambda last: b.falrun_delete(
            server, ids, tables.count, True, 128, verify=last)})
    tables.figure("HTTP/2, GOAWAY each 1,000: requests sent again",
                  None, "goaway falrun",
                  lambda run: run["requests"] - run["count"], "")
    tables.figure("HTTP/2, GOAWAY each 1,000: deletions a second", None,
                  "goaway falrun", rate, "/s")


def slow(milliseconds):
    def run(tables, nginx):
        b, title = tables.bench, "%dms" % milliseconds
        count = max(tables.count // 4, 200)
        ids = id_file(tables, count)
        with servers.Slow(b.program("slow"), milliseconds) as server:
            tables.block(title, {
                "falrun": lambda last: b.falrun_delete(
                    server, ids, count, flight=256, verify=last),
                "lean": lambda last: b.lean_delete(
                    server, ids, count, flight=256, loop="socket"),
            })
        if server.answered < 2 * count * tables.rounds:
            raise shapes.Wrong("slow: %d answers" % server.answered)
        tables.ratio("CPU per deletion, %d ms latency, 256 in flight"
                     % milliseconds, ("<=", 1.6), title + " falrun",
                     title + " lean", cpu)
        tables.ratio("throughput, %d ms latency, 256 in flight"
                     % milliseconds, None, title + " falrun",
                     title + " lean", rate)
    return run


def pages(tables, server, rows):
    """Recorded pages at the server; the endpoints, and the first URLs."""
    b = tables.bench
    if not hasattr(tables, "page"):
        tables.page = servers.record(b.falrun, b.env)
    endpoints, groups = servers.write_pages(server.folder, tables.page, rows)
    urls = b.work / ("urls-%d" % rows)
    urls.write_text("".join(
        "%s/v1/models/requests/by-endpoint?%s&start=2021-01-01T00:00:00Z"
        "&end=2026-06-01T00:00:00Z&limit=100\n" % (server.url(), group)
        for group in groups))
    return endpoints, urls


def write_policy(path, text, endpoints):
    path.write_text(text % ", ".join('"%s"' % e for e in endpoints))
    return path


def listing(tables, nginx):
    b, rows = tables.bench, max(tables.count // 2, LEAST_ROWS)
    with servers.Nginx(b.work / "listing") as server:
        endpoints, urls = pages(tables, server, rows)
        file = write_policy(b.work / "lists.lua", LISTS, endpoints)
        tables.block("list", {
            "falrun": lambda last: b.falrun_script(server, file, rows),
            "table": lambda last: b.falrun_list(server, endpoints, rows),
            "lean": lambda last: b.lean_list(server, urls, rows, "parse"),
            "fetch": lambda last: b.lean_list(server, urls, rows, "fetch"),
        })
    tables.ratio("listing from nginx, to the leanest loop that parses",
                 (">=", 0.8), "list falrun", "list lean", rate)
    tables.ratio("listing from nginx, to a loop that parses nothing", None,
                 "list falrun", "list fetch", rate)
    tables.ratio("falrun requests, which prints a table, to the leanest loop",
                 None, "list table", "list lean", rate)


def sandbox(tables, nginx):
    b, rows = tables.bench, max(tables.count // 2, 200)
    with servers.Sandbox(b.falrun, rows, b.env, "--endpoints", "e") as server:
        tables.block("sandbox", {"falrun": lambda last: b.falrun_list(
            server, ["e"], rows, pages=False)}, rounds=min(tables.rounds, 3))
    tables.figure("listing from the sandbox, rows a second", None,
                  "sandbox falrun", rate, "/s")


def policy(tables, nginx):
    b, rows = tables.bench, max(tables.count, LEAST_ROWS)
    with servers.Nginx(b.work / "policy") as server:
        endpoints, urls = pages(tables, server, rows)
        file = write_policy(b.work / "decides.lua", DECIDES, endpoints)
        tables.block("policy", {
            "falrun": lambda last: b.falrun_policy(server, file, rows),
            "lean": lambda last: b.lean_list(server, urls, rows, "parse"),
        })
    tables.ratio("time of a policy that decides on each, to a listing "
                 "without Lua", ("<=", 1.5), "policy falrun", "policy lean",
                 wall)


def start(tables, nginx):
    b = tables.bench
    file = b.work / "empty.lua"
    file.write_text(EMPTY)
    words = [b.falrun, str(file), "--quiet", "--api-url",
             nginx.url() + "/v1", "--ledger", str(b.work / "start.db")]
    b.timed(words)                       # the first makes the ledger
    tables.block("start", {
        "falrun": lambda last: b.timed(words),
        "fresh": lambda last: b.fresh_start(words),
        "dry run": lambda last: b.timed(words + ["--dry-run"]),
        "lean": lambda last: b.timed([b.program("lean_start")]),
    }, rounds=STARTS * tables.rounds)
    tables.ratio("start, empty policy, to a program with the same libraries",
                 ("<=", 1.5), "start falrun", "start lean", wall, STARTS)
    for what, key in (("as --dry-run", "dry run"),
                      ("with a ledger to be made", "fresh")):
        tables.ratio("the same " + what, None, "start " + key, "start lean",
                     wall, STARTS)


def growth(tables, nginx):
    """A tenth and five times: 1,000,000 and 10,000 of the issue's 200,000.
    What a start costs is left out of both."""
    b = tables.bench
    many, few = tables.count * 5, max(tables.count // 20, 10)
    many_ids, few_ids = id_file(tables, many), id_file(tables, few)
    none = id_file(tables, 1)
    base = b.falrun_delete(nginx, none, 1)["cpu"]

    def without_start(run):
        run["cpu"] = max(run["cpu"] - base, 1e-9)
        return run
    tables.block("growth", {
        "few": lambda last: without_start(b.falrun_delete(
            nginx, few_ids, few)),
        "many": lambda last: without_start(b.falrun_delete(
            nginx, many_ids, many, verify=last)),
    })
    tables.ratio("growth: CPU per deletion, {:,} to {:,}".format(many, few),
                 ("<=", 1.25), "growth many", "growth few", cpu)
    tables.figure("resident memory, {:,} ids from standard input".format(
        many), ("<=", 64), "growth many", rss, "MiB")


def instructions(tables, nginx):
    """What a busy machine does not change; for those who make it faster."""
    b, many = tables.bench, max(min(tables.count, 12000), 20)
    few = many // 6

    def run(count, falrun):
        ids = id_file(tables, count)
        if falrun:
            b.falrun_delete(nginx, ids, count)
        else:
            b.lean_delete(nginx, ids, count, loop="socket")
    own = {}
    for name, falrun in ("falrun", True), ("lean", False):
        own[name] = counted.per_piece(b, few, many,
                                      lambda count: run(count, falrun))
        for library, cost in own[name].items():
            tables.say("%-8s %-28s %8.0f" % (name, library, cost))
    tables.instructions = own
    all_ = {name: sum(libraries.values()) for name, libraries in own.items()}
    value = all_["falrun"] / all_["lean"]
    tables.add("user instructions per deletion, HTTP/1.1, to the leanest "
               "loop", None, value, value, value)


ALL = {"h1": h1, "h2": h2, "node": node, "goaway": goaway, "20ms": slow(20),
       "80ms": slow(80), "list": listing, "sandbox": sandbox,
       "policy": policy, "start": start, "growth": growth,
       "instructions": instructions}
LOCAL = [name for name in ALL if name != "node"]


def needs(name):
    return {"node": ["node", "npm"], "h1": ["curl"],
            "instructions": ["valgrind"]}.get(name, [])
