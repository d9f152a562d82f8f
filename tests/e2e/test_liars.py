"""Servers of HTTP/2 that lie about their limits: no deletion is lost, none
goes out under a second key, and the repeats stay few.
"""
import uuid

import pytest

from liar import Liar
from test_tls import certificates

COUNT = 300


def refuse_above(most):
    def rule(connection, stream):
        if len(connection.open) > most:
            connection.refuse(stream)
    return rule


def shrink(connection, stream):
    """A hundred at first; one is announced when five are open."""
    if len(connection.open) == 5:
        connection.announce(1)
    if connection.asked > 40 and len(connection.open) > 1:
        connection.refuse(stream)


def goaway_after(count, forget):
    """Says that the last `forget` streams were not looked at."""
    def rule(connection, stream):
        if connection.asked == count:
            connection.goaway(max(0, stream - 2 * forget))
    return rule


def reset_once(connection, stream):
    if connection.number == 1 and connection.asked == 60:
        connection.reset()


def life_that_changes(connection, stream):
    lives = (3, 50, 1, 20, 7, 200)
    if connection.asked > lives[connection.number % len(lives)]:
        connection.goaway(stream - 2)


LIES = {
    "refuses-above-3": (100, refuse_above(3)),
    "refuses-above-1": (100, refuse_above(1)),
    "one-stream": (1, None),
    "shrinks": (100, shrink),
    "goaway-forgets": (100, goaway_after(30, 4)),
    "goaway-for-all": (100, goaway_after(30, 1000)),
    "reset-once": (100, reset_once),
    "life-changes": (100, life_that_changes),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_loses_nothing(world, name):
    announce, rule = LIES[name]
    folder = world.folder / "liar"
    folder.mkdir()
    certificates(folder, "localhost", 2)
    server = Liar(folder, announce, rule)
    world.servers = [server]
    world.url = server.url
    ids = [str(uuid.uuid4()) for _ in range(COUNT)]
    done = world.run("delete", "-", "--json", "--ca-file", folder / "ca.pem",
                     stdin="\n".join(ids))
    assert done.code == 0, (done, len(server.seen))
    answered = {seen.id for seen in server.seen if seen.answered}
    assert answered == set(ids)
    keys = {}
    for seen in server.seen:
        keys.setdefault(seen.id, set()).add(seen.key)
    assert all(len(k) == 1 for k in keys.values()), "a second key"
    assert len(server.seen) < 1.2 * COUNT, "too many repeats"
    world.run("verify", check=0)
