"""SIGTERM under load: whoever has begun a request gets its answer, and the next daemon is there within a second."""
import signal
import time

import pytest
from clients import Crowd
from figures import note, tell
from ledger import require_in_books_once
from processes import SLOW, Raw, wait_for
from web import DOMAIN


def stop_under_load(gateway, crowd):
    """Until the daemon has ended: when it was told, how long it took, and what it ended with."""
    crowd.wait_for_answers(50)
    began = time.monotonic()
    gateway.process.send_signal(signal.SIGTERM)
    code = gateway.process.wait(30 * SLOW)
    return began, time.monotonic() - began, code


@pytest.mark.parametrize("repeat", range(3))
def test_no_client_sees_an_error(start, repeat):
    gateway = start()
    crowd = Crowd(gateway.port, [gateway.root], count=100)
    try:
        began, took, code = stop_under_load(gateway, crowd)
        wait_for(lambda: crowd.refused, what="nobody to listen any more")
    finally:
        crowd.stop()
    assert code == 0 and took < 30, took
    crowd.require_no_failure()
    assert min(crowd.refused) > began
    require_in_books_once(gateway, crowd.answers)
    tell("SIGTERM under load to the end", [took])
    note(f"SIGTERM under load: {len(crowd.answers)} requests answered, {len(crowd.failures)} begun and failed")


@pytest.mark.parametrize("repeat", range(3))
def test_no_client_sees_an_error_behind_nginx(start, nginx, repeat):
    gateway = start()
    front = nginx(gateway)
    crowd = Crowd(front.port, [gateway.root], count=100, hostname=f"api.{DOMAIN}")
    try:
        began, took, code = stop_under_load(gateway, crowd)
    finally:
        crowd.stop()
    assert code == 0 and took < 30, took
    assert not crowd.failures, (len(crowd.failures), crowd.failures[:5])
    odd = [each for each in crowd.answers if each.status != 200]
    assert all(each.status == 502 and each.began > began for each in odd), odd[:5]
    # 502 is said of connections that were refused, and of nothing else: none had been made and then broke.
    lines = front.lines()
    broken = [line for line in lines if line.startswith("502 ") and "connected=- " not in line]
    assert lines and not broken, (len(broken), broken[:5])
    require_in_books_once(gateway, crowd.answers)
    note(f"SIGTERM under load behind nginx: {len(crowd.answers) - len(odd)} requests answered, {len(crowd.failures)} begun and failed")


def test_idle_connections_are_served_once_more_then_closed(start):
    gateway = start()
    with Raw(gateway.port) as busy, Raw(gateway.port) as idle, Raw(gateway.port) as fresh:
        ask = f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n\r\n"
        for each in (busy, idle):
            status, headers, _ = each.send(ask).read_response()
            assert status == 200 and headers.get("connection", "").lower() != "close"
        gateway.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining" in gateway.text(), what="the drain")
        began = time.monotonic()
        for each in (busy, fresh):
            status, headers, _ = each.send(ask).read_response()
            assert status == 200 and headers["connection"].lower() == "close"
        assert busy.read_all() == b"" and idle.read_all() == b""
        # Longer than nginx keeps one idle: test_rolling_restart.
        assert 0.9 < time.monotonic() - began < 3 * SLOW
    assert gateway.process.wait(5 * SLOW) == 0


def test_a_connection_whose_stream_ends_in_the_drain_may_ask_once_more(start):
    """Its head told nothing of the end: a client that keeps connections sends its next request on it."""
    gateway = start()
    body = '{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"x"}]}'
    ask = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\nContent-Type: application/json\r\n"
           f"x-mock-events: 40\r\nx-mock-interval-ms: 50\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    with Raw(gateway.port) as raw:
        raw.send(ask)
        raw.read_until(b"word0 ")
        gateway.process.send_signal(signal.SIGTERM)
        assert b"[DONE]" in raw.read_until(b"0\r\n\r\n")
        status, headers, _ = raw.send(f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n\r\n").read_response()
        assert status == 200 and headers["connection"].lower() == "close"
    assert gateway.process.wait(10 * SLOW) == 0


def test_what_takes_longer_than_the_drain_is_cut_off_and_told(start):
    gateway = start(DRAIN_TIMEOUT="1s")
    gateway.expected_exit = 1
    crowd = Crowd(gateway.port, [gateway.root], 1, ("stream",), events=1000, interval=50)
    try:
        wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 1, what="the stream")
        began = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(20 * SLOW) == 1
        assert time.monotonic() - began < 5 * SLOW
    finally:
        crowd.stop()
    assert "1 requests did not finish in time" in gateway.text()
    assert len(crowd.failures) == 1 and not crowd.answers


def test_restart_takes_less_than_a_second(start):
    gateway = start()
    crowd = Crowd(gateway.port, [gateway.root], count=20)
    crowd.wait_for_answers(50)
    crowd.stop().require_no_failure()
    ports = {"PORT": gateway.port, "ADMIN_LISTEN": f"127.0.0.1:{gateway.admin_port}"}
    assert gateway.stop() == 0
    ready, ends = [], []
    for _ in range(10):
        began = time.monotonic()
        gateway = start(again=gateway, **ports)
        assert gateway.operations("/readyz")[0] == 200
        ready.append(time.monotonic() - began)
        assert gateway.chat()[0] == 200
        began = time.monotonic()
        assert gateway.stop() == 0
        ends.append(time.monotonic() - began)
    tell("from exec to ready", ready)
    tell("from SIGTERM to the end, idle", ends)
    assert max(ready) < SLOW
