"""Declared policies: planned whole, limited, held, and then deleted."""
import json
import time

import pytest

from conftest import agree, ledger_events, on_terminal
from hostile import Answer, error, row, uuid4, uuid7

DAY = 86400


def policy(fields="", name="p", select='older_than = "30d"'):
    return """
return fal.policy {
  name = "%s", reason = "erased after 30 days",
  select = fal.requests { endpoint_id = "auto", %s },
  %s
}
""" % (name, select, fields)


def rows(rng, ages, **fields):
    return [row(uuid4(rng), int(age * DAY), **fields) for age in ages]


def test_a_policy_runs_against_the_sandbox(world):
    world.sandbox(requests=300)
    wanted = set(world.expired("30d"))
    done = world.lua(policy(), check=0)
    assert {t["request_id"] for t in world.effects()} == wanted
    assert "policy p: %d of %d scanned" % (len(wanted), len(wanted)) \
        in done.err
    agree(world)
    again = world.lua(policy(), "--json", check=0).json
    assert again["counts"]["deleted"] == 0
    assert again["policies"][0]["already_deleted"] == len(wanted)


def test_the_ledger_names_the_policy(world, rng):
    server = world.fal(rows(rng, [40]))
    world.lua(policy(name="flux-30d"), check=0)
    intent = [e for e in ledger_events(world.ledger)
              if e["kind"] == "intent"][0]
    assert intent["data"]["policy"] == "flux-30d"
    assert intent["data"]["reason"] == "erased after 30 days"
    note = world.history()[0]["summary"]["policies"]["flux-30d"]
    assert note["deleted"] == 1 and note["scanned"] == 1
    assert len(server.gone) == 1


def test_oldest_first(world, rng):
    server = world.fal(rows(rng, [40, 90, 60, 50]))
    world.lua(policy(), "--concurrency", "1", check=0)
    wanted = sorted(server.rows, key=lambda one: one["ended_at"])
    assert server.gone == [one["request_id"] for one in wanted]


def test_a_plan_that_a_limit_stops_says_so(world, rng):
    world.fal(rows(rng, [40, 50, 60]))
    text = policy("limits = { max = 2 },")
    done = world.lua(text, "--dry-run", check=4)
    assert "a run would stop before its first deletion: 3 selected" in done.out
    assert "planned 0;" not in done.out


def test_where_keep_and_reason(world, rng):
    made = rows(rng, [40, 50, 60, 70, 80])
    made[2]["status_code"] = 500
    server = world.fal(made)
    text = policy("""
  where = function(request, now)
    assert(now > request.ended_at)
    return request.status_code == 200
  end,
  keep = { last = 2 },""")
    plan = world.lua(text, "--dry-run", "--json", check=0).json
    ids = [one["request_id"] for one in made]
    assert [k["request_id"] for k in plan["kept"]] == [ids[1], ids[0]]
    assert all("last 2" in k["rule"] for k in plan["kept"])
    assert [p["request_id"] for p in plan["planned"]] == [ids[4], ids[3]]
    assert plan["policies"][0]["passed_over"] == 1
    world.lua(text, check=0)
    assert sorted(server.gone) == sorted(ids[3:])


def test_payloads_only_when_touched(world, rng):
    made = rows(rng, [40] * 30)
    for at, one in enumerate(made):
        one["json_input"] = {"customer": "acme" if at % 3 == 0 else "other"}
        one["json_output"] = {"n": at}
    server = world.fal(made)
    world.lua(policy('where = function(r) return r.duration > 1 end,'),
              "--dry-run", check=0)
    assert not [r for r in server.requests
                if r.query.get("expand") == ["payloads"]]
    world.lua(policy("""
  where = function(request)
    return request.input.customer == "acme" and request.output.n ~= nil
  end,"""), check=0)
    asked = [r for r in server.requests
             if r.query.get("expand") == ["payloads"]]
    assert len(asked) == 30
    assert sorted(server.gone) == sorted(
        one["request_id"] for one in made[::3])
    with open(world.ledger, "rb") as ledger:
        assert b"acme" not in ledger.read()


def test_a_payload_that_cannot_be_fetched_decides_nothing(world, rng):
    def fail(request):
        return error(404) if "expand" in request.query else None
    server = world.fal(rows(rng, [40] * 3), list=fail)
    done = world.lua(policy("where = function(r) return not r.input end,"),
                     check=1)
    assert not server.gone, done


@pytest.mark.parametrize("limit, code, words", [
    ("max = 4", 4, "selects 5 requests, and its limits.max is 4"),
    ("max = 5", 0, ""),
    ("percent = 50", 4, "limits.percent is 50"),
    ("percent = 100", 0, ""),
    ("min_scanned = 6", 4, "limits.min_scanned is 6"),
    ("min_scanned = 5", 0, ""),
    ('min_age = "50d"', 4, "younger than its limits.min_age of 50d"),
    ('min_age = "40d"', 0, ""),
    ("growth = 1", 0, ""),
])
def test_limits(world, rng, limit, code, words):
    server = world.fal(rows(rng, [45, 50, 60, 70, 80]))
    done = world.lua(policy("limits = { %s }," % limit), check=code)
    assert len(server.gone) == (0 if code else 5), done
    assert words in done.err
    if code:
        assert "nothing was deleted" in done.err
        plan = world.lua(policy("limits = { %s }," % limit), "--dry-run",
                         check=4)
        assert words in plan.err


def test_growth_looks_at_the_last_runs(world, rng):
    server = world.fal(rows(rng, [40, 41]))
    text = policy("limits = { growth = 2 },")
    world.lua(text, check=0)
    server.rows += rows(rng, [42] * 5)
    done = world.lua(text, check=4)
    assert len(server.gone) == 2
    assert "5 requests, more than 2 times the 2" in done.err
    server.rows = server.rows[:6]
    world.lua(text, check=0)
    assert len(server.gone) == 6


def test_percent_of_what_is_still_there(world, rng):
    server = world.fal(rows(rng, [40] * 4 + [10] * 4))
    text = policy('where = function(r) return r.ended_at < fal.ago "30d" end,',
                  select='older_than = "5d"')
    world.lua(text, "--max-percent", "50", check=0)
    assert len(server.gone) == 4
    server.rows += rows(rng, [50] * 4)
    done = world.lua(text, "--max-percent", "49", check=4)
    assert "--max-percent" in done.err and len(server.gone) == 4
    world.lua(text, "--max-percent", "50", check=0)
    assert len(server.gone) == 8


@pytest.mark.parametrize("text", [
    'fal.delete_all(fal.requests { endpoint_id = "auto", older_than = "1d" })',
    'for r in fal.requests { endpoint_id = "auto", older_than = "1d" } do '
    'fal.delete_payloads(r.request_id) end',
    'pcall(function() fal.delete_payloads("%s") end)',
])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_max_percent_needs_a_declaration(world, rng, text, more):
    server = world.fal(rows(rng, [40] * 2))
    if "%s" in text:
        text %= server.rows[0]["request_id"]
    done = world.lua(text, "--max-percent", "90", *more, check=2)
    assert not server.deletes
    assert "--max-percent" in done.err and "fal.policy" in done.err


def test_holds_of_files_functions_and_the_ledger(world, rng):
    made = rows(rng, [40] * 6)
    ids = [one["request_id"] for one in made]
    server = world.fal(made)
    (world.folder / "holds.csv").write_text(
        "request_id,reason\n%s,case 7\n" % ids[0])
    (world.folder / "lines.txt").write_text("# held\n%s\n" % ids[1])
    world.run("hold", "add", ids[2], "--reason", "case 9", check=0)
    text = policy("""
  hold = { fal.hold.file "holds.csv", fal.hold.file "lines.txt",
           fal.hold.from(function(request)
             return request.request_id == arg[1] and "the audit"
           end) },""")
    plan = world.lua(text, ids[3], "--dry-run", "--json", check=0).json
    assert ({h["request_id"] for h in plan["held"]} == set(ids[:4])), plan
    done = world.lua(text, ids[3], check=0)
    assert sorted(server.gone) == sorted(ids[4:]), done


@pytest.mark.parametrize("content", [None, "request_id\nnonsense\n",
                                     "id,why\na,b\n"])
def test_holds_that_cannot_be_read(world, rng, content):
    server = world.fal(rows(rng, [40] * 2))
    if content is not None:
        (world.folder / "holds.csv").write_text(content)
    done = world.lua(policy('hold = fal.hold.file "holds.csv",'), check=4)
    assert not server.deletes
    assert "holds.csv" in done.err


def test_a_hold_function_that_raises(world, rng):
    server = world.fal(rows(rng, [40] * 2))
    done = world.lua(policy("""hold = fal.hold.from(function()
      error("the case file is not there")
    end),"""), check=4)
    assert not server.deletes
    assert "the case file is not there" in done.err


def test_a_hold_that_comes_during_the_run(world, rng):
    """The file changes after the plan, before the later ones are sent."""
    made = rows(rng, [100 - n for n in range(30)])
    holds = world.folder / "holds.txt"
    holds.write_text("")
    late = made[-1]["request_id"]

    def delete(request):
        if request.id == made[0]["request_id"]:
            holds.write_text(late + "\n")
        time.sleep(0.02)

    server = world.fal(made, delete=delete)
    world.lua(policy('hold = fal.hold.file "holds.txt",'),
              "--concurrency", "1", check=0)
    assert late not in server.gone and len(server.gone) == 29
    assert world.outcomes()[late] == "held"


def test_scripts_enforce_holds(world, rng):
    made = rows(rng, [40] * 3)
    ids = [one["request_id"] for one in made]
    server = world.fal(made)
    (world.folder / "h.txt").write_text(ids[0])
    world.lua("""
      fal.hold.enforce { fal.hold.file "h.txt",
        fal.hold.from(function(r) return r.endpoint_id and
          r.request_id == arg[1] end) }
      fal.delete_all(fal.requests { endpoint_id = "auto",
                                    older_than = "30d" })
    """, ids[1], check=0)
    assert server.gone == [ids[2]]


def test_ids_from_csv_and_standard_input(world, rng):
    ids = [uuid4(rng) for _ in range(4)]
    server = world.fal()
    (world.folder / "ids.csv").write_text(
        'request_id,who\n%s,"a, b"\n%s,c\n' % tuple(ids[:2]))
    world.lua("""return fal.policy { name = "named", reason = "asked for",
      select = fal.ids(arg[1]) }""", "ids.csv", check=0)
    assert sorted(server.gone) == sorted(ids[:2])
    world.lua("""return fal.policy { name = "named", reason = "asked for",
      select = fal.ids "-" }""", stdin="\n".join(ids[2:]), check=0)
    assert sorted(server.gone) == sorted(ids)
    (world.folder / "bad.csv").write_text("request_id\n%s\nx\n" % ids[0])
    done = world.lua("""return fal.policy { name = "named", reason = "r",
      select = fal.ids "bad.csv" }""", check=1)
    assert "bad.csv" in done.err and "3" in done.err
    assert len(server.gone) == 4


@pytest.mark.parametrize("text, words", [
    (policy().replace("return ", ""), "declared but not returned"),
    (policy(select="limit = 9"), "nothing narrows it"),
    ("return {}", "empty table"),
    ("return fal.policy {}", "a policy needs a name"),
    (policy("wher = 1,"), "did you mean 'where'?"),
    (policy('where = function(r) return r.endpoint == "x" end,'),
     "did you mean 'endpoint_id'?"),
    (policy("limits = { max = -1 },"), "a whole number from 0"),
    (policy("keep = { weeky = 1 },"), "weekly"),
    (policy("keep = { last = 0 },"), "last"),
    (policy("hold = \"holds.csv\","), "fal.hold.file"),
])
def test_what_is_wrong_deletes_nothing(world, rng, text, words):
    server = world.fal(rows(rng, [40] * 2))
    done = world.lua(text, check=1)
    assert not server.deletes
    assert words in done.err, done
    assert "policy.lua" in done.err


def test_a_failed_listing_is_no_short_one(world, rng):
    server = world.fal(rows(rng, [40] * 30), page=10, list=lambda r: (
        Answer(500, "{}") if r.query.get("cursor") == ["20"] else None))
    done = world.lua(policy())
    assert done.code in (1, 7), done
    assert not server.gone


def test_two_policies_in_a_file(world, rng):
    made = rows(rng, [40] * 2) + rows(rng, [40] * 2, status_code=500)
    server = world.fal(made)
    one = policy('where = function(r) return r.status_code == 500 end,',
                 name="failed").replace("return fal", "fal", 1)
    two = policy(name="rest").replace("return fal", "fal", 1)
    world.lua("return {%s,%s}" % (one, two), check=0)
    assert len(server.gone) == 4
    names = {e["id"]: e["data"]["policy"] for e in
             ledger_events(world.ledger) if e["kind"] == "intent"}
    assert [names[m["request_id"]] for m in made] == [
        "rest", "rest", "failed", "failed"]


# ---- what a rule, a list or a hold may do ------------------------------------

def declared(*texts):
    """Several policies in one file."""
    return "return { %s }" % ",".join(
        text.replace("return fal", "fal", 1) for text in texts)


def test_a_hold_covers_every_policy(world, rng):
    made = rows(rng, [40, 41])
    server = world.fal(made)
    world.lua(declared(policy("""
      where = function() return false end,
      hold = fal.hold.from(function(r) return r.request_id == arg[1] end),""",
                              name="a"), policy(name="b")),
              made[0]["request_id"], check=0)
    assert server.gone == [made[1]["request_id"]]


def test_what_is_enforced_holds_for_policies_too(world, rng):
    made = rows(rng, [40, 41])
    server = world.fal(made)
    world.lua("""fal.hold.enforce { fal.hold.from(function(r)
      return r.request_id == arg[1] end) }""" + policy(),
              made[0]["request_id"], check=0)
    assert server.gone == [made[1]["request_id"]]


def left_open(world, text, *args):
    """A run that is killed while its first deletion is not answered. One
    at a time: a second could arrive after the list was cleared."""
    server, kept = world.servers[-1], world.servers[-1].script.get("delete")
    server.script["delete"] = lambda _: Answer(200, stall=30)
    run = world.start(world.policy(text), "--concurrency", "1", *args)
    run.until(lambda: server.deletes)
    run.process.kill()
    run.process.wait()
    server.script["delete"] = kept
    server.requests.clear()


@pytest.mark.parametrize("script", [False, True])
def test_functions_hold_what_was_left_open(world, rng, script):
    server = world.fal(rows(rng, [40, 41]))
    left_open(world, policy())
    asks = """fal.hold.from(function(r)
      return r.endpoint_id:find "flux" and "court" end)"""
    done = world.lua("""fal.hold.enforce { %s }
      fal.delete_all(fal.requests { endpoint_id = "auto",
        older_than = "30d" })""" % asks if script
                     else policy("hold = %s," % asks), check=0)
    assert not server.deletes, done
    world.lua(policy(), check=0)
    assert len(set(server.gone)) == 2


def test_what_may_be_gone_is_not_what_is_kept(world, rng):
    """The newest was announced, and nobody knows whether it is there."""
    made = rows(rng, [40, 41, 42])
    server = world.fal(made)
    left_open(world, policy("where = function(r) return r.request_id == "
                            "'%s' end," % made[0]["request_id"]))
    server.script["delete"] = lambda r: (
        Answer(200, {}, drop="before")
        if r.id == made[0]["request_id"] else None)
    done = world.lua(policy("keep = { last = 1 },"), timeout=120)
    assert made[1]["request_id"] not in server.gone, done


def test_functions_that_fail_settle_nothing(world, rng):
    server = world.fal(rows(rng, [40, 41]))
    left_open(world, policy())
    world.lua(policy("hold = fal.hold.from(function() error 'x' end),"),
              check=4)
    assert not server.deletes


def test_a_list_of_holds_that_grows(world, rng):
    made = rows(rng, [40, 41, 42])
    server = world.fal(made)
    world.lua("local held, n = {}, 0" + policy("""
      hold = fal.hold.from(function()
        n = n + 1
        if n == 4 then held[1] = "%s" end       -- when the first is sent
        return held
      end),""" % made[0]["request_id"]), "--concurrency", "1", check=0)
    assert sorted(server.gone) == sorted(m["request_id"] for m in made[1:])


def test_a_rule_that_changes_the_id_lifts_no_hold(world, rng):
    made = rows(rng, [40, 41])
    server = world.fal(made)
    world.lua(policy("""
      where = function(r) r.request_id = r.request_id:upper() return true end,
      hold = fal.hold.from(function() return { "%s" } end),"""
                     % made[0]["request_id"]), check=0)
    assert server.gone == [made[1]["request_id"]]


@pytest.mark.parametrize("below", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_endpoints_below_others(world, rng, below, late):
    """Whether an endpoint lists what is below it or not, and whichever of the
    two is in an earlier group: a row is one row, and none is lost."""
    made = [row(uuid4(rng), 100 * DAY, endpoint="fal-ai/a%02d" % n)
            for n in range(60)]
    newest = row(uuid4(rng), 40 * DAY, endpoint="fal-ai/a00/zz")
    every = made + [newest] if late else [newest] + made[1:] + made[:1]

    def has(name, endpoint):
        return endpoint == name or below and endpoint.startswith(name + "/")

    def listed(request):
        return Answer(200, {"has_more": False, "next_cursor": None, "items": [
            one for one in every
            if any(has(name, one["endpoint_id"])
                   for name in request.query["endpoint_id"])]})

    server = world.fal(list=listed)
    text = policy().replace('"auto"', "{%s}" % ",".join(
        '"%s"' % one["endpoint_id"] for one in every))
    done = world.lua(text, "--dry-run", check=0)
    assert "61 of 61 scanned" in done.err
    done = world.lua(text.replace("reason", "keep = { last = 1 }, reason", 1),
                     check=0)
    assert "60 of 61 scanned" in done.err
    assert sorted(server.gone) == sorted(m["request_id"] for m in made)


@pytest.mark.parametrize("reason", [
    '("x"):rep(1001)', '"a\\0b"', '"\\xff"', '""', "nil"])
def test_a_reason_that_cannot_be_recorded(world, rng, reason):
    server = world.fal(rows(rng, [40, 41, 42]))
    done = world.lua(policy().replace('"erased after 30 days"', """
      function(r) if r.ended_at > fal.ago "41d" then return %s end
                  return "old" end""" % reason), check=1)
    assert not server.gone and "the reason of policy 'p'" in done.err


def test_null_is_no_yes(world, rng):
    made = rows(rng, [40])
    made[0]["json_input"] = {"erase": None}
    server = world.fal(made)
    done = world.lua(policy("where = function(r) return r.input.erase end,"),
                     check=1)
    assert not server.gone and "returned null" in done.err


def test_min_age_of_one_among_several(world, rng):
    server = world.fal()
    named = """fal.policy { name = "%s", reason = "r", select = { "%s" }, %s }"""
    done = world.lua("return { %s, %s }" % (
        named % ("a", uuid7(rng, 3 * DAY), 'limits = { min_age = "7d" }'),
        named % ("b", uuid7(rng, 4 * DAY), "")), check=4)
    assert not server.gone and "min_age of 7d" in done.err


def test_an_iterator_is_read_once(world, rng):
    server = world.fal(rows(rng, [40, 41]))
    done = world.lua("""
      local all = fal.requests { endpoint_id = "auto", older_than = "30d" }
      return { fal.policy { name = "a", reason = "r", select = all },
               fal.policy { name = "b", reason = "r", select = all } }""",
                     check=1)
    assert not server.gone and "another policy reads the same list" in done.err


# ---- on a terminal ----------------------------------------------------------

@pytest.mark.parametrize("answer, code, gone", [
    (b"y\n", 0, 3), (b"YES\n", 0, 3), (b"n\n", 4, 0), (b"\n", 4, 0),
    (b"\x04", 4, 0), (b"yess\n", 4, 0),
])
def test_one_question_on_a_terminal(world, rng, answer, code, gone):
    server = world.fal(rows(rng, [40] * 3))
    got, screen = on_terminal(world, answer, world.policy(policy()))
    assert got == code, screen
    assert len(server.gone) == gone
    assert screen.count("[y/N]") == 1
    assert "3 of 3 scanned" in screen


def test_what_was_typed_before_is_no_answer(world, rng):
    server = world.fal(rows(rng, [40] * 3), list=lambda _: time.sleep(0.5))
    got, screen = on_terminal(world, b"n\n", world.policy(policy()),
                              ahead=b"y\n")
    assert got == 4 and not server.gone, screen


def test_ctrl_c_at_the_question(world, rng):
    server = world.fal(rows(rng, [40] * 3))
    got, screen = on_terminal(world, b"\x03", world.policy(policy()))
    assert got == 130, screen
    assert not server.gone


@pytest.mark.parametrize("word", ["--yes", "-y", "--no-input"])
def test_no_question(world, rng, word):
    server = world.fal(rows(rng, [40] * 3))
    got, screen = on_terminal(world, b"n\n", word, world.policy(policy()))
    assert got == 0 and "[y/N]" not in screen, screen
    assert len(server.gone) == 3


def test_a_script_is_asked_for_too(world, rng):
    server = world.fal(rows(rng, [40] * 3))
    got, screen = on_terminal(world, b"n\n", world.policy("""
      fal.delete_all(fal.requests { endpoint_id = "auto",
                                    older_than = "30d" })
      fal.delete_payloads(arg[1])
    """), uuid4(rng))
    assert got == 4, screen
    assert "about to erase 3 requests" in screen and not server.gone


def test_what_was_open_passes_the_holds_of_the_policy(world, rng):
    """A run is killed with a request in flight; its id is held afterwards."""
    made = rows(rng, [40])
    server = world.fal(made, delete=lambda request: time.sleep(30))
    holds = world.folder / "holds.txt"
    holds.write_text("")
    text = policy('hold = fal.hold.file "holds.txt",')
    run = world.start(world.policy(text))
    run.until(lambda: server.deletes)
    run.process.kill()
    run.process.wait()
    holds.write_text(made[0]["request_id"] + "\n")
    sent = len(server.deletes)
    server.script["delete"] = None
    world.lua(text, check=0)
    assert len(server.deletes) == sent
    holds.write_text("")
    world.lua(text, check=0)
    assert len(server.deletes) == sent + 1
    assert world.outcomes()[made[0]["request_id"]] == "deleted"


def test_a_hold_function_that_fails_when_it_is_asked_again(world, rng):
    server = world.fal(rows(rng, [60, 50, 40]))
    done = world.lua("local asked = 0" + policy("""
  hold = fal.hold.from(function(request)
    asked = asked + 1
    if asked > 4 then error "the case file is gone" end
  end),"""), "--concurrency", "1", check=4)
    assert len(server.gone) <= 1, done
    assert "the case file is gone" in done.err


def test_a_rule_that_fails_late_deletes_nothing(world, rng):
    server = world.fal(rows(rng, [40] * 250))
    done = world.lua("local seen = 0" + policy("""
  where = function(request)
    seen = seen + 1
    return seen < 250 or request.nothing
  end,"""), check=1)
    assert not server.deletes, done
    assert "no field \"nothing\"" in done.err


def test_the_floor_of_the_run_stops_a_policy(world, rng):
    server = world.fal(rows(rng, [40, 3]))
    done = world.lua(policy(select='older_than = "2d"'), "--min-age", "5d",
                     check=4)
    assert not server.deletes
    assert "--min-age" in done.err
