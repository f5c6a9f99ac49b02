"""An upstream that answers as OpenAI does, or goes wrong where a test says.

    with Upstream(plan) as upstream: ...

`plan(request)` is asked for each request and gives None for a good answer, or a function `fault(peer, request)` that does with the
connection what it likes: see faults.py.
"""
import json
import socket
import ssl
import struct
import threading
import uuid
from collections import Counter

WORD = "wörd→"


class Request:
    def __init__(self, line, fields, peer):
        self.method, self.path = line.split(" ")[:2]
        self.fields, self.peer = fields, peer
        self.body = None
        self.attempt = 0       # how many requests with the same x-storm-id came before it
        self.is_first = False  # on its connection

    @property
    def key(self):
        return self.fields.get("authorization", "").removeprefix("Bearer ")

    @property
    def id(self):
        return self.fields.get("x-storm-id", "")

    def json(self):
        return json.loads(self.body)


class Peer:
    """The gateway's end of one connection."""

    def __init__(self, plain, context):
        self.plain, self.context = plain, context
        self.socket = plain
        self.rest = b""

    def shake_hands(self):
        if self.context:
            self.socket = self.context.wrap_socket(self.plain, server_side=True)
            self.plain = self.socket

    def receive(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the gateway has closed")
        self.rest += piece

    def take(self, size):
        while len(self.rest) < size:
            self.receive()
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def read_head(self):
        while b"\r\n\r\n" not in self.rest:
            self.receive()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        line, *lines = head.decode("latin-1").split("\r\n")
        return Request(line, {name.lower(): value.strip() for name, value in (each.split(":", 1) for each in lines)}, self)

    def read_body(self, request):
        request.body = self.take(int(request.fields.get("content-length", 0)))

    def send(self, data):
        self.socket.sendall(data)

    # How a connection ends.

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        """FIN; over TLS without a word of it."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.socket.close()

    def say_goodbye(self):
        """FIN behind close_notify."""
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.settimeout(1)
            try:
                self.socket.unwrap()
            except OSError:
                pass
        self.close()

    def wait_until_left(self):
        """Until the gateway closes, or the upstream ends."""
        try:
            while self.socket.recv(65536):
                pass
        except OSError:
            pass
        self.socket.close()


class Upstream:
    def __init__(self, plan=None, files=None, ca=None, host="127.0.0.1", name="localhost", port=0):
        self.plan = plan or (lambda request: None)
        self.context = None
        if files:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*files)
        self.ca, self.tls = ca, files is not None
        self.lock = threading.Lock()
        self.ids, self.by_key, self.faults = Counter(), Counter(), Counter()
        self.open, self.threads, self.connections = set(), set(), 0
        self.unexpected = []
        self.keeps = True  # connections, behind a good answer
        self.ended = threading.Event()
        self.listening = socket.create_server((host, port), backlog=256)
        self.port = self.listening.getsockname()[1]
        self.url = f"{'https' if files else 'http'}://{name}:{self.port}"

    def __enter__(self):
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()
        return self

    def __exit__(self, *_):
        self.stop()
        assert not self.unexpected, self.unexpected[0]

    def stop(self):
        if self.ended.is_set():
            return
        self.ended.set()
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.drop_all()
        self.accepting.join(20)
        for each in list(self.threads):
            each.join(20)

    def drop_all(self):
        """Every connection ends."""
        with self.lock:
            peers = list(self.open)
        for each in peers:
            try:
                socket.socket.shutdown(each.plain, socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                plain, _ = self.listening.accept()
            except OSError:
                return
            plain.settimeout(120)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(plain, self.context)
            thread = threading.Thread(target=self.run, args=(peer,), daemon=True)
            with self.lock:
                self.connections += 1
                self.open.add(peer)
                self.threads.add(thread)
            thread.start()

    def run(self, peer):
        try:
            self.serve(peer)
        except (OSError, ValueError) as error:
            # A descriptor that a fault has closed is -1.
            if isinstance(error, ValueError) and "file descriptor" not in str(error):
                self.unexpected.append(error)
        except BaseException as error:  # noqa: BLE001 - told at the end
            self.unexpected.append(error)
        finally:
            peer.socket.close()
            with self.lock:
                self.open.discard(peer)
                self.threads.discard(threading.current_thread())

    def serve(self, peer):
        peer.shake_hands()
        first = True
        while not self.ended.is_set():
            request = peer.read_head()
            request.is_first, first = first, False
            with self.lock:
                request.attempt = self.ids[request.id]
                self.ids[request.id] += 1
                self.by_key[request.key] += 1
            fault = self.plan(request)
            if fault is None:
                peer.read_body(request)
                answer = good_answer(request, () if self.keeps else ("Connection: close",))
                peer.send(answer.data)
                if answer.framing == "close" or not self.keeps:
                    peer.say_goodbye()
                    return
                continue
            with self.lock:
                self.faults[getattr(fault, "name", "fault")] += 1
            if not getattr(fault, "reads_no_body", False):
                peer.read_body(request)
            if fault(peer, request) != "goes on":
                return


# Good answers, with the places in them where they can be cut.

class Answer:
    """`places`: {name: offset in `data`}."""

    def __init__(self, framing, kind, pieces, more=()):
        self.framing = framing
        body = b"".join(pieces)
        lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", "x-request-id: req_" + uuid.uuid4().hex, "openai-processing-ms: 12", *more]
        if framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif framing == "length":
            lines.append(f"Content-Length: {len(body)}")
        else:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode()
        self.body = body
        self.places = {"before anything": 0, "in the status line": 7, "in the head": len(head) - 20, "in the head's last line end": len(head) - 1,
                       "between head and body": len(head)}
        data = head
        for number, piece in enumerate(pieces):
            middle = number == len(pieces) // 2
            if framing == "chunked":
                if middle:
                    self.places["in a chunk's size"] = len(data) + 1
                    self.places["before a chunk's data"] = len(data) + len(b"%x\r\n" % len(piece))
                data += b"%x\r\n" % len(piece)
            if middle:
                self.places["in the data"] = len(data) + len(piece) // 2
                at = piece.find("ö".encode())
                if at >= 0:
                    self.places["in a character"] = len(data) + at + 1
            data += piece
            if middle and kind == "text/event-stream":
                self.places["between an event's line ends"] = len(data) - 1
                self.places["behind an event"] = len(data)
            if framing == "chunked":
                if middle:
                    self.places["in a chunk's end"] = len(data) + 1
                data += b"\r\n"
        self.places["before the last byte of the body"] = len(data) - (3 if framing == "chunked" else 1)
        if framing == "chunked":
            self.places["before the last chunk"] = len(data)
            data += b"0\r\n"
            self.places["in the last chunk"] = len(data)
            data += b"\r\n"
        self.data = data
        self.places["behind the whole"] = len(data)


def tokens_of(body):
    """What this upstream counts of a chat: (input, output). Both are told by what the client has sent, so that it knows them too."""
    text = "".join(each["content"] for each in body.get("messages", []))
    return len(text.encode()) // 4 + 3, body.get("max_tokens", 4)


def good_answer(request, more=()):
    """`more`: lines of its head."""
    if request.path == "/v1/audio/transcriptions":
        body = json.dumps({"text": "wörds heard", "usage": {"type": "duration", "seconds": 3}}, ensure_ascii=False).encode()
        return Answer("length", "application/json", [body], more)
    if request.method == "GET":
        return Answer("length", "application/json", [b'{"object":"list","data":[]}'], more)
    body = request.json()
    into, out = tokens_of(body)
    usage = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
    framing = request.fields.get("x-storm-framing", "chunked" if body.get("stream") else "length")
    base = {"id": "chatcmpl-" + uuid.uuid4().hex, "created": 1, "model": body["model"]}
    if not body.get("stream"):
        message = {"role": "assistant", "content": " ".join([WORD] * out)}
        answer = {**base, "object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
        text = json.dumps(answer, ensure_ascii=False).encode()
        third = len(text) // 3
        return Answer(framing, "application/json", [text[:third], text[third:2 * third], text[2 * third:]], more)
    deltas = [{"role": "assistant", "content": ""}, *({"content": " " + WORD} for _ in range(out))]
    events = [{**base, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": each}]} for each in deltas]
    if body.get("stream_options", {}).get("include_usage"):
        events.append({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    pieces = ["data: " + json.dumps(each, ensure_ascii=False) + "\n\n" for each in events] + ["data: [DONE]\n\n"]
    return Answer(framing, "text/event-stream", [each.encode() for each in pieces], more)
