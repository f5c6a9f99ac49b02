"""UPSTREAM_PROXY that goes wrong: no byte of a key is said to it, and another attempt saves the request."""
import socket
import threading

from clients import Answer, ask_once, chat_body, cost_of
from upstream import Peer, Upstream

KEY = "sk-upstream-key-000001"
GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy(Upstream):
    """A CONNECT proxy to `target`; what the next connection gets in place of a tunnel is in `wrong`, once."""

    def __init__(self, target):
        super().__init__()
        self.target, self.wrong, self.heard = target, None, []

    def serve(self, peer):
        request = peer.read_head()
        self.heard.append((request.method, request.path, request.fields))
        wrong, self.wrong = self.wrong, None
        if wrong:
            wrong(peer)
            return
        with socket.create_connection(("127.0.0.1", self.target.port)) as onward:
            peer.send(GRANTED)
            threading.Thread(target=self.pass_on, args=(onward, peer.socket), daemon=True).start()
            self.pass_on(peer.socket, onward)

    @staticmethod
    def pass_on(source, to):
        try:
            while piece := source.recv(65536):
                to.sendall(piece)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def said(data, end=Peer.close):
    def wrong(peer):
        peer.send(data)
        end(peer)

    return wrong


WRONGS = {
    "nothing": Peer.wait_until_left,
    "a close": Peer.close,
    "a reset": Peer.reset,
    "a refusal": said(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
    "a failure": said(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nnope"),
    "half a head": said(b"HTTP/1.1 200 Conn", Peer.wait_until_left),
    "a head that breaks off": said(b"HTTP/1.1 200 Connection established\r\nX-A: "),
    "a head without an end": said(b"HTTP/1.1 200 Connection established\r\n" + b"X-A: a\r\n" * 10_000),
    "garbage": said(bytes(range(256)) * 40, Peer.wait_until_left),
    "a tunnel to nobody": said(GRANTED),
    "a tunnel that is silent": said(GRANTED, Peer.wait_until_left),
    "a tunnel to garbage": said(GRANTED + b"\0" * 3000, Peer.wait_until_left),
}


def test_a_proxy_that_goes_wrong_costs_an_attempt_and_no_request(start, calm, certificates):
    with Upstream(files=certificates["good"], ca=certificates.ca) as upstream, Proxy(upstream) as proxy:
        upstream.keeps = False
        gateway = start(mock=upstream, UPSTREAM_PROXY=proxy.url.replace("http://", "http://me:secret@"), CONNECT_TIMEOUT="500ms")
        before = calm(gateway)
        answers, body = [], chat_body()
        for what, wrong in WRONGS.items():
            proxy.wrong = wrong
            status, fields, told, whole = ask_once(gateway, body)
            assert status == 200 and whole and int(fields["x-proxyxai-attempts"]) >= 2, (what, told)
            answers.append(Answer(1, fields["x-request-id"], cost_of(body)))
        before.require_calm(answers, {KEY: "active"})
        before.require_end(answers)
        assert {(method, path) for method, path, _ in proxy.heard} == {("CONNECT", f"localhost:{upstream.port}")}
        assert not any(KEY in str(fields) for _, _, fields in proxy.heard)
