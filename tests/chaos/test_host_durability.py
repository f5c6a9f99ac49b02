"""No start where what is committed would not be on the disk: each way in which SQLite may not take WAL and synchronous FULL."""
import contextlib
import os
import sqlite3
import subprocess

import pytest

from preload import compiled, preload
from processes import BUILD, SLOW
from small_disk import SmallDisk, mounts

SAYS = "does not take journal_mode WAL and synchronous"


@pytest.fixture
def ended(start, mock):
    """A gateway that has served, and has ended: what it left is one database file."""
    gateway = start(STATS_INTERVAL=20)
    assert gateway.chat()[0] == 200
    gateway.end()
    return gateway


def start_again(gateway, **settings):
    """How the start ends, and what it says; a daemon that serves is ended, with 0."""
    environment = gateway.environment | {name: str(value) for name, value in settings.items()}
    process = subprocess.Popen([str(BUILD / "proxyxai"), "serve"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = ""
    for line in process.stdout:
        said += line
        if "listening on" in line:
            process.terminate()
    process.wait(20 * SLOW)
    process.stdout.close()
    assert "Sanitizer" not in said and "runtime error" not in said, said
    return process.returncode, said


def require_refused(gateway, words, **settings):
    code, said = start_again(gateway, **settings)
    assert code == 1 and "listening on" not in said, said
    assert any(each in said for each in words), said


@compiled
def test_where_there_is_no_write_ahead_log(ended, tmp_path):
    settings = {**preload("other_sqlite", tmp_path, ["-ldl"]), "OTHER_SQLITE": "no-shared-memory"}
    # A database whose header says that it has such a log, and a new one.
    require_refused(ended, ["the database cannot"], **settings)
    require_refused(ended, [SAYS], **settings, DATA_DIR=tmp_path / "fresh")
    require_works(ended)


@compiled
@pytest.mark.parametrize("durability", ["full", "normal"])
def test_where_synchronous_stays_what_it_was(ended, tmp_path, durability):
    settings = {**preload("other_sqlite", tmp_path, ["-ldl"]), "OTHER_SQLITE": "no-pager-pragmas", "DURABILITY": durability}
    if durability == "full":
        require_refused(ended, [SAYS + " FULL"], **settings)
    else:
        # It gets what it asked for.
        assert start_again(ended, **settings)[0] == 0
    require_works(ended)


def test_where_another_program_holds_the_database_without_a_log(ended):
    """A copy that somebody reads with another program, in SQLite's older mode: it cannot be changed under their hands."""
    file = ended.directory / "data" / "proxyxai.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as reader:
        assert reader.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM accounts").fetchone()
        require_refused(ended, ["another program holds it"])
        reader.execute("COMMIT")
    require_works(ended)
    with contextlib.closing(sqlite3.connect(file)) as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("which", ["-wal", "-shm"])
def test_where_a_side_file_cannot_be_made(ended, which):
    """Something else stands in its place."""
    (ended.directory / "data" / f"proxyxai.db{which}").mkdir()
    require_refused(ended, ["the database cannot", "does not take"])
    (ended.directory / "data" / f"proxyxai.db{which}").rmdir()
    require_works(ended)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes whatever the mode says")
def test_where_the_log_may_only_be_read(ended):
    log = ended.directory / "data" / "proxyxai.db-wal"
    log.touch(mode=0o400)
    require_refused(ended, ["the database cannot", "does not take"])
    log.unlink()
    require_works(ended)


@mounts
def test_where_there_is_no_room_for_the_shared_memory(tmp_path, start, mock):
    """The database opens, and its log has no index: nothing is served on a promise."""
    with SmallDisk(tmp_path) as disk:
        (tmp_path / "gateway0").mkdir()
        (tmp_path / "gateway0" / "data").symlink_to(disk.place)
        gateway = start()
        assert gateway.chat()[0] == 200
        gateway.end()
        disk.fill()
        require_refused(gateway, ["free some disk space", "check the disk of DATA_DIR"])
        disk.free()
        require_works(gateway)


def require_works(gateway):
    assert start_again(gateway)[0] == 0
    checked = subprocess.run([str(BUILD / "proxyxai"), "check"], env=gateway.environment, capture_output=True, text=True, timeout=60 * SLOW)
    assert checked.returncode == 0, checked.stdout + checked.stderr
