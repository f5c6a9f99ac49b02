"""Answers that refuse and go wrong themselves: what broke off says nothing of the key, and no refusal holds a request for ever."""
import itertools
import time

import pytest

import faults
from clients import Answer, ask_once, chat_body, cost_of
from upstream import Upstream

KEY = "sk-upstream-key-000001"
REFUSALS = {
    "dead": (401, faults.INVALID_KEY),
    "deactivated": (403, faults.error_body("account_deactivated")),
    "no money": (429, faults.NO_QUOTA),
    "too many": (429, faults.TOO_MANY),
    "not found": (404, faults.error_body("model_not_found")),
    "bad request": (400, faults.error_body("bad")),
    "broken": (500, faults.error_body("server_error")),
}


def broken_off(status, body, how):
    """All of its body, and not all of what was announced."""
    return faults.say("broken off", f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 50}\r\n\r\n".encode() + body, how)


def test_a_refusal_that_breaks_off_is_held_against_nobody(start, calm):
    def plan(request):
        if request.attempt > 0 or "x-storm-fault" not in request.fields:
            return None
        name, _, how = request.fields["x-storm-fault"].partition("/")
        return broken_off(*REFUSALS[name], how)

    with Upstream(plan) as upstream:
        gateway = start(mock=upstream, IDLE_TIMEOUT="300ms")
        before = calm(gateway)
        answers, body = [], chat_body()
        for name, how in itertools.product(REFUSALS, ("reset", "close", "stall")):
            status, fields, told, whole = ask_once(gateway, body, x_storm_fault=f"{name}/{how}")
            assert status == 200 and whole and int(fields["x-proxyxai-attempts"]) >= 2, (name, how, told)
            answers.append(Answer(1, fields["x-request-id"], cost_of(body)))
            assert gateway.shown(KEY)["State"] == "active" and not gateway.shown(KEY)["Limits"], (name, how)
        before.require_calm(answers, {KEY: "active"})
        before.require_end(answers)


def test_a_refusal_without_an_end_is_read_no_further_than_it_tells(start, calm):
    """Chunks for as long as the gateway takes them."""
    sent = []

    def plan(request):
        @faults.named("endless")
        def endless(peer, request):
            peer.send(b"HTTP/1.1 500 No\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
            sent.append(0)
            while True:
                peer.send(b"4000\r\n" + b"a" * 0x4000 + b"\r\n")
                sent[-1] += 0x4000

        return endless if request.attempt == 0 and "x-storm-fault" in request.fields else None

    with Upstream(plan) as upstream:
        gateway = start(mock=upstream)
        before = calm(gateway)
        for _ in range(5):
            status, _, told, whole = ask_once(gateway, chat_body(), x_storm_fault="1")
            assert status == 200 and whole, told[:200]
        before.require_calm(keys={KEY: "active"})
        before.require_end()
    # Beyond what is read there are the buffers of two sockets.
    assert len(sent) == 5 and max(sent) < 16 << 20, sent


def test_a_refusal_that_drips_does_not_outlast_the_deadline_of_all_attempts(start, calm):
    def plan(request):
        @faults.named("dripping refusal")
        def drip(peer, request):
            peer.send(b"HTTP/1.1 503 No\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(60):
                peer.send(b" ")
                time.sleep(0.1)

        return drip if "x-storm-fault" in request.fields else None

    with Upstream(plan) as upstream:
        gateway = start(mock=upstream, RETRY_DEADLINE="1s", IDLE_TIMEOUT="1s", FIRST_BYTE_TIMEOUT="1s")
        before = calm(gateway)
        began = time.monotonic()
        status, _, told, _ = ask_once(gateway, chat_body(), x_storm_fault="1")
        took = time.monotonic() - began
        assert status == 503, told
        assert took < 4, f"{took:.1f} s, where all attempts together have one second"
        before.require_calm(keys={KEY: "active"})
        before.require_end()
