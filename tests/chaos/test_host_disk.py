"""The disk is full, broken, read-only or slow while clients are at work: 503 rather than service for nothing, and all is well when it is."""
import json
import signal
import subprocess
import time

import pytest

from crowd import Crowd, make_customers
from injection import SYNCS, Injection, injects
from processes import BUILD, SLOW, Gateway, Raw, in_parallel, wait_for
from small_disk import SmallDisk, mounts

POOR = {"USER_MIN_BALANCE": "0", "CALL_MIN_BALANCE": "0", "STATS_INTERVAL": 20}
STORAGE = (503, "storage_unavailable")


class DiskGateway(Gateway):
    """Its data, and its log, are on a small disk."""

    def __init__(self, directory, *rest, disk, **more):
        super().__init__(disk.place / "gateway", *rest, **more)


@pytest.fixture
def disk(tmp_path):
    with SmallDisk(tmp_path) as made:
        yield made


@pytest.fixture
def on_disk(disk, start):
    """Starts a gateway on the disk, which is unmounted after its end."""
    return lambda **more: start(DiskGateway, disk=disk, **{**POOR, **more})


def start_refused(gateway, seconds=20):
    """What the program says of why it does not start."""
    done = subprocess.run([str(BUILD / "proxyxai"), "serve"], env=gateway.environment, capture_output=True, text=True, timeout=seconds * SLOW)
    return done.returncode, done.stdout + done.stderr


@mounts
def test_a_disk_that_fills_under_load(on_disk, disk, calm, seed):
    gateway = on_disk()
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        for _ in range(2):
            disk.fill()
            crowd.wait_for_refusals(503, 20)
            assert gateway.operations("/healthz")[0] == 200 and gateway.operations("/readyz")[0] == 503
            served = len(crowd.journal.answers)
            crowd.wait_for_refusals(503, 20)
            assert len(crowd.journal.answers) == served, "nothing is served that cannot be written down"
            disk.free()
            crowd.wait_for_answers()
    assert set(crowd.codes()) == {STORAGE}
    before.require_calm(answers=crowd.journal.answers)
    before.require_end(answers=crowd.journal.answers)


@mounts
def test_killed_on_a_full_disk_and_started_on_it(on_disk, disk, calm, seed):
    """A start without space says so, or serves no request for nothing; with space everything is there."""
    gateway = on_disk()
    customers = make_customers(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        disk.fill()
        crowd.wait_for_refusals(503, 5)
        gateway.stop(signal.SIGKILL)
    gateway.expected_exit = -signal.SIGKILL
    code, said = start_refused(gateway)
    assert code == 1 and any(each in said for each in ("free some disk space", "No space left", "check the disk")), said
    assert "Sanitizer" not in said
    disk.free()
    gateway = on_disk(again=gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as again:
        again.wait_for_answers()
    before.require_calm(answers=crowd.journal.answers + again.journal.answers)


@mounts
def test_bodies_that_find_no_room_on_the_disk(on_disk, disk, calm):
    """Uploads beyond the memory for bodies go to the disk: where that is full they are refused, and leave nothing behind."""
    gateway = on_disk(BODY_MEMORY_BYTES="1M")
    account = gateway.make_child(100)
    before = calm(gateway)
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "word " * 600_000}]})

    def upload(_):
        return account.call("POST", "/v1/chat/completions", body, headers)[0]

    disk.fill()
    assert set(in_parallel(8, upload)) <= {503}
    assert gateway.operations("/healthz")[0] == 200
    disk.free()
    wait_for(lambda: account.chat()[0] == 200, 10 * SLOW, "service again")
    assert upload(0) == 200
    before.require_calm()


@injects
def test_fsync_errors_under_load(start, mock, calm, seed, tmp_path):
    gateway = start(**POOR)
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        with Injection(gateway, tmp_path / "strace.log", SYNCS, "error=EIO") as broken:
            crowd.wait_for_refusals(503, 20)
            assert broken.count() > 0
        crowd.wait_for_answers()
        # Every other one.
        with Injection(gateway, tmp_path / "strace2.log", SYNCS, "error=EIO:when=1+2") as broken:
            wait_for(lambda: broken.count() > 5, 20 * SLOW, "faults")
        crowd.wait_for_answers()
    assert set(crowd.codes()) == {STORAGE}
    before.require_calm(answers=crowd.journal.answers)
    before.require_end(answers=crowd.journal.answers)


@injects
def test_a_disk_that_goes_read_only_under_load_and_comes_back(start, mock, calm, seed, tmp_path):
    """The files are open when it happens: each write to them fails from then on, and works again after it."""
    gateway = start(**POOR)
    customers = make_customers(gateway)
    before = calm(gateway)
    data = gateway.directory / "data"
    paths = [data, *(data / f"proxyxai.db{each}" for each in ("", "-wal", "-shm"))]
    with Crowd(gateway, seed, customers) as crowd:
        with Injection(gateway, tmp_path / "strace.log", "pwrite64,write,ftruncate,fallocate", "error=EROFS", paths) as read_only:
            crowd.wait_for_refusals(503, 20)
            assert read_only.count() > 0
            assert gateway.operations("/readyz")[0] == 503
        crowd.wait_for_answers()
    assert set(crowd.codes()) == {STORAGE}
    before.require_calm(answers=crowd.journal.answers)
    before.require_end(answers=crowd.journal.answers)


@mounts
def test_a_file_system_that_breaks_down_under_load(tmp_path, start, calm, seed):
    """The kernel makes it read-only for good: no service, no crash; when it has been repaired, everything that was answered before is there.
    Of the very moment we have the kernel's word alone: while it breaks down, ext4 says of a sync or two that they are done, and they are not."""
    disk = SmallDisk(tmp_path, 32, "ext4")
    # Its log is elsewhere.
    (tmp_path / "gateway0").mkdir()
    (tmp_path / "gateway0" / "data").symlink_to(disk.place)
    with disk:
        gateway = start(**POOR)
        customers = make_customers(gateway)
        with Crowd(gateway, seed, customers) as crowd:
            answers = list(crowd.journal.answers)
            disk.break_down()
            crowd.wait_for_refusals(503, 20)
            assert gateway.operations("/healthz")[0] == 200 and gateway.operations("/readyz")[0] == 503
        assert set(crowd.codes()) == {STORAGE}
        gateway.expected_exit = 1
        gateway.end()
        assert "not everything could be stored at the end" in gateway.text()
        code, said = start_refused(gateway)
        assert code == 1 and "Read-only file system" in said, said
    disk.repair()
    with disk:
        gateway = start(again=gateway, **POOR)
        calm(gateway).require_calm(answers=answers)
        gateway.end()


@mounts
def test_no_start_on_a_read_only_disk(on_disk, disk):
    gateway = on_disk()
    gateway.end()
    disk.remount("ro")
    code, said = start_refused(gateway)
    assert code == 1 and "Read-only file system" in said, said
    disk.remount("rw")
    gateway = on_disk(again=gateway)
    assert gateway.chat()[0] == 200


@injects
def test_a_slow_disk_holds_up_what_it_stores_and_nothing_else(start, mock, calm, seed, tmp_path):
    delay = 0.3
    gateway = start(**POOR)
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        with Injection(gateway, tmp_path / "strace.log", SYNCS, f"delay_enter={int(delay * 10**6)}") as slow:
            began = time.monotonic()
            assert gateway.chat()[0] == 200
            assert time.monotonic() - began >= delay, "it is in the ledger before its answer ends"
            took = []
            for _ in range(20):
                began = time.monotonic()
                assert gateway.operations("/healthz")[0] == 200
                assert gateway.call("GET", "/v1/nothing-of-the-kind", key="sk-wrong")[0] == 401
                took.append(time.monotonic() - began)
            crowd.wait_for_answers()
            assert slow.count() > 0
    print(f"beside syncs of {delay} s, healthz and a refusal took at most {max(took):.3f} s")
    assert sorted(took)[len(took) // 2] < delay * SLOW, took
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers)
    before.require_end(answers=crowd.journal.answers)


@mounts
def test_ended_on_a_full_disk_it_says_what_it_takes_with_it(tmp_path, start, mock):
    """What a stream has delivered cannot be refused any more: it is owed until there is space, and lost if the end comes before."""
    with SmallDisk(tmp_path) as disk:
        # Its log is elsewhere.
        (tmp_path / "gateway0").mkdir()
        (tmp_path / "gateway0" / "data").symlink_to(disk.place)
        gateway = start(**POOR)
        account = gateway.make_child(1)
        text = json.dumps({"model": "gpt-4o", "messages": [], "stream": True})
        with Raw(gateway.port) as raw:
            raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {account.key}\r\nContent-Type: application/json\r\n"
                     f"x-mock-events: 20\r\nx-mock-interval-ms: 50\r\nContent-Length: {len(text)}\r\n\r\n{text}")
            raw.read_until(b"word3 ")
            disk.fill()
            answer = raw.read_all()
        assert b"[DONE]" not in answer and account.balance() < 10**9
        gateway.expected_exit = 1
        gateway.end()
        assert "1 requests for $" in gateway.text() and "could not be stored and are lost with this process" in gateway.text()
        disk.free()
        gateway = start(again=gateway, **POOR)
        assert gateway.chat(key=account.key)[0] == 200
        gateway.end()
