"""Clients at work on a gateway while its host fails: JSON, streams, embeddings and uploads, each written down when it is there in full.

    with Crowd(gateway, seed, customers) as crowd:
        ... the fault ...
        crowd.wait_for_answers()        # some more than there were: it serves
    before.require_calm(answers=crowd.journal.answers)
"""
import json
import random
import threading
import time
import uuid
from collections import Counter

import costs
from load import PRICES, Answer, Asker, Customer, Journal
from processes import SLOW, wait_for

SOUND = "gpt-4o-transcribe"


def make_customers(gateway, count=3, credit=1000, **fields):
    fields = {"Days": 365, **fields}
    accounts = [gateway.make_child(credit, Rates=1 + i % 2, **fields) for i in range(count)]
    return [Customer(each.id, each.name, each.key, 1 + i % 2) for i, each in enumerate(accounts)]


class Guest(Asker):
    """An Asker that uploads too, and rests a moment when it was turned away."""

    def __init__(self, *rest, upload, **more):
        super().__init__(*rest, **more)
        self.upload_bytes = upload

    def act(self):
        customer = self.random.choice(self.customers)
        self.random.choices([self.whole, self.stream, self.embed, self.leave_early, self.upload], [4, 4, 2, 1, 2])[0](customer)

    def ask(self, *rest, **mock):
        response = super().ask(*rest, **mock)
        if response is None:
            time.sleep(0.01)
        return response

    def upload(self, customer):
        mark = uuid.uuid4().hex
        sound = self.random.randbytes(self.random.randint(self.upload_bytes // 2, self.upload_bytes))
        part = f'--{mark}\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
        body = (part % ("model", "") + SOUND + "\r\n" + part % ("file", '; filename="a.mp3"')).encode() + sound + f"\r\n--{mark}--\r\n".encode()
        headers = {"Authorization": f"Bearer {customer.key}", "Content-Type": f"multipart/form-data; boundary={mark}"}
        response = self.send("POST", "/v1/audio/transcriptions", body, headers)
        answer = response.read()
        if response.status != 200:
            self.journal.was_refused(response.status, answer)
            time.sleep(0.01)
            return
        request_id = response.getheader("x-request-id")
        self.journal.has_begun(request_id)
        usage = costs.usage_of("audio/transcriptions", json.loads(answer))
        self.journal.has_answer(Answer(customer.id, request_id, costs.nano_dollars(usage, PRICES.find(SOUND), customer.rate)))


class Crowd:
    def __init__(self, gateway, seed, customers, guests=6, upload=200_000):
        seeds = random.Random(seed)
        self.journal, self.over = Journal(), threading.Event()
        parts = [(gateway.port, self.journal, self.over, seeds.random()) for _ in range(guests)]
        self.guests = [Guest(*each, customers=customers, upload=upload) for each in parts]

    def __enter__(self):
        for each in self.guests:
            each.start()
        self.wait_for_answers()
        return self

    def __exit__(self, failed, *_):
        self.over.set()
        for each in self.guests:
            each.join()
        for each in self.guests:
            if each.failure and not failed:
                raise each.failure

    def wait_for_answers(self, more=20, seconds=20):
        """Returns when clients have so many answers more."""
        before = len(self.journal.answers)
        wait_for(lambda: len(self.journal.answers) >= before + more, seconds * SLOW, f"{more} more answers; refused were {self.statuses()}")

    def wait_for_refusals(self, status, more=1, seconds=20):
        before = self.statuses()[status]
        wait_for(lambda: self.statuses()[status] >= before + more, seconds * SLOW, f"{more} more answers with {status}")

    def statuses(self):
        """How often clients were turned away, by status."""
        with self.journal.lock:
            return Counter(status for status, _ in self.journal.refused)

    def codes(self):
        """The same by the code of the error."""
        with self.journal.lock:
            return Counter((status, json.loads(body)["error"]["code"]) for status, body in self.journal.refused)
