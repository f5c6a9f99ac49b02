"""A copy made while the service is at work, put back: nothing that was answered before it began is missing, and the books agree."""
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest
from books import Books
from clients import Crowd
from document import block
from figures import tell
from ledger import command, require_sound, written
from processes import BUILD
from web import REPOSITORY


def data(gateway):
    return pathlib.Path(gateway.environment["DATA_DIR"])


def content(path):
    """Every row of a database, to tell whether it is another."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return "\n".join(database.iterdump())


def backup(gateway, target):
    done = command(gateway, "backup", target)
    assert done.returncode == 0 and target.stat().st_mode & 0o077 == 0, done.stderr
    return target


@pytest.fixture
def stopped(start, tmp_path):
    """A gateway that has stopped, with a copy of an earlier day: (gateway, copy, what it has had since)."""
    gateway = start()
    gateway.make_child(10, name="early")
    assert gateway.chat()[0] == 200
    copy = backup(gateway, tmp_path / "copy.db")
    gateway.make_child(10, name="late")
    assert gateway.stop() == 0
    return gateway, copy


def names(gateway):
    return set(Books(data(gateway)).require_sound())


def test_a_copy_made_under_load_has_all_that_was_answered_before(start, tmp_path):
    gateway = start(STATS_INTERVAL=20)
    keys = [gateway.root, *(gateway.make_child(100).key for _ in range(3))]
    crowd = Crowd(gateway.port, keys, 40, ("chat", "stream"))
    accounts = Crowd(gateway.port, [gateway.root], 2, ("account",))
    copies, took = [], []
    try:
        for number in range(3):
            crowd.wait_for_answers(30)
            accounts.wait_for_answers()
            made = gateway.make_child(5, name=f"before-{number}")
            before = [each.request_id for each in list(crowd.answers)]
            began = time.monotonic()
            copies.append((backup(gateway, tmp_path / f"copy{number}.db"), before, made))
            took.append(time.monotonic() - began)
    finally:
        crowd.stop().require_no_failure()
        accounts.stop().require_no_failure()
    tell("backup under load", took)
    assert gateway.stop() == 0
    for copy, before, made in reversed(copies):
        done = command(gateway, "restore", copy)
        assert done.returncode == 0, done.stderr
        require_sound(gateway)
        times = written(gateway)
        assert before and all(times[each] == 1 for each in before), [each for each in before if times[each] != 1][:5]
        assert made.name in names(gateway)
        gateway = start(again=gateway)
        assert gateway.chat()[0] == 200 and gateway.chat(key=made.key)[0] == 200
        assert gateway.stop() == 0
        require_sound(gateway)


def test_restore_keeps_what_was_there(start, stopped):
    gateway, copy = stopped
    assert names(gateway) == {"root", "early", "late"}
    done = command(gateway, "restore", copy)
    assert done.returncode == 0, done.stderr
    aside = data(gateway) / "proxyxai.db.before-restore"
    assert str(aside) in done.stdout + done.stderr and names(gateway) == {"root", "early"}
    assert {path.stat().st_mode & 0o077 for path in (aside, data(gateway) / "proxyxai.db")} == {0}
    assert copy.exists(), "the copy is still one"
    gateway = start(again=gateway)
    assert gateway.chat()[0] == 200
    assert gateway.stop() == 0
    # And back.
    assert command(gateway, "restore", aside).returncode == 0
    assert names(gateway) == {"root", "early", "late"}
    gateway = start(again=gateway)
    assert gateway.call("GET", "/x-users/late")[0] == 200


def test_restore_takes_what_a_killed_daemon_left_along(start, tmp_path):
    """Its last commits are in the -wal file only: neither they nor that file may get lost, or into the restored database."""
    gateway = start()
    copy = backup(gateway, tmp_path / "copy.db")
    gateway.make_child(10, name="late")
    gateway.stop(signal.SIGKILL)
    gateway.expected_exit = -signal.SIGKILL
    assert (data(gateway) / "proxyxai.db-wal").stat().st_size > 0
    assert command(gateway, "restore", copy).returncode == 0
    assert names(gateway) == {"root"}
    assert command(gateway, "restore", data(gateway) / "proxyxai.db.before-restore").returncode == 0
    assert names(gateway) == {"root", "late"}


def damaged(copy, tmp_path):
    """A copy with a page of its middle overwritten."""
    target = tmp_path / "damaged.db"
    content = bytearray(copy.read_bytes())
    half = len(content) // 8192 * 4096
    content[half:half + 4096] = bytes(b ^ 0x5A for b in content[half:half + 4096])
    target.write_bytes(content)
    return target


def torn(copy, tmp_path):
    target = tmp_path / "torn.db"
    target.write_bytes(copy.read_bytes()[:-5000])
    return target


def no_database(copy, tmp_path):
    target = tmp_path / "text.db"
    target.write_text("This is no database.\n" * 1000)
    return target


def of_another_program(copy, tmp_path):
    target = tmp_path / "other.db"
    with sqlite3.connect(target) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
    return target


def empty(copy, tmp_path):
    target = tmp_path / "empty.db"
    target.touch()
    return target


def missing(copy, tmp_path):
    return tmp_path / "nowhere.db"


def changed(copy, target, *statements):
    """A copy of the copy, after SQL of somebody else's."""
    shutil.copy(copy, target)
    with sqlite3.connect(target) as database:
        for each in statements:
            database.execute(each)
    return target


def newer(copy, tmp_path):
    return changed(copy, tmp_path / "newer.db", "PRAGMA user_version = 1000")


def unsound(copy, tmp_path):
    """A whole file, whose books do not agree."""
    return changed(copy, tmp_path / "unsound.db", "UPDATE cards SET balance = balance - 1")


def with_a_trigger(copy, tmp_path):
    """Books that agree, and a word to the database of whom root's key shall be."""
    return changed(copy, tmp_path / "trigger.db",
                   "CREATE TRIGGER back AFTER INSERT ON requests BEGIN UPDATE accounts SET key_digest = zeroblob(32) WHERE is_root = 1; END")


def with_a_view_without_end(copy, tmp_path):
    return changed(copy, tmp_path / "view.db", "ALTER TABLE accounts RENAME TO real_accounts",
                   "CREATE VIEW accounts AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT real_accounts.* FROM real_accounts, n")


@pytest.mark.parametrize("make", [damaged, torn, no_database, of_another_program, empty, missing, newer, unsound, with_a_trigger,
                                  with_a_view_without_end])
def test_restore_refuses_what_is_no_sound_copy(stopped, tmp_path, make):
    gateway, copy = stopped
    before = content(data(gateway) / "proxyxai.db")
    given = make(copy, tmp_path)
    done = command(gateway, "restore", given)
    assert done.returncode == 1 and str(given) in done.stdout + done.stderr, (done.returncode, done.stdout, done.stderr)
    if make is newer:
        assert "newer version" in done.stderr
    assert content(data(gateway) / "proxyxai.db") == before
    assert not list(data(gateway).glob("*before-restore*")) and not list(data(gateway).glob("*.new"))


def test_restore_refuses_while_a_daemon_runs(start, stopped):
    gateway, copy = stopped
    gateway = start(again=gateway)
    done = command(gateway, "restore", copy)
    assert done.returncode == 1 and "DATA_DIR" in done.stderr, done.stderr
    assert gateway.chat()[0] == 200 and gateway.call("GET", "/x-users/late")[0] == 200
    assert not list(data(gateway).glob("*before-restore*"))


@pytest.mark.parametrize("repeat", range(10))
def test_restore_that_is_killed_leaves_a_database(start, stopped, repeat):
    """The present one or the restored one, whole; what was there before is in one of the two files."""
    gateway, copy = stopped
    process = subprocess.Popen([str(BUILD / "proxyxai"), "restore", str(copy)], env=gateway.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.004 * repeat)
    process.kill()
    process.wait()
    assert "early" in names(gateway)
    if "late" not in names(gateway):
        assert "late" in content(data(gateway) / "proxyxai.db.before-restore")
    gateway = start(again=gateway)
    assert gateway.chat()[0] == 200


def test_restore_into_an_empty_directory(start, stopped, tmp_path):
    gateway, copy = stopped
    shutil.copy(data(gateway) / "master.key", tmp_path / "master.key")
    shutil.rmtree(data(gateway))
    assert command(gateway, "restore", copy).returncode == 0
    assert data(gateway).stat().st_mode & 0o077 == 0
    shutil.copy(tmp_path / "master.key", data(gateway) / "master.key")
    (data(gateway) / "master.key").chmod(0o600)
    gateway = start(again=gateway)
    assert gateway.chat()[0] == 200


def test_a_copy_that_begins_is_whole_or_not_there(start, tmp_path):
    """A backup that fails leaves no file that looks like one."""
    gateway = start()
    assert command(gateway, "backup", tmp_path / "nowhere" / "copy.db").returncode == 1
    assert command(gateway, "backup", tmp_path / "copy.db", DATA_DIR=tmp_path / "other").returncode == 1
    assert not (tmp_path / "copy.db").exists()


def scheduled(gateway, directory):
    """Cron's line of docs/operations.md, which is the program that the package and the images run too."""
    line = block("The schedule", "cron").split(None, 5)[5]
    for there, here in (("/opt/proxyxai", REPOSITORY), ("DATA_DIR=data", f"DATA_DIR={data(gateway)}"), ("/var/backups/proxyxai", directory),
                        ("build/release/proxyxai", (BUILD / "proxyxai").resolve())):
        assert there in line
        line = line.replace(there, str(here))
    return subprocess.run(["sh", "-c", line], env=gateway.environment, capture_output=True, text=True)


@pytest.fixture
def copies(tmp_path):
    """A directory of copies with those of eight days, and what a copy left that was broken off."""
    directory = tmp_path / "copies"
    (directory / "new").mkdir(parents=True)
    (directory / "new" / "proxyxai.db").touch()
    for day in range(1, 9):
        (directory / f"proxyxai-202001{day:02}T000000Z.db").touch()
    return directory


def test_the_schedule_makes_a_copy_and_keeps_seven(start, copies):
    gateway = start()
    assert gateway.chat()[0] == 200
    done = scheduled(gateway, copies)
    assert done.returncode == 0, done.stderr
    *old, newest = sorted(each.name for each in copies.iterdir())
    assert old == [f"proxyxai-202001{day:02}T000000Z.db" for day in range(3, 9)] and newest > "proxyxai-2026"
    assert (copies / newest).stat().st_mode & 0o077 == 0
    assert gateway.stop() == 0
    assert command(gateway, "restore", copies / newest).returncode == 0
    require_sound(gateway)


def test_the_schedule_keeps_no_copy_whose_books_do_not_agree(stopped, copies):
    gateway, _ = stopped
    with sqlite3.connect(data(gateway) / "proxyxai.db") as database:
        database.execute("UPDATE cards SET balance = balance - 1")
    done = scheduled(gateway, copies)
    assert done.returncode == 1 and "not sound" in done.stdout, (done.stdout, done.stderr)
    assert sorted(each.name for each in copies.iterdir()) == [f"proxyxai-202001{day:02}T000000Z.db" for day in range(1, 9)]
