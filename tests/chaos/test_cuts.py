"""Answers that break off at each class of place: before the head is whole another attempt saves the request; behind it the client must see
that it has not the whole. What it can take for the whole is the whole, and is in the ledger once."""
import itertools
import time

import pytest

import faults
from clients import Answer, ask_once, chat_body, cost_of
from processes import SLOW, in_parallel
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


def as_asked(request):
    """The plan of these tests: the first attempt of a request goes wrong as its client asks."""
    how, _, what = request.fields.get("x-storm-fault", "").partition(" ")
    # A busy machine may have taken an attempt before for one that stalled before its head.
    is_to_last = how == "stall" and what not in [*HEAD, "in the upload"]
    if not how or (request.attempt > 0 and not is_to_last):
        return None
    if how == "drip":
        return faults.drip(int(what), pause=0)
    return faults.cut_upload(how) if what == "in the upload" else faults.cut(what, how)


def ask(gateway, kind, framing, fault):
    """What came of it, and what it cost: status, fields, body, whether it is whole, nano-dollars."""
    body = chat_body(words=6, stream=kind == "stream", text=f"{kind} {fault}")
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True}
    return (*ask_once(gateway, body, x_storm_framing=framing, x_storm_fault=fault), cost_of(body))


def places_to_cut(how, tls):
    for kind, framing, place in ALL:
        # Without TLS a close is the end of what has no other, wherever it comes.
        if framing == "close" and place not in HEAD and (how == "goodbye" or (how == "close" and not tls)):
            continue
        yield kind, framing, place


@pytest.fixture(params=["plain", "tls"])
def upstream(request, certificates):
    with Upstream(as_asked, certificates["good"] if request.param == "tls" else None, certificates.ca) as made:
        yield made


@pytest.mark.parametrize("how", ["reset", "close", "goodbye"])
def test_an_answer_cut_anywhere_is_saved_or_seen_to_be_cut(start, calm, upstream, how):
    gateway = start(mock=upstream)
    before = calm(gateway)
    answers, cases = [], list(places_to_cut(how, upstream.tls))
    for is_kept in (True, False):
        upstream.keeps = is_kept
        gateway.chat()
        for kind, framing, place in cases:
            if is_kept:
                # So that there is a kept connection, newest and unbroken.
                gateway.chat()
            status, fields, told, whole, cost = ask(gateway, kind, framing, f"{how} {place}")
            case = (is_kept, kind, framing, place, status, fields, told)
            assert status == 200, case
            if place in HEAD:
                assert whole and fields["x-proxyxai-attempts"] == "2" and told.count("wörd→".encode()) == 6, case
                answers.append(Answer(1, fields["x-request-id"], cost))
            else:
                assert not whole and fields["x-proxyxai-attempts"] == "1", case
        # Behind the whole answer the end of the connection is nobody's loss; but a reset may overtake what was sent before it.
        for kind, framing in PLACES:
            if framing != "close":
                status, fields, told, whole, cost = ask(gateway, kind, framing, f"{how} behind the whole")
                assert status == 200 and (whole or how == "reset"), (is_kept, kind, framing, told)
    before.require_calm(answers, {KEY: "active"})
    before.require_end(answers)
    assert sum(upstream.faults.values()) == 2 * (len(cases) + 3)


def test_an_upload_that_upstream_does_not_read_is_sent_again(start, calm, upstream):
    gateway = start(mock=upstream, IDLE_TIMEOUT=f"{SLOW}s", FIRST_BYTE_TIMEOUT=f"{SLOW}s")
    before = calm(gateway)
    answers = []
    for how, size, is_kept in itertools.product(("reset", "close", "stall"), (20_000, 200_000, 3_000_000), (True, False)):
        if how == "stall" and is_kept:
            continue
        upstream.keeps = is_kept
        gateway.chat()
        body = chat_body(text="a" * size)
        status, fields, told, whole = ask_once(gateway, body, x_storm_fault=how + " in the upload")
        assert (status, whole) == (200, True), (how, size, is_kept, told[:500])
        assert int(fields["x-proxyxai-attempts"]) >= 2
        answers.append(Answer(1, fields["x-request-id"], cost_of(body)))
    before.require_calm(answers, {KEY: "active"})
    before.require_end(answers)


def test_an_answer_that_stalls_anywhere_ends_in_time(start, calm, upstream):
    gateway = start(mock=upstream, FIRST_BYTE_TIMEOUT=f"{2 * SLOW}s", IDLE_TIMEOUT="500ms")
    before = calm(gateway)
    cases = [each for each in ALL if each[1] == "chunked"]
    began = time.monotonic()
    results = in_parallel(len(cases), lambda i: ask(gateway, *cases[i][:2], f"stall {cases[i][2]}"))
    assert time.monotonic() - began < 12 * SLOW
    answers = []
    for (kind, _, place), (status, fields, told, whole, cost) in zip(cases, results):
        assert status == 200 and whole == (place in HEAD), (kind, place, told)
        if whole:
            answers.append(Answer(1, fields["x-request-id"], cost))
    before.require_calm(answers, {KEY: "active"})
    before.require_end(answers)


def test_answers_that_drip_arrive_byte_for_byte(start, calm, upstream):
    gateway = start(mock=upstream)
    before = calm(gateway)
    answers = []
    for step, (kind, framing) in itertools.product((1, 3), PLACES):
        status, fields, told, whole, cost = ask(gateway, kind, framing, f"drip {step}")
        assert status == 200 and whole and told.count("wörd→".encode()) == 6, told
        answers.append(Answer(1, fields["x-request-id"], cost))
    before.require_calm(answers, {KEY: "active"})
    before.require_end(answers)


@pytest.mark.parametrize("place", ["between head and body", "in the data"])
def test_a_key_whose_answers_always_break_off_rests_like_one_that_is_reset(start, place):
    """Or every second request of its model is cut for ever."""
    broken, good = "sk-upstream-broken-b001", "sk-upstream-good-g001"
    with Upstream(lambda request: faults.cut(place, "reset") if request.key == broken else None) as upstream:
        gateway = start(mock=upstream, keys=[broken, good])
        whole = [ask_once(gateway, chat_body(stream=True))[3] for _ in range(40)]
        assert gateway.shown(broken)["State"] == "resting", f"{whole.count(False)} of {len(whole)} answers were cut"
        assert whole.count(False) < 10
