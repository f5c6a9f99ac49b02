"""What ten thousand clients that are connected and say nothing cost in memory, each after a request."""
import resource
import socket
import ssl

import pytest

from processes import SLOW, wait_for
from test_tls import authority, make_certificate  # noqa: F401 - a fixture

COUNT = 10_000


@pytest.fixture
def descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.figures
@pytest.mark.parametrize("kind,megabytes", [("plain", 150), ("TLS", 500)])
def test_ten_thousand_idle_connections_fit(start, descriptors, tmp_path, authority, kind, megabytes, record_property):  # noqa: F811
    settings = {"KEEPALIVE_TIMEOUT": "600s"}
    if kind == "TLS":
        settings["TLS_CERT"], settings["TLS_KEY"] = make_certificate(tmp_path, "front", authority=authority)
    gateway = start(**settings)
    context = ssl.create_default_context(cafile=str(authority[0]))
    idle = []
    for _ in range(COUNT):
        each = socket.create_connection(("127.0.0.1", gateway.port))
        if kind == "TLS":
            each = context.wrap_socket(each, server_hostname="localhost")
        each.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        assert each.recv(4096).startswith(b"HTTP/1.1 404 ")
        idle.append(each)
    try:
        assert gateway.metric("proxyxai_client_connections") >= COUNT
        resident = gateway.resident_kib() * 1024
        record_property("megabytes", resident / 1e6)
        print(f"{kind}: {resident / 1e6:.0f} MB resident with {COUNT:,}")
        assert resident < megabytes * 10**6
    finally:
        for each in idle:
            each.close()
    wait_for(lambda: gateway.metric("proxyxai_client_connections") == 0, 30 * SLOW, "the connections' end")
