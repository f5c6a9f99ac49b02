"""Manual page and completions against what the program says of itself: nothing is missing, nothing is stale."""
import re
import subprocess

import pytest

import manual
from processes import BUILD

COMPLETION = manual.PROJECT / "config" / "completion"


def help_text():
    return subprocess.run([str(BUILD / "proxyxai"), "--help"], capture_output=True, text=True, check=True).stdout


def section(begin, end):
    return help_text().split(begin)[1].split(end)[0]


def commands():
    """{command: its argument in the help, or ''}"""
    rows = re.findall(r"^  (keys [a-z]+|[a-z]+)(?: ([A-Z]+\|(?:-|[a-z]+?)|[A-Z]+))?(?=\s|[a-z])", section("\nCommands:\n", "\n\n"), re.M)
    assert len(rows) >= 6
    return dict(rows)


def options():
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_text()))


def page():
    """The manual as one reads it."""
    done = subprocess.run(["man", "-l", str(manual.PAGE)], capture_output=True, text=True, check=True,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": ""})
    return done.stdout


def entries(title):
    """The names that a section of the page explains."""
    text = re.search(rf"^{title}\n(.*?)(?=^\S)", page(), re.M | re.S)[1]
    return [line.strip() for line in re.findall(r"^ {7}(\S.*)$", text, re.M)]


def test_page_has_no_faults():
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(manual.PAGE)], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(manual.PAGE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_page_has_every_setting_of_the_program_with_its_default():
    shown = subprocess.run([str(BUILD / "proxyxai"), "config"], env={}, capture_output=True, text=True, cwd="/", check=True).stdout
    real = [tuple(line.split()[:2]) for line in shown.splitlines()]
    text = page()
    found = [name for name in re.findall(r"^ {7}([A-Z][A-Z_]+)\b", text.split("\nSETTINGS\n")[1].split("\nSIGNALS\n")[0], re.M)]
    assert found == [name for name, _ in real]
    for name, value in real:
        told = re.search(rf"^ {{7}}{name}(?:\n|  ).*?(?=\n\n)", text, re.M | re.S)[0]
        wanted = "Not set by default;" if value == "-" else f"Default: {value};"
        assert wanted in " ".join(told.split()), (name, value, told)


def test_settings_of_the_page_are_those_of_the_readme():
    assert manual.written() == manual.rendered(), "python3 tests/package/manual.py takes them over"


def test_page_has_every_command_and_no_other():
    found = {re.match(r"keys [a-z]+|[a-z]+", line)[0]: line for line in entries("COMMANDS") if re.match(r"[a-z]", line)}
    assert set(found) == set(commands())
    for name, argument in commands().items():
        assert found[name].startswith(f"{name} {argument}".strip()), (found[name], argument)


def test_page_has_every_option():
    found = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(entries("OPTIONS"))))
    assert found == options()


@pytest.mark.parametrize("name", ["proxyxai.bash", "_proxyxai", "proxyxai.fish"])
def test_completion_names_every_option(name):
    text = (COMPLETION / name).read_text()
    for option in options():
        spelling = f"-l {option[2:]} " if name.endswith(".fish") else option
        assert spelling in text or spelling.strip() + "\n" in text, option
