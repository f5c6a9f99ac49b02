"""kill -9 at random points under load: every answer that a client got in full is in the ledger once, and the books agree.

PROXYXAI_CRASHES says how many points; PROXYXAI_SEED repeats the choices of a run, though not its timing.
"""
import itertools
import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter

import pytest

from books import Books
from load import Customer, Load
from processes import BUILD, SLOW, Gateway, Process

CRASHES = int(os.environ.get("PROXYXAI_CRASHES", "6"))
SEED = int(os.environ.get("PROXYXAI_SEED", str(random.randrange(10**9))))


class Service:
    """A daemon that dies and is started again on the same directory."""

    def __init__(self, directory, mock):
        self.directory, self.mock = directory, mock
        self.gateway = None
        self.root = None

    def start(self):
        # Small steps: many roll-ups for the kill to fall into.
        self.gateway = Gateway(self.directory, self.mock, root=self.root, STATS_INTERVAL=20)
        self.root = self.gateway.root
        return self.gateway

    def kill(self):
        if self.gateway:
            self.gateway.stop(signal.SIGKILL)

    def kill_in_drain(self, seconds):
        self.gateway.process.send_signal(signal.SIGTERM)
        time.sleep(seconds)
        self.kill()

    def kill_in_start(self, seconds):
        """One more life, which hardly begins."""
        process = Process([str(BUILD / "proxyxai"), "serve"], self.gateway.environment, self.directory / "start.log")
        time.sleep(seconds)
        process.stop(signal.SIGKILL)

    def check(self):
        result = subprocess.run([str(BUILD / "proxyxai"), "check"], env=self.gateway.environment, capture_output=True, text=True, timeout=60 * SLOW)
        assert result.returncode == 0, result.stdout + result.stderr

    def add(self, name, dollars, rate, key=None):
        body = {"Name": name, "Email": f"{name}@example.com", "CreditGranted": dollars, "Rates": rate, "Days": 365}
        status, _, answer = self.gateway.call("POST", "/x-users", body, key)
        assert status == 200, answer
        user = json.loads(answer)["User"]
        return Customer(user["ID"], name, user["SecretKey"], rate)


@pytest.fixture
def service(mock, tmp_path):
    made = Service(tmp_path / "gateway", mock)
    yield made
    made.kill()


def require_answers_once(journal, rows):
    """Of everything that clients saw, and in `rows`, which are those of this life of the daemon."""
    times = Counter(request_id for *_, request_id in rows)
    assert all(count == 1 for count in times.values()), [each for each in times.items() if each[1] > 1]
    booked = {request_id: (account, cost) for _, account, cost, request_id in rows}
    for answer in journal.answers:
        assert booked.get(answer.request_id) == (answer.account, answer.cost), (answer, booked.get(answer.request_id))


def require_calls_once(service, books, journal):
    deleted = {call.path for call in journal.calls if call.method == "DELETE"}
    for call in journal.calls:
        if not call.once:
            continue
        status, headers, answer = service.gateway.call(call.method, call.path, call.body or None, call.caller, call.headers())
        assert status == 200, (call, status, answer)
        if call.answer is not None:
            assert answer == call.answer and headers["idempotent-replayed"] == "true", (call, answer)
        again = service.gateway.call(call.method, call.path, call.body or None, call.caller, call.headers())
        assert again[0] == 200 and again[1]["idempotent-replayed"] == "true" and again[2] == answer, (call, answer, again)
        if call.made and f"/x-users/{call.made}" not in deleted:
            key = json.loads(answer)["User"]["SecretKey"]
            assert service.gateway.call("GET", "/dashboard/x-user-status", key=key)[0] == 200
    moved = {kind: books.times_moved(kind) for kind in ("grant", "take_back", "refund")}
    for call in journal.calls:
        times = moved[call.kind].get(call.amount, 0)
        certain = call.once or call.answer is not None
        assert times == 1 if certain else times <= 1, (call, times)


def require_balances_shown(service, balances):
    shown = json.loads(service.gateway.call("GET", "/x-dna?size=1000")[2])
    shown.append(json.loads(service.gateway.call("GET", "/x-users/root")[2]))
    assert len(shown) > 1000 or {each["Name"] for each in shown} == set(balances)
    for each in shown:
        assert round(each["Balance"] * 10**9) == balances[each["Name"]], each


def test_kill_at_random_points(service, mock):
    print(f"{CRASHES} kills, seed {SEED}")
    choose = random.Random(SEED)
    books = Books(service.directory / "data")
    service.start()
    customers = [service.add(f"customer{i}", 1000, rate) for i, rate in enumerate((1, 2, 1, 3))]
    agency = service.add("agency", 5000, 2)
    people = {"customers": customers, "agency": agency, "agent": service.add("agent", 500, 2, agency.key), "numbers": itertools.count(1)}
    last, lives, totals = 0, [], Counter()
    for point in range(CRASHES):
        load = Load(service.gateway.port, choose.random(), root=service.root, **people)
        time.sleep(choose.uniform(0.05, 1.5) * SLOW)
        how = choose.choices(["under load", "in drain", "in start"], [8, 1, 1])[0]
        if how == "in drain":
            service.kill_in_drain(choose.uniform(0, 0.05))
        else:
            service.kill()
        journal = load.stop()
        if how == "in start":
            service.kill_in_start(choose.uniform(0.005, 0.15) * SLOW)
        if choose.random() < 0.5:
            service.check()
        service.start()
        rows = books.requests_after(last)
        require_answers_once(journal, rows)
        require_balances_shown(service, books.require_sound())
        require_calls_once(service, books, journal)
        service.check()
        books.require_sound()
        errors = re.findall(r"(?m)^\S+ error .*", service.gateway.text())
        assert not errors, errors[-20:]
        assert not journal.refused, journal.refused[:5]
        last = rows[-1][0] if rows else last
        lives.append(journal)
        totals += Counter(answers=len(journal.answers), begun=len(journal.begun), rows=len(rows), calls=len(journal.calls),
                          unanswered=sum(call.answer is None for call in journal.calls), **{how.replace(" ", "_"): 1})
        mock.clear()
    whole = Counter(request_id for *_, request_id in books.requests_after(0))
    assert all(whole[answer.request_id] == 1 for journal in lives for answer in journal.answers)
    service.gateway.stop()
    service.check()
    books.require_sound()
    assert totals["answers"] > 20 * CRASHES / SLOW and totals["calls"] > CRASHES, totals
    print(dict(totals))
