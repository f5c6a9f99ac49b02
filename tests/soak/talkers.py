"""WebSockets: sessions of some turns, with pauses, some left in the middle of an answer."""
import json
import socket

import costs
import websockets.sync.client
from load import CHAT, PRICES
from visitors import PATIENCE, Visitor

PATHS = {"/v1/realtime?model=gpt-realtime": ("response.done", "gpt-realtime", "realtime"), "/v1/responses": ("response.completed", CHAT, "responses")}


class Talker(Visitor):
    def __init__(self, *rest, customer, **more):
        super().__init__(*rest, **more)
        self.customer = customer

    def work(self):
        path = self.random.choice(list(PATHS))
        self.place.pace.wait()
        headers = {"Authorization": f"Bearer {self.customer.key}", "x-mock-events": "12", "x-mock-interval-ms": self.random.choice("05")}
        session = websockets.sync.client.connect(f"wss://localhost:{self.port}{path}", additional_headers=headers, ssl=self.place.tls,
                                                 open_timeout=PATIENCE, close_timeout=PATIENCE)
        self.place.tally.count("WebSocket " + path.split("?")[0], 101)
        with session:
            for _ in range(self.random.randint(1, 6)):
                if self.random.random() < 0.1:
                    return self.leave_early(session)
                self.turn(session, path)
                self.rest(self.random.uniform(0, 5))

    def begin(self, session):
        self.place.pace.wait()
        session.send(json.dumps({"type": "response.create", "model": CHAT, "input": f"{self.random.random()}"}))

    def turn(self, session, path):
        ending, model, endpoint = PATHS[path]
        self.begin(session)
        while (event := json.loads(session.recv(timeout=PATIENCE)))["type"] != ending:
            pass
        cost = costs.nano_dollars(costs.usage_of(endpoint, event), PRICES.find(model), self.customer.rate)
        self.place.talks[self.customer.id, cost] += 1
        self.place.tally.count("turn of a WebSocket", "-")

    def leave_early(self, session):
        self.begin(session)
        for _ in range(4):
            session.recv(timeout=PATIENCE)
        session.socket.shutdown(socket.SHUT_RDWR)
        self.place.tally.count("WebSocket left in an answer", "-")
