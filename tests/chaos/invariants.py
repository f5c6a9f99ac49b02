"""What must hold of a gateway when a storm is over: money, keys, connections, descriptors, memory, and that it serves.

    before = Baseline(gateway)
    ... the storm, whose clients write down the answers they have in full ...
    before.require_calm(answers=answers, keys={GOOD: "active", DEAD: "dead"})
    before.require_end(answers=answers)       # stops it: its exit, its sanitizers, `proxyxai check`, the books
"""
import datetime
import json
import os
import pathlib
import subprocess
import time
from collections import Counter

from books import Books
from processes import BUILD, SLOW, sanitizers, wait_for

# Gauges of what is under way: none of it outlives its request.
AT_REST = {
    "proxyxai_requests_in_flight": 0,
    "proxyxai_client_connections": 0,
    "proxyxai_held_dollars": 0,
    "proxyxai_body_memory_bytes": 0,
    "proxyxai_ledger_waiting_requests": 0,
    "proxyxai_writer_waiting_jobs": 0,
    "proxyxai_ledger_healthy": 1,
}
KEPT = "proxyxai_upstream_kept_connections"
MOST_KEPT = 1024
# What the allocator may keep of a storm. AddressSanitizer holds back up to 256 MiB of what was given back, and what it knows of it.
MOST_GROWTH_KIB = (400 << 10) if sanitizers() else (32 << 10)


class Baseline:
    """A gateway before the storm. Whatever opens once and stays open is opened first."""

    def __init__(self, gateway, ask=None):
        self.gateway = gateway
        self.ask = ask or gateway.chat
        self.books = Books(gateway.directory / "data")
        self.served_at_once()
        gateway.call("GET", "/v1/files/file-of_nobody")
        self.require_books()
        self.at_rest()
        self.descriptors = self.unkept_descriptors()
        self.resident = gateway.resident_kib()

    def require_calm(self, answers=(), keys=None, seconds=20):
        """`answers`: what clients have in full, each with account, request_id and cost (nano-dollars, or None where nobody can tell).
        `keys`: {secret: the state it must be in, or a set of states}; "active" may still cool, though not for ever."""
        self.at_rest(seconds)
        require_keys(self.gateway, keys or {})
        self.served_at_once()
        self.at_rest(seconds)
        self.require_books()
        self.require_answers_once(answers)
        try:
            wait_for(lambda: self.unkept_descriptors() <= self.descriptors, seconds * SLOW, "fewer descriptors")
        except AssertionError:
            raise AssertionError(f"descriptors back to {self.descriptors}; kept are {metrics(self.gateway)[KEPT]}, open {self.open_files()}\n{self.sockets()}")
        assert metrics(self.gateway)[KEPT] <= MOST_KEPT
        grown = self.gateway.resident_kib() - self.resident
        assert grown <= MOST_GROWTH_KIB, f"{grown} KiB more than before"

    def require_end(self, answers=()):
        self.gateway.end()
        checked = subprocess.run([str(BUILD / "proxyxai"), "check"], env=self.gateway.environment, capture_output=True, text=True, timeout=60 * SLOW)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        self.books.require_sound()
        self.require_answers_once(answers)

    def at_rest(self, seconds=20):
        def differs():
            shown = metrics(self.gateway)
            return {name: shown.get(name) for name, value in AT_REST.items() if shown.get(name) != value}

        end = time.monotonic() + seconds * SLOW
        while left := differs():
            assert time.monotonic() < end, f"not at rest after {seconds * SLOW} s: {left}"
            time.sleep(0.02)

    def served_at_once(self):
        began = time.monotonic()
        status, _, body = self.ask()
        took = time.monotonic() - began
        assert status == 200, (status, body)
        assert took < 2 * SLOW, f"a plain request took {took:.1f} s"

    def require_books(self):
        """The books are sound, and what accounts are told they have is in them."""
        # Asked first: what is shown has been taken in.
        shown = json.loads(self.gateway.call("GET", "/x-dna?size=1000")[2])
        shown.append(json.loads(self.gateway.call("GET", "/x-users/root")[2]))
        balances = self.books.require_sound()
        for each in shown:
            assert round(each["Balance"] * 10**9) == balances[each["Name"]], each

    def require_answers_once(self, answers):
        rows = self.books.requests_after(0)
        times = Counter(request_id for *_, request_id in rows)
        booked = {request_id: (account, cost) for _, account, cost, request_id in rows}
        for each in answers:
            assert times[each.request_id] == 1, (each, times[each.request_id])
            account, cost = booked[each.request_id]
            assert account == each.account and each.cost in (cost, None), (each, account, cost)

    def unkept_descriptors(self):
        """Open ones, less the connections to upstream that are kept. As it says itself: its folder in /proc shows them to root alone."""
        shown = metrics(self.gateway)
        return int(shown["process_open_fds"] - shown[KEPT])

    def open_files(self):
        place = pathlib.Path(f"/proc/{self.gateway.process.pid}/fd")
        found = Counter()
        if not os.access(place, os.R_OK):
            return "shown to root alone"
        for each in place.iterdir():
            try:
                found[os.readlink(each).split(":")[0]] += 1
            except OSError:
                pass
        return dict(found)


    def sockets(self):
        lines = subprocess.run(["ss", "--tcp", "--all", "--numeric", "--processes", "--no-header"], capture_output=True, text=True).stdout.splitlines()
        return "\n".join(each for each in lines if f"pid={self.gateway.process.pid}," in each)


def metrics(gateway):
    """{name with its labels: value}"""
    lines = gateway.operations("/metrics")[2].decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))}


def require_keys(gateway, expected):
    shown = gateway.keys_shown()
    now = datetime.datetime.now(datetime.timezone.utc)
    for key in shown.values():
        for limit in key["Limits"]:
            if limit["Kind"] != "cooling":
                continue
            left = datetime.datetime.fromisoformat(limit["Until"].replace("Z", "+00:00")) - now
            assert left <= datetime.timedelta(hours=24), f"cools without an end in sight: {key}"
    for secret, states in expected.items():
        key = shown["..." + secret[-4:]]
        states = {states} if isinstance(states, str) else set(states)
        if "active" in states:
            states.add("cooling")
        assert key["State"] in states, (states, key)
