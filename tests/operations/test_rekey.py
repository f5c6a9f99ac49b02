"""Another master key: everything opens with it afterwards, nothing with the old one, and there is no state in between."""
import json
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import uuid
from collections import Counter

import pytest
from conftest import KEYS
from figures import note
from ledger import command, require_sound
from processes import BUILD, SLOW, wait_for

OLD, NEW = "an-old-master-key-0001", "a-new-master-key-00002"


def data(gateway):
    return pathlib.Path(gateway.environment["DATA_DIR"])


def opens(gateway, **environment):
    """Whether a daemon starts with these settings: it does not when one of its keys does not open."""
    given = {**gateway.environment, **environment}
    process = subprocess.Popen([str(BUILD / "proxyxai"), "serve"], env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "listening on" in line:
                return True
        assert "does not open" in "".join(lines), lines
        return False
    finally:
        process.terminate()
        process.communicate(timeout=60 * SLOW)


def rekey(gateway, **environment):
    return command(gateway, "rekey", **environment)


def grant_once(gateway, once):
    """A call whose answer is kept sealed: the same call again must be answered the same."""
    headers = {"Idempotency-Key": once, "Content-Type": "application/json"}
    body = json.dumps({"Name": f"user-{once}", "Email": "a@b.example", "CreditGranted": 5})
    status, _, answer = gateway.call("POST", "/x-users", body, headers=headers)
    assert status == 200, answer
    return answer


@pytest.fixture
def sealed(start, mock):
    """A gateway that has stopped, with keys and a kept answer: sealed(MASTER_KEY=...)."""

    def make(**settings):
        gateway = start(**settings)
        for _ in KEYS:
            assert gateway.chat()[0] == 200
        gateway.once = uuid.uuid4().hex
        gateway.kept = grant_once(gateway, gateway.once)
        assert gateway.stop() == 0
        return gateway

    return make


def require_serving(start, gateway, mock, **settings):
    mock.clear()
    again = start(again=gateway, **settings)
    for _ in range(2 * len(KEYS)):
        assert again.chat()[0] == 200
    assert {each["key"] for each in mock.requests()} >= set(KEYS)
    assert grant_once(again, gateway.once) == gateway.kept, "what was kept for a repeated call opens too"
    assert again.stop() == 0
    require_sound(again)


def test_a_new_key_file(sealed, start, mock, tmp_path):
    gateway = sealed()
    old = (data(gateway) / "master.key").read_bytes()
    done = rekey(gateway)
    assert done.returncode == 0, done.stderr
    new = data(gateway) / "master.key"
    assert new.read_bytes() != old and new.stat().st_mode & 0o077 == 0
    assert re.fullmatch(rb"[0-9a-f]{64}\n", new.read_bytes())
    require_serving(start, gateway, mock)
    fresh = new.read_bytes()
    new.write_bytes(old)
    assert not opens(gateway), "the old file opens nothing any more"
    new.write_bytes(fresh)
    assert opens(gateway)


def test_from_one_variable_to_another(sealed, start, mock):
    gateway = sealed(MASTER_KEY=OLD)
    done = rekey(gateway, NEW_MASTER_KEY=NEW)
    assert done.returncode == 0, done.stderr
    assert OLD not in done.stdout + done.stderr and NEW not in done.stdout + done.stderr
    assert not opens(gateway, MASTER_KEY=OLD)
    require_serving(start, gateway, mock, MASTER_KEY=NEW)


def test_from_the_file_to_a_variable(sealed, start, mock):
    gateway = sealed()
    assert rekey(gateway, NEW_MASTER_KEY=NEW).returncode == 0
    assert not opens(gateway)
    require_serving(start, gateway, mock, MASTER_KEY=NEW)


def test_from_a_variable_to_a_new_file(sealed, start, mock):
    gateway = sealed(MASTER_KEY=OLD)
    assert rekey(gateway).returncode == 0
    assert not opens(gateway, MASTER_KEY=OLD)
    require_serving(start, gateway, mock, MASTER_KEY="-")


def test_with_another_present_key_nothing_changes(sealed, start, mock):
    gateway = sealed(MASTER_KEY=OLD)
    before = (data(gateway) / "proxyxai.db").read_bytes()
    done = rekey(gateway, MASTER_KEY="some-other-master-key", NEW_MASTER_KEY=NEW)
    assert done.returncode == 1 and "does not open" in done.stderr, done.stderr
    done = rekey(gateway, NEW_MASTER_KEY="short")
    assert done.returncode in (1, 2) and "NEW_MASTER_KEY" in done.stderr and "short" not in done.stderr.replace("too short", ""), done.stderr
    assert (data(gateway) / "proxyxai.db").read_bytes() == before
    require_serving(start, gateway, mock, MASTER_KEY=OLD)


def test_refused_while_a_daemon_runs(start, mock):
    gateway = start(MASTER_KEY=OLD)
    done = rekey(gateway, NEW_MASTER_KEY=NEW)
    assert done.returncode == 1 and "DATA_DIR" in done.stderr, done.stderr
    assert gateway.chat()[0] == 200


def test_nothing_of_the_old_seal_is_left_in_the_files(sealed):
    gateway = sealed(MASTER_KEY=OLD)
    with sqlite3.connect(data(gateway) / "proxyxai.db") as database:
        old = [row[0] for row in database.execute("SELECT sealed FROM upstream_keys UNION ALL SELECT sealed FROM answers")]
    assert len(old) == len(KEYS) + 1
    assert rekey(gateway, NEW_MASTER_KEY=NEW).returncode == 0
    left = b"".join(path.read_bytes() for path in data(gateway).iterdir() if path.is_file())
    assert not [each for each in old if each[:24] in left]


@pytest.mark.parametrize("by", ["file", "variable"])
def test_killed_in_the_middle_it_is_the_old_key_or_the_new(sealed, tmp_path, by):
    """Many keys make the middle long; the kill falls anywhere from the start to past the end."""
    gateway = sealed(**({"MASTER_KEY": OLD} if by == "variable" else {}))
    (tmp_path / "keys.txt").write_text("".join(f"sk-upstream-{uuid.uuid4().hex}\n" for _ in range(5000)))
    assert command(gateway, "keys", "add", tmp_path / "keys.txt").returncode == 0
    whole = tmp_path / "whole"
    shutil.copytree(data(gateway), whole)
    new = {"NEW_MASTER_KEY": NEW} if by == "variable" else {}
    began = time.monotonic()
    assert rekey(gateway, **new).returncode == 0
    length = time.monotonic() - began
    outcomes = Counter()
    points = 12
    for point in range(points):
        shutil.rmtree(data(gateway))
        shutil.copytree(whole, data(gateway))
        process = subprocess.Popen([str(BUILD / "proxyxai"), "rekey"], env={**gateway.environment, **new}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2 * length * (point + random.random()) / points)
        process.kill()
        process.wait()
        outcomes[state_by_variable(gateway) if by == "variable" else state_by_file(gateway, whole)] += 1
    note(f"rekey by {by}, killed at {points} points: {dict(outcomes)}")
    assert len(outcomes) > 1, "the kill fell on one side only"


def state_by_variable(gateway):
    """Which key opens everything; a daemon that finds one key that does not open does not start."""
    old, new = opens(gateway, MASTER_KEY=OLD), opens(gateway, MASTER_KEY=NEW)
    assert old != new, (old, new)
    return "old" if old else "new"


def state_by_file(gateway, whole):
    """A change that was broken off is told, and the same command finishes it."""
    state = "old"
    if (data(gateway) / "master.key.next").exists():
        refused = command(gateway, "serve")
        assert refused.returncode == 1 and "`proxyxai rekey` finishes it" in refused.stderr, refused.stderr
        assert rekey(gateway).returncode == 0
        state = "finished"
    assert opens(gateway), [path.name for path in data(gateway).iterdir()]
    is_new = (data(gateway) / "master.key").read_bytes() != (whole / "master.key").read_bytes()
    assert state != "finished" or is_new
    return state if state == "finished" else "new" if is_new else "old"


def test_unreadable_keys_are_forgotten(sealed, start, mock, tmp_path):
    """The master key is lost: keys that were sealed with it are of no use, those added since are."""
    gateway = sealed(MASTER_KEY=OLD)
    assert not opens(gateway, MASTER_KEY=NEW)
    done = command(gateway, "keys", "delete", "unreadable", MASTER_KEY=NEW)
    assert done.returncode == 0 and re.search(r"\b2\b", done.stdout), done.stdout + done.stderr
    fresh = tmp_path / "fresh.txt"
    fresh.write_text("sk-upstream-fresh-00001\n")
    assert command(gateway, "keys", "add", fresh, MASTER_KEY=NEW).returncode == 0
    assert command(gateway, "keys", "delete", "unreadable", MASTER_KEY=NEW).returncode == 0, "nothing to forget is no fault"
    again = start(again=gateway, MASTER_KEY=NEW, INIT_KEYS="-")
    assert again.chat()[0] == 200 and len(again.keys_shown()) == 1
    assert again.stop() == 0
    require_sound(again)


def test_a_key_is_forgotten_by_its_id_while_the_daemon_runs(start, mock):
    gateway = start()
    first, second = sorted(each["ID"] for each in gateway.keys_shown().values())
    done = command(gateway, "keys", "delete", first)
    assert done.returncode == 0, done.stderr
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(gateway.keys_shown()) == 1, what="SIGHUP to be followed")
    assert [each["ID"] for each in gateway.keys_shown().values()] == [second]
    for wrong in ("4711", "0", "-1", "x", ""):
        done = command(gateway, "keys", "delete", wrong)
        assert done.returncode in (1, 2) and done.stderr, wrong
    assert gateway.chat()[0] == 200 and len(gateway.keys_shown()) == 1
