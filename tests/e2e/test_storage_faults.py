"""The disk and who writes to it: one connection, and what happens when what is written cannot be kept."""
import os
import pathlib
import subprocess

import pytest

from injection import SYNCS, Injection, injects
from processes import BUILD, SLOW, in_parallel, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="looks into the process, which shows itself to root alone")


def connections(gateway):
    """The descriptors of the database file, by whether they may write."""
    found = []
    place = pathlib.Path(f"/proc/{gateway.process.pid}")
    for each in (place / "fd").iterdir():
        try:
            if os.readlink(each).endswith("/proxyxai.db"):
                flags = (place / "fdinfo" / each.name).read_text().split("flags:")[1].split()[0]
                found.append(int(flags, 8) & os.O_ACCMODE)
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def test_one_connection_writes_whatever_is_asked(gateway):
    """SQLite 3.40.1 can lose pages when one connection resets the log that another writes or checkpoints."""
    accounts = [gateway.make_child(20) for _ in range(4)]

    def work(index):
        seen = set()
        for _ in range(10):
            account = accounts[index % 4]
            assert account.chat()[0] == 200
            assert account.call("GET", "/x-requests")[0] == account.call("GET", "/x-bill")[0] == 200
            seen.add(tuple(sorted(connections(gateway))))
        return seen

    for writers in set().union(*in_parallel(8, work)):
        assert writers.count(os.O_RDWR) + writers.count(os.O_WRONLY) == 1 and len(writers) >= 2, writers


@injects
def test_a_disk_that_cannot_sync_is_503_and_never_free(start, mock, tmp_path):
    gateway = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(1)
    assert account.chat()[0] == 200
    body = {"model": "gpt-4o", "messages": [], "stream": True}
    with Injection(gateway, tmp_path / "strace.log", SYNCS, "error=EIO") as disk:
        status, _, answer = account.chat()
        assert status == 503 and b"storage_unavailable" in answer and b"word" not in answer
        assert disk.count() > 0
        for _ in range(5):
            status, _, answer = account.call("POST", "/v1/chat/completions", body)
            assert status == 503 and b"word" not in answer
        assert gateway.call("POST", "/x-users", {"Name": "too-late", "Email": "a@b.example", "CreditGranted": 1})[0] == 503
        assert gateway.operations("/readyz")[0] == 503 and gateway.operations("/healthz")[0] == 200
        seen = len(mock.requests())
    wait_for(lambda: account.chat()[0] == 200, 20 * SLOW, "service again")
    assert seen == 2, "the good one, and the one that found the fault; no other reached upstream"
    rows = account.requests()
    assert 10**9 - account.balance() == sum(account.costs()) and len(rows) >= 2
    gateway.end()
    check = subprocess.run([str(BUILD / "proxyxai"), "check"], env=gateway.environment, capture_output=True, text=True, timeout=60 * SLOW)
    assert check.returncode == 0, check.stdout
