"""WebSockets: sessions of some turns, with pauses, some left in the middle of an answer."""
import asyncio
import json

import costs
from load import CHAT, PRICES
from visitors import PATIENCE, Visitor
# Not websockets.sync: its threads read and write one TLS connection at the same time, which OpenSSL does not allow.
from websockets.asyncio.client import connect

# By path: the event that ends an answer, the model that it is priced as, and whose usage it is.
PATHS = {"/v1/realtime?model=gpt-realtime": ("response.done", "gpt-realtime", "realtime"), "/v1/responses": ("response.completed", CHAT, "responses")}


class Talker(Visitor):
    def __init__(self, *rest, customer, **more):
        super().__init__(*rest, **more)
        self.customer = customer

    def work(self):
        asyncio.run(self.talk(self.random.choice(list(PATHS))))

    async def talk(self, path):
        self.place.pace.wait()
        headers = {"Authorization": f"Bearer {self.customer.key}", "x-mock-events": "12", "x-mock-interval-ms": self.random.choice("05")}
        async with connect(f"wss://localhost:{self.port}{path}", additional_headers=headers, ssl=self.place.tls,
                           open_timeout=PATIENCE, close_timeout=PATIENCE) as session:
            self.place.tally.count("WebSocket " + path.split("?")[0], 101)
            for _ in range(self.random.randint(1, 6)):
                await self.begin(session)
                if self.random.random() < 0.1:
                    return await self.leave_early(session)
                await self.hear(session, path)
                self.rest(self.random.uniform(0, 5))

    async def begin(self, session):
        self.place.pace.wait()
        await session.send(json.dumps({"type": "response.create", "model": CHAT, "input": f"{self.random.random()}"}))

    async def next(self, session):
        return json.loads(await asyncio.wait_for(session.recv(), PATIENCE))

    async def hear(self, session, path):
        ending, model, endpoint = PATHS[path]
        while (event := await self.next(session))["type"] != ending:
            pass
        cost = costs.nano_dollars(costs.usage_of(endpoint, event), PRICES.find(model), self.customer.rate)
        self.place.talks[self.customer.id, cost] += 1
        self.place.tally.count("turn of a WebSocket", "-")

    async def leave_early(self, session):
        for _ in range(4):
            await self.next(session)
        session.transport.abort()
        self.place.tally.count("WebSocket left in an answer", "-")
