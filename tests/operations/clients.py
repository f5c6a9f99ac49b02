"""Clients that keep a gateway busy, and tell what became of every request that they began."""
import asyncio
import dataclasses
import itertools
import json
import random
import threading
import time
import uuid

from processes import SLOW, wait_for

PATIENCE = 60 * SLOW


@dataclasses.dataclass
class Answer:
    kind: str
    status: int
    began: float
    ended: float
    request_id: str
    body: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass
class Failure:
    """A request that was begun, and that ended without its whole answer."""
    kind: str
    began: float
    why: str


class Connection:
    """One connection of a client, kept as long as its server lets it."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def is_over(self):
        """As every HTTP library looks before it sends on a connection that it kept."""
        return self.reader.at_eof() or self.writer.is_closing()

    async def ask(self, head, body):
        self.writer.write(head + body)
        await self.writer.drain()
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:] if ":" in line)}
        answer = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                answer += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readexactly(2)
        elif "content-length" in headers:
            answer = await self.reader.readexactly(int(headers["content-length"]))
        else:
            answer = await self.reader.read()
        if headers.get("connection", "").lower() == "close":
            self.writer.close()
        return int(lines[0].split()[1]), headers, answer


class Crowd:
    """`count` clients with a connection each, at work in a thread of their own until `stop`.

    `kinds` of requests: models (GET), chat (POST, JSON), stream (POST, events), account (PUT, which moves money).
    `pause` is the longest that one waits between two of its requests.
    """

    def __init__(self, port, keys, count, kinds=("models", "chat", "stream"), host="127.0.0.1", tls=None, pause=0.02, hostname=None, events=8, interval=5):
        self.port, self.keys, self.kinds, self.host, self.tls, self.pause = port, list(keys), kinds, host, tls, pause
        self.hostname = hostname or f"{host}:{port}"
        self.events, self.interval = events, interval
        self.answers, self.failures, self.refused = [], [], []
        self.over = threading.Event()
        self.numbers = itertools.count(1)
        self.fault = None
        self.thread = threading.Thread(target=self.run, args=(count,))
        self.thread.start()

    def run(self, count):
        try:
            asyncio.run(self.work(count))
        except BaseException as fault:  # noqa: BLE001 - told by stop
            self.fault = fault

    async def work(self, count):
        await asyncio.gather(*(self.client(random.Random(number)) for number in range(count)))

    async def client(self, chance):
        connection = None
        while not self.over.is_set():
            if connection is None or connection.is_over():
                connection = await self.connect()
            if connection is not None:
                connection = await self.request(connection, chance)
            await asyncio.sleep(chance.uniform(0, self.pause))
        if connection is not None:
            connection.writer.close()

    async def connect(self):
        """None when nobody listens: that is no request begun."""
        try:
            name = self.hostname.split(":")[0] if self.tls else None
            opening = asyncio.open_connection(self.host, self.port, ssl=self.tls, server_hostname=name)
            return Connection(*await asyncio.wait_for(opening, PATIENCE))
        except (ConnectionRefusedError, ConnectionResetError):
            self.refused.append(time.monotonic())
            return None

    def message(self, kind, chance):
        key = chance.choice(self.keys)
        body, more = b"", ""
        if kind == "models":
            line = "GET /v1/models"
        elif kind == "account":
            line = "PUT /x-users/1"
            body = json.dumps({"Alias": f"n{next(self.numbers)}"}).encode()
        else:
            line = "POST /v1/chat/completions"
            body = json.dumps({"model": "gpt-4o-mini", "stream": kind == "stream",
                               "messages": [{"role": "user", "content": f"question {uuid.uuid4().hex}"}]}).encode()
            if kind == "stream":
                more = f"x-mock-events: {self.events}\r\nx-mock-interval-ms: {self.interval}\r\n"
        if body:
            more += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{line} HTTP/1.1\r\nHost: {self.hostname}\r\nAuthorization: Bearer {key}\r\n{more}\r\n".encode(), body

    async def request(self, connection, chance):
        """The connection, when it may be used again."""
        kind = chance.choice(self.kinds)
        head, body = self.message(kind, chance)
        began = time.monotonic()
        try:
            status, headers, answer = await asyncio.wait_for(connection.ask(head, body), PATIENCE)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.TimeoutError) as error:
            self.failures.append(Failure(kind, began, f"{type(error).__name__}: {error}"[:300]))
            connection.writer.close()
            return None
        if status == 200 and kind == "stream" and b"data: [DONE]" not in answer:
            self.failures.append(Failure(kind, began, "no [DONE] at the end"))
        else:
            self.answers.append(Answer(kind, status, began, time.monotonic(), headers.get("x-request-id", ""), answer))
        return connection

    def of(self, kind):
        return [each for each in self.answers if each.kind == kind]

    def wait_for_answers(self, more=1):
        """Until so many of each kind have come from now on."""
        wanted = {kind: len(self.of(kind)) + more for kind in self.kinds}
        wait_for(lambda: all(len(self.of(kind)) >= count for kind, count in wanted.items()), PATIENCE, "answers of every kind")

    def stop(self):
        self.over.set()
        self.thread.join()
        if self.fault:
            raise self.fault
        return self

    def require_no_failure(self):
        assert not self.failures, (len(self.failures), self.failures[:5])
        odd = [each for each in self.answers if each.status != 200]
        assert not odd, (len(odd), [(each.kind, each.status, each.body[:200]) for each in odd[:5]])
