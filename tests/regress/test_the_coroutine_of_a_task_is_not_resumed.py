"""coroutine.running hands out the coroutine of a task, which another task could
resume or close in the middle of a wait: the program crashed."""
import pytest
from fake import ID, Fake


@pytest.mark.parametrize("what", ["resume", "close"])
def test_only_the_scheduler_does(tmp_path, what):
    with Fake(tmp_path) as fake:
        done = fake.policy(
            "local main = coroutine.running()\n"
            "fal.spawn(function() print(pcall(coroutine.%s, main)) end)\n"
            "fal.sleep('20ms')\n"
            "print(fal.delete_payloads('%s').status)" % (what, ID))
    assert done.returncode == 0, done
    assert done.stdout.endswith(b"\ndeleted\n")
