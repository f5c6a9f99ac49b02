"""Clients: one request that tells exactly what came of it, and a crowd of threads that ask until they are told to stop."""
import dataclasses
import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter

import costs
import wire
from processes import SLOW, Raw
from upstream import tokens_of

PRICES = costs.Prices()
CHAT = "gpt-4o-mini"


@dataclasses.dataclass
class Answer:
    """One that its client has in full."""
    account: int
    request_id: str
    cost: int


def chat_body(choose=random, words=4, text="Hello", stream=False, **more):
    return {"model": CHAT, "max_tokens": words, "messages": [{"role": "user", "content": text}], **({"stream": True} if stream else {}), **more}


def cost_of(body, rate=1):
    into, out = tokens_of(body)
    return costs.nano_dollars({"input": into, "output": out}, PRICES.find(body["model"]), rate)


def body_of(told):
    """(status, fields, body, whether it is whole) of all that came on a connection which ends with it."""
    head, _, rest = told.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, value in (each.split(":", 1) for each in lines)}
    status = int(line.split(" ")[1])
    if status == 204:
        return status, fields, rest, not rest
    if fields.get("transfer-encoding") != "chunked":
        length = int(fields["content-length"])
        assert len(rest) <= length, rest[length:]
        return status, fields, rest, len(rest) == length
    body = b""
    while True:
        size, mark, rest = rest.partition(b"\r\n")
        if not mark:
            return status, fields, body, False
        size = int(size, 16)
        if size == 0:
            assert rest in (b"", b"\r", b"\r\n"), rest
            return status, fields, body, rest == b"\r\n"
        if len(rest) < size + 2:
            return status, fields, body + rest[:size], False
        assert rest[size:size + 2] == b"\r\n"
        body, rest = body + rest[:size], rest[size + 2:]


def ask_once(gateway, body, key=None, **fields):
    """One request on a connection of its own, bare: status, fields, body, whether it is whole."""
    data = json.dumps(body).encode()
    lines = ["POST /v1/chat/completions HTTP/1.1", "Host: a", f"Authorization: Bearer {key or gateway.root}", "Connection: close",
             "Content-Type: application/json", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in ({"x_storm_id": uuid.uuid4().hex} | fields).items()]
    with Raw(gateway.port, timeout=60) as raw:
        raw.send("\r\n".join([*lines, "", ""]).encode() + data)
        told = raw.read_all()
    assert told, "no answer at all"
    return body_of(told)


class Client(threading.Thread):
    """One connection, used again and again."""

    def __init__(self, crowd, seed):
        super().__init__(daemon=True)
        self.crowd, self.choose = crowd, random.Random(seed)
        self.connection, self.used = None, 0
        self.failure = None

    def run(self):
        try:
            while not self.crowd.over.is_set():
                self.act()
        except BaseException as failure:  # noqa: BLE001 - told by Crowd.stop
            self.failure = failure
        finally:
            self.leave()

    def leave(self):
        if self.connection:
            self.connection.close()
        self.connection, self.used = None, 0

    def act(self):
        account = self.choose.choice(self.crowd.accounts)
        kind = self.choose.choices(["json", "stream", "upload", "form", "leave"], [5, 5, 1, 1, 1])[0]
        path, fields, stream = "/v1/chat/completions", {"Content-Type": "application/json"}, kind in ("stream", "leave")
        if kind == "form":
            path, fields, cost = "/v1/audio/transcriptions", dict(wire.FORM), costs.nano_dollars({"seconds": 3}, PRICES.find("whisper-1"))
            data = wire.form(model="whisper-1", file=wire.wav(3))
        else:
            body = chat_body(words=self.choose.randint(1, 40), stream=stream, text="a" * (self.choose.randint(200_000, 900_000) if kind == "upload" else self.choose.randint(1, 2000)))
            data, cost = json.dumps(body), cost_of(body)
        fields |= {"Authorization": f"Bearer {account.key}", "x-storm-id": uuid.uuid4().hex}
        if stream or self.choose.random() < 0.5:
            fields["x-storm-framing"] = "chunked"
        began = time.monotonic()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.crowd.gateway.port, timeout=60 * SLOW)
            self.used += 1
            self.connection.request("POST", path, data, fields)
            response = self.connection.getresponse()
        except (ConnectionError, http.client.BadStatusLine) as failure:
            # A kept connection may have ended meanwhile; a fresh one is never without an answer.
            assert self.used > 1 or self.crowd.ends.is_set(), f"no answer at all: {failure!r}"
            self.crowd.count("kept connection ended")
            self.leave()
            return
        self.read(kind, account, response, cost)
        self.crowd.took(time.monotonic() - began)

    def read(self, kind, account, response, cost):
        data, whole = b"", False
        most = self.choose.randint(1, 3000) if kind == "leave" else None
        try:
            while most is None or len(data) < most:
                piece = response.read1(65536)
                data += piece
                if not piece:
                    # read1 ends the same way on fewer bytes than were announced.
                    whole = not response.length
                    response.close()
                    break
        except (http.client.IncompleteRead, ConnectionError):
            pass
        assert b"sk-up" not in data and b"sk-up" not in str(response.getheaders()).encode(), data
        if response.status != 200:
            assert response.status in self.crowd.allowed, (response.status, data)
            self.crowd.count(f"status {response.status}")
            if not whole or response.will_close:
                self.leave()
            return
        # The last event of a stream tells its client that it has everything, too.
        if whole and kind in ("stream", "leave"):
            assert b"data: [DONE]" in data, data[-300:]
        if whole or (kind in ("stream", "leave") and b"data: [DONE]\n\n" in data):
            self.crowd.has(Answer(account.id, response.getheader("x-request-id"), cost))
            self.crowd.count(f"whole {kind}")
        else:
            self.crowd.count("left" if most is not None and len(data) >= most else "cut off")
        if not whole or response.will_close:
            self.leave()


class Crowd:
    """`count` clients at work on a gateway until `stop`."""

    def __init__(self, gateway, accounts, choose, count=16, allowed=(429, 500, 502, 503, 504, 520, 529)):
        self.gateway, self.accounts, self.allowed = gateway, accounts, allowed
        self.over, self.ends, self.lock = threading.Event(), threading.Event(), threading.Lock()
        self.counts, self.answers, self.longest = Counter(), [], 0.0
        self.clients = [Client(self, choose.random()) for _ in range(count)]
        for each in self.clients:
            each.start()

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def has(self, answer):
        with self.lock:
            self.answers.append(answer)

    def took(self, seconds):
        with self.lock:
            self.longest = max(self.longest, seconds)

    def has_failed(self):
        return any(each.failure for each in self.clients)

    def work(self, seconds, enough=lambda: True):
        """For so long, and on a busy machine until it is `enough`; or until a client finds what must not be."""
        began = time.monotonic()
        while not self.has_failed():
            passed = time.monotonic() - began
            if passed >= seconds and enough():
                break
            assert passed < seconds + 60 * SLOW, "too little has come about"
            time.sleep(0.1)
        return self

    def may_end(self):
        """From now on the gateway may be gone."""
        self.ends.set()

    def stop(self):
        """What came of the requests; raises what a client did not expect."""
        self.over.set()
        for each in self.clients:
            each.join(120 * SLOW)
            assert not each.is_alive(), "a client still waits for its answer"
        for each in self.clients:
            if each.failure:
                raise each.failure
        return self.counts
