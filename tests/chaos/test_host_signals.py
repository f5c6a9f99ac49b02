"""Signals under load: many SIGHUPs, a process that stands still, SIGTERM once and twice."""
import json
import signal
import time

from crowd import Crowd, make_customers
from processes import SLOW, Raw, wait_for

KEY = "sk-upstream-key-000001"


def send(gateway, number, times=1):
    for _ in range(times):
        gateway.process.send_signal(number)


def wait_for_text(gateway, text, times=1):
    wait_for(lambda: gateway.text().count(text) >= times, 20 * SLOW, f"{times} times {text!r}")


def test_a_storm_of_sighups(start, mock, calm, seed):
    gateway = start(keys=[KEY])
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            send(gateway, signal.SIGHUP, 20)
            assert gateway.operations("/healthz")[0] == 200
        crowd.wait_for_answers()
    assert not crowd.journal.refused, crowd.codes()
    assert gateway.text().count("SIGHUP: reading") > 20 / SLOW
    before.require_calm(answers=crowd.journal.answers, keys={KEY: "active"})
    before.require_end(answers=crowd.journal.answers)


def test_a_process_that_stood_still_goes_on(start, mock, calm, seed):
    """As a machine that was suspended, or a host without a turn for it: nobody's request is lost, no key is blamed."""
    gateway = start(keys=[KEY])
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        send(gateway, signal.SIGSTOP)
        try:
            began = time.monotonic()
            wait_for(lambda: time.monotonic() - began > 5, 6, "five seconds")
        finally:
            send(gateway, signal.SIGCONT)
        crowd.wait_for_answers(20)
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers, keys={KEY: "active"})
    before.require_end(answers=crowd.journal.answers)


def test_one_sigterm_finishes_what_is_under_way(start, mock, calm, seed):
    gateway = start(keys=[KEY])
    account, customers = gateway.make_child(100), make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd, Raw(gateway.port) as slow:
        slow.send(stream_bytes(account.key, events=20, interval_ms=50))
        slow.read_until(b"word0 ")
        send(gateway, signal.SIGTERM)
        answer = slow.read_all()
        assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        gateway.process.wait(20 * SLOW)
    before.require_end(answers=crowd.journal.answers)


def test_a_second_sigterm_ends_it_at_once_and_bills_what_was_delivered(start, mock, calm, seed):
    gateway = start(keys=[KEY])
    account, customers = gateway.make_child(100), make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd, Raw(gateway.port) as slow:
        slow.send(stream_bytes(account.key, events=1000, interval_ms=50))
        slow.read_until(b"word3 ")
        send(gateway, signal.SIGTERM)
        wait_for_text(gateway, "draining:")
        began = time.monotonic()
        send(gateway, signal.SIGTERM)
        answer = slow.read_all()
        gateway.process.wait(20 * SLOW)
        assert time.monotonic() - began < 5 * SLOW
        assert b"[DONE]" not in answer and not answer.endswith(b"\r\n0\r\n\r\n"), "a cut answer looks cut"
    assert "a second signal" in gateway.text()
    gateway.expected_exit = 1
    before.require_end(answers=crowd.journal.answers)
    (row,) = [each for each in before.books.requests_after(0) if each[1] == account.id]
    assert row[2] > 0, "what was delivered is paid"


def stream_bytes(key, events, interval_ms):
    text = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "stream": True})
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n" \
           f"x-mock-events: {events}\r\nx-mock-interval-ms: {interval_ms}\r\nContent-Length: {len(text)}\r\n\r\n{text}"
