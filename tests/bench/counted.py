"""Instructions in place of time: callgrind counts the same on a busy machine.

Only user code is counted, and not the kernel's. The difference between many
deletions and few leaves the start out.
"""
import collections
import contextlib
import re

PLACE = re.compile(r"(c?)ob=\((\d+)\)(?: (.*))?")


def libraries(path):
    """{name of a library or program: instructions of its own}, from a file
    of callgrind's. Costs of calls follow a line calls=, and are the callee's."""
    own, names, here, call = collections.Counter(), {}, None, False
    with open(path, errors="replace") as lines:
        for line in lines:
            place = PLACE.match(line)
            if place:
                if place[3]:
                    names[place[2]] = place[3].split("/")[-1]
                here = here if place[1] else names[place[2]]
            elif line.startswith("calls="):
                call = True
            elif line[0] in "+-*0123456789":
                if not call:
                    own[here] += int(line.split()[-1])
                call = False
    return own


@contextlib.contextmanager
def counting(bench, path):
    """What the bench runs meanwhile is counted."""
    bench.prefix = ["valgrind", "-q", "--tool=callgrind",
                    "--callgrind-out-file=%s" % path]
    try:
        yield
    finally:
        bench.prefix = []


def per_piece(bench, few, many, run):
    """{library: instructions for each piece of work} of run(count)."""
    counts = []
    for count in few, many:
        path = bench.work / ("callgrind-%d" % count)
        with counting(bench, path):
            run(count)
        counts.append(libraries(path))
        path.unlink()
    return {name: (cost - counts[0][name]) / (many - few)
            for name, cost in counts[1].most_common()
            if cost - counts[0][name] >= many - few}
