"""Sockets handed over by systemd's own activator, where no systemd runs."""
import os
import signal
import socket
import subprocess

import pytest

from processes import BUILD, request, wait_for


def free_ports(count):
    """Ports that are free now; the activator takes no 0."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@pytest.fixture
def activated(tmp_path):
    """The ports for clients and for operations, the daemon started by the first connection to either."""
    public, operations = free_ports(2)
    # Settings that would name other ports: what is handed over counts.
    settings = {"DATA_DIR": tmp_path / "data", "PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "ADMIN_LISTEN": "127.0.0.1:0"}
    command = ["systemd-socket-activate", "-l", f"127.0.0.1:{public}", "-l", f"127.0.0.1:{operations}", "--fdname=public:operations",
               *(f"--setenv={name}={value}" for name, value in settings.items()), str(BUILD / "proxyxai"), "serve"]
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    wait_for(lambda: "Listening on" in (tmp_path / "log").read_text(), what="the activator")
    yield public, operations, tmp_path / "log"
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0, (tmp_path / "log").read_text()


def test_both_sockets_are_taken_by_name(activated):
    public, operations, log = activated
    assert request(operations, "GET", "/readyz")[0] == 200
    assert request(operations, "GET", "/metrics")[0] == 200
    assert request(public, "GET", "/v1/models")[0] == 401
    # Never on the public port.
    assert request(public, "GET", "/metrics")[0] != 200
    # The log is written by a thread of its own.
    wait_for(lambda: f"port {public}, operations on 127.0.0.1 port {operations}" in log.read_text(), what="the line that names both")
