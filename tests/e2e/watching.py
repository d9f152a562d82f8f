"""What the stories of logs, metrics and status share: schemas, a terminal of a
size, a file that plays the journal."""
import fcntl
import json
import os
import pathlib
import pty
import select
import struct
import termios
import time

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"


def fits(document, name):
    """Holds it against docs/schemas/NAME.json; returns it."""
    schema = json.loads((ROOT / "docs" / "schemas" / (name + ".json"))
                        .read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema,
                        cls=jsonschema.Draft202012Validator)
    return document


def objects(text):
    """The lines of a log, each of which is an object."""
    return [fits(json.loads(line), "log") for line in text.splitlines()]


class Screen:
    """What a terminal was sent, with the moments."""

    def __init__(self, world, columns, *args, env=None):
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ,
                        struct.pack("HHHH", 24, columns, 0, 0))
            os.chdir(world.folder)
            os.execve(world.program, [world.program, *map(str, args)],
                      world.env(TERM="xterm", **(env or {})))
        self.chunks, end = [], time.time() + 60
        while time.time() < end:
            if not select.select([fd], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.chunks.append((time.time(), data.decode()))
        self.code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(fd)
        self.text = "".join(chunk for _, chunk in self.chunks)

    def drawn(self):
        """The progress lines, in their order."""
        parts = self.text.split("\r\x1b[K")[1:]
        return [part for part in parts if "\n" not in part]

    def left(self):
        """What is to be read at the end, line by line."""
        lines = []
        for line in self.text.replace("\r\n", "\n").split("\n"):
            lines.append(line.split("\r\x1b[K")[-1])
        return lines
