"""Requests of every kind that the metrics tell apart."""
from processes import Raw, wait_for

FIRST, SECOND, LIMITED = KEYS = ["sk-upstream-first-000001", "sk-upstream-second-00002", "sk-upstream-limited-0003"]


class Traffic:
    """Of one account below root. What is asked for well outweighs what fails: nobody should be alarmed."""

    def __init__(self, daemon, mock):
        self.daemon, self.mock = daemon, mock
        self.account = daemon.make_child(1000)

    def round(self):
        account = self.account
        for turn in range(8):
            self.expect(200, account.chat(f"Hello {turn}"))
        self.expect(200, account.chat(stream=True, stream_options={"include_usage": True}))
        self.expect(200, account.chat(model="gpt-4o"))
        self.expect(200, account.call("POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hello"}))
        self.expect(200, account.call("GET", "/v1/models"))
        self.expect(200, self.daemon.call("GET", "/x-keys"))
        # What the client did wrong.
        self.expect(401, self.daemon.chat(key="sk-wrong"))
        self.expect(404, account.call("GET", "/nothing"))
        self.expect(404, self.daemon.call("GET", "/x-nothing"))
        with Raw(self.daemon.port) as raw:
            assert raw.send("GET / HTTP/3.7\r\n\r\n").read_all().startswith(b"HTTP/1.1 505")
        # What upstream did wrong and the client does not notice.
        for key, fault in ((FIRST, "http_500"), (SECOND, "http_500"), (LIMITED, "rate_limit")):
            self.mock.script(key, fault, times=1)
        for _ in range(3):
            self.expect(200, account.chat())
        self.mock.control("DELETE", "/_mock/script")
        # What upstream says of the request itself.
        for key in KEYS:
            self.mock.script(key, "bad_request", times=1)
        self.expect(400, account.chat())
        self.mock.control("DELETE", "/_mock/script")
        self.leave()

    def leave(self):
        """A client that does not wait for its answer."""
        body = '{"model":"gpt-4o-mini","messages":[]}'
        left = self.left()
        with Raw(self.daemon.port) as raw:
            raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: {self.account.key}\r\nContent-Type: application/json\r\n"
                     f"x-mock-delay-ms: 60000\r\nContent-Length: {len(body)}\r\n\r\n{body}")
            wait_for(lambda: self.daemon.metric("proxyxai_requests_in_flight") == 1, what="the request")
        wait_for(lambda: self.left() > left, what="its end")

    def left(self):
        return self.daemon.metric("proxyxai_requests_total", 'endpoint="chat/completions",status="499"') or 0

    @staticmethod
    def expect(status, answer):
        assert answer[0] == status, answer
