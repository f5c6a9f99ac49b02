"""Background responses, whose cost upstream tells when they have ended: asked after through a storm, each is charged once and by what it used."""
import json
import random
import threading
import uuid

import costs
import faults
from clients import PRICES
from processes import SLOW, in_parallel, wait_for
from test_mixed import EVERYWHERE, NO_ANSWERS
from test_malformed import ODD
from test_refusals import TELLS, keys_of
from upstream import Answer, Upstream

MODEL = "gpt-4o"


class Work:
    """The plan: work that is asked for, and asked after `rounds` times before it has ended; meanwhile most answers go wrong."""

    def __init__(self, choose):
        self.choose, self.lock = random.Random(choose.random()), threading.Lock()
        self.left, self.usage, self.is_over = {}, {}, False

    def __call__(self, request):
        if request.path == "/v1/responses":
            return self.begin
        if request.path.startswith("/v1/responses/"):
            return self.tell
        return None

    def send(self, peer, event):
        peer.send(Answer("length", "application/json", [json.dumps(event).encode()]).data)
        return "goes on"

    def begin(self, peer, request):
        with self.lock:
            name = "resp_" + uuid.uuid4().hex
            self.left[name] = self.choose.randint(1, 2)
            self.usage[name] = {"input_tokens": self.choose.randint(1, 1000), "output_tokens": self.choose.randint(1, 1000)}
        return self.send(peer, {"id": name, "object": "response", "status": "queued", "background": True, "model": MODEL})

    def tell(self, peer, request):
        name = request.path.rsplit("/", 1)[1]
        with self.lock:
            if not self.is_over and self.choose.random() < 0.6:
                fault = self.fault()
            else:
                fault = None
                self.left[name] -= 1
        if fault:
            return fault(peer, request)
        if self.left[name] > 0:
            return self.send(peer, {"id": name, "object": "response", "status": "in_progress", "model": MODEL})
        return self.send(peer, {"id": name, "object": "response", "status": "completed", "model": MODEL, "usage": self.usage[name]})

    def fault(self):
        choose = self.choose
        kind = choose.choice(["cut", "odd", "5xx", "429", "empty"])
        if kind == "cut":
            return faults.cut(choose.choice(EVERYWHERE), choose.choice(["reset", "close"]))
        if kind == "odd":
            return faults.say("odd", ODD[choose.choice(NO_ANSWERS)][0], "close")
        if kind == "429":
            return TELLS[choose.choice(["a fraction", "milliseconds"])][0]()
        if kind == "empty":
            return faults.answer(200, choose.choice([b"", b"{}", b"null", b"<html>"]))
        return faults.answer(choose.choice([500, 502, 503, 504, 529]))


def test_each_is_charged_once_by_what_it_used(start, calm, choose, storm_seconds):
    work, keys = Work(choose), keys_of(2, "later")
    with Upstream(work) as upstream:
        gateway = start(mock=upstream, keys=keys, PENDING_INTERVAL="50ms")
        before = calm(gateway)
        accounts = [gateway.make_child(1000) for _ in range(4)]

        def ask(index):
            for _ in range(int(storm_seconds(4) * 3)):
                status, _, told = accounts[index].call("POST", "/v1/responses", {"model": MODEL, "input": "x", "background": True, "max_output_tokens": 2000})
                assert status == 200, told

        in_parallel(4, ask)
        wait_for(lambda: sum(left <= 0 for left in work.left.values()) * 3 > len(work.left), 60 * SLOW, "the end of a third of the work")
        work.is_over = True
        wait_for(lambda: gateway.metric("proxyxai_pending_bills") == 0, 60 * SLOW, "all bills")
        before.require_calm(keys=dict.fromkeys(keys, {"active", "resting"}))
        expected = sorted(costs.nano_dollars(costs.tokens_of(usage), PRICES.find(MODEL)) for usage in work.usage.values())
        assert sorted(cost for account in accounts for cost in account.costs() if cost) == expected
        before.require_end()
