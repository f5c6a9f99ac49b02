"""Names of upstream that do not resolve, stop to, change, or are asked for in vain."""
import contextlib
import json
import socket
import time

import pytest

import processes
from clients import ask_once, chat_body
from names import NameServer, may_be_wrapped, wrapped
from processes import SLOW, Raw, in_parallel, wait_for
from upstream import Upstream

pytestmark = pytest.mark.skipif(not may_be_wrapped(), reason="needs root and a mount namespace")
NAME = "upstream.storm.example"
# A host is asked first for what looks most like its own address: the dead one.
GOOD, GONE = "127.0.0.2", "127.0.0.1"


@pytest.fixture
def names():
    server = NameServer()
    yield server
    server.stop()


@pytest.fixture
def upstream():
    # Refused is what comes from addresses where nobody listens: it listens on one.
    with Upstream(name=NAME, host=GOOD) as made:
        yield made


@pytest.fixture
def start_asking(start, names, monkeypatch, tmp_path):
    """Starts a gateway that asks `names`; each query is given up after a second."""
    monkeypatch.setattr(processes, "BUILD", wrapped(processes.BUILD.resolve(), tmp_path / "wrapped", names))
    return start


def bare_request(gateway):
    body = json.dumps(chat_body()).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize("why", ["no such name", "failure", "garbage", "no address"])
def test_a_name_that_does_not_resolve_is_503_and_heals_when_it_does(start_asking, calm, names, upstream, why):
    names.names[NAME] = {"no such name": None, "no address": []}.get(why, why)
    gateway = start_asking(mock=upstream)
    began = time.monotonic()
    assert ask_once(gateway, chat_body())[0] == 503
    assert names.asked and time.monotonic() - began < 10 * SLOW
    names.names[NAME] = [GOOD]
    wait_for(lambda: ask_once(gateway, chat_body())[0] == 200, 10 * SLOW, "service")
    before = calm(gateway)
    # What is known stays in use when the name goes away.
    names.names[NAME] = None
    upstream.drop_all()
    for _ in range(5):
        assert ask_once(gateway, chat_body())[0] == 200
    before.require_calm(keys={gateway.keys[0]: "active"})
    before.require_end()


def test_one_dead_address_of_several_costs_an_attempt_and_no_request(start_asking, calm, names, upstream):
    names.names[NAME] = [GONE, GOOD]
    gateway = start_asking(mock=upstream)
    upstream.keeps = False
    status, fields, _, _ = ask_once(gateway, chat_body())
    assert (status, fields["x-proxyxai-attempts"]) == (200, "2")
    before = calm(gateway)
    attempts = []
    for _ in range(30):
        status, fields, _, _ = ask_once(gateway, chat_body())
        assert status == 200
        attempts.append(int(fields["x-proxyxai-attempts"]))
    assert attempts == [1] * 30, attempts
    before.require_calm(keys={gateway.keys[0]: "active"})
    before.require_end()


def test_a_dead_host_met_by_many_at_once_costs_none_of_them_its_answer(start_asking, names, upstream):
    """One host of two takes no connection any more; all who have just come find out together."""
    names.names[NAME] = [GONE, GOOD]
    statuses = []
    with socket.socket() as dead, contextlib.ExitStack() as waiting:
        dead.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        dead.bind((GONE, upstream.port))
        dead.listen(0)
        # What waits to be accepted is full: the kernel answers no other.
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex((GONE, upstream.port))
        for _ in range(3):
            gateway = start_asking(mock=upstream, CONNECT_TIMEOUT="500ms")
            clients = [waiting.enter_context(Raw(gateway.port)).send(bare_request(gateway)[:-1]) for _ in range(8)]
            wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == len(clients), what="the requests")
            for each in clients:
                each.send("}")
            statuses += [each.read_response()[0] for each in clients]
    assert statuses == [200] * len(statuses)


def test_a_name_that_moves_is_followed(start_asking, calm, names, upstream):
    """Addresses are looked up again after 30 s at the latest; until then nobody is at the old one."""
    names.names[NAME] = [GOOD]
    gateway = start_asking(mock=upstream)
    before = calm(gateway)
    with Upstream(name=NAME, host="127.0.0.4", port=upstream.port) as moved:
        names.names[NAME] = ["127.0.0.4"]
        upstream.stop()
        began = time.monotonic()
        wait_for(lambda: ask_once(gateway, chat_body())[0] == 200, 45 * SLOW, "service at the new address")
        print(f"followed after {time.monotonic() - began:.1f} s")
        assert moved.by_key
        before.require_calm(keys={gateway.keys[0]: "active"})
        before.require_end()


def test_names_that_nobody_tells_cost_no_more_than_a_connection_that_nobody_takes(start_asking, names, upstream):
    """CONNECT_TIMEOUT is for the name, too: a silent name server is a second here, and eight clients wait no longer than one."""
    names.names[NAME] = "silence"
    gateway = start_asking(mock=upstream, CONNECT_TIMEOUT="500ms", RETRY_ATTEMPTS="1")
    took = []

    def ask(_):
        began = time.monotonic()
        assert ask_once(gateway, chat_body())[0] == 503
        took.append(time.monotonic() - began)

    in_parallel(8, ask)
    assert max(took) < 4, f"waited {min(took):.1f} to {max(took):.1f} s"


def test_who_leaves_while_a_name_is_asked_for_leaves_nothing_behind(start_asking, names, upstream):
    names.names[NAME] = "silence"
    gateway = start_asking(mock=upstream, RETRY_ATTEMPTS="1")
    before = gateway.metric("proxyxai_requests_in_flight")
    for _ in range(6):
        with Raw(gateway.port) as raw:
            raw.send(bare_request(gateway))
            wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") > before, what="the request")
            raw.socket.shutdown(socket.SHUT_RDWR)
    began = time.monotonic()
    wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == before, 60 * SLOW, "the end of all requests")
    assert time.monotonic() - began < 3, f"they were in flight {time.monotonic() - began:.1f} s longer"


def test_a_stop_does_not_wait_for_names(start_asking, names, upstream):
    names.names[NAME] = "silence"
    gateway = start_asking(mock=upstream, RETRY_ATTEMPTS="1", DRAIN_TIMEOUT="500ms")
    gateway.expected_exit = 1
    with contextlib.ExitStack() as clients:
        for _ in range(8):
            raw = clients.enter_context(Raw(gateway.port))
            raw.send(bare_request(gateway))
        wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") >= 7, what="the requests")
        began = time.monotonic()
        gateway.end()
    assert time.monotonic() - began < 4, f"it took {time.monotonic() - began:.1f} s"
