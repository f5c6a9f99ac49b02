"""Clients of the official SDK that lead the lives of objects of tests/e2e, one after the other."""
import json

import objects
import openai
from visitors import PATIENCE, Visitor

BOOKED = ("/v1/chat/completions", "/v1/responses")


class Maker(Visitor):
    def __init__(self, *rest, customer, lives, **more):
        super().__init__(*rest, **more)
        self.customer, self.lives, self.round = customer, lives, 0
        hooks = {"request": [lambda _: self.place.pace.wait()], "response": [self.came]}
        http = openai.DefaultHttpxClient(verify=self.place.tls, event_hooks=hooks)
        self.client = openai.OpenAI(api_key=customer.key, base_url=f"https://localhost:{self.port}/v1", max_retries=0, timeout=PATIENCE, http_client=http)

    def came(self, response):
        asked = response.request
        self.place.tally.count("SDK " + asked.method + " " + "/".join(asked.url.path.split("/")[:3]), response.status_code)
        if asked.method == "POST" and asked.url.path in BOOKED and response.status_code == 200 and not json.loads(asked.read()).get("background"):
            self.place.booked.append(response.headers["x-request-id"])

    def work(self):
        life = self.random.choice(self.lives)
        self.round += 1
        keys_gone = self.place.keys_gone
        try:
            life(self.client, self.round)
            self.place.tally.count("life of " + life.__name__, "whole")
        except (openai.APIError, AssertionError) as fault:
            # What an upstream key made goes with it, whoever is in the middle of using it.
            if keys_gone == self.place.keys_gone:
                self.place.tally.fault("life of " + life.__name__, repr(fault)[:600])
            self.place.tally.count("life of " + life.__name__, "its key went")

    def leave(self):
        super().leave()
        if self.place.over.is_set():
            self.client.close()


LIVES = objects.LIVES
