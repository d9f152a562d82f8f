"""What people read when a policy is broken: tests/messages/README.md.

Each policy is run for itself; what is printed is held against the snapshot of
its family. FALRUN_UPDATE_SNAPSHOTS=1 rewrites the snapshots instead."""
import fcntl
import os
import pathlib
import re
import subprocess

import pytest

import hostile
from conftest import PROGRAM, ROOT, SANITIZER

CORPUS = ROOT / "tests" / "messages"
MARK = b"-- here"
STOP = re.compile(r"(policy '[\w-]+'|the holds|a hold of) .*nothing (was|is) ")
UPDATE = os.environ.get("FALRUN_UPDATE_SNAPSHOTS")
ENDED = 90 * 86400
ROWS = ["019e6d0a-e5be-4b82-b329-35ae6429690%d" % i for i in range(3)]

# What may be printed instead of a "hint:" line: the way out, in the message.
WAYS_OUT = re.compile(
    r"did you mean|\bwrite \S|needs a unit|is needed|the options are: |"
    r"; (RFC 3339 is|a UUID in lower case|whole numbers)|: name (one|an)|"
    r"is none of \"|to wait use |"
    r"choose another name|: use a |are name = value|is written name = value|"
    r"are written (as a list|\"auto\")|it stands alone|; probe |"
    r"are written in lower case|\bgive (it|the|each)\b|are needed|\blike \S|"
    r"[;:] (it|fal[\w.]*|log) has |the fields are: |leave it out|, or lower |"
    r"or raise |: put json|; add ")


def policies(kind):
    return sorted(path for path in (CORPUS / kind).rglob("*.lua")
                  if not path.name.startswith("_"))


def name_of(path):
    return str(path.relative_to(CORPUS).with_suffix(""))


@pytest.fixture(scope="module")
def server():
    rows = [hostile.row(id, ENDED + i) for i, id in enumerate(ROWS)]
    with hostile.Fal(rows) as made:
        yield made


class Said:
    def __init__(self, path, code, text):
        self.path, self.code, self.text = path, code, text
        self.lines = [line[len("falrun: "):] if line.startswith("falrun: ")
                      else line for line in text.splitlines()]

    def __repr__(self):
        return "%s: exit %s\n%s" % (self.path.name, self.code, self.text)

    @property
    def place(self):
        """(file, line) of the message."""
        found = re.search(r"([\w./-]+\.lua):(\d+)?:? ", "\n".join(self.lines))
        return (found[1], int(found[2] or 0)) if found else None

    @property
    def named(self):
        """The lines that are shown, or named by the message or the hint."""
        text = "\n".join(self.lines)
        return {int(n) for n in re.findall(r"^ *(\d+) \| ", text, re.M) +
                re.findall(r"\bline (\d+)\b", text)}

    @property
    def hinted(self):
        return any("hint: " in line or WAYS_OUT.search(line)
                   for line in self.lines)

    def normal(self):
        """The text without what differs from run to run."""
        text = "\n".join(line.rstrip() for line in self.lines)
        text = re.sub(r"\b0x[0-9a-f]{6,}", "0x...", text)
        text = re.sub(r"http://127\.0\.0\.1:\d+", "http://FAL", text)
        return re.sub(r"\b20(2[5-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                      "NOW", text.replace("2026-01-02T03:04:05Z", "EXAMPLE")
                      ).replace("EXAMPLE", "2026-01-02T03:04:05Z")


def run(path, server, folder):
    """Runs the policy where it stands; its ledger is in `folder`."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8",
           "FALRUN_LEDGER": str(folder / "ledger.db"),
           "FAL_ADMIN_KEY": "id:secret", "FALRUN_API_URL": server.url,
           "ASAN_OPTIONS": "exitcode=99"}
    done = subprocess.run([PROGRAM, "plan", path.name], cwd=path.parent,
                          env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=40)
    said = Said(path, done.returncode, done.stderr.decode("utf-8", "replace"))
    assert not any(word in said.text for word in SANITIZER), said
    assert not any(ord(c) < 32 and c != "\n" for c in said.text), said
    return said


def marks(path):
    """[(file, line)] of the marks in the policy, else in its modules."""
    def of(file):
        lines = file.read_bytes().split(b"\n")
        return [(file.name, at) for at, line in enumerate(lines, 1)
                if MARK in line]
    names = re.findall(rb"require\(?\s*\"(_\w+)\"", path.read_bytes())
    found = of(path)
    while not found and names:
        module = path.parent / (names.pop().decode() + ".lua")
        found = of(module)
        names += re.findall(rb"require\(?\s*\"(_\w+)\"", module.read_bytes())
    return found


def is_late(said):
    """Syntax is noticed where it makes no sense, not where it went wrong."""
    return re.search(r" near |at line \d|label|unexpected symbol|"
                     r"unfinished", said.lines[0]) is not None


def check_place(said):
    found = marks(said.path)
    assert len(found) == 1, "one mark is needed: %s" % found
    file, line = found[0]
    if said.code == 4 and not said.place:
        assert STOP.search(said.text), said
        return
    assert said.place, said
    assert pathlib.Path(said.place[0]).name == file, said
    if said.place[1] == 0:
        assert "%s: it returned" % file in said.text, said
    elif said.place[1] != line:
        assert is_late(said) and line in said.named, said


# ---- snapshots -------------------------------------------------------------

def read_blocks(text):
    blocks = {}
    for block in re.split(r"(?m)^(?=== )", text):
        if block.strip():
            head, _, body = block.partition("\n")
            blocks[head.split()[1]] = (head, body.rstrip("\n"))
    return blocks


def block_of(said):
    code = "" if said.code == 1 else " (exit %d)" % said.code
    return "== %s%s" % (said.path.stem, code), said.normal()


def write_snapshot(snapshot, said):
    alive = {path.stem for path in policies("broken")
             if path.parent == said.path.parent}
    with open(snapshot, "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        blocks = read_blocks(file.read())
        blocks[said.path.stem] = block_of(said)
        file.truncate(0)
        file.write("\n".join("%s\n%s\n" % blocks[name]
                             for name in sorted(blocks) if name in alive))


def check_snapshot(said):
    snapshot = said.path.parent.with_suffix(".txt")
    if UPDATE:
        return write_snapshot(snapshot, said)
    blocks = read_blocks(snapshot.read_text(encoding="utf-8"))
    assert said.path.stem in blocks, "it has no snapshot: " + repr(said)
    assert block_of(said) == blocks[said.path.stem]


# ---- the tests -------------------------------------------------------------

@pytest.mark.parametrize("path", policies("broken"), ids=name_of)
def test_broken(path, server, tmp_path):
    said = run(path, server, tmp_path)
    assert said.code in (1, 2, 4), said
    check_snapshot(said)
    check_place(said)


@pytest.mark.parametrize("path", policies("fine"), ids=name_of)
def test_fine(path, server, tmp_path):
    said = run(path, server, tmp_path)
    assert said.code == 0, said
    assert "hint:" not in said.text and ".lua:" not in said.text, said


def snapshots():
    return {snapshot.stem: read_blocks(snapshot.read_text(encoding="utf-8"))
            for snapshot in sorted((CORPUS / "broken").glob("*.txt"))}


def test_corpus_is_whole():
    assert len(policies("broken")) >= 120 and len(policies("fine")) >= 60
    have = {family + "/" + name for family, blocks in snapshots().items()
            for name in blocks}
    want = {path.parent.name + "/" + path.stem for path in policies("broken")}
    assert have == want


def test_nine_of_ten_have_a_hint():
    said = [Said(CORPUS / (family + "/" + name), 1, body)
            for family, blocks in snapshots().items()
            for name, (_, body) in blocks.items()]
    bare = [one for one in said if not one.hinted]
    print("%d of %d have no hint" % (len(bare), len(said)))
    assert len(bare) * 10 <= len(said), bare


# ---- the runner itself -----------------------------------------------------

def fake(tmp_path, policy, text, code=1):
    path = tmp_path / "policy.lua"
    path.write_text(policy)
    return Said(path, code, text)


def test_the_runner_sees_a_wrong_line(tmp_path):
    policy = "local x\nprint(x.y) -- here\nprint 'z'\n"
    check_place(fake(tmp_path, policy, "falrun: policy.lua:2: index nil\n"))
    for text in ("policy.lua:3: index nil", "other.lua:2: index nil",
                 "index nil", "policy.lua:3: index nil\n     2 | print(x.y)"):
        with pytest.raises(AssertionError):
            check_place(fake(tmp_path, policy, text))
    late = "policy.lua:3: 'end' expected near 'print'\n     2 | print(x.y)"
    check_place(fake(tmp_path, policy, late))
    with pytest.raises(AssertionError):
        check_place(fake(tmp_path, "print 'x'\n", "policy.lua:1: x"))


def test_the_runner_sees_other_words(tmp_path):
    folder = tmp_path / "family"
    folder.mkdir()
    (tmp_path / "family.txt").write_text("== policy\npolicy.lua:1: a\n")
    if UPDATE:
        pytest.skip("the snapshots are being written")
    check_snapshot(fake(folder, "x", "falrun: policy.lua:1: a\n"))
    for said in (fake(folder, "x", "policy.lua:1: b"),
                 fake(folder, "x", "policy.lua:1: a", code=2)):
        with pytest.raises(AssertionError):
            check_snapshot(said)


@pytest.mark.parametrize("text,hinted", [
    ("p.lua:1: attempt to index a nil value (local 'x')", False),
    ("p.lua:1: the list of customers is stale", False),
    ("p.lua:1: x\n         hint: y", True),
    ("p.lua:1: undefined global 'prnt' (did you mean 'print'?)", True),
    ("p.lua:1: a duration needs a unit: \"30d\"", True)])
def test_the_runner_counts_hints(tmp_path, text, hinted):
    assert fake(tmp_path, "x", text).hinted == hinted
