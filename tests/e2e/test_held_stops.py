"""Who may hold a stop: only requests that are being served, never one who has been answered, or who has no key."""
import socket
import time

import pytest

from processes import SLOW, Raw, wait_for
from test_tls import make_certificate

UNFINISHED = {"of a length": ("Content-Length: 60000\r\n\r\n", b"x"), "in chunks": ("Transfer-Encoding: chunked\r\n\r\nea60\r\n", b"x")}


def ends_soon(gateway, say=lambda: None):
    """Stops it while `say` goes on: exit 0, long before DRAIN_TIMEOUT."""
    begun = time.monotonic()
    gateway.process.terminate()

    def has_ended():
        try:
            say()
        except OSError:
            pass
        return gateway.process.poll() is not None

    wait_for(has_ended, 20 * SLOW, "the stop")
    # A second for who may still bring a request, two in which the last answer is read.
    assert gateway.process.returncode == 0 and time.monotonic() - begun < 4 + 2 * SLOW


@pytest.mark.parametrize("framing", UNFINISHED)
@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "a byte now and then"])
def test_a_body_that_was_answered_does_not_hold_the_stop(start, framing, is_silent):
    gateway = start(DRAIN_TIMEOUT="15s")
    lines, more = UNFINISHED[framing]
    with Raw(gateway.port) as raw:
        raw.send(f"GET /nowhere HTTP/1.1\r\nHost: a\r\n{lines}")
        assert raw.read_response()[0] == 404
        ends_soon(gateway, say=(lambda: None) if is_silent else (lambda: raw.send(more)))


def test_the_rest_of_a_body_that_was_answered_has_one_deadline(start):
    gateway = start(BODY_IDLE_TIMEOUT="2s")
    with Raw(gateway.port) as raw:
        raw.send("GET /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
        assert raw.read_response()[0] == 404
        raw.socket.settimeout(0.1)

        def is_closed():
            try:
                raw.send(b"x")
                return raw.socket.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        wait_for(is_closed, 10 * SLOW, "the end of the connection")


def test_half_a_handshake_does_not_hold_the_stop(start, tmp_path):
    certificate, key = make_certificate(tmp_path, "gateway")
    gateway = start(TLS_CERT=certificate, TLS_KEY=key, HEADER_TIMEOUT="15s")
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(b"\x16\x03\x01")
        wait_for(lambda: gateway.metric("proxyxai_client_connections") == 1, what="the connection")
        ends_soon(gateway)
