"""docs/api.md and docs/api.zh-CN.md against the program: every command on them is run as it stands, every answer must be as shown."""
import json
import os
import pathlib
import re
import subprocess
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

import pytest

from processes import SLOW

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = {"api.md": "README.md", "api.zh-CN.md": "README.zh-CN.md"}  # each with the README in its language, which has /x-keys


class Step(NamedTuple):
    line: int
    command: str
    answer: str | None  # None: the page does not show it


def read(name):
    return (DOCS / name).read_text()


def steps_of(name):
    """The blocks `sh` of a page in their order, each with the block `json` behind it."""
    page, steps = read(name), []
    for block in re.finditer(r"^```([^\n]*)\n(.*?)^```$", page, re.M | re.S):
        line = page.count("\n", 0, block.start()) + 1
        if block[1] == "sh":
            steps.append(Step(line, block[2], None))
        else:
            # A block of another kind, or a second answer, would go unchecked.
            assert block[1] == "json" and steps and steps[-1].answer is None, f"docs/{name}:{line}: neither a command nor the answer to one"
            steps[-1] = steps[-1]._replace(answer=block[2])
    assert len(steps) > 20, f"docs/{name} has lost its commands"
    return steps


class Shell:
    """One bash for all the commands of a page."""

    def __init__(self, home, **variables):
        # Every curl also tells the status, on a last line of its own, and never hangs.
        (home / ".curlrc").write_text(f'show-error\nmax-time = {60 * SLOW}\nwrite-out = "\\n%{{http_code}}\\n"\n')
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), **variables}
        self.bash = subprocess.Popen(["bash", "-s"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bash.kill()
        self.bash.communicate()

    def run(self, command):
        """The exit status and the output."""
        self.bash.stdin.write(f"{{\n{command}\n}} </dev/null\necho \"the end: $?\"\n")
        self.bash.stdin.flush()
        output = ""
        while line := self.bash.stdout.readline():
            if line.startswith("the end: "):
                return int(line.split()[-1]), output
            output += line
        return self.bash.wait(), output


def day_of(moment, start):
    """How many days after `start`, a time of the page or of the run, so that a card of 90 days is seen to be one; and how it is written."""
    if isinstance(moment, int):
        at = datetime.fromtimestamp(moment, start.tzinfo)
    elif re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d[+-]\d\d:\d\d)?", moment):
        at = datetime.fromisoformat(moment)
    else:
        return moment
    return (at.date() - start.date()).days, len(str(moment)), at.tzinfo in (None, start.tzinfo)


def same_day(told, real, starts):
    return day_of(told, starts[0]) == day_of(real, starts[1])


def both_are(pattern):
    return lambda told, real, _: all(re.fullmatch(pattern, each) for each in (told, real))


def same_or_new_key(told, real, _):
    """The page abbreviates a new key as `sk-Xvs...`; one that is shown no more is `***` in both."""
    return bool(re.fullmatch("sk-Xvs[A-Za-z0-9]{45}", real)) if told == "sk-Xvs..." else told == real


def same_number_or_day(told, real, starts):
    """Accounts, cards and operations count from 1; the id of a request is its time in microseconds."""
    if isinstance(told, int) and told > 10**12:
        return same_day(told // 10**6, real // 10**6, starts)
    return told == real


# Fields that differ from run to run, and what is asked of them instead. All others must be equal.
VOLATILE = {
    # Random.
    **dict.fromkeys(("SecretKey", "key"), same_or_new_key),
    **dict.fromkeys(("PartialKey", "partial_key"), both_are("[A-Za-z0-9]{20}")),
    "request_id": both_are("req_[0-9a-f]{32}"),
    # By the clock.
    **dict.fromkeys(("CreatedAt", "UpdatedAt", "create_at", "granted_at", "expires_at", "effective_at", "access_until"), same_day),
    **dict.fromkeys(("time", "timestamp", "aggregation_timestamp", "date"), same_day),
    "id": same_number_or_day,
    **dict.fromkeys(("duration_ms", "first_byte_ms"), lambda told, real, _: real >= 0),
}


def differences(told, real, starts, where="", field=None):
    if type(told) is not type(real):
        yield f"{where}: the page has {told} ({type(told).__name__}), the answer {real} ({type(real).__name__})"
    elif isinstance(told, dict):
        for name in told | real:
            if name in told and name in real:
                yield from differences(told[name], real[name], starts, f"{where}.{name}", name)
            else:
                yield f"{where}.{name}: only {'the page' if name in told else 'the answer'} has it"
    elif isinstance(told, list):
        if len(told) != len(real):
            yield f"{where}: the page has {len(told)}, the answer {len(real)}"
        for index, (one, other) in enumerate(zip(told, real)):
            yield from differences(one, other, starts, f"{where}[{index}]")
    elif not (VOLATILE[field](told, real, starts) if field in VOLATILE else told == real):
        yield f"{where}: the page has {told}, the answer {real}"


def parse(text):
    return json.loads(text, parse_float=Decimal)  # exact, and of another kind than whole numbers


def status_of(answer, page):
    """The status that belongs to an answer: for errors, by the table at the end of the page."""
    if "error" not in answer:
        return "200"
    return next((row[1] for row in re.finditer(r"^\| (\d{3}) \|(.*)", page, re.M) if f"`{answer['error']['code']}`" in row[2]), None)


def keys_in(answer):
    """Each new key in an answer, with the name of its account."""
    if isinstance(answer, dict):
        key = answer.get("SecretKey", answer.get("key", ""))
        if key.startswith("sk-Xvs"):
            yield answer.get("Name", answer.get("name")), key
        for each in answer.values():
            yield from keys_in(each)


def check(output, step, page, starts):
    """What is wrong with the output of a command of curl, and the answer."""
    body, _, status = output.rstrip("\n").rpartition("\n")
    told = parse(step.answer or "{}")
    if status != status_of(told, page):
        return [f"the status is {status}, by the page {status_of(told, page)}"], None
    if not step.answer:
        return [], None
    real = parse(body)
    return list(differences(told, real, starts)), real


@pytest.mark.parametrize("name", PAGES)
def test_commands_answer_as_the_page_shows(start, tmp_path, name):
    page = read(name)
    assert all(f'"{field}":' in page for field in VOLATILE), "an exception for nothing"
    written = datetime.fromisoformat(re.search(r'"CreatedAt": "([^"]+)"', page)[1])
    # A time zone in which it is between twelve and one, so that no day ends while the page is run. In TZ, west is positive.
    west = datetime.now(timezone.utc).hour - 12
    starts = (written, datetime.now(timezone(-timedelta(hours=west))))
    gateway = start(TZ=f"MID{west:+}")
    with Shell(tmp_path, BASE=f"http://127.0.0.1:{gateway.port}", ROOT_KEY=gateway.root, TZ=f"MID{west:+}") as shell:
        # No block is left out.
        for step in steps_of(name):
            code, output = shell.run(step.command)
            wrong, answer = [f"it ended with {code}"] if code else [], None
            if "curl" in step.command and not wrong:
                wrong, answer = check(output, step, page, starts)
            assert not wrong, "\n".join([f"docs/{name}:{step.line}", step.command, *wrong, "", "The answer:", output])
            for account, key in keys_in(answer):
                shell.run(f"{account.upper()}_KEY={key}")


def test_both_languages_show_the_same():
    english, chinese = (steps_of(name) for name in PAGES)
    for one, other in zip(english, chinese):
        assert one[1:] == other[1:], f"docs/api.md:{one.line} and docs/api.zh-CN.md:{other.line} differ"
    assert len(english) == len(chinese)


def routes():
    """The paths of the management API: those under /x-, those under /dashboard/. Only the sources list them."""
    sources = "".join(path.read_text() for path in sorted((ROOT / "src/admin").glob("*.cpp")))
    dashboard = re.search(r"dashboard_pages\{(.*?)\};", sources, re.S)[1]
    return set(re.findall(r'"(/x-[^"]*)"', sources)), {"/dashboard/" + page for page in re.findall(r'"([^"]+)"', dashboard)}


def test_every_route_is_on_the_page_and_nothing_else(gateway):
    def methods(path):
        """By the daemon: no path takes HEAD."""
        return set(re.findall(r"\w+", gateway.call("HEAD", path)[1].get("allow", "")))

    calls, dashboard = routes()
    assert len(calls) > 5 and len(dashboard) > 5
    served = {(method, path) for path in calls for method in methods(path) | methods(path + "/1")}
    assert {path for _, path in served} == calls
    for path in dashboard:
        assert methods(path) == {"GET"}
        assert methods("/v1" + path) == ({"GET"} if "/billing/" in path else set())
    for name, readme in PAGES.items():
        page = read(name)
        told = set(re.findall(r"`([A-Z]+) (/x-\w+)", page + (ROOT / readme).read_text()))
        assert told == served, f"docs/{name} with {readme}: not there {served - told}, not served {told - served}"
        told = {path for path in re.findall(r"/dashboard/[\w/-]+", page) if not path.endswith("/")}
        assert told == dashboard, f"docs/{name}: not there {dashboard - told}, not served {told - dashboard}"
