"""The annotations and the live API name the same things."""
import re
import subprocess

from conftest import ROOT

WALK = """
local function walk(name, value)
  for key, item in pairs(value) do
    print(name .. "." .. key, type(item))
    if type(item) == "table" and name ~= "json" then
      walk(name .. "." .. key, item)
    end
  end
end
walk("fal", fal) walk("log", log) walk("json", json)
"""


def live(world):
    world.fal()
    out = world.lua(WALK, "--dry-run", check=0).out
    pairs = [line.split("\t") for line in out.splitlines() if "\t" in line]
    return {name: kind for name, kind in pairs}


def annotated(text):
    names = {}
    for name in re.findall(r"^function ((?:fal|log|json)\.[\w.]+)\(", text,
                           re.M):
        names[name] = "function"
    for name in re.findall(r"^(fal\.[\w.]+) = \{\}", text, re.M):
        names[name] = "table"
    classes = {"loglib": "log", "jsonlib": "json", "fallib": "fal"}
    for name, body in re.findall(
            r"^---@class (\w+)\n((?:---@field .*\n)+)", text, re.M):
        for field, kind in re.findall(r"^---@field (\w+) (\S+)", body, re.M):
            if name in classes:
                names["%s.%s" % (classes[name], field)] = kind
    return names


def test_no_difference_in_either_direction(world):
    text = world.run("types", check=0, key=False).out
    there, told = live(world), annotated(text)
    assert len(there) > 20
    assert set(there) == set(told), (set(there) ^ set(told))
    for name, kind in there.items():
        if kind == "function":
            assert told[name].startswith("fun"), name


def options_of(text, name):
    body = re.search(r"^---@class %s\n((?:---@field .*\n)+)" % re.escape(name),
                     text, re.M).group(1)
    return set(re.findall(r"^---@field (\w+)", body, re.M))


def refused(world, call):
    """The options that a function names when it is given a wrong one."""
    done = world.lua(call, check=1)
    found = re.search(r"the options are: ([\w, ]+)\)", done.err)
    return set(found.group(1).split(", "))


def test_the_options_are_those_that_are_taken(world):
    world.fal()
    text = world.run("types", check=0, key=False).out
    id = "019e6d0a-e5be-7b82-b329-35ae64296902"
    for name, call in (
            ("fal.RequestsOptions", "fal.requests { zzzzzzzzzzzz = 1 }"),
            ("fal.PolicyOptions", "fal.policy { zzzzzzzzzzzz = 1 }"),
            ("fal.Limits", "fal.limits { zzzzzzzzzzzz = 1 }"),
            ("fal.DeleteAllOptions",
             "fal.delete_all({}, { zzzzzzzzzzzz = 1 })"),
            ("fal.KeepOptions", "fal.keep.any { zzzzzzzzzzzz = 1 }")):
        assert options_of(text, name) == refused(world, call), name
    taken = refused(world, 'fal.delete_payloads("%s", { zzzzzzzzzz = 1 })' % id)
    assert taken == options_of(text, "fal.DeleteOptions")


def test_every_lua_file_that_ships_is_documented(world):
    """`falrun types` prints every file of scripts/types but those of what
    only embedded files see: core and host.ledger."""
    text = world.run("types", check=0, key=False).out
    for path in (ROOT / "scripts/types").glob("*.lua"):
        if path.stem not in ("core", "ledger"):
            assert path.read_text() in text, path


def test_luacheck_passes_on_everything_that_ships():
    files = sorted(str(path.relative_to(ROOT)) for path in
                   (ROOT / "scripts").rglob("*.lua"))
    done = subprocess.run(["luacheck", "--quiet", *files], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
