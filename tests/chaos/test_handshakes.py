"""TLS towards upstream that goes wrong: nothing is said to who is not upstream, and another key saves the request."""
import contextlib
import json
import re
import ssl
import subprocess
import threading

import pytest

from clients import Answer, ask_once, chat_body, cost_of
from processes import SLOW, wait_for
from upstream import Upstream

GOOD = "sk-upstream-good-g001"


class BadHand(Upstream):
    """Does `greet(plain socket)` in place of a handshake."""

    def __init__(self, greet):
        super().__init__()
        self.greet = greet
        self.url = self.url.replace("http://", "https://")

    def serve(self, peer):
        self.greet(peer)


def greets(what, hello=True):
    def greet(peer):
        if hello:
            peer.receive()
        what(peer)

    return greet


def settings(certificates, **fields):
    """A good certificate on a server that knows only so much of TLS."""
    def make():
        upstream = Upstream(files=certificates["good"])
        for name, value in fields.items():
            if name == "ciphers":
                upstream.context.set_ciphers(value)
            else:
                setattr(upstream.context, name, value)
        return upstream

    return make


def half_of_a_handshake(certificates):
    """The server's first flight up to its middle, by a real server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates["good"])

    def greet(peer):
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(into, out, server_side=True)
        peer.receive()
        into.write(peer.rest)
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        flight = out.read()
        peer.send(flight[:len(flight) // 2])
        peer.wait_until_left()

    return greet


def kinds(certificates):
    """name: (how to make it, whether it serves)"""
    old = dict(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1, ciphers="ALL:@SECLEVEL=0")
    return {
        "wrong host": (lambda: Upstream(files=certificates["wrong_host"]), False),
        "expired": (lambda: Upstream(files=certificates["expired"]), False),
        "self-signed": (lambda: Upstream(files=certificates["self_signed"]), False),
        "TLS 1.1": (settings(certificates, **old), False),
        "silence": (lambda: BadHand(greets(lambda peer: peer.wait_until_left())), False),
        "half a handshake": (lambda: BadHand(half_of_a_handshake(certificates)), False),
        "a close at once": (lambda: BadHand(greets(lambda peer: peer.close(), hello=False)), False),
        "a close behind the hello": (lambda: BadHand(greets(lambda peer: peer.close())), False),
        "a reset behind the hello": (lambda: BadHand(greets(lambda peer: peer.reset())), False),
        "plain HTTP": (lambda: BadHand(greets(lambda peer: (peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), peer.close()))), False),
        "garbage": (lambda: BadHand(greets(lambda peer: (peer.send(bytes(range(256)) * 80), peer.wait_until_left()))), False),
        "an alert": (lambda: BadHand(greets(lambda peer: (peer.send(b"\x15\x03\x03\0\x02\x02\x28"), peer.close()))), False),
        "an endless flight": (lambda: BadHand(greets(lambda peer: [peer.send(b"\x16\x03\x03\x40\0\x02\xff\xff\xff" + bytes(16380)) for _ in range(64)])), False),
        "TLS 1.2": (settings(certificates, maximum_version=ssl.TLSVersion.TLSv1_2), True),
        "TLS 1.2 without tickets": (settings(certificates, maximum_version=ssl.TLSVersion.TLSv1_2, options=ssl.OP_NO_TICKET), True),
        "TLS 1.3 without tickets": (settings(certificates, minimum_version=ssl.TLSVersion.TLSv1_3, num_tickets=0), True),
        "TLS 1.3 with many tickets": (settings(certificates, minimum_version=ssl.TLSVersion.TLSv1_3, num_tickets=200), True),
    }


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_who_is_not_upstream_is_told_nothing_and_costs_nobody_an_answer(start, calm, certificates):
    with Upstream(files=certificates["good"], ca=certificates.ca) as good:
        gateway = start(mock=good, keys=[GOOD], CONNECT_TIMEOUT="500ms")
        before = calm(gateway)
        answers, body = [], chat_body()
        for number, (name, (make, serves)) in enumerate(kinds(certificates).items()):
            secret = f"sk-upstream-kind-{number:06}"
            with make() as other:
                status, _, told = gateway.call("POST", "/x-keys", {"SecretKey": secret, "Provider": other.url})
                assert status == 200, told
                for turn in range(8):
                    other.keeps = turn % 2 == 0
                    status, fields, _, whole = ask_once(gateway, body)
                    assert status == 200 and whole, name
                    answers.append(Answer(1, fields["x-request-id"], cost_of(body)))
                assert other.connections > 0, name
                assert (other.by_key[secret] > 0) == serves, name
                assert gateway.shown(secret)["State"] in ("active", "resting") and not gateway.shown(secret)["Limits"], name
                assert gateway.call("DELETE", f"/x-keys/{gateway.shown(secret)['ID']}")[0] == 200
        before.require_calm(answers, {GOOD: "active"})
        before.require_end(answers)
        text = gateway.text()
        assert text.count("is rejected") >= 3 and text.count("nothing was sent") >= 3


class Server:
    """`openssl s_server`, told by its standard input what to do: data to send, and its commands K (key update) and r (renegotiation)."""

    def __init__(self, certificates, version, log):
        self.log = log
        command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificates["good"][0], "-key", certificates["good"][1], "-msg", version]
        self.out = open(log, "wb")
        self.process = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=self.out, stderr=subprocess.STDOUT)
        port = wait_for(lambda: re.search(r"ACCEPT \S*:(\d+)", self.text()), what="the server")[1]
        self.url, self.tls, self.ca = f"https://localhost:{port}", True, certificates.ca

    def text(self):
        return self.log.read_text(errors="replace")

    def say(self, data):
        """Each by itself: what the server reads together is either data or a command."""
        sent = self.text().count(">>>")
        self.process.stdin.write(data)
        self.process.stdin.flush()
        self.wait_for(">>>", sent + 1)

    def wait_for(self, what, times=1):
        wait_for(lambda: self.text().count(what) >= times, 20 * SLOW, f"{what} of the server")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.out.close()


BODY = json.dumps({"id": "a", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)


def in_background(work):
    result = []
    thread = threading.Thread(target=lambda: result.append(work()), daemon=True)
    thread.start()

    def wait():
        thread.join(60 * SLOW)
        return result[0]

    return wait


def test_new_keys_in_the_middle_of_an_answer_go_unnoticed(start, certificates, tmp_path):
    """Upstream updates its key, and asks for ours, between two pieces of an answer; the connection goes on, also the other way."""
    server = Server(certificates, "-tls1_3", tmp_path / "server.log")
    try:
        gateway = start(mock=server, keys=[GOOD])
        for turn in range(1, 4):
            asked = in_background(lambda: ask_once(gateway, chat_body()))
            server.wait_for("POST /v1/chat/completions", turn)
            server.say(HEAD + BODY[:20])
            server.say(b"K\n")
            server.wait_for(", KeyUpdate", turn)
            server.say(BODY[20:])
            status, _, told, whole = asked()
            assert status == 200 and whole and told == BODY
        assert server.text().count("ClientHello") == 1, "one connection"
        updates = [line for line in server.text().splitlines() if ", KeyUpdate" in line]
        assert sum(line.startswith(">>>") for line in updates) == 3
        assert sum(line.startswith("<<<") for line in updates) >= 2, "ours went with the requests that followed"
    finally:
        server.stop()


def test_a_renegotiation_is_not_taken_part_in(start, calm, certificates, tmp_path):
    server = Server(certificates, "-tls1_2", tmp_path / "server.log")
    try:
        with Upstream(files=certificates["good"], ca=certificates.ca) as good:
            gateway = start(mock=good, keys=[GOOD])
            before = calm(gateway)
            status, _, told = gateway.call("POST", "/x-keys", {"SecretKey": "sk-upstream-renegotiates", "Provider": server.url, "Level": 0})
            assert status == 200, told
            asked = in_background(lambda: [ask_once(gateway, chat_body()) for _ in range(2)])
            server.wait_for("POST /v1/chat/completions")
            server.say(b"r\n")
            server.wait_for("HelloRequest")
            server.wait_for("no_renegotiation")
            # The server may take that as the end of it, or go on.
            server.say(HEAD + BODY)
            for status, _, told, whole in asked():
                assert status == 200 and whole
            assert server.text().count("ClientHello") <= 2 and "Finished" in server.text()
            gateway.call("DELETE", f"/x-keys/{gateway.shown('sk-upstream-renegotiates')['ID']}")
            before.require_calm(keys={GOOD: "active"})
            before.require_end()
    finally:
        server.stop()
