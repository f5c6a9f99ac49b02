"""Bodies of management calls lie in memory outside of the budget of requests: who may send them, and how large."""
import json
import socket

from processes import wait_for

KIB = 1 << 10


def unfinished(gateway, key, length, sent):
    """A PUT that says it has a body of `length` and sends `sent` bytes of it."""
    connection = socket.create_connection(("127.0.0.1", gateway.port), 20)
    connection.sendall(f"PUT /x-users/1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
                       f"Content-Length: {length}\r\n\r\n".encode() + b" " * sent)
    return connection


def test_only_root_may_send_large_bodies(gateway):
    child = gateway.make_child()
    padded = lambda size: json.dumps({"Alias": "x"}).ljust(size)
    headers = {"Content-Type": "application/json"}
    path = f"/x-users/{child.id}"
    assert gateway.call("PUT", path, padded(64 * KIB), child.key, headers)[0] == 200
    for body in (padded(64 * KIB + 1), iter([padded(64 * KIB).encode(), b" "])):
        status, _, answer = gateway.call("PUT", path, body, child.key, headers)
        assert status == 413 and b"at most 64 KiB" in answer, answer
    assert gateway.call("PUT", path, padded(1024 * KIB), headers=headers)[0] == 200
    status, _, answer = gateway.call("PUT", path, padded(1024 * KIB + 1), headers=headers)
    assert status == 413 and b"at most 1 MiB" in answer


def test_of_unknown_keys_no_body_is_read(gateway):
    with unfinished(gateway, "sk-nobody", 1024 * KIB, 0) as connection:
        assert b" 401 " in connection.recv(4096)
    with unfinished(gateway, gateway.make_child().key, 1024 * KIB, 0) as connection:
        assert b" 413 " in connection.recv(4096)


def test_unfinished_bodies_take_little_memory(gateway):
    child = gateway.make_child()
    before = gateway.resident_kib()
    connections = [unfinished(gateway, child.key, 64 * KIB, 63 * KIB) for _ in range(400)]
    wait_for(lambda: gateway.metric("proxyxai_client_connections") >= len(connections), what="the connections")
    gateway.call("GET", "/x-users/1")
    grown = gateway.resident_kib() - before
    for each in connections:
        each.close()
    assert grown < 100 * KIB, grown
