"""WebSockets whose upstream goes wrong: at each class of place, in each way."""
import json
import random
import threading
from collections import Counter

import costs
import faults
from clients import PRICES
from processes import Raw, in_parallel
from test_refusals import keys_of
from upstream import Upstream

SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
UPGRADE = ("GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def frame(event, opcode=1):
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    size = bytes([len(data)]) if len(data) <= 125 else b"\x7e" + len(data).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + size + data


def masked(event):
    data = json.dumps(event).encode()
    mask = b"\x5a\x33\x71\x19"
    return b"\x81" + bytes([0x80 | len(data)]) + mask + bytes(each ^ mask[i % 4] for i, each in enumerate(data))


def messages(data):
    """The events in whole frames of what a client has got."""
    found = []
    while len(data) >= 2:
        size, at = data[1] & 0x7f, 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        if len(data) < at + size:
            break
        if data[0] & 0x0f == 1:
            found.append(json.loads(data[at:at + size]))
        data = data[at + size:]
    return found


class Sessions:
    """The plan: each session is another, so that what it costs tells which it was."""

    def __init__(self, choose):
        self.choose, self.lock = random.Random(choose.random()), threading.Lock()
        self.number = 0

    def __call__(self, request):
        if "upgrade" not in request.fields:
            return None
        with self.lock:
            self.number += 1
            output, place, how = 1000 + self.number, self.choose.random(), self.choose.choice(["reset", "close", "goodbye", "stall"])
        return self.session(output, place, how)

    @staticmethod
    def session(output, place, how):
        @faults.named("session that ends by " + how)
        def fault(peer, request):
            usage = {"input_tokens": 10, "output_tokens": output, "total_tokens": 10 + output}
            done = {"type": "response.done", "response": {"object": "realtime.response", "status": "completed", "padding": "p" * 200, "usage": usage}}
            text = [frame({"type": "response.output_text.delta", "delta": "wörd "}) for _ in range(20)]
            data = SWITCH + frame({"type": "session.created"}) + b"".join(text) + frame(done) + frame({"type": "rate_limits.updated"}) + frame(b"", opcode=9)
            at = int(place * 1.2 * len(data))
            peer.send(data[:at])
            getattr(peer, faults.ENDS[how])()

        return fault


def test_sockets_that_upstream_breaks_are_paid_for_and_leave_nothing(start, calm, choose, certificates, storm_seconds):
    plan, keys = Sessions(choose), keys_of(2, "sock")
    rounds = int(storm_seconds(4) * 3)
    price = PRICES.find("gpt-realtime")
    with Upstream(plan, certificates["good"], certificates.ca) as upstream:
        gateway = start(mock=upstream, keys=keys, IDLE_TIMEOUT="300ms", FIRST_BYTE_TIMEOUT="500ms")
        accounts = [gateway.make_child(1000) for _ in range(8)]
        before = calm(gateway)

        def work(index):
            statuses, had = Counter(), []
            for _ in range(rounds):
                with Raw(gateway.port, timeout=30) as raw:
                    raw.send(UPGRADE.format(key=accounts[index].key).encode() + masked({"type": "response.create"}))
                    told = raw.read_all()
                assert told.startswith(b"HTTP/1.1 ") and b"\r\n\r\n" in told, told
                head, rest = told.split(b"\r\n\r\n", 1)
                statuses[int(head.split(b" ")[1])] += 1
                if head.startswith(b"HTTP/1.1 101"):
                    had += [each["response"]["usage"]["output_tokens"] for each in messages(rest) if each["type"] == "response.done"]
            return statuses, had

        results = in_parallel(8, work)
        # The storm is over: upgrades too are answered as they should be, by a 400 of upstream's.
        upstream.plan = lambda request: None
        before.require_calm(keys=dict.fromkeys(keys, {"active", "resting"}))
        seen = Counter()
        for account, (statuses, had) in zip(accounts, results):
            booked = Counter(account.costs())
            for output in had:
                assert booked[costs.nano_dollars({"input": 10, "output": output}, price)] == 1, (output, booked)
            seen += statuses
        assert seen[101] > 10 * 8 / 4 and set(seen) <= {101, 503}, seen
        assert sum(len(had) for _, had in results) > 5
        before.require_end()
        print(dict(seen), dict(upstream.faults))
