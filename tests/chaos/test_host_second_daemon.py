"""Two daemons on one database: the second does not start, says why, and does the first no harm. What may run beside a daemon, and what may not."""
import json
import os
import signal
import subprocess

import pytest

from crowd import Crowd, make_customers
from processes import BUILD, SLOW, Process, wait_for
from small_disk import run as mount

OTHER_RUNS = "another proxyxai runs on DATA_DIR"


def run(gateway, *arguments, **settings):
    environment = gateway.environment | {name: str(value) for name, value in settings.items()}
    done = subprocess.run([str(BUILD / "proxyxai"), *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=60 * SLOW)
    said = done.stdout + done.stderr
    assert "Sanitizer" not in said and "runtime error" not in said, said
    return done.returncode, said


@pytest.fixture
def bound(start, tmp_path):
    """The directory of a gateway by another path, as a second container would have it."""
    if os.geteuid() != 0:
        pytest.skip("mounts a directory a second time, which root alone may")
    places = []

    def bind(data):
        place = tmp_path / "bound"
        place.mkdir()
        mount("mount", "--bind", data, place)
        places.append(place)
        return place

    yield bind
    for each in places:
        subprocess.run(["umount", str(each)], check=True)


def other_path(how, data, tmp_path):
    if how == "through a link":
        (tmp_path / "link").symlink_to(data)
        return tmp_path / "link"
    if how == "through its parent":
        return data / ".." / "data" / "."
    return data


@pytest.mark.parametrize("how", ["the same path", "through a link", "through its parent"])
def test_a_second_daemon_is_refused_under_load(start, mock, calm, seed, tmp_path, how):
    gateway = start()
    customers = make_customers(gateway)
    before = calm(gateway)
    path = other_path(how, gateway.directory / "data", tmp_path)
    with Crowd(gateway, seed, customers) as crowd:
        for _ in range(3):
            code, said = run(gateway, "serve", DATA_DIR=path)
            assert code == 1 and OTHER_RUNS in said and "stop it, or give this one a directory of its own" in said, said
            assert "listening on" not in said
        crowd.wait_for_answers()
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers)


def test_a_second_daemon_is_refused_on_a_directory_mounted_twice(start, mock, calm, seed, bound):
    gateway = start()
    customers = make_customers(gateway)
    before = calm(gateway)
    place = bound(gateway.directory / "data")
    with Crowd(gateway, seed, customers) as crowd:
        code, said = run(gateway, "serve", DATA_DIR=place)
        assert code == 1 and OTHER_RUNS in said, said
        crowd.wait_for_answers()
    before.require_calm(answers=crowd.journal.answers)


@pytest.mark.parametrize("how", ["the database is linked", "the lock file was removed"])
def test_a_second_daemon_is_refused_on_the_same_database(start, mock, tmp_path, how):
    gateway = start()
    data, place = gateway.directory / "data", gateway.directory / "data"
    if how == "the database is linked":
        place = tmp_path / "other"
        place.mkdir()
        for each in ("proxyxai.db", "master.key"):
            (place / each).symlink_to(data / each)
    else:
        (data / "lock").unlink()
    log = tmp_path / "second.log"
    second = Process([str(BUILD / "proxyxai"), "serve"], gateway.environment | {"DATA_DIR": str(place)}, log)
    wait_for(lambda: second.process.poll() is not None or "listening on" in second.text(), 20 * SLOW, "its end, or its start")
    assert second.stop() == 1 and OTHER_RUNS in second.text()


def test_who_was_killed_holds_nothing_up(start, mock):
    gateway = start()
    gateway.stop(signal.SIGKILL)
    gateway.expected_exit = -signal.SIGKILL
    assert start(again=gateway).chat()[0] == 200


def test_commands_beside_a_daemon_under_load(start, mock, calm, seed, tmp_path):
    """Those that only read work, and what they copy is sound; those that would change it are refused; no request notices."""
    gateway = start(STATS_INTERVAL=20)
    customers = make_customers(gateway)
    before = calm(gateway)
    older = tmp_path / "older.db"
    assert run(gateway, "backup", older)[0] == 0
    with Crowd(gateway, seed, customers) as crowd:
        for i in range(3):
            code, said = run(gateway, "check")
            assert code == 0 and "the database is sound" in said, said
            copy = tmp_path / f"copy{i}.db"
            assert run(gateway, "backup", copy)[0] == 0 and copy.exists()
            for refused in (("restore", older), ("rekey",)):
                code, said = run(gateway, *refused)
                assert code == 1 and OTHER_RUNS in said, (refused, said)
        crowd.wait_for_answers()
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers)
    before.require_end(answers=crowd.journal.answers)
    for copy in sorted(tmp_path.glob("copy*.db")):
        place = tmp_path / copy.stem
        place.mkdir()
        (place / "proxyxai.db").write_bytes(copy.read_bytes())
        assert run(gateway, "check", DATA_DIR=place)[0] == 0, copy


def test_keys_come_from_the_command_line_while_it_serves(start, mock, calm, seed, tmp_path):
    """Another process writes to the database: the daemon waits its turn, and takes the keys at SIGHUP."""
    gateway = start()
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        for i in range(5):
            file = tmp_path / f"keys{i}.txt"
            file.write_text("".join(f"sk-upstream-more-{i}-{j:06}\n" for j in range(20)))
            code, said = run(gateway, "keys", "add", file)
            assert code == 0 and "20 upstream keys stored" in said, said
            gateway.process.send_signal(signal.SIGHUP)
        crowd.wait_for_answers()
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers)
    assert len(json.loads(gateway.call("GET", "/x-keys?size=1000")[2])) == 1 + 5 * 20
