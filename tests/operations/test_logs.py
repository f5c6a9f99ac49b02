"""The log files of docs/operations.md, cut by the real logrotate under load: no line is torn, and none lost but what it says."""
import re
import shutil
import subprocess
import time

import pytest
from clients import Crowd
from document import block
from figures import note
from processes import BUILD, SLOW, Gateway, wait_for

LINE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z (?:GET|POST) /\S+ \d{3} account=.* id=(req_\w+)(?: trace=\S+)?$")


class Logging(Gateway):
    """A daemon whose output goes to files as the document has it; `redirect` is what the shell is told."""

    def __init__(self, before, directory, redirect):
        self.directory, self.root, self.keys, self.environment = before.directory, before.root, before.keys, before.environment
        directory.mkdir()
        self.access_log, self.log_path = directory / "access.log", directory / "proxyxai.log"
        self.out = open("/dev/null")
        self.process = subprocess.Popen(["bash", "-c", f"exec {BUILD.resolve() / 'proxyxai'} {redirect}"], env=self.environment, cwd=directory)
        wait_for(lambda: self.log_path.exists() and self.find_ports(), what="the gateway's start")
        self.port, self.admin_port = self.find_ports()


@pytest.fixture
def logging(start, tmp_path):
    """Starts a gateway with log files: logging(redirect)."""
    started = []

    def begin(redirect):
        before = start()
        assert before.stop() == 0
        started.append(Logging(before, tmp_path / "logs", redirect))
        return started[-1]

    yield begin
    for each in started:
        each.end()


def documented():
    """What the document has the shell told."""
    command = block("Rotation", at=1)
    assert command.startswith("./scripts/run ")
    return command.removeprefix("./scripts/run ").replace("/var/log/proxyxai/", "").strip()


def rotate(gateway, tmp_path, change=lambda text: text):
    """logrotate with the file of the document, in another directory."""
    directory = gateway.access_log.parent
    directory.chmod(0o755)
    settings = tmp_path / "logrotate.conf"
    settings.write_text(change(block("Rotation", language="logrotate").replace("/var/log/proxyxai", str(directory))))
    settings.chmod(0o644)
    program = shutil.which("logrotate") or "/usr/sbin/logrotate"
    done = subprocess.run([program, "--force", "--state", str(tmp_path / "state"), str(settings)], capture_output=True, text=True)
    assert done.returncode == 0 and "error" not in done.stderr, done.stderr


def lines(directory):
    """Of the access log, from the oldest file on."""
    files = sorted(directory.glob("access.log*"), key=lambda path: -int(re.sub(r"\D", "", path.name) or 0))
    text = b""
    for path in files:
        text += subprocess.run(["gzip", "-cd", str(path)], check=True, capture_output=True).stdout if path.suffix == ".gz" else path.read_bytes()
    return files, text


def test_copytruncate_tears_nothing(logging, tmp_path):
    gateway = logging(documented())
    crowd = Crowd(gateway.port, [gateway.root], 30, ("models", "chat"))
    times, cuts = 4, []
    try:
        for _ in range(times):
            crowd.wait_for_answers(100)
            began = time.monotonic()
            rotate(gateway, tmp_path)
            cuts.append((began, time.monotonic()))
        crowd.wait_for_answers(20)
    finally:
        crowd.stop().require_no_failure()
    gateway.end()
    files, text = lines(gateway.access_log.parent)
    assert len(files) == times + 1 and any(path.suffix == ".gz" for path in files)
    assert b"\0" not in text, "a hole: the daemon went on where it was"
    found = [LINE.match(line) for line in text.decode().splitlines()]
    # What fell between a copy and its cut is gone, the end of a line with it; and nothing else. A line is written up to a tenth of
    # a second after its answer.
    torn = sum(match is None for match in found)
    there = {match[1] for match in found if match}
    lost = [each for each in crowd.answers if each.request_id not in there]
    note(f"copytruncate, {times} times under load: {len(lost)} of {len(crowd.answers)} lines lost, {torn} torn")
    assert torn <= times
    assert all(any(began - 0.1 * SLOW <= each.ended <= ended for began, ended in cuts) for each in lost), len(lost)


def test_nothing_is_lost_when_the_file_is_renamed(logging, tmp_path):
    """`create`: the daemon goes on in the file that it has, until it is restarted."""
    gateway = logging(documented())
    crowd = Crowd(gateway.port, [gateway.root], 30, ("models", "chat"))
    try:
        crowd.wait_for_answers(100)
        rotate(gateway, tmp_path, lambda text: text.replace("copytruncate", "create"))
        crowd.wait_for_answers(100)
    finally:
        crowd.stop().require_no_failure()
    gateway.end()
    assert gateway.access_log.read_bytes() == b"", "the new file is not written to yet"
    found = [LINE.match(line) for line in (gateway.access_log.parent / "access.log.1").read_text().splitlines()]
    assert all(found) and {match[1] for match in found} == {each.request_id for each in crowd.answers}


def test_without_append_there_is_a_hole(logging, tmp_path):
    """Why the document has >> and not >."""
    gateway = logging(documented().replace(">>", ">"))
    for _ in range(20):
        assert gateway.chat()[0] == 200
    wait_for(lambda: gateway.access_log.read_bytes().count(b"\n") == 20, what="the lines")
    rotate(gateway, tmp_path)
    assert gateway.access_log.stat().st_size == 0
    assert gateway.chat()[0] == 200
    wait_for(lambda: gateway.access_log.stat().st_size > 0, what="another line")
    assert gateway.access_log.read_bytes().startswith(b"\0")


def test_sighup_opens_no_log_again(logging, tmp_path):
    gateway = logging(documented())
    renamed = gateway.access_log.with_name("renamed.log")
    gateway.access_log.rename(renamed)
    gateway.process.send_signal(1)
    wait_for(lambda: "SIGHUP" in gateway.text(), what="the reload")
    assert gateway.chat()[0] == 200
    wait_for(lambda: renamed.read_bytes().count(b"\n") == 1, what="the line")
    assert not gateway.access_log.exists()
