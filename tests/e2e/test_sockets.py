"""Sockets that are handed over, and what happens to connections when the daemon stops."""
import contextlib
import json
import signal
import socket
import time

import pytest
import websockets.exceptions

from holder import Held, listening, moved
from processes import SLOW, Raw, wait_for
from test_billing import ask, socket_of


@pytest.fixture
def held(start):
    before = start()
    assert before.stop() == 0
    daemon = Held(before)
    yield daemon
    daemon.end()


def get(port, root, path="/v1/models"):
    raw = Raw(port)
    raw.send(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {root}\r\nConnection: close\r\n\r\n")
    return raw


def test_sockets_are_used_and_outlive_the_daemon(held):
    assert get(held.port, held.root).read_all().startswith(b"HTTP/1.1 200 ")
    assert get(held.admin_port, held.root, "/readyz").read_all().endswith(b"ready\n")
    assert f"port {held.port}, " in held.text() and f" port {held.admin_port};" in held.text()
    assert held.stop() == 0
    # Nobody runs, and nobody is refused.
    waiting = [get(held.port, held.root) for _ in range(5)]
    held.launch()
    assert [each.read_all()[:13] for each in waiting] == [b"HTTP/1.1 200 "] * 5


def test_what_is_no_listening_socket_is_refused_by_number(start):
    before = start()
    assert before.stop() == 0
    with socket.socket() as made:
        daemon = Held(before, [listening(), moved(made)])
    daemon.expected_exit = 1
    assert daemon.process.wait(20 * SLOW) == 1
    daemon.end()
    assert "descriptor 4" in daemon.text() and "listening TCP socket" in daemon.text()


def test_sockets_for_another_process_are_left_alone(start):
    gateway = start(LISTEN_PID="1", LISTEN_FDS="1")
    assert gateway.chat()[0] == 200


def test_an_idle_connection_may_bring_one_more_request(start):
    gateway = start()
    with contextlib.ExitStack() as stack:
        busy, idle = [stack.enter_context(Raw(gateway.port)) for _ in range(2)]
        request = f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n\r\n"
        for each in (busy, idle):
            each.send(request)
            assert each.read_response()[0] == 200
        begun = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining" in gateway.text(), what="the drain")
        busy.send(request)
        status, headers = busy.read_response()[:2]
        assert status == 200 and headers["connection"] == "close"
        assert busy.read_all() == b"" and idle.read_all() == b""
        assert gateway.process.wait(10 * SLOW) == 0
        assert time.monotonic() - begun < 5 * SLOW


def test_connections_that_wait_to_be_accepted_are_served(start):
    gateway = start()
    request = f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n\r\n"
    # Stopped, it accepts none: they are connected by the kernel alone.
    gateway.process.send_signal(signal.SIGSTOP)
    waiting = [Raw(gateway.port) for _ in range(20)]
    for each in waiting:
        each.send(request)
    gateway.process.send_signal(signal.SIGTERM)
    gateway.process.send_signal(signal.SIGCONT)
    for each in waiting:
        status, headers = each.read_response()[:2]
        assert status == 200 and headers["connection"] == "close"
    assert gateway.process.wait(10 * SLOW) == 0


def test_half_a_head_does_not_hold_the_stop(start):
    gateway = start()
    with Raw(gateway.port) as raw:
        raw.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n")
        wait_for(lambda: gateway.metric("proxyxai_client_connections") == 1, what="the connection")
        begun = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        assert raw.read_all().startswith(b"HTTP/1.1 408 ")
    assert gateway.process.wait(10 * SLOW) == 0
    # One second for the rest of the head, two for what was sent to be read.
    assert time.monotonic() - begun < 4 + 2 * SLOW


def test_a_websocket_between_turns_is_told_and_ends(start):
    gateway = start()
    with socket_of(gateway, gateway.root) as connection:
        assert ask(connection, type="response.create")[-1]["type"] == "response.done"
        begun = time.monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            connection.recv()
    assert closed.value.rcvd.code == 1001
    assert gateway.process.wait(10 * SLOW) == 0
    assert time.monotonic() - begun < 5 + 2 * SLOW


def test_a_turn_of_a_websocket_is_let_finish(start):
    gateway = start()
    with socket_of(gateway, gateway.root, x_mock_interval_ms="300") as connection:
        connection.send('{"type":"response.create"}')
        first = json.loads(connection.recv())
        gateway.process.send_signal(signal.SIGTERM)
        events = [first]
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            while True:
                events.append(json.loads(connection.recv()))
    assert events[-1]["type"] == "response.done" and closed.value.rcvd.code == 1001
    assert gateway.process.wait(10 * SLOW) == 0
