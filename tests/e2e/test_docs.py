"""Every command that README, tutorial, guide and manual pages show is run,
and what it prints is compared. None of them ever reaches the real API."""
import re

import pytest

import doctest_pages as pages
from conftest import PROGRAM, ROOT

ACCOUNT = "<!-- from here on the tests have an account"


class Reader:
    """Somebody who types what a page shows, in a folder of their own."""

    def __init__(self, world):
        self.world, self.folder = world, world.folder
        bin = world.folder / "bin"
        bin.mkdir()
        (bin / "falrun").symlink_to(PROGRAM)
        self.env = {"PATH": "%s:/usr/bin:/bin" % bin, "LANG": "C.UTF-8",
                    "HOME": str(world.home), "ASAN_OPTIONS": "exitcode=99"}
        self.count = 0

    def has_account(self):
        """An account with history; nothing of it is real."""
        self.world.sandbox(requests=200)
        self.env.update(FALRUN_API_URL=self.world.url,
                        FAL_ADMIN_KEY=self.world.key)

    def has_config(self):
        """The same account, as one of a config file."""
        folder = self.world.home / ".config" / "falrun"
        folder.mkdir(parents=True)
        key = folder / "key"
        key.write_text(self.world.key)
        key.chmod(0o600)
        self.world.own.add(key)
        (folder / "config").write_text(
            "[account one]\napi-url = %s\nadmin-key = file:%s\npolicies = "
            "%s/flux-30d.lua\n" % (self.world.url, key, self.folder))

    def run(self, command):
        """One that starts an API of its own needs no other."""
        env = dict(self.env)
        if "--sandbox" in command:
            env.pop("FALRUN_API_URL", None)
        self.count += 1
        code, out = pages.run(command, self.folder, env)
        assert code == 0, "$ %s\nexit code %d\n%s" % (command, code, out)
        return out.replace(str(self.world.home), "/home/you")

    def type(self, block):
        for command, expected in pages.commands(block):
            pages.compare(command, expected, self.run(command))


@pytest.fixture
def reader(world):
    return Reader(world)


def page(name):
    return (ROOT / name).read_text()


# How many commands a page shows as typed at a prompt, at least, and how many
# blocks of it are for a shell but not for a test: they need root, systemd or a
# real key.
@pytest.mark.parametrize("name,least,not_run", [
    ("docs/tutorial.md", 18, 2), ("docs/operations-guide.md", 17, 0),
    ("docs/nightly.md", 4, 1)])
def test_a_page(reader, name, least, not_run):
    assert len(list(pages.blocks(page(name), "sh"))) == not_run
    before, _, after = page(name).partition(ACCOUNT)
    for block in pages.blocks(before, "console"):
        reader.type(block)
    reader.has_account()
    for block in pages.blocks(after, "console"):
        reader.type(block)
    assert reader.count >= least, "were they all found?"


# What stands in the README and is no command for a test.
NOT_RUN = [
    r"scripts/(demo|test)\b",           # they are CI
    r"export FAL_ADMIN_KEY=\.\.\.",
]


def readme_commands():
    lines = "".join(pages.blocks(page("README.md"), "sh")).splitlines()
    return [re.sub(r"\s+#.*", "", line) for line in lines
            if not any(re.match(what, line) for what in NOT_RUN)]


def test_the_readme(reader):
    """In its order, after its policy was saved under its name."""
    policy = pages.blocks(page("README.md"), "lua")[0]
    (reader.folder / "flux-30d.lua").write_text(policy)
    (reader.folder / "holds.csv").write_text("")
    (reader.folder / "flux-30d_test.lua").write_text(
        'test("it runs", function(t) t.run "flux-30d.lua" t.deleted {} end)\n')
    reader.has_account()
    reader.has_config()
    names = set()
    for command in readme_commands():
        reader.run(command)
        names.add(command.split()[1])
    assert len(names) >= 10, names


def manual_scripts(reader, name):
    """The literal blocks in the EXAMPLES of a page, but for crontabs."""
    text = (reader.run("falrun manual") if name == "falrun.1"
            else page("docs/man/" + name)).partition(".Sh EXAMPLES")[2]
    found = re.findall(r"^\.Bd -literal.*\n((?:[^.].*\n)+)\.Ed", text, re.M)
    return [block.replace("\\e", "\\") for block in found
            if not re.match(r"\d+ \d+ \* \* \*", block)]


@pytest.mark.parametrize("name", ["falrun.1", "falrun-policy.5",
                                  "falrun-ledger.5"])
def test_the_examples_of_a_manual_page(reader, name):
    reader.has_account()
    reader.run("falrun requests --endpoint auto --older-than 80d --json -q | "
               "grep -o '\"request_id\":\"[^\"]*' | cut -d '\"' -f 4 | "
               "falrun delete - -q")
    scripts = manual_scripts(reader, name)
    assert sum(script.count("falrun ") for script in scripts) >= 3
    for script in scripts:
        reader.run("set -e\n" + script)


def test_the_cookbook(reader):
    """It names each ready policy, and its commands run; what waits for caches
    has a loop of its own and is only read."""
    text = page("docs/cookbook.md")
    for path in sorted((ROOT / "scripts/policies").glob("*.lua")):
        if not path.stem.endswith("_test"):
            assert "## %s\n" % path.stem in text, path.name
            assert "(#%s)" % path.stem in text, path.name
    reader.has_account()
    (reader.folder / "flux-30d.lua").write_text(
        pages.blocks(page("README.md"), "lua")[0])
    (reader.folder / "holds.csv").write_text("")
    reader.env["FALRUN_CDN_URL"] = reader.world.url.replace("/v1", "/cdn")
    lines = "".join(pages.blocks(text, "sh")).splitlines()
    assert len(lines) == 4
    for line in lines[:3]:
        reader.run(re.sub(r"\s+#.*", "", line))
    assert reader.run("bash -n -c '%s'" % lines[3]) == ""


def anchors(path):
    """Those that a page has, as GitHub makes them of its headings."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")
            for head in heads}


def dead_links(path):
    found = re.findall(r"\]\(([^)\s#]*)(#[^)\s]*)?\)", path.read_text())
    for to, anchor in found:
        if re.match(r"[a-z]+:", to):
            continue
        target = path.parent / to if to else path
        if not target.exists() or (
                anchor and anchor[1:] not in anchors(target)):
            yield to + anchor


def test_no_link_is_dead(world):
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        assert list(dead_links(path)) == [], path
    one = world.folder / "one.md"
    one.write_text("# A b\n[a](#a-b) [b](#c) [d](two.md) [e](one.md#a-b)\n")
    assert list(dead_links(one)) == ["#c", "two.md"]


def test_commands_in_a_sentence_exist(world):
    """`falrun word ...` and its options, wherever a page mentions it."""
    common = world.run("--help", key=False, check=0).out
    there = set(re.findall(r"^  ([a-z][a-z-]+)  +[a-z]", common, re.M))
    help, count = {}, 0
    for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        for name, rest in re.findall(r"`falrun ([a-z]+(?:-[a-z]+)*)\b([^`]*)`",
                                     path.read_text()):
            if rest.startswith(".lua"):
                continue
            assert name in there, (path.name, name)
            if name not in help:
                help[name] = world.run(name, "--help", key=False, check=0).out
            for option in re.findall(r"--[a-z][a-z-]+", rest):
                assert re.search(option + r"\b", help[name] + common), (
                    path.name, name, option)
                count += 1
    assert len(help) > 15 and count > 20, (sorted(help), count)


def test_what_no_longer_fits_is_seen(reader):
    reader.type("$ falrun completion fish | head -n 1\n# fish ...\n"
                .replace("fish ...", "fish completion of falrun; made by: "
                         "falrun completion fish"))
    with pytest.raises(AssertionError, match="and not"):
        reader.type("$ falrun completion fish | head -n 1\n# zsh\n")
    with pytest.raises(AssertionError, match="and not"):
        reader.type("$ echo exit code 4\nexit code 0\n")
    with pytest.raises(AssertionError, match="shows nothing"):
        reader.type("$ falrun completion fish | head -n 1\n...\n")
    with pytest.raises(AssertionError, match="exit code 2"):
        reader.type("$ falrun no-such-command\n...\n")
