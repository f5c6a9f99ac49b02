"""Clients that work a gateway from several threads until it dies, and write down what they were told."""
import dataclasses
import http.client
import json
import random
import threading
import time
import uuid

import costs

CHAT, EMBEDDING = "gpt-4o-mini", "text-embedding-3-small"
PRICES = costs.Prices()


@dataclasses.dataclass
class Customer:
    id: int
    name: str
    key: str
    rate: int = 1


@dataclasses.dataclass
class Answer:
    """An answer that its client has in full."""
    account: int
    request_id: str
    cost: int


@dataclasses.dataclass
class Call:
    """A management call that moves `amount` nano-dollars, no other call the same; `answer` is None when none came."""
    method: str
    path: str
    body: str
    caller: str
    kind: str
    amount: int
    once: str
    answer: bytes = None
    made: str = ""

    def headers(self):
        headers = {"Authorization": f"Bearer {self.caller}"}
        if self.body:
            headers["Content-Type"] = "application/json"
        if self.once:
            headers["Idempotency-Key"] = self.once
        return headers


class Journal:
    """What the clients of one life of the daemon have seen. Any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers, self.begun, self.calls, self.refused = [], set(), [], []

    def has_begun(self, request_id):
        with self.lock:
            self.begun.add(request_id)

    def has_answer(self, answer):
        with self.lock:
            self.answers.append(answer)

    def has_call(self, call):
        with self.lock:
            self.calls.append(call)

    def was_refused(self, *what):
        with self.lock:
            self.refused.append(what)


class Client(threading.Thread):
    """One connection, used again and again until `over` is set."""

    def __init__(self, port, journal, over, seed):
        super().__init__()
        self.port, self.journal, self.over = port, journal, over
        self.random = random.Random(seed)
        self.connection = None
        self.failure = None

    def run(self):
        try:
            while not self.over.is_set():
                try:
                    self.act()
                except (OSError, http.client.HTTPException):
                    self.leave()
                    time.sleep(0.005)
        except BaseException as failure:  # noqa: BLE001 - told by Load.stop
            self.failure = failure
        finally:
            self.leave()

    def leave(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def send(self, method, path, body, headers):
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connection.request(method, path, body, headers)
        return self.connection.getresponse()

    def act(self):
        raise NotImplementedError


class Asker(Client):
    """Chats, streams, embeds; leaves some streams early."""

    def __init__(self, *rest, customers):
        super().__init__(*rest)
        self.customers = customers

    def act(self):
        customer = self.random.choice(self.customers)
        self.random.choices([self.whole, self.stream, self.embed, self.leave_early], [4, 4, 2, 1])[0](customer)

    def ask(self, customer, path, body, **mock):
        headers = {"Authorization": f"Bearer {customer.key}", "Content-Type": "application/json"}
        headers |= {f"x-mock-{name}": str(value) for name, value in mock.items()}
        response = self.send("POST", path, json.dumps(body), headers)
        if response.status != 200:
            self.journal.was_refused(response.status, response.read())
            return None
        self.journal.has_begun(response.getheader("x-request-id"))
        return response

    def text(self):
        # The mock names an answer after its request: each is another.
        return uuid.uuid4().hex + " word" * self.random.randint(0, 200)

    def chat_body(self, **more):
        return {"model": CHAT, "messages": [{"role": "user", "content": self.text()}], **more}

    def complete(self, customer, response, usage, model):
        cost = costs.nano_dollars(usage, PRICES.find(model), customer.rate)
        self.journal.has_answer(Answer(customer.id, response.getheader("x-request-id"), cost))

    def whole(self, customer):
        response = self.ask(customer, "/v1/chat/completions", self.chat_body(), events=self.random.randint(1, 60))
        if response:
            answer = json.loads(response.read())
            self.complete(customer, response, costs.usage_of("chat/completions", answer), answer["model"])

    def embed(self, customer):
        response = self.ask(customer, "/v1/embeddings", {"model": EMBEDDING, "input": self.text()})
        if response:
            answer = json.loads(response.read())
            self.complete(customer, response, costs.usage_of("embeddings", answer), EMBEDDING)

    def stream(self, customer, most_bytes=None):
        events = self.random.randint(1, 40)
        body = self.chat_body(stream=True)
        shows_usage = self.random.random() < 0.5
        if shows_usage:
            body["stream_options"] = {"include_usage": True}
        pace = {"interval-ms": self.random.choice([1, 5])} if self.random.random() < 0.3 else {}
        response = self.ask(customer, "/v1/chat/completions", body, events=events, **pace)
        if not response:
            return
        data, ended = b"", False
        try:
            while most_bytes is None or len(data) < most_bytes:
                piece = response.read1(65536)
                data += piece
                if not piece:
                    ended = True
                    break
        finally:
            # Either of the two tells a client that it has everything.
            if ended or b"data: [DONE]" in data:
                assert b"data: [DONE]" in data, data[-300:]
                usage = costs.usage_of_stream("chat/completions", data)
                assert bool(usage) == shows_usage
                self.complete(customer, response, usage or {"input": costs.mock_prompt_tokens(body), "output": events}, CHAT)

    def leave_early(self, customer):
        self.stream(customer, self.random.randint(1, 4000))
        self.leave()


class Manager(Client):
    """Grants, takes back, makes and deletes accounts, mostly with an idempotency key."""

    def __init__(self, *rest, root, customers, agency, agent, numbers):
        super().__init__(*rest)
        self.root, self.customers, self.agency, self.agent, self.numbers = root, customers, agency, agent, numbers
        self.made = []

    def act(self):
        acts = [self.grant, self.grant_as_agency, self.take_back, self.make, self.delete]
        self.random.choices(acts, [4, 4, 2, 1, 1])[0]()
        time.sleep(self.random.uniform(0, 0.02))

    def call(self, method, path, body, caller, kind, amount, made=""):
        once = uuid.uuid4().hex if self.random.random() < 0.8 else ""
        call = Call(method, path, json.dumps(body) if body else "", caller, kind, amount, once, made=made)
        self.journal.has_call(call)
        response = self.send(method, path, call.body or None, call.headers())
        answer = response.read()
        assert response.status == 200, (call, response.status, answer)
        call.answer = answer

    def amount(self, base):
        """No other call moves as many nano-dollars."""
        return base * 10_000_000 + next(self.numbers)

    def move(self, caller, name, amount, kind):
        signed = amount if kind == "grant" else -amount
        self.call("PUT", f"/x-users/{name}", {"CreditGranted": signed / 10**9}, caller, kind, amount)

    def grant(self):
        self.move(self.root, self.random.choice(self.customers).name, self.amount(100), "grant")

    def grant_as_agency(self):
        self.move(self.agency.key, self.agent.name, self.amount(50), "grant")

    def take_back(self):
        caller, user = self.random.choice([(self.root, self.customers[0]), (self.agency.key, self.agent)])
        self.move(caller, user.name, self.amount(10), "take_back")

    def make(self):
        name = "u" + uuid.uuid4().hex
        amount = self.amount(300)
        self.call("POST", "/x-users", {"Name": name, "Email": f"{name}@example.com", "CreditGranted": amount / 10**9}, self.root, "grant", amount, name)
        self.made.append((name, amount))

    def delete(self):
        if self.made:
            name, amount = self.made.pop()
            self.call("DELETE", f"/x-users/{name}", None, self.root, "refund", amount)


class Load:
    """All of them at work on one life of the daemon."""

    def __init__(self, port, seed, customers, numbers, root, agency, agent, askers=6, managers=2):
        self.journal, self.over = Journal(), threading.Event()
        seeds = random.Random(seed)
        parts = [(port, self.journal, self.over, seeds.random()) for _ in range(askers + managers)]
        self.clients = [Asker(*each, customers=[*customers, agency, agent]) for each in parts[:askers]]
        self.clients += [Manager(*each, root=root, customers=customers, agency=agency, agent=agent, numbers=numbers) for each in parts[askers:]]
        for each in self.clients:
            each.start()

    def stop(self):
        """What they saw; raises what any of them did not expect."""
        self.over.set()
        for each in self.clients:
            each.join()
        for each in self.clients:
            if each.failure:
                raise each.failure
        return self.journal
