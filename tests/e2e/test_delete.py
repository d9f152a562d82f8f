"""falrun delete: ids as arguments and on standard input."""
from conftest import agree
from hostile import Answer, error, row, uuid4


def test_arguments_and_standard_input(world):
    world.sandbox(requests=60)
    ids = world.expired()[:6]
    done = world.run("delete", ids[0], ids[1], ids[0], "--reason", "asked",
                     check=0)
    assert done.out.splitlines() == [i + "\tdeleted" for i in ids[:2]]
    text = "# a comment\n\n  %s  \n%s # why\n%s" % tuple(ids[2:5])
    done = world.run("delete", "-", ids[5], stdin=text, check=0)
    assert sorted(done.out.splitlines()) == sorted(
        i + "\tdeleted" for i in ids[2:])
    assert {t["request_id"] for t in world.effects()} == set(ids)
    again = world.run("delete", ids[0], check=0)
    assert "already_deleted" in again.out
    assert len(world.truths()) == 6
    agree(world)


def test_json(world, rng):
    link = "https://v3.fal.media/files/a.png"
    world.fal(delete=[Answer(200, {"cdn_delete_results": [
        {"link": link, "exception": None}]})])
    data = world.run("delete", "--json", uuid4(rng), check=0).json
    assert data[0]["status"] == "deleted" and data[0]["http_status"] == 200
    assert data[0]["cdn_delete_results"] == [{"link": link}] or (
        data[0]["cdn_delete_results"][0]["link"] == link)


def test_nothing_on_standard_input_is_nothing_to_do(world):
    server = world.fal()
    world.run("delete", "-", stdin="", check=0)
    world.run("delete", "-", stdin="\n# none\n", check=0)
    assert not server.deletes


def test_no_ids_is_usage(world):
    server = world.fal()
    done = world.run("delete", check=2)
    assert "id" in done.err and not server.requests


def test_one_bad_id_and_nothing_is_done(world, rng):
    server = world.fal()
    good = uuid4(rng)
    done = world.run("delete", good, "nonsense", check=2)
    assert "nonsense" in done.err
    done = world.run("delete", "-", stdin="%s\nbad-id\n" % good, check=2)
    assert "line 2" in done.err and "bad-id" in done.err
    assert not server.requests


def test_held_is_zero_and_not_sent(world, rng):
    server = world.fal()
    ids = [uuid4(rng), uuid4(rng)]
    world.run("hold", "add", ids[0], "--reason", "case 1", check=0)
    done = world.run("delete", *ids, check=0)
    assert ids[0] + "\theld" in done.out and ids[1] + "\tdeleted" in done.out
    assert server.gone == [ids[1]]
    assert world.outcomes()[ids[0]] == "held"


def test_not_found_unlisted_is_failed(world, rng):
    world.fal(delete=lambda r: error(404))
    id = uuid4(rng)
    done = world.run("delete", "--json", id, check=3)
    assert done.json[0]["status"] == "failed"
    assert done.json[0]["kind"] == "not_found"
    # A second time too: a failed attempt is no reason to believe it is gone.
    world.run("delete", id, check=3)


def test_not_found_listed_is_gone(world, rng):
    id = uuid4(rng)
    server = world.fal([row(id)], delete=lambda r: error(404))
    world.lua("""
        for r in fal.requests { endpoint_id = "fal-ai/flux/dev" } do
          local result = assert(fal.delete_payloads(r.request_id))
          assert(result.status == "already_deleted", result.status)
          assert(result.evidence == "inferred")
        end
    """, check=0)
    assert world.outcomes() == {id: "gone"}
    assert len(server.deletes) == 1
    world.run("delete", id, check=0)
    assert len(server.deletes) == 1


def test_not_found_listed_with_another_key_is_failed(world, rng):
    """FAL_KEY lists, FAL_ADMIN_KEY deletes: where the admin key is set it
    must list too, and a 404 then counts."""
    id = uuid4(rng)
    server = world.fal([row(id)], delete=lambda r: error(404))
    world.run("delete", id, check=3)
    world.lua("""
        for r in fal.requests { endpoint_id = "fal-ai/flux/dev" } do
          fal.delete_payloads(r.request_id)
        end
    """, env={"FAL_KEY": "api-other:abcdef"}, check=0)
    lists = server.of("GET", "by-endpoint")
    assert lists and all(r.headers["authorization"] == "Key " + world.key
                         for r in lists + server.deletes)
