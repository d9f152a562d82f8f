"""--quiet, as cron wants it: nothing at all when nothing is wrong, and the
warnings and the reason of a stop when something is."""
from conftest import OLDER


def test_a_clean_run_says_nothing(world):
    world.sandbox(requests=400)     # two of them have not ended: a note
    done = world.run(OLDER, "--quiet", check=0)
    assert done.out == "" and done.err == "", done


def test_a_stop_is_told(world):
    world.sandbox(requests=400)
    done = world.run(OLDER, "--quiet", "--max-deletes", "3", check=4)
    assert "--max-deletes" in done.err


def test_a_partial_is_told(world):
    world.sandbox(requests=400, faults="cdn-exception@delete=0.5")
    done = world.run(OLDER, "--quiet")
    assert done.code == 3 and "not deleted" in done.err, done
    # The last line of the mail says how much was done, and where to look.
    last = done.err.splitlines()[-1]
    run = world.history()[0]["run"]
    assert "deleted " in last and "partial " in last
    assert "ledger %s, run %d; falrun show %d" % (world.ledger, run,
                                                  run) in last
