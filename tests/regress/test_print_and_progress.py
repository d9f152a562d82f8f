"""What a policy prints stands on lines of its own, in order and at once: the
progress line of a terminal gives way to it."""
import os
import pty
import subprocess

from fake import PROGRAM, Fake


def output(fake, folder, text, reader, writer):
    """Both streams of the policy, as one."""
    (folder / "policy.lua").write_text(text)
    process = subprocess.Popen([PROGRAM, "policy.lua"], cwd=folder,
                               env=fake.environment(), stdin=writer,
                               stdout=writer, stderr=writer)
    os.close(writer)
    shown = b""
    while True:
        try:
            chunk = os.read(reader, 4096)
        except OSError:                 # a terminal whose last user left
            chunk = b""
        if not chunk:
            break
        shown += chunk
    os.close(reader)
    assert process.wait() == 0, shown
    return shown


def test_the_progress_line_gives_way(tmp_path):
    with Fake(tmp_path) as fake:
        shown = output(fake, tmp_path, 'for i = 1, 3 do fal.sleep("400ms") '
                       'print("line " .. i) end', *pty.openpty())
    assert b"in flight" in shown
    rows = [row.split(b"\x1b[K")[-1] for row in shown.split(b"\r\n")]
    assert rows[:3] == [b"line 1", b"line 2", b"line 3"], shown


def test_print_is_not_kept_back(tmp_path):
    with Fake(tmp_path) as fake:
        shown = output(fake, tmp_path, 'print("one") log.info("two") '
                       'print("three")', *os.pipe())
    rows = shown.split(b"\n")
    assert rows[0] == b"one" and b"two" in rows[1] and rows[2] == b"three"
