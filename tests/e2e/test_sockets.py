"""Sockets that are handed over, and what happens to connections when the daemon stops."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest
import websockets.exceptions

from processes import BUILD, SLOW, Raw, make_root_key, wait_for
from test_billing import ask, socket_of


class Holder:
    """Listens, and starts daemons on its sockets, as systemd does: by number from 3 on, for the process that is told so."""

    def __init__(self, directory, mock, names=("public", "operations")):
        self.mock, self.names, self.directory = mock, names, directory
        self.root = make_root_key()
        self.sockets = []
        for _ in names:
            listening = socket.socket()
            listening.bind(("127.0.0.1", 0))
            listening.listen(1024)
            self.sockets.append(listening)
        self.ports = [each.getsockname()[1] for each in self.sockets]
        self.count = 0

    def start(self):
        self.count += 1
        return HandedOver(self)

    def close(self):
        for each in self.sockets:
            each.close()


class HandedOver:
    def __init__(self, holder):
        environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(holder.directory / "data"), "PORT": "1", "ADMIN_LISTEN": "127.0.0.1:1",
                       "INIT_USERS": f"root:a@b.c:{holder.root}", "INIT_KEYS": "sk-upstream-key-000001", "OPENAI_API_BASE": holder.mock.url,
                       "LISTEN_FDS": str(len(holder.sockets)), "LISTEN_FDNAMES": ":".join(holder.names)}
        environment |= {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
        if holder.mock.tls:
            environment["UPSTREAM_CA_FILE"] = str(holder.mock.ca)
        self.log = holder.directory / f"daemon-{holder.count}.log"
        descriptors = [each.fileno() for each in holder.sockets]

        def hand_over():
            # High ones first, so that none is written over.
            moved = [os.dup2(each, 100 + i) for i, each in enumerate(descriptors)]
            for i, each in enumerate(moved):
                os.dup2(each, 3 + i, inheritable=True)

        # The shell becomes the daemon and keeps its number.
        self.process = subprocess.Popen(["sh", "-c", 'LISTEN_PID=$$ exec "$0" serve', str(BUILD / "proxyxai")], env=environment, preexec_fn=hand_over,
                                        pass_fds=[3 + i for i in range(len(descriptors))], stdout=subprocess.DEVNULL, stderr=open(self.log, "wb"))

    def text(self):
        return self.log.read_text()

    def wait_until_ready(self):
        wait_for(lambda: "listening on" in self.text() or self.process.poll() is not None, 20 * SLOW, "the start")
        assert self.process.poll() is None, self.text()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20 * SLOW)


@pytest.fixture
def holder(tmp_path, mock):
    holder = Holder(tmp_path, mock)
    yield holder
    holder.close()


def get(port, root, path="/v1/models"):
    raw = Raw(port)
    raw.send(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {root}\r\nConnection: close\r\n\r\n")
    return raw


def test_sockets_are_used_and_outlive_the_daemon(holder):
    first = holder.start()
    first.wait_until_ready()
    assert f"port {holder.ports[0]}, " in first.text() and f" port {holder.ports[1]};" in first.text()
    assert get(holder.ports[0], holder.root).read_all().startswith(b"HTTP/1.1 200 ")
    assert get(holder.ports[1], holder.root, "/readyz").read_all().endswith(b"ready\n")
    assert first.stop() == 0
    # Nobody runs, and nobody is refused.
    waiting = [get(holder.ports[0], holder.root) for _ in range(5)]
    second = holder.start()
    assert [each.read_all()[:13] for each in waiting] == [b"HTTP/1.1 200 "] * 5
    assert second.stop() == 0


def test_what_is_no_listening_socket_is_refused_by_number(tmp_path, mock):
    holder = Holder(tmp_path, mock)
    holder.sockets[1].close()
    holder.sockets[1] = socket.socket()
    daemon = holder.start()
    assert daemon.process.wait(20 * SLOW) == 1
    assert "descriptor 4" in daemon.text() and "listening TCP socket" in daemon.text()
    holder.close()


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
