"""Clients at the level of bytes: pipelines, heads that are refused, slow readers, connections that do nothing."""
import json
import socket

import costs
from load import CHAT, PRICES, Answer
from test_header_gate import REFUSED, head
from visitors import Visitor


class Wired(Visitor):
    def __init__(self, *rest, customer, **more):
        super().__init__(*rest, **more)
        self.customer = customer

    def chat(self, *lines, **more):
        body = json.dumps({"model": CHAT, "messages": [{"role": "user", "content": f"{self.random.random()}"}], **more})
        return head(self.customer.key, f"Content-Length: {len(body)}", *lines) + body


class Pipeliner(Wired):
    """Several requests in one piece."""

    def work(self):
        count = self.random.randint(2, 6)
        for _ in range(count):
            self.place.pace.wait()
        with self.place.line() as line:
            listing = head(self.customer.key, target="/v1/models", method="GET")
            kinds = [self.random.choice(["models", "chat"]) for _ in range(count)]
            line.send("".join(listing if kind == "models" else self.chat() for kind in kinds))
            for kind in kinds:
                status, headers, answer = line.read_response()
                self.place.tally.count("pipelined " + kind, status)
                if status != 200:
                    self.place.tally.fault("pipelined", kind, status, answer[:300])
                elif kind == "chat":
                    cost = costs.nano_dollars(costs.usage_of("chat/completions", json.loads(answer)), PRICES.find(CHAT), self.customer.rate)
                    self.journal.has_answer(Answer(self.customer.id, headers["x-request-id"], cost))


class Mangler(Wired):
    """Heads that must be refused, ends in the middle of one, and what is no TLS at all."""

    def work(self):
        self.place.pace.wait()
        self.random.choices([self.bad_head, self.half, self.no_tls], [4, 1, 1])[0]()

    def bad_head(self):
        name = self.random.choice(list(REFUSED))
        lines, options, expected = REFUSED[name]
        with self.place.line() as line:
            answer = line.send(head(self.customer.key, *lines, **options)).read_all()
        status = int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0
        self.place.tally.count("bad head", status)
        if status not in (expected if isinstance(expected, tuple) else (expected,)):
            self.place.tally.fault("bad head", name, answer[:300])

    def half(self):
        with self.place.line() as line:
            whole = self.chat().encode()
            line.send(whole[:self.random.randrange(1, len(whole))])
        self.place.tally.count("left in the middle of a request", "-")

    def no_tls(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as bare:
            bare.sendall(self.random.choice([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", self.random.randbytes(200), b""]))
        self.place.tally.count("no TLS", "-")


class SlowReader(Wired):
    """Reads a long stream in small pieces, and does not always wait for its end."""

    def work(self):
        self.place.pace.wait()
        with self.place.line() as line:
            line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            line.send(self.chat(f"x-mock-raw-bytes: {self.random.randrange(1 << 20, 4 << 20)}", stream=True))
            answer, left = line.read_until(b"\r\n\r\n"), self.random.randrange(0, 4 << 20)
            self.place.tally.count("slow stream", answer.split()[1].decode())
            end, tail = b"\r\n0\r\n\r\n", b""
            while left > 0 and not self.place.over.is_set():
                piece = line.socket.recv(8192)
                # The end may come in two pieces.
                tail = (tail + piece)[-len(end):]
                if not piece:
                    self.place.tally.fault("slow stream", f"broke off behind {tail!r}")
                if not piece or tail == end:
                    break
                left -= len(piece)
                self.rest(0.02)


class Idler(Wired):
    """Connections that come, mostly do nothing, and go; those that stay long are closed by the gateway."""

    MOST = 40

    def __init__(self, *rest, **more):
        super().__init__(*rest, **more)
        self.lines = []

    def work(self):
        if len(self.lines) < self.random.randrange(self.MOST):
            self.place.pace.wait()
            line = self.place.line()
            self.lines.append(line)
            if self.random.random() < 0.3:
                status = line.send(head(self.customer.key, target="/v1/models", method="GET")).read_response()[0]
                self.place.tally.count("GET /v1/models", status)
            else:
                self.place.tally.count("idle connection", "-")
        elif self.lines:
            self.lines.pop(self.random.randrange(len(self.lines))).socket.close()

    def leave(self):
        for line in self.lines:
            line.socket.close()
        self.lines = []
        super().leave()
