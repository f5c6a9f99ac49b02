"""Clients that keep to a pace: those of tests/crash over TLS, and others of every kind."""
import http.client
import json
import random
import uuid

import costs
from load import PRICES, Answer, Asker, Client, Manager
from processes import SLOW
from wire import FORM, form, wav

PATIENCE = 60 * SLOW


class Paced:
    """Makes a Client of tests/crash take turns and be counted; `pause` is how long it rests on average. Nothing may break: a
    connection that is not used for long is not kept."""

    def __init__(self, place, pause=0.0, **more):
        super().__init__(place.port, place.journal, place.over, random.random(), **more)
        self.place, self.pause = place, pause

    def send(self, method, path, body, headers):
        self.place.pace.wait()
        if self.connection is None:
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.place.tls)
        response = super().send(method, path, body, headers)
        self.place.tally.count(self.kind_of(method, path, body), response.status)
        return response

    def kind_of(self, method, path, body):
        return "stream" if body and '"stream": true' in body else method + " " + "/".join(path.split("?")[0].split("/")[:4])

    def rest(self, seconds):
        self.place.over.wait(seconds)

    def act(self):
        try:
            self.work()
        except Exception as fault:  # noqa: BLE001 - told by the test
            self.place.tally.fault(type(self).__name__, repr(fault)[:2000])
            # Goes on with a new connection, as after every broken one.
            raise ConnectionError from fault
        self.rest(self.random.uniform(0, 2 * self.pause))

    def work(self):
        super().act()


class PacedAsker(Paced, Asker):
    pass


class PacedManager(Paced, Manager):
    def kind_of(self, method, path, body):
        return f"{method} " + "/".join(path.split("/")[:2])


class Visitor(Paced, Client):
    """`work` is for each kind to say."""

    def ask(self, key, method, path, body=None, headers=None, expects=(200,)):
        if isinstance(body, dict):
            body = json.dumps(body)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **(headers or {})}
        response = self.send(method, path, body, headers)
        answer = response.read()
        if response.status not in expects:
            self.place.tally.fault(method, path, response.status, answer[:300])
        if response.will_close:
            self.leave()
        return response, answer


class Uploader(Visitor):
    """Forms: a file of 5 MB now and then, which is read back and removed; speech to be written down."""

    SIZE = 5_000_000

    def __init__(self, *rest, customer, **more):
        super().__init__(*rest, **more)
        self.customer = customer

    def kind_of(self, method, path, body):
        return f"{method} /v1/" + path.split("/")[2] + (" 5 MB" if method == "POST" and len(body) >= self.SIZE else "")

    def work(self):
        self.store() if self.random.random() < 0.4 else self.transcribe()

    def store(self):
        content = self.random.randbytes(self.SIZE)
        keys_gone = self.place.keys_gone
        response, answer = self.ask(self.customer.key, "POST", "/v1/files", form(purpose="user_data", file=content), FORM)
        if response.status != 200:
            return
        path = "/v1/files/" + json.loads(answer)["id"]
        # What an upstream key made goes with it.
        response, answer = self.ask(self.customer.key, "GET", path + "/content", expects=(200, 410))
        if response.status == 200:
            assert answer == content
        response, answer = self.ask(self.customer.key, "DELETE", path, expects=(200, 410))
        if response.status == 410 and keys_gone == self.place.keys_gone:
            self.place.tally.fault("410 though no key went", path, answer[:300])

    def transcribe(self):
        seconds = self.random.randint(1, 60)
        body = form(model="whisper-1", response_format="verbose_json", prompt=uuid.uuid4().hex, file=wav(seconds))
        response, answer = self.ask(self.customer.key, "POST", "/v1/audio/transcriptions", body, FORM)
        if response.status == 200:
            usage = costs.usage_of("audio/transcriptions", json.loads(answer))
            cost = costs.nano_dollars(usage, PRICES.find("whisper-1"), self.customer.rate)
            self.journal.has_answer(Answer(self.customer.id, response.getheader("x-request-id"), cost))


class Reader(Visitor):
    """What the pages show: accounts, requests, bills, figures."""

    def __init__(self, *rest, root, customers, **more):
        super().__init__(*rest, **more)
        self.root, self.customers = root, customers

    def work(self):
        own = ["/dashboard/x_user/info", "/dashboard/x-user-status", "/dashboard/x-user-logs?size=20", "/x-requests?size=50", "/x-bill?days=7",
               "/v1/dashboard/billing/subscription", "/v1/models", "/x-prices"]
        roots = ["/x-users?size=20", "/x-dna?size=20", "/x-keys", "/x-stats", "/x-config", "/x-requests?size=100&page=3", "/x-bill?days=30"]
        if self.random.random() < 0.5:
            self.ask(self.random.choice(self.customers).key, "GET", self.random.choice(own))
        else:
            self.ask(self.root, "GET", self.random.choice(roots))


class Stranger(Visitor):
    """Gets refusals: no key, wrong keys, limits, paths that are not there, bodies that are none."""

    def __init__(self, *rest, root, limited, **more):
        super().__init__(*rest, **more)
        self.root, self.limited = root, limited

    def kind_of(self, method, path, body):
        return "refused"

    def work(self):
        chat = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
        child = self.limited.key
        self.ask(*self.random.choice([
            ("sk-Xvs" + "a" * 45, "POST", "/v1/chat/completions", chat, {}, (401,)),
            ("wrong", "GET", "/x-users", None, {}, (401,)),
            (child, "GET", "/x-keys", None, {}, (401, 403)),
            (child, "POST", "/v1/chat/completions", chat, {}, (200, 429)),
            (child, "POST", "/v1/chat/completions", "{" * 1000, {}, (400, 429)),
            (self.root, "GET", "/x-users/" + uuid.uuid4().hex, None, {}, (404,)),
            (self.root, "GET", "/x-nothing", None, {}, (404,)),
            (self.root, "GET", "/v1/files/file-" + uuid.uuid4().hex, None, {}, (404,)),
            (self.root, "GET", "/v1//models", None, {}, (400,)),
            (self.root, "POST", "/x-users", {"Name": "x", "CreditGranted": -1}, {}, (400,)),
            (self.root, "POST", "/v1/chat/completions", chat, {"Transfer-Encoding": "gzip"}, (400, 501)),
        ]))
