"""Streams: byte for byte, event by event, under slow readers, broken upstreams and clients that leave."""
import hashlib
import json
import socket
import threading
import time

import pytest

from processes import SLOW, Raw, in_parallel, request, wait_for
from wire import FORM, form

KEY = "sk-upstream-key-000001"
STREAM = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "x"}]}


def chat_bytes(gateway, body=STREAM, headers=()):
    text = json.dumps(body)
    lines = ["POST /v1/chat/completions HTTP/1.1", "Host: a", f"Authorization: Bearer {gateway.root}",
             "Content-Type: application/json", f"Content-Length: {len(text)}", *headers]
    return "\r\n".join(lines) + "\r\n\r\n" + text


def direct(mock, path, body, headers=None):
    all_headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **(headers or {})}
    return request(mock.port, "POST", path, json.dumps(body), all_headers, tls=mock.tls)


@pytest.mark.parametrize("path,body", [
    ("/v1/chat/completions", STREAM),
    ("/v1/chat/completions", {**STREAM, "stream_options": {"include_usage": True}}),
    ("/v1/chat/completions", {**STREAM, "stream": False}),
    ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "x", "stream": True}),
    ("/v1/responses", {"model": "gpt-4o", "input": "x", "stream": True, "store": False}),
    ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "x"}),
    ("/v1/audio/speech", {"model": "tts-1", "input": "x", "voice": "alloy"}),
])
def test_answer_is_the_direct_answer_byte_for_byte(gateway, mock, path, body):
    _, headers, expected = direct(mock, path, body)
    status, got_headers, got = gateway.call("POST", path, body)
    assert status == 200
    assert got == expected
    assert got_headers["content-type"] == headers["content-type"]
    assert got_headers["x-request-id"] == headers["x-request-id"]


@pytest.mark.figures
def test_a_hundred_megabytes_of_events_arrive_byte_for_byte(gateway, mock):
    size = 100 * 1024 * 1024
    want = hashlib.sha256(direct(mock, "/v1/chat/completions", STREAM, {"x-mock-raw-bytes": str(size)})[2]).hexdigest()
    before = gateway.resident_kib()
    status, _, got = gateway.call("POST", "/v1/chat/completions", STREAM, headers={"x-mock-raw-bytes": str(size)}, timeout=120)
    assert status == 200 and len(got) == size
    assert hashlib.sha256(got).hexdigest() == want
    assert gateway.resident_kib() - before < 8 * 1024


def test_each_event_is_at_the_client_before_the_next_leaves_upstream(gateway):
    with Raw(gateway.port) as raw:
        raw.send(chat_bytes(gateway, headers=["x-mock-events: 5", "x-mock-interval-ms: 300"]))
        raw.read_until(b"\r\n\r\n")
        times = []
        for index in range(5):
            raw.read_until(b"word%d " % index)
            times.append(time.monotonic())
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert all(0.15 < gap < 0.6 * max(1, SLOW / 2) for gap in gaps), gaps


@pytest.mark.figures
def test_slow_readers_cost_little_each(gateway):
    count = 40
    gateway.chat()
    before = gateway.resident_kib()
    readers = []
    for _ in range(count):
        raw = Raw(gateway.port)
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        raw.send(chat_bytes(gateway, headers=[f"x-mock-raw-bytes: {1 << 30}"]))
        readers.append(raw)
    for raw in readers:
        raw.read_until(b"\r\n\r\n")
    sent = []

    def stands_still():
        sent.append(gateway.metric("proxyxai_client_connections"))
        sizes.append(gateway.resident_kib())
        return len(sizes) > 20 and max(sizes[-10:]) - min(sizes[-10:]) < 256

    sizes = []
    wait_for(stands_still, 20 * SLOW, "memory at rest")
    each = (sizes[-1] - before) / count
    for raw in readers:
        raw.socket.close()
    assert each < 256, f"{each} KiB for each slow reader"


@pytest.mark.parametrize("fault", ["reset_mid", "truncate"])
def test_upstream_break_leaves_a_truncated_body(start, mock, fault):
    gateway = start(keys=[KEY])
    mock.script(KEY, fault, after_bytes=600)
    with Raw(gateway.port) as raw:
        raw.send(chat_bytes(gateway, headers=["x-mock-events: 50"]))
        answer = raw.read_all()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"word0" in answer, "what came is passed on"
    assert not answer.endswith(b"0\r\n\r\n") and b"[DONE]" not in answer
    mock.control("DELETE", "/_mock/script")
    assert gateway.chat()[0] == 200


def test_short_answer_with_a_length_is_truncated_too(start, mock):
    gateway = start(keys=[KEY])
    mock.script(KEY, "short_length")
    text = json.dumps({**STREAM, "stream": False})
    with Raw(gateway.port) as raw:
        raw.send(chat_bytes(gateway, {**STREAM, "stream": False}))
        answer = raw.read_all()
    head, body = answer.split(b"\r\n\r\n", 1)
    length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")][0].split(b":")[1])
    assert len(body) < length, text


def test_no_retry_after_the_first_byte(start, mock):
    gateway = start(keys=[KEY, "sk-upstream-key-000002"])
    mock.script("*", "reset_mid", after_bytes=100)
    with Raw(gateway.port) as raw:
        raw.send(chat_bytes(gateway, headers=["x-mock-events: 50"]))
        raw.read_all()
    assert len(mock.requests()) == 1


@pytest.mark.figures
@pytest.mark.parametrize("when", ["before the answer", "in the stream"])
def test_upstream_is_let_go_within_100_ms_when_the_client_leaves(gateway, mock, when):
    gateway.chat()
    headers = ["x-mock-delay-ms: 20000"] if when == "before the answer" else ["x-mock-events: 1000", "x-mock-interval-ms: 10000"]
    raw = Raw(gateway.port)
    raw.send(chat_bytes(gateway, headers=headers))
    if when == "in the stream":
        raw.read_until(b"word0")
    else:
        wait_for(lambda: len(mock.requests()) == 2, what="the request upstream")
    left = mock.stats()["now_ms"]
    raw.socket.close()
    mock.wait_for("client_gone", 1)
    (gone,) = [r for r in mock.requests() if r["outcome"] == "client_gone"]
    assert gone["ended_ms"] - left <= 100, gone["ended_ms"] - left
    wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 0, what="the request settled")
    assert "reason=client_gone" in wait_for(lambda: "client_gone" in gateway.text() and gateway.text(), what="its line in the log")


def test_client_leaving_blames_no_key(start, mock):
    gateway = start(keys=[KEY])
    for _ in range(6):
        raw = Raw(gateway.port)
        raw.send(chat_bytes(gateway, headers=["x-mock-delay-ms: 20000"]))
        wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 1, what="the request")
        raw.socket.close()
        wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 0, what="its end")
    assert gateway.shown(KEY)["State"] == "active" and gateway.shown(KEY)["Failures"] == 0


@pytest.mark.figures
def test_uploads_beyond_the_budget_are_spooled_and_arrive_whole(start, mock):
    count, size = 200, 20 << 20
    budget = 64 << 20
    gateway = start(BODY_MEMORY_BYTES=budget, BODY_IDLE_TIMEOUT="600s")
    gateway.chat()
    before = gateway.resident_kib()
    piece = bytes(range(256)) * 256
    head, tail = form(model="whisper-1", file=b"the pieces").split(b"the pieces")
    hash_ = hashlib.sha256(head)
    for _ in range(size // len(piece)):
        hash_.update(piece)
    hash_.update(tail)
    want = hash_.hexdigest()
    peak = []
    done = threading.Event()

    def watch():
        while not done.wait(0.05) and gateway.process.poll() is None:
            peak.append(gateway.resident_kib())

    watcher = threading.Thread(target=watch)
    watcher.start()

    def upload(_):
        with Raw(gateway.port, timeout=60) as raw:
            raw.send(f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n"
                     f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: {len(head) + size + len(tail)}\r\n\r\n")
            raw.send(head)
            for _ in range(size // len(piece)):
                raw.send(piece)
            raw.send(tail)
            status, _, body = raw.read_response()
            assert status == 200 and want.encode() in body, body

    try:
        in_parallel(count, upload)
    finally:
        done.set()
        watcher.join()
    assert max(peak) - before < (budget >> 10) + 48 * 1024, max(peak) - before
    wait_for(lambda: gateway.metric("proxyxai_body_memory_bytes") == 0, what="the budget given back")


def test_spooled_body_is_replayed_whole_on_another_key(start, mock):
    gateway = start(keys=["sk-upstream-broken-0001", KEY], BODY_MEMORY_BYTES="1MiB")
    mock.script("sk-upstream-broken-0001", "http_500")
    body = form(model="whisper-1", file=b"x" * (9 << 20))
    status, headers, _ = gateway.call("POST", "/v1/audio/transcriptions", body, headers=FORM)
    assert status == 200 and headers["x-proxyxai-attempts"] == "2"
    assert [r["body_sha256"] for r in mock.requests()] == [hashlib.sha256(body).hexdigest()] * 2


def test_early_answer_of_upstream_to_a_large_body_reaches_the_client(start, mock):
    gateway = start(keys=[KEY])
    mock.script(KEY, "early_answer")
    status, _, answer = gateway.call("POST", "/v1/audio/transcriptions", form(model="whisper-1", file=b"x" * (30 << 20)), headers=FORM)
    assert status == 400 and b"An early answer" in answer


def test_first_byte_and_idle_timeouts(start, mock):
    gateway = start(keys=[KEY], FIRST_BYTE_TIMEOUT="300ms", IDLE_TIMEOUT="300ms", RETRY_ATTEMPTS="2")
    mock.script(KEY, "stall_before")
    status, headers, _ = gateway.chat()
    assert status == 503 and headers["x-proxyxai-attempts"] == "2"
    mock.control("DELETE", "/_mock/script")
    mock.script(KEY, "stall_mid", after_bytes=100)
    with Raw(gateway.port) as raw:
        raw.send(chat_bytes(gateway, headers=["x-mock-events: 50"]))
        answer = raw.read_all()
    assert answer.startswith(b"HTTP/1.1 200") and not answer.endswith(b"0\r\n\r\n")


@pytest.mark.figures
def test_ten_thousand_idle_connections_are_cheap(start):
    count = 10_000
    gateway = start(KEEPALIVE_TIMEOUT="600s", HEADER_TIMEOUT="600s")
    gateway.chat()
    before = gateway.resident_kib()
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(count)]
    wait_for(lambda: gateway.metric("proxyxai_client_connections") >= count, 30 * SLOW, "all connections")
    used = gateway.resident_kib() - before
    assert gateway.chat()[0] == 200
    for each in idle:
        each.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert used < 15 * count, f"{used} KiB for {count}"
    wait_for(lambda: gateway.metric("proxyxai_client_connections") == 0, 30 * SLOW, "the connections' end")
