"""Answers that are none: what cannot be read is no answer, and another attempt saves the request; what goes wrong behind the head is seen to be
cut; what is odd and yet an answer passes. Nothing of one answer is ever taken for the next."""
import threading
import time

import pytest

import faults
from clients import ask_once, chat_body
from processes import Raw
from upstream import Upstream, good_answer

KEY = "sk-upstream-key-000001"
JSON = b'{"id":"a","object":"chat.completion","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(JSON)
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n" % len(JSON) + JSON
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

# name: (bytes, what the client gets of it: `saved` by another attempt, `cut`, or the status of what `passed`)
ODD = {
    "no HTTP": (b"hello\r\n\r\n", "saved"),
    "no line end": (b"HTTP/1.1 200 OK", "saved"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", "saved"),
    "HTTP/2 preface": (b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\x40\0\0\0\0\x02\0\0\0\0", "saved"),
    "a TLS alert": (b"\x15\x03\x01\0\x02\x02\x28", "saved"),
    "a status of letters": (b"HTTP/1.1 2x0 OK\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a status of two digits": (b"HTTP/1.1 99 OK\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "status 0": (b"HTTP/1.1 000 OK\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "HTTP/3.0": (b"HTTP/3.0 200 OK\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "bare line ends": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", "saved"),
    "a NUL in the head": (OK + b"X-A: a\0b\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a bare CR in the head": (OK + b"X-A: a\rSet-Cookie: b=c\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a bare LF in the head": (OK + b"X-A: a\nSet-Cookie: b=c\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a bell in the head": (OK + b"X-A: a\x07b\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a DEL in the head": (OK + b"X-A: a\x7fb\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a folded line": (OK + b"X-A: a\r\n b\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a name with a space": (OK + b"X A: a\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a line without a colon": (OK + b"nothing\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "two lengths": (OK + LENGTH + b"Content-Length: 7\r\n\r\n" + JSON, "saved"),
    "a length of letters": (OK + b"Content-Length: many\r\n\r\n" + JSON, "saved"),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\n" + JSON, "saved"),
    "a length beyond 64 bits": (OK + b"Content-Length: 99999999999999999999999\r\n\r\n" + JSON, "saved"),
    "a head of 200 KiB": (OK + b"X-A: " + b"a" * 200_000 + b"\r\n" + LENGTH + b"\r\n" + JSON, "saved"),
    "a head without an end": (OK + b"X-A: a\r\n" * 20_000, "saved"),
    "a flood of interim answers": (INTERIM * 1000 + OK + LENGTH + b"\r\n" + JSON, "saved"),
    "a 101 that nobody asked for": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "saved"),
    "a chunk size of letters": (CHUNKED + b"zz\r\n" + JSON, "cut"),
    "a negative chunk": (CHUNKED + b"-5\r\n" + JSON, "cut"),
    "a chunk beyond 64 bits": (CHUNKED + b"fffffffffffffffffff\r\n" + JSON, "cut"),
    "a chunk size with 0x": (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", "cut"),
    "a chunk longer than it says": (CHUNKED + b"5\r\n" + JSON + b"\r\n0\r\n\r\n", "cut"),
    "a chunk line without an end": (CHUNKED + CHUNK + b"\r\n1;" + b"a" * 20_000, "cut"),
    "a trailer that is none": (CHUNKED + CHUNK + b"\r\n0\r\nnothing\r\n\r\n", "cut"),
    "a few interim answers": (INTERIM * 5 + OK + LENGTH + b"\r\n" + JSON, 200),
    "gzip that is plain": (OK + b"Content-Encoding: gzip\r\n" + LENGTH + b"\r\n" + JSON, 200),
    "no reason": (b"HTTP/1.1 200 \r\n" + LENGTH + b"\r\n" + JSON, 200),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + JSON, 200),
    "a trailer": (CHUNKED + CHUNK + b"\r\n0\r\nX-Sum: 1\r\n\r\n", 200),
    "more than its length": (OK + LENGTH + b"\r\n" + JSON + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen", 200),
    "more than its chunks": (CHUNKED + CHUNK + b"\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen", 200),
    "no JSON": (OK + b"Content-Length: 5\r\n\r\n{\"a\":", 200),
    "no UTF-8": (OK + b"Content-Length: 5\r\n\r\n\xff\xfe\"}\x80", 200),
    "ten thousand brackets": (OK + b"Content-Length: 10000\r\n\r\n" + b"[" * 10_000, 200),
    "nothing at all": (OK + b"Content-Length: 0\r\n\r\n", 200),
    "a 204 with a body": (b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nstolen", 204),
    "a status of its own": (b"HTTP/1.1 499 Odd\r\nContent-Length: 2\r\n\r\n{}", 499),
}


def as_named(request):
    name = request.fields.get("x-storm-fault")
    if not name or request.attempt > 0:
        return None
    # Where the connection goes on, whatever is left of the answer must not be read as the next one.
    return faults.say(name, ODD[name][0], {"saved": "goodbye", "cut": "stall"}.get(ODD[name][1]))


def test_what_is_no_answer_is_saved_cut_or_passed(start, calm):
    with Upstream(as_named) as upstream:
        gateway = start(mock=upstream, IDLE_TIMEOUT="500ms", FIRST_BYTE_TIMEOUT="5s")
        before = calm(gateway)
        for name, (_, outcome) in ODD.items():
            for stream in (False, True):
                status, fields, told, whole = ask_once(gateway, chat_body(stream=stream), x_storm_fault=name)
                case = (name, stream, status, fields, told[:300])
                assert b"stolen" not in told, case
                if outcome == "saved":
                    assert status == 200 and whole and fields["x-proxyxai-attempts"] == "2" and told.count("wörd→".encode()) == 4, case
                elif outcome == "cut":
                    assert status == 200 and not whole, case
                else:
                    assert status == outcome and whole, case
                status, _, told, whole = ask_once(gateway, chat_body())
                assert status == 200 and whole and told.count("wörd→".encode()) == 4, (name, told)
        before.require_calm(keys={KEY: "active"})
        before.require_end()
        assert set(ODD) <= set(upstream.faults)


@pytest.mark.parametrize("framing", ["both", "twice the same"])
def test_a_framing_that_two_could_read_in_two_ways_ends_its_connection(start, calm, framing):
    """A length beside chunks, or one length twice: as an answer or not, nothing of it is the next one's."""
    lines = {"both": LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK + b"\r\n0\r\n\r\n", "twice the same": LENGTH + LENGTH + b"\r\n" + JSON}
    with Upstream(lambda request: faults.say(framing, OK + lines[framing]) if request.attempt == 0 and "x-storm-fault" in request.fields else None) as upstream:
        gateway = start(mock=upstream, IDLE_TIMEOUT="500ms", FIRST_BYTE_TIMEOUT="2s")
        before = calm(gateway)
        for _ in range(5):
            status, _, told, whole = ask_once(gateway, chat_body(), x_storm_fault="1")
            assert status == 200
            status, _, told, whole = ask_once(gateway, chat_body())
            assert status == 200 and whole and told.count("wörd→".encode()) == 4, told
        before.require_calm(keys={KEY: "active"})
        before.require_end()


def test_what_upstream_says_out_of_turn_is_nobodys_answer(start, calm):
    """A second answer, a moment behind the first, on a connection that is kept by then; and only then the next request."""
    said = threading.Event()

    def plan(request):
        @faults.named("out of turn")
        def twice(peer, request):
            peer.send(good_answer(request).data)
            time.sleep(0.005)
            peer.send(OK + b"Content-Length: 6\r\n\r\nstolen")
            said.set()
            return "goes on"

        return twice if "x-storm-fault" in request.fields else None

    with Upstream(plan) as upstream:
        gateway = start(mock=upstream)
        before = calm(gateway)
        stolen = 0
        for _ in range(20):
            assert ask_once(gateway, chat_body(), x_storm_fault="1")[0] == 200
            assert said.wait(20)
            said.clear()
            status, _, told, whole = ask_once(gateway, chat_body())
            assert status == 200 and whole
            stolen += told == b"stolen"
        assert stolen == 0, f"{stolen} of 20 requests were given an answer that was not theirs"
        before.require_calm(keys={KEY: "active"})
        before.require_end()
