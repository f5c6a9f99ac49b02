"""Everything at once, on many clients: JSON, streams, uploads, forms, those who leave, and the official SDK."""
import random
import socket
import threading
import time
import uuid
from collections import Counter

import openai

import faults
from clients import Answer, Crowd, chat_body, cost_of
from processes import SLOW, wait_for
from test_cuts import CHUNKS, HEAD, PLACES
from test_malformed import ODD
from test_refusals import TELLS, keys_of
from upstream import Upstream

ATTEMPTS = 5
GOOD = keys_of(5, "tlss") + keys_of(2, "plain")
FATES = {
    "sk-upstream-die-dead01": ((401, faults.INVALID_KEY), "dead"),
    "sk-upstream-die-poor02": ((429, faults.NO_QUOTA), "exhausted"),
    "sk-upstream-die-away03": ((401, faults.error_body("ip_not_authorized")), "disabled"),
}
STRANGER, NOBODY = "sk-upstream-stranger-s001", "sk-upstream-nobody-n001"
SHORT = ["a fraction", "zero", "milliseconds", "reset of requests", "the reset of what is spent"]
NO_ANSWERS = [name for name, (_, outcome) in ODD.items() if outcome in ("saved", "cut")]
EVERYWHERE = sorted({place for places in PLACES.values() for place in places})


class Weather:
    """The plan: what goes wrong, and how often."""

    def __init__(self, choose, share=0.3):
        self.choose, self.share, self.lock = random.Random(choose.random()), share, threading.Lock()
        self.is_over, self.dies_at = True, None

    def __call__(self, request):
        if request.key in FATES:
            # Until then nothing happens to them, so that they do not rest when it comes.
            return faults.answer(*FATES[request.key][0]) if self.dies_at and time.monotonic() > self.dies_at else None
        if self.is_over:
            return None
        with self.lock:
            return self.fault() if self.choose.random() < self.share else None

    def fault(self):
        choose = self.choose
        kind = choose.choices(["cut", "stall", "upload", "drip", "odd", "5xx", "429"], [8, 1, 2, 1, 4, 3, 2])[0]
        if kind == "cut":
            return faults.cut(choose.choice(EVERYWHERE), choose.choice(["reset", "close", "goodbye"]))
        if kind == "stall":
            return faults.cut(choose.choice(HEAD + CHUNKS), "stall")
        if kind == "upload":
            return faults.cut_upload(choose.choice(["reset", "close"]), choose.choice([1, 10_000, 300_000]))
        if kind == "drip":
            return faults.drip(choose.choice([7, 50]), pause=0.0005)
        if kind == "odd":
            name = choose.choice(NO_ANSWERS)
            return faults.say(name, ODD[name][0], choose.choice(["reset", "close", "goodbye"]))
        if kind == "429":
            return TELLS[choose.choice(SHORT)][0]()
        return faults.answer(choose.choice([500, 502, 503, 504, 520, 529, 408]), choose.choice([faults.error_body("server_error"), b"<html>", b""]))


class SdkUser(threading.Thread):
    """The official SDK, with the retries that it has by itself."""

    def __init__(self, crowd, account, choose):
        super().__init__(daemon=True)
        self.crowd, self.account, self.choose = crowd, account, random.Random(choose.random())
        self.client = openai.OpenAI(base_url=crowd.gateway.base_url, api_key=account.key, max_retries=2, timeout=60 * SLOW)
        self.failure = None

    def run(self):
        try:
            while not self.crowd.over.is_set():
                try:
                    self.ask()
                    self.crowd.count("whole by the SDK")
                except Exception as error:
                    # What breaks off in the middle of an answer it passes on as its HTTP library tells it, which has had several names.
                    if not isinstance(error, openai.APIError) and not type(error).__module__.startswith("httpx"):
                        raise
                    assert getattr(error, "status_code", 500) in self.crowd.allowed, error
                    self.crowd.count("refused or cut off in the SDK")
        except BaseException as failure:  # noqa: BLE001 - told by the test
            self.failure = failure
        finally:
            self.client.close()

    def ask(self):
        body = chat_body(words=self.choose.randint(1, 30), text="b" * self.choose.randint(1, 500))
        fields = {"x-storm-id": "sdk" + uuid.uuid4().hex}
        if self.choose.random() < 0.5:
            answer = self.client.chat.completions.create(**body, extra_headers=fields)
            self.crowd.has(Answer(self.account.id, answer._request_id, cost_of(body)))
            return
        with self.client.chat.completions.create(**body, stream=True, extra_headers=fields) as stream:
            words = sum(bool(each.choices and each.choices[0].delta.content) for each in stream)
        assert words == body["max_tokens"]
        self.crowd.has(Answer(self.account.id, stream.response.headers["x-request-id"], cost_of(body)))


def test_everything_at_once(start, calm, certificates, choose, storm_seconds, capsys):
    seconds, weather = storm_seconds(8), Weather(choose)
    with Upstream(weather, certificates["good"], certificates.ca) as upstream, Upstream(weather) as plain, \
            Upstream(files=certificates["wrong_host"]) as stranger, socket.socket() as nobody:
        # Bound, so that no other gets the port, and not listening: whoever connects is refused.
        nobody.bind(("127.0.0.1", 0))
        nobody_at = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        gateway = start(mock=upstream, keys=[*GOOD[:5], *FATES], FIRST_BYTE_TIMEOUT="1s", IDLE_TIMEOUT="1s", CONNECT_TIMEOUT="1s", KEYS_MAX_WAIT="1s",
                        RETRY_ATTEMPTS=ATTEMPTS, RETRY_DEADLINE="20s", BODY_MEMORY_BYTES="4M")
        for secret, provider in [*((key, plain.url) for key in GOOD[5:]), (STRANGER, stranger.url), (NOBODY, nobody_at)]:
            assert gateway.call("POST", "/x-keys", {"SecretKey": secret, "Provider": provider})[0] == 200
        accounts = [gateway.make_child(10_000, AbortPolicy=policy) for policy in ("cancel", "drain") for _ in range(4)]
        # Another model: what 429s were told of the other may last a minute.
        before = calm(gateway, lambda: gateway.chat(model="gpt-4o"))
        weather.dies_at, weather.is_over = time.monotonic() + seconds / 3, False
        crowd = Crowd(gateway, accounts, choose, count=16, allowed=(408, 429, 500, 502, 503, 504, 520, 529))
        users = [SdkUser(crowd, account, choose) for account in accounts[:2]]
        for each in users:
            each.start()
        end, peak = time.monotonic() + seconds, 0
        while time.monotonic() < end and not crowd.has_failed() and not any(each.failure for each in users):
            crowd.work(min(2, max(0.1, end - time.monotonic())))
            peak = max(peak, gateway.resident_kib())
            choose.choice([upstream, plain]).drop_all()
        counts = crowd.stop()
        for each in users:
            each.join(120 * SLOW)
            assert not each.is_alive()
            if each.failure:
                raise each.failure
        weather.is_over = True
        expected = {secret: state for secret, (_, state) in FATES.items()}
        # Connections that were dropped may have sent one to rest all the same.
        wait_for(lambda: gateway.chat(model="gpt-4o") and all(gateway.shown(secret)["State"] == state for secret, state in expected.items()), 40, "their fates")
        expected |= dict.fromkeys([*GOOD, STRANGER, NOBODY], {"active", "resting"})
        # An answer whose client has left is read on for 30 s where upstream says nothing more.
        for each in (upstream, plain):
            each.drop_all()
        before.require_calm(crowd.answers, expected)
        met = upstream.ids + plain.ids
        assert max(count for request_id, count in met.items() if request_id and not request_id.startswith("sdk")) <= ATTEMPTS
        assert not stranger.by_key, "a certificate of another host was trusted"
        assert crowd.longest < 25 * SLOW, crowd.longest
        grown, descriptors = gateway.resident_kib() - before.resident, gateway.descriptors()
        before.require_end(crowd.answers)
        kinds = Counter()
        for name, count in (upstream.faults + plain.faults).items():
            kinds["no answer: " + name if name in ODD else name] += count
        assert sum(kinds.values()) > 5 * seconds, kinds
        with capsys.disabled():
            print(f"\n{seconds:.0f} s: {len(met)} requests of clients, {sum(met.values())} at upstream, {sum(kinds.values())} faults of {len(kinds)} kinds; "
                  f"{len(crowd.answers)} answers had in full, each once in the ledger; longest {crowd.longest:.1f} s; "
                  f"memory +{grown} KiB (peak {peak}), {descriptors} descriptors\n  clients: {dict(counts.most_common())}\n  faults: {dict(kinds.most_common())}")
