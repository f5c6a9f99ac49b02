"""Answers that break off at each class of place: before the head is whole another attempt saves the request; behind it the client must see
that it has not the whole. What it can take for the whole is the whole, and is in the ledger once."""
import pytest

import faults
from clients import Answer, ask_once, chat_body, cost_of
from processes import SLOW
from upstream import Upstream

KEY = "sk-upstream-key-000001"
HEAD = ["before anything", "in the status line", "in the head", "in the head's last line end"]
BODY = ["between head and body", "in the data", "in a character", "before the last byte of the body"]
EVENTS = ["between an event's line ends", "behind an event"]
CHUNKS = ["in a chunk's size", "before a chunk's data", "in a chunk's end", "before the last chunk", "in the last chunk"]
PLACES = {
    ("json", "length"): HEAD + BODY,
    ("json", "chunked"): HEAD + BODY + CHUNKS,
    ("stream", "chunked"): HEAD + BODY + EVENTS + CHUNKS,
    ("stream", "close"): HEAD + BODY + EVENTS,
}
ALL = [(*kind, place) for kind, places in PLACES.items() for place in places]


class Once:
    """The plan of a test: the first attempt of a request goes wrong as its client asks."""

    def __init__(self):
        self.fault = None

    def __call__(self, request):
        return self.fault if request.attempt == 0 and "x-storm-fault" in request.fields else None


def cut_with(how, gateway, plan, kind, framing, place, fresh):
    """(what the client got, what it should have got in full, the answer as one)"""
    body = chat_body(words=6, stream=kind == "stream", text=f"{kind} {place}")
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True}
    plan.fault = faults.cut(place, how)
    if not fresh:
        # So that there is a kept connection, newest and unbroken.
        assert ask_once(gateway, body)[0] == 200
    status, fields, told, whole = ask_once(gateway, body, x_storm_framing=framing, x_storm_fault="1")
    return status, fields, told, whole, cost_of(body)


def places_to_cut(how, tls):
    for kind, framing, place in ALL:
        # Without TLS a close is the end of what has no other, wherever it comes.
        if framing == "close" and place not in HEAD and (how == "goodbye" or (how == "close" and not tls)):
            continue
        yield kind, framing, place


@pytest.mark.parametrize("transport", ["plain", "tls"])
@pytest.mark.parametrize("how", ["reset", "close", "goodbye"])
def test_an_answer_cut_anywhere_is_saved_or_seen_to_be_cut(start, calm, certificates, transport, how):
    plan, tls = Once(), transport == "tls"
    with Upstream(plan, certificates["good"] if tls else None, certificates.ca) as upstream:
        gateway = start(mock=upstream)
        before = calm(gateway)
        answers = []
        for fresh in (False, True):
            upstream.keeps = not fresh
            gateway.chat()
            for kind, framing, place in places_to_cut(how, tls):
                status, fields, told, whole, cost = cut_with(how, gateway, plan, kind, framing, place, fresh)
                case = (fresh, kind, framing, place, status, fields, told)
                assert status == 200, case
                if place in HEAD:
                    assert whole and fields["x-proxyxai-attempts"] == "2", case
                    assert b"w\xc3\xb6rd" in told
                    answers.append(Answer(1, fields["x-request-id"], cost))
                else:
                    assert not whole and fields["x-proxyxai-attempts"] == "1", case
        before.require_calm(answers, {KEY: "active"})
        before.require_end(answers)
        assert sum(upstream.faults.values()) == 2 * len(list(places_to_cut(how, tls)))


@pytest.mark.parametrize("transport", ["plain", "tls"])
@pytest.mark.parametrize("how", ["reset", "close", "goodbye"])
def test_the_end_of_a_connection_behind_the_whole_answer_costs_nothing(start, calm, certificates, transport, how):
    plan = Once()
    with Upstream(plan, certificates["good"] if transport == "tls" else None, certificates.ca) as upstream:
        gateway = start(mock=upstream)
        before = calm(gateway)
        for kind, framing in PLACES:
            if framing == "close":
                continue
            for _ in range(5):
                status, fields, told, whole, _ = cut_with(how, gateway, plan, kind, framing, "behind the whole", fresh=False)
                # A reset may overtake what was sent before it, at the receiver.
                assert status == 200 and (whole or how == "reset"), (kind, framing, told)
        before.require_calm(keys={KEY: "active"})
        before.require_end()


@pytest.mark.parametrize("transport", ["plain", "tls"])
@pytest.mark.parametrize("how", ["reset", "close", "stall"])
def test_an_upload_that_upstream_does_not_read_is_sent_again(start, calm, certificates, transport, how):
    plan = Once()
    with Upstream(plan, certificates["good"] if transport == "tls" else None, certificates.ca) as upstream:
        gateway = start(mock=upstream, IDLE_TIMEOUT="500ms", FIRST_BYTE_TIMEOUT=f"{600 * SLOW:.0f}ms")
        before = calm(gateway)
        answers = []
        for size in (20_000, 200_000, 8_000_000):
            for fresh in (True, False):
                upstream.keeps = not fresh
                gateway.chat()
                body = chat_body(text="a" * size)
                plan.fault = faults.cut_upload(how)
                status, fields, told, whole = ask_once(gateway, body, x_storm_fault="1")
                assert (status, whole) == (200, True), (size, fresh, told[:500])
                answers.append(Answer(1, fields["x-request-id"], cost_of(body)))
        before.require_calm(answers, {KEY: "active"})
        before.require_end(answers)


@pytest.mark.parametrize("place", HEAD + ["between head and body", "in the data", "in a character", "in a chunk's size", "in the last chunk"])
def test_an_answer_that_stalls_anywhere_ends_in_time(start, calm, place):
    plan = Once()
    with Upstream(plan) as upstream:
        gateway = start(mock=upstream, FIRST_BYTE_TIMEOUT="300ms", IDLE_TIMEOUT="300ms")
        before = calm(gateway)
        answers = []
        for kind in ("json", "stream"):
            status, fields, told, whole, cost = cut_with("stall", gateway, plan, kind, "chunked", place, fresh=True)
            assert status == 200 and whole == (place in HEAD), (kind, told)
            if whole:
                answers.append(Answer(1, fields["x-request-id"], cost))
        before.require_calm(answers, {KEY: "active"})
        before.require_end(answers)


@pytest.mark.parametrize("step", [1, 3])
def test_answers_that_drip_arrive_byte_for_byte(start, calm, certificates, step):
    plan = Once()
    plan.fault = faults.drip(step, pause=0)
    with Upstream(plan, certificates["good"], certificates.ca) as upstream:
        gateway = start(mock=upstream)
        before = calm(gateway)
        answers = []
        for kind, framing in PLACES:
            if framing == "close":
                continue
            body = chat_body(words=8, stream=kind == "stream", **({"stream_options": {"include_usage": True}} if kind == "stream" else {}))
            status, fields, told, whole = ask_once(gateway, body, x_storm_framing=framing, x_storm_fault="1")
            assert status == 200 and whole
            assert told.count("wörd→".encode()) == 8, told
            answers.append(Answer(1, fields["x-request-id"], cost_of(body)))
        before.require_calm(answers, {KEY: "active"})
        before.require_end(answers)
