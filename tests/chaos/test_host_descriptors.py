"""The process may open no more files: who is connected is served, others wait, and it goes on when there are some again."""
import contextlib
import json
import pathlib
import re
import resource
import time
from collections import Counter

import pytest

from crowd import Crowd, make_customers
from processes import SLOW, Raw, wait_for

KEY = "sk-upstream-key-000001"


def limit_files(gateway, more=None):
    """To so many more than it has open; to those of before."""
    highest = resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)[1]
    limit = highest if more is None else int(gateway.metric("process_open_fds")) + more
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (limit, highest))


def cpu_seconds(gateway):
    fields = pathlib.Path(f"/proc/{gateway.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def chat_bytes(key, delay_ms=0, **body):
    text = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}], **body})
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n" \
           f"x-mock-delay-ms: {delay_ms}\r\nContent-Length: {len(text)}\r\n\r\n{text}"


def told_of_it(gateway):
    return len(re.findall("cannot accept a connection", gateway.text()))


def test_no_more_files_under_load(start, mock, calm, seed):
    gateway = start(keys=[KEY], HEADER_TIMEOUT="60s")
    customers = make_customers(gateway)
    before = calm(gateway)
    with contextlib.ExitStack() as stack:
        crowd = stack.enter_context(Crowd(gateway, seed, customers))
        waiting = stack.enter_context(contextlib.ExitStack())
        limit_files(gateway, 4)
        for _ in range(50):
            waiting.enter_context(Raw(gateway.port))
        wait_for(lambda: told_of_it(gateway) > 0, 20 * SLOW, "no more files")
        # Of the crowd, those whose connections stand.
        crowd.wait_for_answers(5)
        waiting.close()
        crowd.wait_for_answers()
        limit_files(gateway)
        crowd.wait_for_answers()
    # An attempt that could not get a connection to upstream is our fault, and told as that.
    assert set(crowd.statuses()) <= {502, 503}, crowd.codes()
    print(f"refused: {crowd.codes()}")
    before.require_calm(answers=crowd.journal.answers, keys={KEY: "active"})
    before.require_end(answers=crowd.journal.answers)


def test_who_is_connected_is_served_and_who_is_not_waits(start, mock, calm):
    gateway = start(keys=[KEY])
    account = gateway.make_child(100)
    before = calm(gateway)
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(Raw(gateway.port)) for _ in range(4)]
        for each in kept:
            each.send(chat_bytes(account.key))
        assert {each.read_response()[0] for each in kept} == {200}
        limit_files(gateway, 0)
        late = [stack.enter_context(Raw(gateway.port)) for _ in range(30)]
        for each in late:
            each.send(chat_bytes(account.key))
        wait_for(lambda: told_of_it(gateway) > 0, 20 * SLOW, "no more files")
        # Nothing to do but to wait: no busy loop, and a log that can be read.
        began, cpu, told = time.monotonic(), cpu_seconds(gateway), told_of_it(gateway)
        wait_for(lambda: time.monotonic() > began + 2, what="two seconds")
        seconds = time.monotonic() - began
        busy, lines = (cpu_seconds(gateway) - cpu) / seconds, (told_of_it(gateway) - told) / seconds
        print(f"out of files: {busy * 100:.1f} % of a core, {lines:.1f} lines a second in the log")
        assert busy < 0.1 * SLOW and lines <= 11
        for _ in range(10):
            for each in kept:
                each.send(chat_bytes(account.key))
            assert {each.read_response()[0] for each in kept} == {200}
            for each in kept:
                each.send(chat_bytes(account.key, stream=True))
            for each in kept:
                status, _, body = each.read_response()
                assert status == 200 and body.endswith(b"data: [DONE]\n\n")
        assert all(each.rest == b"" for each in late)
        limit_files(gateway)
        assert Counter(each.read_response()[0] for each in late) == {200: 30}, "they have waited, and lost nothing"
    before.require_calm(keys={KEY: "active"})


def test_no_files_for_upstream(start, mock, calm):
    """A client is there, and no connection to upstream can be made: it is told so, no key is blamed, and the next is served."""
    gateway = start(keys=[KEY], RETRY_ATTEMPTS=1)
    account = gateway.make_child(100)
    before = calm(gateway)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Raw(gateway.port)) for _ in range(6)]
        # Each is accepted before there are no more files.
        for each in clients:
            each.send("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
            assert each.read_response()[0] in (401, 404)
        limit_files(gateway, 0)
        for each in clients:
            each.send(chat_bytes(account.key, delay_ms=300))
        answers = [each.read_response() for each in clients]
        limit_files(gateway)
        statuses = Counter(status for status, _, _ in answers)
        codes = {json.loads(body)["error"]["code"] for status, _, body in answers if status != 200}
        print(dict(statuses), codes)
        assert set(statuses) == {200, 503} and statuses[200] < len(clients), statuses
        for each in clients:
            each.send(chat_bytes(account.key))
            assert each.read_response()[0] == 200
    before.require_calm(keys={KEY: "active"})


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 64, reason="has hardly any files itself")
def test_a_limit_too_small_for_its_connections_is_told_at_the_start(start, mock):
    gateway = start(MAX_CONNECTIONS=1_000_000)
    assert "raise its limit (ulimit -n) to 2000100" in gateway.text()
