"""The daemon under load, and what all of its clients share."""
import json
import ssl
import sys
import threading
import time
from collections import Counter

from load import Customer, Journal
from pace import Pace
from processes import Gateway, Raw, request

GOOD = [f"sk-upstream-steady-{number:04}" for number in range(4)]


class Front(Gateway):
    """A gateway that speaks TLS with its clients."""

    def __init__(self, directory, mock, **settings):
        self.tls = ssl.create_default_context(cafile=str(mock.ca))
        # The mock's certificate is one for localhost, and as good for us.
        certificate, key = mock.ca.parent / "server.pem", mock.ca.parent / "server.key"
        super().__init__(directory, mock, keys=GOOD, TLS_CERT=certificate, TLS_KEY=key, **settings)

    def call(self, method, path, body=None, key=None, headers=None, timeout=60):
        headers = {"Authorization": f"Bearer {key or self.root}", "Content-Type": "application/json", **(headers or {})}
        return request(self.port, method, path, json.dumps(body) if body else None, headers, timeout, tls=self.tls)


class Tally:
    """What came of requests: how many of each kind and status, and what should not have been. Any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts, self.faults, self.began = Counter(), [], time.monotonic()

    def count(self, kind, status):
        with self.lock:
            self.counts[kind, str(status)] += 1

    def fault(self, *what):
        with self.lock:
            self.faults.append(what)
        print("after", round(time.monotonic() - self.began), "s:", *what, file=sys.stderr, flush=True)


class Place:
    def __init__(self, gateway, rate):
        self.gateway, self.port, self.tls = gateway, gateway.port, gateway.tls
        self.over = threading.Event()
        self.pace, self.tally, self.journal = Pace(rate, self.over), Tally(), Journal()
        # What stands in the ledger once, at a cost that its client does not work out; and what WebSockets cost, by account.
        self.booked, self.talks = [], Counter()
        self.keys_gone = 0

    def customer(self, name, dollars, rate=1, by=None, **more):
        made = self.gateway.make_child(dollars, name, by, Rates=rate, Days=365, **more)
        return Customer(made.id, made.name, made.key, rate)

    def line(self, timeout=60):
        return Line(self, timeout)


class Line(Raw):
    """Bare bytes, though over TLS."""

    def __init__(self, place, timeout):
        super().__init__(place.port, timeout)
        self.socket = place.tls.wrap_socket(self.socket, server_hostname="localhost")
