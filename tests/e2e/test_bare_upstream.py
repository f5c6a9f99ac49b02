"""What crosses to upstream, byte by byte, and what a broken end of its answer is taken for."""
import json
import select
import socket
import ssl
import threading

import pytest

from bare_upstream import BareUpstream
from processes import Raw, wait_for
from test_header_gate import REFUSED, head
from test_tls import authority, make_certificate  # noqa: F401 - a fixture

KEY = "sk-upstream-key-000001"
CHAT = json.dumps({"model": "gpt-4o-mini", "messages": []})
MODELS = b'{"object":"list","data":[]}'
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
FRAME = b"\x81\x85\0\0\0\0hello"


def answer(status, body, *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *lines, "", ""]).encode() + body


def list_models(connection):
    connection.read_head()
    connection.peer.sendall(answer("200 OK", MODELS, "Connection: close"))


def upgrade(root):
    return head(root, *UPGRADE, target="/v1/realtime?model=gpt-realtime", method="GET").encode()


def test_what_is_refused_opens_no_connection_to_upstream(start):
    with BareUpstream(list_models) as upstream:
        gateway = start(mock=upstream)
        for lines, options, _ in REFUSED.values():
            with Raw(gateway.port) as raw:
                raw.send(head(gateway.root, *lines, **options))
                assert raw.read_all().startswith(b"HTTP/1.1 ")
        assert gateway.call("GET", "/v1/models")[0] == 200
    assert [each.received.split(b" ")[:2] for each in upstream.connections] == [[b"GET", b"/v1/models"]], "the good one, and no byte before it"


def test_nothing_behind_an_upgrade_that_is_refused_reaches_upstream(start):
    def refuse(connection):
        connection.read_head()
        connection.peer.sendall(answer("400 Bad Request", b"{}", "Connection: close"))
        connection.peer.shutdown(socket.SHUT_WR)
        connection.read_to_the_end()

    with BareUpstream(refuse) as upstream:
        gateway = start(mock=upstream)
        smuggled = f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n\r\n".encode()
        with Raw(gateway.port) as raw:
            raw.send(upgrade(gateway.root) + FRAME + smuggled)
            told = raw.read_all()
        assert told.startswith(b"HTTP/1.1 400 ") and told.count(b"HTTP/1.1 ") == 1
    (only,) = upstream.connections
    assert only.received.count(b"\r\n\r\n") == 1 and only.received.endswith(b"\r\n\r\n"), only.received


def masked(text):
    """A message of a client as a frame, so that nobody reads it who does not know that it is one."""
    mask = b"\x5a\x33\x71\x19"
    return b"\x81" + bytes([0x80 | len(text)]) + mask + bytes(each ^ mask[i % 4] for i, each in enumerate(text))


@pytest.mark.parametrize("framing", ["Content-Length", "Transfer-Encoding"])
def test_an_upgrade_has_no_body_that_upstream_could_take_for_messages(start, framing):
    """What an account says in a WebSocket is looked through for what is another's; in a body it would not be."""
    def switch(connection):
        connection.read_head()
        connection.peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        connection.read_to_the_end()

    message = masked(b'{"type":"response.create","response":{"conversation":"conv_of_another"}}')
    lines, body = (f"Content-Length: {len(message)}", message) if framing == "Content-Length" else (
        "Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(message), message))
    with BareUpstream(switch) as upstream:
        gateway = start(mock=upstream)
        account = gateway.make_child()
        with Raw(gateway.port) as raw:
            raw.send(head(account.key, *UPGRADE, lines, target="/v1/realtime?model=gpt-realtime", method="GET").encode() + body)
            assert raw.read_until(b"\r\n").startswith(b"HTTP/1.1 400 ")
    assert upstream.connections == []


def test_what_came_too_early_for_a_websocket_waits_for_upstreams_101(start):
    others_were_served = threading.Event()
    before = []

    def serve(connection):
        connection.read_head()
        if b"/v1/models" in connection.received:
            connection.peer.sendall(answer("200 OK", MODELS, "Connection: close"))
            return
        others_were_served.wait(60)
        before.append(connection.received.split(b"\r\n\r\n", 1)[1])
        connection.peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.peer.recv(1)
        before.append(b"")
        connection.peer.settimeout(60)
        connection.peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        came = b""
        while len(came) < len(FRAME):
            came += connection.peer.recv(65536)
        before.append(came)

    with BareUpstream(serve) as upstream:
        gateway = start(mock=upstream)
        with Raw(gateway.port) as raw:
            raw.send(upgrade(gateway.root) + FRAME)
            wait_for(lambda: any(b"/v1/realtime" in each.received for each in upstream.connections), what="the upgrade")
            # The gateway has gone on to other work, so it has not merely not come to it yet.
            assert gateway.call("GET", "/v1/models")[0] == 200
            others_were_served.set()
            assert raw.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
            wait_for(lambda: len(before) == 3, what="the frame")
    assert before == [b"", b"", FRAME]


def test_a_refused_body_that_looks_like_requests_is_never_one(start):
    inner = b"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %b\r\n\r\n"
    with BareUpstream(list_models) as upstream:
        gateway = start(mock=upstream)
        piece = inner % gateway.root.encode() * 100
        with Raw(gateway.port) as raw:
            try:
                raw.send(head("sk-wrong", f"Content-Length: {1000 * len(piece)}"))
                for _ in range(1000):
                    raw.send(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass
            told = raw.read_all()
        assert told == b"" or told.startswith(b"HTTP/1.1 401 ") and told.count(b"HTTP/1.1 ") == 1
        assert gateway.call("GET", "/v1/models")[0] == 200
    assert len(upstream.connections) == 1


BODY = b'data: {"choices":[{"index":0,"delta":{"content":"a word"}}]}\n\n'


@pytest.mark.parametrize("ends", ["with close_notify", "without"])
def test_the_end_of_an_answer_without_a_length_counts_only_behind_close_notify(start, tmp_path, authority, ends):  # noqa: F811
    def serve(connection):
        connection.read_head()
        connection.peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + BODY)
        if ends == "without":
            # As anybody on the way could end it: FIN, and no word of TLS.
            connection.peer.shutdown(socket.SHUT_RDWR)
        else:
            connection.peer.unwrap()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path, "server", authority=authority))
    with BareUpstream(serve, context, authority[0]) as upstream:
        gateway = start(mock=upstream)
        with Raw(gateway.port) as raw:
            body = '{"model":"gpt-4o-mini","messages":[],"stream":true,"stream_options":{"include_usage":true}}'
            raw.send(head(gateway.root, "Connection: close", f"Content-Length: {len(body)}") + body)
            told = raw.read_all()
    assert told.startswith(b"HTTP/1.1 200 ") and BODY in told
    assert told.endswith(b"\r\n0\r\n\r\n") == (ends == "with close_notify")


@pytest.mark.parametrize("fault", ["wrong host", "expired", "self-signed"])
def test_behind_a_bad_certificate_not_one_byte_is_said(start, tmp_path, authority, fault):  # noqa: F811
    options = {"wrong host": dict(host="other.example", authority=authority), "expired": dict(days=-1, authority=authority), "self-signed": {}}[fault]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path, "server", **options))
    with BareUpstream(lambda connection: connection.read_to_the_end(), context, authority[0]) as upstream:
        gateway = start(mock=upstream, RETRY_ATTEMPTS="2")
        assert gateway.chat()[0] == 503
        gateway.stop()
    assert 1 <= len(upstream.connections) <= 2
    assert [each.received for each in upstream.connections] == [b""] * len(upstream.connections)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_to_another_host(start, status):
    with BareUpstream(list_models) as elsewhere:
        def redirect(connection):
            connection.read_head()
            connection.peer.sendall(answer(f"{status} Elsewhere", b"{}", f"Location: {elsewhere.url}/v1/chat/completions", "Connection: close"))

        with BareUpstream(redirect) as upstream:
            gateway = start(mock=upstream)
            told, headers, _ = gateway.chat()
            assert told == status and headers["location"].startswith(elsewhere.url)
        assert len(upstream.connections) == 1
    assert elsewhere.connections == []


def test_deleting_work_waits_for_what_upstream_is_being_asked_of_it(start):
    """The gateway is asking after a background response that has ended when its account deletes it: no 409 for what is about to be charged."""
    work = "resp_" + "a" * 40
    is_asked, may_answer = threading.Event(), threading.Event()
    told = {"id": work, "object": "response", "background": True, "model": "gpt-4o-mini"}

    def serve(connection):
        connection.read_head()
        method = connection.received.split(b" ")[0]
        if method == b"POST":
            while not connection.received.endswith(b"}"):
                connection.received += connection.peer.recv(65536)
            text = {**told, "status": "queued"}
        elif method == b"GET":
            is_asked.set()
            may_answer.wait(60)
            text = {**told, "status": "completed", "usage": {"input_tokens": 1000, "output_tokens": 1000, "total_tokens": 2000}}
        else:
            text = {"id": work, "object": "response", "deleted": True}
        connection.peer.sendall(answer("200 OK", json.dumps(text).encode(), "Connection: close"))

    with BareUpstream(serve) as upstream:
        account = start(mock=upstream, PENDING_INTERVAL="100ms").make_child(5)
        assert account.call("POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "x", "background": True})[0] == 200
        assert is_asked.wait(60)
        with Raw(account.gateway.port) as raw:
            raw.send(f"DELETE /v1/responses/{work} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {account.key}\r\n\r\n")
            assert not select.select([raw.socket], [], [], 0.5)[0], raw.read_until(b"}}")
            may_answer.set()
            assert raw.read_until(b"}").startswith(b"HTTP/1.1 200")
        assert account.costs()[-1] > 0
