"""What is looked for in a body is found as well where other bodies have all the memory, so that this one lies in a file."""
import contextlib
import json
import os
import pathlib

import pytest

from processes import Gateway, Raw, wait_for
from test_header_gate import head

EVAL = {"name": "an eval", "data_source_config": {"type": "custom", "item_schema": {"type": "object"}}, "testing_criteria": []}
STORED = {**EVAL, "data_source_config": {"type": "stored_completions"}}


MEMORY = 1 << 20


def begin(account, size):
    """A request whose body is still to come: never together with its head."""
    raw = Raw(account.gateway.port)
    raw.send(head(account.key, "Expect: 100-continue", f"Content-Length: {size}", target="/v1/evals"))
    assert raw.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
    return raw


@pytest.fixture(scope="module")
def account(tls_mock, tmp_path_factory):
    """Of a gateway whose memory for bodies is full of such as have not ended."""
    gateway = Gateway(tmp_path_factory.mktemp("full"), tls_mock, BODY_MEMORY_BYTES=MEMORY)
    made = gateway.make_child(100)
    taken, waiting = lambda: gateway.metric("proxyxai_body_memory_bytes"), []
    # Three quarters are for bodies in memory, the last for those on their way into files.
    while (before := taken()) < MEMORY * 3 // 4:
        waiting.append(begin(made, 2).send("{"))
        wait_for(lambda: taken() > before, what="one more body in memory")
    yield made
    for each in waiting:
        each.socket.close()
    gateway.end()


def has_spool(pid):
    """Whether the process has a file open that nobody else can find: its bodies lie in such."""
    links = []
    for each in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(each))
    return any(each.startswith("/") and each.endswith(" (deleted)") for each in links)


def evaluate(account, body):
    text = json.dumps(body)
    with begin(account, len(text)) as raw:
        raw.send(text[:-1])
        wait_for(lambda: has_spool(account.gateway.process.pid), what="a body in a file")
        status, _, answer = raw.send(text[-1:]).read_response()
    return status, json.loads(answer)


def test_an_eval_in_a_file_is_read(account):
    status, answer = evaluate(account, EVAL)
    assert status == 200, answer


def test_an_eval_in_a_file_that_reads_the_whole_project_is_refused(account):
    status, answer = evaluate(account, STORED)
    assert (status, answer["error"]["code"]) == (403, "resource_not_allowed"), answer
