"""Restarts behind nginx with listening sockets that somebody else holds: no request fails, whatever it is and whenever it comes."""

import signal
import time

import pytest
from clients import Crowd
from figures import note, tell
from holder import Held
from ledger import require_in_books_once
from processes import SLOW, Raw, in_parallel, request, wait_for
from web import DOMAIN, free_port

RESTARTS = 6


@pytest.fixture
def held(start):
    """A daemon on sockets that these tests hold."""
    before = start()
    assert before.stop() == 0
    daemon = Held(before)
    assert daemon.operations("/readyz")[0] == 200
    yield daemon
    daemon.end()


def require_nginx_saw_no_fault(front):
    lines = front.lines()
    odd = [line for line in lines if not line.startswith("200 ")]
    assert lines and not odd, (len(odd), odd[:5])


@pytest.mark.parametrize("clients, pause", [(60, 0.02), (200, 1.5)], ids=["busy", "many that pause"])
def test_no_request_fails_behind_nginx(held, nginx, clients, pause):
    front = nginx(held)
    crowd = Crowd(front.port, [held.root], clients, ("models", "chat", "stream", "account"), hostname=f"api.{DOMAIN}", pause=pause)
    ends = []
    try:
        for _ in range(RESTARTS):
            crowd.wait_for_answers(10)
            ends.append(held.restart())
        crowd.wait_for_answers(10)
    finally:
        crowd.stop()
    crowd.require_no_failure()
    assert not crowd.refused and held.lives == RESTARTS + 1
    require_nginx_saw_no_fault(front)
    require_in_books_once(held, crowd.answers)
    tell(f"rolling restart behind nginx, {clients} clients: the old daemon's end", ends)
    tell(f"rolling restart behind nginx, {clients} clients: a request in all", [each.ended - each.began for each in crowd.answers])
    note(f"rolling restart behind nginx, {clients} clients: {len(crowd.answers)} requests answered over {RESTARTS} restarts, {len(crowd.failures)} failed")


def test_no_request_fails_without_nginx(held):
    crowd = Crowd(held.port, [held.root], 100, ("models", "chat", "stream"), pause=0.1)
    try:
        for _ in range(RESTARTS):
            crowd.wait_for_answers(10)
            held.restart()
        crowd.wait_for_answers(10)
    finally:
        crowd.stop()
    crowd.require_no_failure()
    assert not crowd.refused
    require_in_books_once(held, crowd.answers)


def burst(front, held, count=60):
    """So many requests at once that nginx keeps as many connections to the daemon."""
    headers = {"Host": f"api.{DOMAIN}", "Authorization": f"Bearer {held.root}", "Content-Type": "application/json", "x-mock-delay-ms": "200"}
    body = '{"model":"gpt-4o-mini","messages":[]}'
    assert {each[0] for each in in_parallel(count, lambda _: request(front.port, "POST", "/v1/chat/completions", body, headers))} == {200}


def test_nginx_lets_go_of_idle_connections_before_the_daemon_does(held, nginx):
    """So that none of its requests meets a connection that is just being closed: what it keeps it uses within the second for which a
    daemon that stops still answers, or not at all. test_stop has the daemon's half."""
    front = nginx(held)
    burst(front, held)
    began = time.monotonic()
    assert held.metric("proxyxai_client_connections") > 30
    wait_for(lambda: held.metric("proxyxai_client_connections") == 0, 10 * SLOW, "nginx to let go")
    took = time.monotonic() - began
    tell("nginx lets go of idle connections", [took])
    assert took < 0.9


@pytest.mark.parametrize("repeat", range(2))
def test_connections_that_nginx_keeps_are_no_trap(held, nginx, repeat):
    """Many kept connections and few requests: what nginx sends just when the daemon lets go of one would be a 502."""
    front = nginx(held)
    burst(front, held)
    crowd = Crowd(front.port, [held.root], 2, ("models", "chat"), hostname=f"api.{DOMAIN}", pause=0.01)
    try:
        held.restart()
        crowd.wait_for_answers(20)
    finally:
        crowd.stop()
    crowd.require_no_failure()
    require_nginx_saw_no_fault(front)


def test_who_comes_while_there_is_no_daemon_waits(held):
    assert held.chat()[0] == 200
    assert held.stop() == 0
    with Raw(held.port) as raw:
        raw.send(f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {held.root}\r\n\r\n")
        held.launch()
        assert raw.read_response()[0] == 200


def test_who_comes_while_a_stream_ends_waits_for_the_next_daemon(held):
    stream = Crowd(held.port, [held.root], 1, ("stream",), events=40, interval=50)
    try:
        wait_for(lambda: held.metric("proxyxai_requests_in_flight") == 1, what="the stream")
        held.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining" in held.text(), what="the drain")
        with Raw(held.port) as raw:
            raw.send(f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {held.root}\r\n\r\n")
            stream.over.set()
            assert held.process.wait(30 * SLOW) == 0
            held.launch()
            assert raw.read_response()[0] == 200
    finally:
        stream.stop()
    stream.require_no_failure()
    assert len(stream.of("stream")) == 1


def test_the_sockets_are_not_asked_for_by_address(held):
    """Settings name another port, and nobody listens there."""
    port = free_port()
    assert held.stop() == 0
    held.environment["PORT"] = str(port)
    held.launch()
    assert held.chat()[0] == 200 and held.operations("/readyz")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        request(port, "GET", "/v1/models")


# Without a FileDescriptorName of its own, systemd calls a socket by its unit.
@pytest.mark.parametrize("names", ["", "proxyxai.socket:proxyxai.socket"])
def test_sockets_of_any_other_name_are_clients(start, names):
    before = start()
    assert before.stop() == 0
    daemon = Held(before, names=names)
    try:
        assert daemon.chat()[0] == 200
        assert request(daemon.admin_port, "GET", "/v1/models", headers={"Authorization": f"Bearer {daemon.root}"})[0] == 200
    finally:
        daemon.end()
