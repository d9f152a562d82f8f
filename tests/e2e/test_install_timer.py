"""falrun install-timer: units that systemd takes, that hand on every word as
it was given, and that never replace what somebody else wrote."""
import json
import os
import re
import shutil
import stat
import subprocess

import pytest

from conftest import ROOT

POLICY = """return fal.policy {
  name = "p", reason = "r", limits = { max = 10 },
  select = fal.requests { endpoint_id = "auto", older_than = "30d" },
}
"""
HARD = ["a b", "5%", "%h", "$HOME", "$$", "${X}", 'q"uo"te', "it's", "back\\n",
        "\\", "tab\there", "new\nline", "grün 東京", ";", "", "x=1", "--dashed"]


@pytest.fixture
def root(world):
    """The root of another system, with a policy of its own."""
    root = world.folder / "root"
    (root / "etc/falrun/policies").mkdir(parents=True)
    (root / "etc/falrun/policies/p.lua").write_text(POLICY)
    for path in [root, *root.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return root


def install(world, root, *words, policy="/etc/falrun/policies/p.lua", env=None,
            **how):
    return world.run("install-timer", "--root", root, "--program",
                     "/usr/bin/falrun", policy, *words, key=False,
                     env={"FALRUN_LEDGER": None, **(env or {})}, **how)


def units_of(root):
    folder = root / "etc/systemd/system"
    return {path.name: path.read_text() for path in folder.glob("falrun-*")}


def value(unit, name):
    """The last value of a setting, its continued lines joined."""
    text = unit.replace("\\\n", " ")
    return re.findall("(?m)^%s=(.*)$" % name, text)[-1]


def words_of(line):
    """What systemd makes of a command line: systemd.service(5), "COMMAND
    LINES", and systemd.syntax(7), "QUOTING"."""
    return [specified(word) for word in split(line)]


def split(line):
    escapes = {"n": "\n", "t": "\t", "s": " ", "\\": "\\", '"': '"', "'": "'"}
    words, word, quote, at = [], None, None, 0
    while at < len(line):
        char = line[at]
        if char == "\\":
            at += 1
            word = word or ""
            if line[at] == "x":
                word += chr(int(line[at + 1:at + 3], 16))
                at += 2
            else:
                word += escapes[line[at]]
        elif quote:
            if char == quote:
                quote = None
            else:
                word += char
        elif char in "\"'":
            quote, word = char, word or ""
        elif char == " ":
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + char
        at += 1
    assert not quote, line
    return words + ([] if word is None else [word])


def specified(word):
    assert not re.search("%[^%]", word.replace("%%", "")), word
    word = word.replace("%%", "%")
    assert not re.search(r"\$[^$]", word.replace("$$", "")), word
    return word.replace("$$", "$")


# ---- what is written ----

def test_three_files_that_systemd_takes(world, root):
    done = install(world, root, check=0)
    units = units_of(root)
    assert sorted(units) == ["falrun-failed@.service", "falrun-p.service",
                             "falrun-p.timer"]
    for name in units:
        path = root / "etc/systemd/system" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert "written: %s" % path in done.out
    assert "systemctl --root %s enable falrun-p.timer" % root in done.err
    service = units["falrun-p.service"]
    assert words_of(value(service, "ExecStart")) == [
        "/usr/bin/falrun", "--quiet", "--lock-wait", "1h",
        "/etc/falrun/policies/p.lua"]
    for line in ("LoadCredential=fal_admin_key:/etc/falrun/fal_admin_key",
                 "StateDirectory=falrun", "DynamicUser=yes",
                 "OnFailure=falrun-failed@%N.service", "Restart=on-failure"):
        assert line in service.splitlines()
    timer = units["falrun-p.timer"].splitlines()
    assert {"OnCalendar=*-*-* 03:00:00", "RandomizedDelaySec=1800s",
            "Persistent=yes", "WantedBy=timers.target"} <= set(timer)


def needs_systemd_analyze():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")


def verify(root, *names):
    """systemd's own reading of them, with what they name made up."""
    needs_systemd_analyze()
    for program in ("usr/bin/falrun", "bin/sh"):
        (root / program).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/true", root / program)
    folder = root / "etc/systemd/system"
    for target in ("sysinit", "basic", "shutdown", "timers",
                   "network-online"):
        (folder / (target + ".target")).write_text("[Unit]\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--root=%s" % root,
         *[folder / name for name in names]], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done


@pytest.mark.parametrize("words", [
    ["--daily"], ["--weekly", "--at", "4:05"], ["--hourly"],
    ["--at", "23:59", "--random-delay", "1h"],
    ["--on-calendar", "Mon..Fri *-*-* 04:00 Europe/Berlin"],
    ["--max-runtime", "5h"], ["--", *HARD]])
def test_systemd_verifies_them(world, root, words):
    install(world, root, *words, check=0)
    verify(root, "falrun-p.service", "falrun-p.timer", "falrun-failed@x.service")


def test_verify_would_notice(world, root):
    install(world, root, check=0)
    service = root / "etc/systemd/system/falrun-p.service"
    service.write_text(service.read_text().replace("=oneshot", "=oneshort"))
    with pytest.raises(AssertionError):
        verify(root, "falrun-p.service")


def exposure(unit):
    needs_systemd_analyze()
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True, text=True, check=True)
    return float(re.search(r"exposure level for \S+: ([\d.]+)",
                           done.stdout)[1])


def test_the_service_is_hardly_exposed(world, root):
    install(world, root, check=0)
    service = root / "etc/systemd/system/falrun-p.service"
    assert exposure(service) <= 1.2
    open_ = root / "open.service"
    open_.write_text("[Service]\nExecStart=/bin/true\n")
    assert exposure(open_) > 8


def test_the_examples_are_what_the_command_writes(world, root):
    shutil.copy(root / "etc/falrun/policies/p.lua",
                root / "etc/falrun/policies/flux-30d.lua")
    install(world, root, policy="/etc/falrun/policies/flux-30d.lua", check=0)
    examples = {path.name: path.read_text()
                for path in (ROOT / "packaging/systemd").iterdir()}
    assert examples == units_of(root)


# ---- words ----

def test_every_word_arrives(world, root):
    name = "a b%h$HOME'\"\\ü.lua"
    shutil.copy(root / "etc/falrun/policies/p.lua",
                root / "etc/falrun/policies" / name)
    install(world, root, "--name", "hard", "--", *HARD,
            policy="/etc/falrun/policies/" + name, check=0)
    service = units_of(root)["falrun-hard.service"]
    assert words_of(value(service, "ExecStart")) == [
        "/usr/bin/falrun", "--quiet", "--lock-wait", "1h",
        "/etc/falrun/policies/" + name, "--", *HARD]


def test_options_of_the_run_arrive(world, root):
    install(world, root, "--max-deletes", "500", "--rate=20/s", "--dry-run",
            "--lock-wait", "5m", "--max-runtime", "5h", "-v", "one",
            env={"FALRUN_MIN_AGE": "7d"}, check=0)
    service = units_of(root)["falrun-p.service"]
    assert words_of(value(service, "ExecStart"))[1:] == [
        "--quiet", "--dry-run", "--max-deletes", "500", "--min-age", "7d",
        "--max-runtime", "5h", "--rate", "20/s", "--lock-wait", "5m",
        "--verbose", "/etc/falrun/policies/p.lua", "one"]
    assert "Restart=" not in service    # --max-runtime is an end
    assert value(units_of(root)["falrun-p.timer"], "OnCalendar")


def test_metrics_are_written_by_root(world, root):
    """The service may not; a user's own may."""
    install(world, root, "--textfile", "/var/lib/prom/a b.prom", check=0)
    service = units_of(root)["falrun-p.service"]
    assert "textfile" not in value(service, "ExecStart")
    line = value(service, "ExecStopPost")
    assert line.startswith("-+/usr/bin/falrun ")
    assert words_of(line)[1:] == [
        "status", "--textfile", "/var/lib/prom/a b.prom", "--ledger",
        "/var/lib/falrun/ledger.db"]
    install(world, root, "--name", "q", check=0)
    assert "ExecStopPost" not in units_of(root)["falrun-q.service"]


def test_a_name_is_made_of_the_file_s(world, root):
    shutil.copy(root / "etc/falrun/policies/p.lua",
                root / "etc/falrun/policies/Über 30 Tage.lua")
    install(world, root, policy="/etc/falrun/policies/Über 30 Tage.lua",
            check=0)
    assert "falrun-ber-30-Tage.timer" in units_of(root)


# ---- what is there already ----

def test_the_same_again_changes_nothing(world, root):
    install(world, root, check=0)
    done = install(world, root, check=0)
    assert done.out.count("unchanged: ") == 3


def test_another_one_is_replaced_by_force_only(world, root):
    install(world, root, check=0)
    before = units_of(root)
    done = install(world, root, "--hourly", check=2)
    assert "is there already" in done.err and "--force" in done.err
    assert units_of(root) == before
    install(world, root, "--hourly", "--force", check=0)
    after = units_of(root)
    assert value(after["falrun-p.timer"], "OnCalendar") == "hourly"
    path = root / "etc/systemd/system/falrun-p.timer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert not list(path.parent.glob("*.??????"))


def test_what_somebody_made_of_the_mail_stays(world, root):
    install(world, root, check=0)
    mine = root / "etc/systemd/system/falrun-failed@.service"
    mine.write_text("mine")
    done = install(world, root, "--name", "other", check=0)
    assert mine.read_text() == "mine" and "left as it is: " in done.out


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_no_file_is_in_the_way(world, root, kind):
    path = root / "etc/systemd/system/falrun-p.timer"
    path.parent.mkdir(parents=True)
    target = root / "somewhere"
    target.write_text("theirs")
    path.mkdir() if kind == "folder" else path.symlink_to(target)
    install(world, root, check=2)
    assert target.read_text() == "theirs"
    assert list(units_of_names(root)) == ["falrun-p.timer"]


def units_of_names(root):
    return (path.name for path in (root / "etc/systemd/system").iterdir())


def test_print_writes_nothing(world, root):
    done = install(world, root, "--print", check=0)
    assert not (root / "etc/systemd").exists() and not done.err
    install(world, root, check=0)
    assert done.out == "\n".join(
        "# %s/etc/systemd/system/%s\n%s" % (root, name, units_of(root)[name])
        for name in ("falrun-p.service", "falrun-p.timer",
                     "falrun-failed@.service"))


def test_json(world, root):
    done = install(world, root, "--json", check=0)
    assert {row["path"].rpartition("/")[2]: row["text"]
            for row in done.json["files"]} == units_of(root)
    assert {row["state"] for row in done.json["files"]} == {"written"}
    assert any("enable falrun-p.timer" in step for step in done.json["next"])
    done = install(world, root, "--json", "--print", check=0)
    assert {row["state"] for row in done.json["files"]} == {"not written"}


# ---- a policy that the service could not run ----

def test_a_broken_policy_is_not_installed(world, root):
    path = root / "etc/falrun/policies/p.lua"
    for text, words in ((POLICY.replace("30d", "30 days"), "older_than"),
                        ("return fal.policy {", "expected")):
        path.write_text(text)
        done = install(world, root, check=1)
        assert words in done.err and not (root / "etc/systemd").exists()
    path.unlink()
    assert "p.lua" in install(world, root, check=2).err


@pytest.mark.parametrize("place", ["home/anna", "root", "tmp", "var/tmp",
                                   "run/user/1000"])
def test_a_policy_that_it_cannot_see(world, root, place):
    (root / place).mkdir(parents=True)
    shutil.copy(root / "etc/falrun/policies/p.lua", root / place / "p.lua")
    done = install(world, root, policy="/%s/p.lua" % place, check=2)
    assert "the service cannot see /%s" % place.split("/")[0] in done.err
    assert "/etc/falrun/policies/p.lua" in done.err and "--user" in done.err
    # Nor by a link that stands elsewhere.
    link = root / "etc/falrun/policies/link.lua"
    link.symlink_to(root / place / "p.lua")
    install(world, root, policy="/etc/falrun/policies/link.lua", check=2)
    assert not (root / "etc/systemd").exists()


@pytest.mark.parametrize("what, mode, words", [
    ("policies/p.lua", 0o640, "chmod o+r /etc/falrun/policies/p.lua"),
    ("policies", 0o750, "chmod o+x /etc/falrun/policies"),
    ("", 0o700, "chmod o+x /etc/falrun")])
def test_a_policy_that_it_cannot_read(world, root, what, mode, words):
    path = root / "etc/falrun" / what
    path.chmod(mode)
    assert words in install(world, root, check=2).err
    path.chmod(0o755)


@pytest.mark.skipif(os.getuid() != 0, reason="only root's files can be safe")
def test_who_else_can_change_the_policy(world, root):
    assert "changed by others" not in install(world, root, check=0).err
    for path, mode in (("policies/p.lua", 0o664), ("policies", 0o777)):
        path = root / "etc/falrun" / path
        before = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode)
        done = install(world, root, check=0)
        assert "can be changed by others than root" in done.err, done
        path.chmod(before)
    os.chown(root / "etc/falrun/policies/p.lua", 1234, -1)
    assert "changed by others" in install(world, root, check=0).err


def test_a_program_that_it_cannot_see(world, root):
    done = world.run("install-timer", "--root", root,
                     "/etc/falrun/policies/p.lua", "--program",
                     "/home/x/falrun", env={"FALRUN_LEDGER": None}, check=2)
    assert "cannot see /home/x/falrun" in done.err


# ---- wrong words ----

@pytest.mark.parametrize("words, told", [
    (["--hourly", "--weekly"], "choose one"),
    (["--hourly", "--at", "3:00"], "choose one"),
    (["--at", "24:00"], "03:30"), (["--at", "noon"], "03:30"),
    (["--on-calendar", "a\nExecStart=/bin/x"], "systemd"),
    (["--on-calendar", ""], "systemd"),
    (["--random-delay", "30"], "30m"), (["--name", "a b"], "--name"),
    (["--name", "../x"], "--name"), (["--name", "a@b"], "--name"),
    (["--user"], "--root"), (["--sandbox"], "--sandbox"),
    (["--ledger", "/x.db"], "/var/lib/falrun"), (["--read-only"], "--dry-run"),
    (["--ca-file", "/home/anna/ca.pem"], "--ca-file"),
    (["--dally"], "--daily")])
def test_wrong_words(world, root, words, told):
    if words[0] == "--ca-file":
        words = ["--ca-file", str(world.folder / "ca.pem")]
        (world.folder / "ca.pem").write_text("")
    done = install(world, root, *words, check=2)
    assert told in done.err and not (root / "etc/systemd").exists(), done


def test_not_utf8(world, root):
    done = world.run(
        "install-timer", "--root", root, "--program", "/usr/bin/falrun",
        "/etc/falrun/policies/p.lua", env={"FALRUN_LEDGER": None},
        prefix=("sh", "-c", 'exec "$@" "$(printf "\\377")"', "sh"), check=2)
    assert "UTF-8" in done.err


def test_no_policy(world):
    world.run("install-timer", check=2)


# ---- for one user ----

def test_for_one_user(world):
    policy = world.policy(POLICY, "p.lua")
    config = world.folder / "config"
    done = world.run("install-timer", "--user", "p.lua", "--ca-file", "ca.pem",
                     env={"FALRUN_LEDGER": None, "XDG_CONFIG_HOME": config},
                     check=2)
    (world.folder / "ca.pem").write_text("")
    done = world.run("install-timer", "--user", "p.lua", "--ca-file", "ca.pem",
                     env={"FALRUN_LEDGER": "own.db",
                          "XDG_CONFIG_HOME": config}, check=0)
    folder = config / "systemd/user"
    service = (folder / "falrun-p.service").read_text()
    assert words_of(value(service, "ExecStart"))[1:] == [
        "--quiet", "--ledger", str(world.folder / "own.db"), "--ca-file",
        str(world.folder / "ca.pem"), "--lock-wait", "1h", policy]
    assert "LoadCredential=fal_admin_key:%E/falrun/fal_admin_key" in service
    # What a user's own manager could not give, or would put elsewhere.
    assert "StateDirectory" not in service and "Protect" not in service
    assert "systemctl --user enable --now falrun-p.timer" in done.err
    assert "journalctl --user" in (folder / "falrun-failed@.service"
                                   ).read_text()


def test_without_a_home(world):
    world.policy(POLICY, "p.lua")
    done = world.run("install-timer", "--user", "p.lua", env={
        "HOME": None, "FALRUN_LEDGER": "/x"}, check=2)
    assert "HOME" in done.err


# ---- the mail ----

def tell(world, root, failure, sendmail=True):
    """Runs the command of falrun-failed@ as systemd would; the mail."""
    install(world, root, check=0)
    unit = units_of(root)["falrun-failed@.service"]
    line = value(unit, "ExecStart")
    assert line.startswith(":")         # systemd leaves its $ alone
    given = {"%i": "falrun-p", "%H": "machine", "%%": "%"}
    words = [re.sub("%.", lambda found: given[found[0]], word)
             for word in split(line[1:])]
    tools = world.folder / "tools"
    tools.mkdir()
    told = {"journalctl": 'echo "journal $*"', "sendmail": '/bin/cat; echo "[$*]"'}
    for name in ["journalctl"] + ["sendmail"] * sendmail:
        (tools / name).write_text("#!/bin/sh\n%s\n" % told[name])
        (tools / name).chmod(0o755)
    done = subprocess.run(
        words, capture_output=True, text=True,
        env={"PATH": str(tools), "MAILTO": "root", **failure})
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def test_the_mail_says_what_the_run_said(world, root):
    mail = tell(world, root, {
        "MONITOR_EXIT_STATUS": "4", "MONITOR_INVOCATION_ID": "abc",
        "MONITOR_SERVICE_RESULT": "exit-code"})
    head, _, body = mail.partition("\n\n")
    assert head.splitlines() == [
        "To: root", "Subject: falrun-p failed on machine: a safety stop: "
        "nothing was deleted after it",
        "Content-Type: text/plain; charset=UTF-8"]
    assert "(exit code 4)" in body and "[-t -i]" in body
    assert "_SYSTEMD_INVOCATION_ID=abc + INVOCATION_ID=abc" in body
    assert "falrun history --ledger /var/lib/falrun/ledger.db" in body


@pytest.mark.parametrize("failure, words", [
    ({"MONITOR_EXIT_STATUS": "7"}, "no API"),
    ({"MONITOR_EXIT_STATUS": "243"}, "key"),
    ({"MONITOR_EXIT_STATUS": "11", "MONITOR_SERVICE_RESULT": "core-dump"},
     "core-dump"), ({}, "no reason is known")])
def test_each_reason_has_words(world, root, failure, words):
    mail = tell(world, root, failure)
    assert words in mail.splitlines()[1] and "-u falrun-p.service" in mail


def test_without_sendmail_it_is_in_the_journal(world, root):
    told = tell(world, root, {"MONITOR_EXIT_STATUS": "3"}, sendmail=False)
    assert told.startswith("falrun-p failed on machine: some deletions")


def test_the_mail_knows_every_exit_code(world, root):
    install(world, root, check=0)
    unit = units_of(root)["falrun-failed@.service"]
    known = set(re.findall(r"\d+", " ".join(
        re.findall(r"(?m)^ +([\d|]+)\) why=", unit))))
    table = (ROOT / "README.md").read_text().split("## Exit codes")[1]
    codes = set(re.findall(r"\d+", " ".join(
        re.findall(r"(?m)^\| ([\d, ]+) \|", table)))) - {"0"}
    assert codes <= known and codes
    never = set(value(units_of(root)["falrun-p.service"],
                      "RestartPreventExitStatus").split())
    assert codes - never == {"7"}
