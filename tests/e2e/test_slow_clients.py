"""Clients that send so slowly that they would hold a connection for ever, each byte in time for a limit on idleness."""
import socket
import ssl
import time

import pytest

from processes import SLOW, Raw, in_parallel
from test_header_gate import head
from test_tls import authority, make_certificate  # noqa: F401 - a fixture


def drip(raw, pace):
    """Sends a byte at each pace until the peer closes, or far too long. The seconds that took, and what was answered."""
    began, answer = time.monotonic(), b""
    raw.socket.settimeout(pace)
    try:
        while time.monotonic() - began < 60 * SLOW:
            try:
                piece = raw.socket.recv(65536)
                if not piece:
                    break
                answer += piece
            except TimeoutError:
                raw.send("x")
    except (BrokenPipeError, ConnectionResetError):
        pass
    return time.monotonic() - began, answer


def test_a_head_that_never_ends_has_ten_seconds_in_all(start):
    gateway = start()
    with Raw(gateway.port) as first, Raw(gateway.port) as kept:
        kept.send(f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n\r\n")
        assert kept.read_response()[0] == 200, "a connection that has served is no better"
        for raw in (first, kept):
            raw.send("GET /v1/models HTTP/1.1\r\nX-Slow: ")
        assert gateway.chat()[0] == 200, "others are served"
        ends = in_parallel(2, lambda i: drip((first, kept)[i], 0.1))
    for seconds, answer in ends:
        assert 9 < seconds < 10 + SLOW, seconds
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_may_be_slow_but_not_idle(start, mock):
    gateway = start(BODY_IDLE_TIMEOUT="1s")
    body = '{"model":"gpt-4o-mini","messages":[]}'
    with Raw(gateway.port) as slow, Raw(gateway.port) as idle:
        for raw in (slow, idle):
            raw.send(head(gateway.root, f"Content-Length: {len(body)}"))
        began = time.monotonic()
        for each in body[:20]:
            slow.send(each)
            time.sleep(0.1)  # what is tested is the pace
        assert idle.read_all().startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 3 + SLOW
        slow.send(body[20:])
        assert slow.read_response()[0] == 200


def test_a_handshake_that_never_ends_is_closed(start, mock, tmp_path, authority):  # noqa: F811
    certificate, key = make_certificate(tmp_path, "front", authority=authority)
    gateway = start(TLS_CERT=certificate, TLS_KEY=key, HEADER_TIMEOUT="1s")
    context = ssl.create_default_context(cafile=str(authority[0]))
    with Raw(gateway.port) as silent, Raw(gateway.port) as slow:
        # The record says that 512 bytes come.
        slow.send(b"\x16\x03\x01\x02\x00")
        for raw in (silent, slow):
            seconds, answer = drip(raw, 0.1) if raw is slow else (0, raw.read_all())
            assert answer == b"" and seconds < 1 + SLOW
        with context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.port)), server_hostname="localhost") as good:
            good.sendall(f"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {gateway.root}\r\n\r\n".encode())
            assert good.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("size,taken", [(8 << 10, False), (7 << 10, True)])
def test_a_chunk_line_has_eight_kib(start, mock, size, taken):
    gateway = start()
    body = '{"model":"gpt-4o-mini","messages":[]}'
    with Raw(gateway.port) as raw:
        raw.send(head(gateway.root, "Transfer-Encoding: chunked") + f"{len(body):x};" + "x" * size)
        if taken:
            raw.send(f"\r\n{body}\r\n0\r\n\r\n")
            assert raw.read_response()[0] == 200
        else:
            # The line has no end yet.
            assert raw.read_response()[0] == 400 and mock.requests() == []
