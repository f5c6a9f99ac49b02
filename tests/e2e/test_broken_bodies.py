"""Bodies that break off or make no sense: the connection ends with them, for nobody can tell where a next request would begin."""
import time

import pytest

from processes import SLOW, Raw
from test_header_gate import head

# What is sent at first, which is answered 400, and what one who takes up reading behind it would take for the end of the body.
BROKEN = {
    "a line too long": ("26;" + "x" * 8_190, "0;" + "y" * 8_192 + "\r\n\r\n"),
    "no number": ("zz\r\n", "0000000\r\n\r\n"),
    "a negative number": ("-5\r\n", "000\r\n\r\n"),
    "a number too large": ("f" * 17 + "\r\n", "0" * 40 + "\r\n\r\n"),
    "no line end behind a chunk": ("5\r\nhello--\r\n", "0\r\n\r\n"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_follows_a_malformed_chunk_is_never_a_request(gateway, mock, fault):
    first, then = BROKEN[fault]
    with Raw(gateway.port) as raw:
        raw.send(head(gateway.root, "Transfer-Encoding: chunked") + first)
        status, headers, _ = raw.read_response()
        assert (status, headers.get("connection")) == (400, "close")
        try:
            raw.send(f"{then}GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert raw.read_all() == b""
    assert mock.requests() == []


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_stopped_ends_the_connection_with_its_408(start, mock, framing):
    gateway = start(BODY_IDLE_TIMEOUT="2s")
    with Raw(gateway.port) as raw:
        began = time.monotonic()
        raw.send(head(gateway.root, framing) + "5\r\nhel")
        status, headers, _ = raw.read_response()
        assert (status, headers.get("connection")) == (408, "close")
        assert raw.read_all() == b""
        assert time.monotonic() - began < 2 + 1.5 * SLOW
    assert mock.requests() == []
