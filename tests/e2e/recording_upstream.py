"""An upstream that keeps every byte it gets on every connection and answers each request with what it was. One thread, so that
`settle` can tell that nothing which has come is still unread. A request's query says what else it does:

  early=413      answers when it has the head, before the body
  then=close     and closes
  twice          sends its answer twice
  first=100      sends that answer before
  drop           closes without an answer
  refuse         does not switch protocols
"""
import base64
import hashlib
import json
import re
import selectors
import socket
import threading
import urllib.parse

from strict_reader import Malformed, Unfinished, read_fields, read_lines, read_request


class Recorded:
    def __init__(self, peer):
        self.peer, self.received, self.parsed = peer, bytearray(), 0
        self.tunnel = None      # where the bytes of a tunnel begin
        self.early = []         # where bodies begin that were answered before they came
        self.is_open = True


class RecordingUpstream:
    tls = False

    def __init__(self):
        self.connections = []
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.authority = f"localhost:{self.listening.getsockname()[1]}"
        self.url = f"http://{self.authority}"
        self.selector = selectors.DefaultSelector()
        self.asking, asked = socket.socketpair()
        self.is_settled = threading.Event()
        for each, what in ((self.listening, "listening"), (asked, "asked")):
            each.setblocking(False)
            self.selector.register(each, selectors.EVENT_READ, what)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.asking.send(b"e")
        self.thread.join(20)

    def settle(self):
        """Everything that had come before this call has been read when it returns."""
        self.is_settled.clear()
        self.asking.send(b"?")
        assert self.is_settled.wait(20), "the upstream does not settle"

    def run(self):
        is_asked = False
        while True:
            ready = self.selector.select(0 if is_asked else None)
            if is_asked and not any(key.data != "asked" for key, _ in ready):
                is_asked = False
                self.is_settled.set()
            for key, _ in ready:
                if key.data == "asked":
                    if b"e" in key.fileobj.recv(64):
                        return self.close()
                    is_asked = True
                elif key.data == "listening":
                    peer, _ = key.fileobj.accept()
                    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    peer.setblocking(False)
                    self.connections.append(Recorded(peer))
                    self.selector.register(peer, selectors.EVENT_READ, self.connections[-1])
                else:
                    self.read(key.data)

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.asking.close()
        self.selector.close()

    def read(self, connection):
        try:
            piece = connection.peer.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        connection.received += piece
        try:
            while piece and connection.is_open and connection.tunnel is None and self.answer(connection):
                pass
        except OSError:
            piece = b""
        if not piece:
            self.end(connection)

    def end(self, connection):
        if connection.is_open:
            connection.is_open = False
            self.selector.unregister(connection.peer)
            connection.peer.close()

    def answer(self, connection):
        """Answers the next request; false when it is not there."""
        data = bytes(connection.received[connection.parsed :])
        try:
            lines, body = read_lines(data, 0)
            method, target = lines[0].split(b" ")[:2]
            options = urllib.parse.parse_qs(target.partition(b"?")[2].decode("latin-1"), keep_blank_values=True)
            # Of what is malformed, or has not come yet, the bytes stay, for the test to find.
            try:
                end = read_request(data).end
            except Unfinished:
                end = None
            is_answered = connection.parsed in connection.early
            if "early" in options and not is_answered:
                connection.early.append(connection.parsed)
            elif end is None:
                return False
            connection.parsed += end or 0
            if is_answered:
                return True  # that was its body
        except (Unfinished, Malformed, ValueError, IndexError):
            return False
        fields = dict(read_fields(lines[1:]))
        if b"upgrade" in fields and "refuse" not in options:
            accept = hashlib.sha1(fields.get(b"sec-websocket-key", b"") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            connection.tunnel = connection.parsed
            connection.peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "
                                    + base64.b64encode(accept) + b"\r\n\r\n")
            return False
        if "drop" in options:
            self.end(connection)
            return False
        text = json.dumps({"object": "echo", "id": "echo", "method": method.decode(), "target": target.decode("latin-1"),
                           "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
        status = int(options.get("early", options.get("status", ["200"]))[0])
        closes = options.get("then") == ["close"]
        head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
        told = (head + ("Connection: close\r\n\r\n" if closes else "\r\n")).encode() + (b"" if method == b"HEAD" else text)
        first = re.fullmatch(r"1\d\d", options.get("first", [""])[0])
        connection.peer.sendall((f"HTTP/1.1 {first[0]} First\r\n\r\n".encode() if first else b"") + told * (2 if "twice" in options else 1))
        if closes:
            self.end(connection)
        return end is not None
