"""Little memory, and bodies that would not fit into it."""
import contextlib
import json
import resource
import signal
import threading
from collections import Counter

import pytest

from crowd import Crowd, make_customers
from memory_group import MemoryGroup
from processes import SLOW, Account, Raw, in_parallel, sanitizers, wait_for

MIB = 1 << 20
# AddressSanitizer keeps what was given back, and what it knows of it.
GROUP_MIB = 640 if sanitizers() else 64


def upload(account, size, path="/v1/chat/completions"):
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * size}]})
    return account.call("POST", path, body, {"Content-Type": "application/json"})[0]


def upload_beside(account, size, others):
    """The same, in two parts: the second when `others` have sent their first."""
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * size}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {account.key}\r\nContent-Type: application/json\r\n" \
           f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with Raw(account.gateway.port, timeout=60) as raw:
        # Who is refused already cannot send, but reads why.
        with contextlib.suppress(OSError):
            raw.send(head.encode() + body[:-MIB])
        others.wait(60 * SLOW)
        with contextlib.suppress(OSError):
            raw.send(body[-MIB:])
        return int(raw.read_all().split(b" ", 2)[1])


def test_bodies_of_twice_the_memory(start, mock, calm, seed):
    """Bodies of 128 MiB in all, at once, within 64 MiB for everything: they go to the disk, the daemon is not killed, and others are served meanwhile."""
    with MemoryGroup(GROUP_MIB) as group:
        gateway = start(BODY_MEMORY_BYTES="8M", MAX_BODY_BYTES="9M", USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
        group.add(gateway.process.pid)
        account, customers = gateway.make_child(1000), make_customers(gateway)
        before = calm(gateway)
        with Crowd(gateway, seed, customers, guests=3) as crowd:
            others = threading.Barrier(16)
            statuses = Counter(in_parallel(16, lambda _: upload_beside(account, 8 * MIB, others)))
            too_large = Counter(in_parallel(8, lambda _: upload(account, 12 * MIB)))
            crowd.wait_for_answers()
        print(f"{dict(statuses)}, larger ones {dict(too_large)}; at most {group.highest()} MiB of {GROUP_MIB}, {gateway.resident_kib() >> 10} MiB resident")
        assert set(statuses) <= {200, 503} and statuses[200] > 0 and set(too_large) == {413}
        assert group.kills() == 0
        assert not crowd.journal.refused, crowd.codes()
        before.require_calm(answers=crowd.journal.answers)
        before.require_end(answers=crowd.journal.answers)


def test_bodies_that_never_end_hold_no_memory_for_good(start, mock, calm):
    """Clients that send half of their body and stop: when they are gone, so is what they held."""
    gateway = start(BODY_MEMORY_BYTES="4M", BODY_IDLE_TIMEOUT="1s")
    account = gateway.make_child(100)
    before = calm(gateway)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {account.key}\r\nContent-Type: application/json\r\n" \
           f"Content-Length: {4 * MIB}\r\n\r\n"
    held = [Raw(gateway.port) for _ in range(20)]
    try:
        in_parallel(len(held), lambda i: held[i].send(head + "x" * MIB))
        wait_for(lambda: gateway.metric("proxyxai_body_memory_bytes") > 2 * MIB, 20 * SLOW, "bodies")
        assert gateway.metric("proxyxai_body_memory_bytes") <= 4 * MIB
        for each in held[::2]:
            each.socket.close()
        # The others are sent away when they stood still for too long.
        assert {each.read_all().split(b" ", 2)[1] for each in held[1::2]} <= {b"408", b"503"}
        wait_for(lambda: gateway.metric("proxyxai_body_memory_bytes") == 0, 20 * SLOW, "memory given back")
    finally:
        for each in held:
            each.socket.close()
    before.require_calm()


@pytest.mark.skipif(bool(sanitizers()), reason="AddressSanitizer maps terabytes and ends where it cannot")
def test_settings_that_promise_more_memory_than_there_is(start, mock, calm, seed):
    """The kernel gives no more: it lives, or ends at once and not somewhere in between; then it is started again, and the books are whole."""
    options = {"BODY_MEMORY_BYTES": "256M", "USER_MIN_BALANCE": "0", "CALL_MIN_BALANCE": "0"}
    gateway = start(**options)
    account, customers = gateway.make_child(1000), make_customers(gateway)
    with Crowd(gateway, seed, customers, guests=3) as crowd:
        size = int(gateway.metric("process_virtual_memory_bytes"))
        resource.prlimit(gateway.process.pid, resource.RLIMIT_AS, (size + 16 * MIB, resource.RLIM_INFINITY))

        def attempt(_):
            try:
                return upload(account, 24 * MIB)
            except OSError as ended:
                return type(ended).__name__

        outcomes = Counter(in_parallel(6, attempt))
        print(dict(outcomes))
        assert set(outcomes) != {200}, "there was memory for all of it"
        if gateway.process.poll() is None:
            resource.prlimit(gateway.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            crowd.wait_for_answers()
    if gateway.process.poll() is not None:
        print(f"it ended with {gateway.process.returncode}")
        gateway.expected_exit = -signal.SIGABRT
        gateway.end()
        gateway = start(again=gateway, **options)
    before = calm(gateway)
    assert upload(account_of(gateway, account), MIB) == 200
    before.require_calm(answers=crowd.journal.answers)


def account_of(gateway, account):
    """The same account, asked of another life of the daemon."""
    return Account(gateway, account.id, account.name, account.key)
