"""Structured logs, and ids that lead from an answer to its line and to upstream."""
import json
import pathlib
import re
import signal
import subprocess
from datetime import datetime, timedelta

import pytest

from prometheus import REPOSITORY
from processes import Gateway, Process, wait_for
from traffic import FIRST, KEYS, Traffic

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
ID = re.compile(r"[A-Za-z0-9_-]{8,128}")


class Split(Process):
    """Standard output and standard error apart."""

    def __init__(self, command, environment, log):
        self.log_path, self.access_path = log, pathlib.Path(log).with_suffix(".access")
        self.out = open(log, "wb")
        with open(self.access_path, "wb") as access:
            self.process = subprocess.Popen(command, env=environment, stdout=access, stderr=self.out)

    def access(self):
        return pathlib.Path(self.access_path).read_text()


class SplitGateway(Gateway, Split):
    pass


def lines_of(text):
    assert text.endswith("\n") or not text
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def daemon(start):
    return start(SplitGateway, keys=KEYS, LOG_FORMAT="json")


def line_with(daemon, request_id):
    """The line of the access log that has this id; it is written soon after the answer."""
    def find():
        text = daemon.access()
        return [line for line in lines_of(text[:text.rfind("\n") + 1]) if line["id"] == request_id]

    found = wait_for(find, what="the line of the access log")
    assert len(found) == 1
    return found[0]


def sent_to_upstream(mock):
    """The fields of the last request that upstream got, in lower case."""
    return {name.lower(): value for name, value in mock.requests()[-1]["headers"]}


def test_each_line_is_one_object_with_the_documented_fields(daemon, mock):
    Traffic(daemon, mock).round()
    mock.script(FIRST, "invalid_api_key")
    for _ in KEYS:
        assert daemon.chat(headers={"traceparent": PARENT})[0] == 200
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "SIGHUP" in daemon.text(), what="the reload")
    assert daemon.stop() == 0
    table = (REPOSITORY / "docs" / "metrics.md").read_text().partition("\n## Logs\n")[2]
    told = [name for names in re.findall(r"^\| (`[^|]+) \| [^|]+ \| [^|]+ \|$", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", names)]
    lines = lines_of(daemon.access())
    assert len(lines) > 15
    for line in lines:
        assert list(line) == told
        assert {name: type(line[name]) for name in told} == {name: type(lines[0][name]) for name in told}
    messages = lines_of(daemon.text())
    assert len(messages) >= 4 and all(list(line) == ["time", "level", "message"] for line in messages)
    for line in lines + messages:
        assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize("what", ["whole", "stream", "upstream's error", "refused", "management", "unknown path"])
def test_the_id_of_an_answer_is_in_the_access_log(daemon, mock, what):
    if what == "upstream's error":
        for key in KEYS:
            mock.script(key, "bad_request")
    ask = {
        "whole": lambda: daemon.chat(),
        "stream": lambda: daemon.chat(stream=True),
        "upstream's error": lambda: daemon.chat(),
        "refused": lambda: daemon.chat(key="sk-wrong"),
        "management": lambda: daemon.call("GET", "/x-keys"),
        "unknown path": lambda: daemon.call("GET", "/nothing"),
    }
    status, headers, _ = ask[what]()
    assert ID.fullmatch(headers["x-request-id"])
    assert line_with(daemon, headers["x-request-id"])["status"] == status


def test_the_id_is_upstreams_and_the_one_of_the_bill(daemon):
    account = daemon.make_child(10)
    _, headers, _ = account.chat()
    assert headers["x-request-id"].startswith("req_"), "as the mock makes them"
    assert [each["request_id"] for each in account.requests()] == [headers["x-request-id"]]


def test_ids_of_the_client_go_to_upstream_as_they_came(daemon, mock):
    own = {"x-request-id": "mine-0001", "x-client-request-id": "mine-0002", "traceparent": PARENT, "tracestate": "a=1,b=2"}
    for more in ({}, {"stream": True}):
        _, headers, _ = daemon.chat(headers=own, **more)
        sent = sent_to_upstream(mock)
        assert {name: sent.get(name) for name in own} == own
        assert line_with(daemon, headers["x-request-id"])["trace"] == TRACE


def test_ids_stay_the_same_over_retries(daemon, mock):
    for key in KEYS[:2]:
        mock.script(key, "http_500")
    for _ in KEYS:
        assert daemon.chat(headers={"traceparent": PARENT, "x-client-request-id": "mine"})[0] == 200
    seen = [{name.lower(): value for name, value in each["headers"]} for each in mock.requests() if each["target"].endswith("/chat/completions")]
    assert len(seen) > len(KEYS)
    assert {(each["traceparent"], each["x-client-request-id"]) for each in seen} == {(PARENT, "mine")}


@pytest.mark.parametrize("given", ["", "00", "nonsense", f"00-{TRACE[:-1]}-00f067aa0ba902b7-01", f"00-{'z' * 32}-00f067aa0ba902b7-01",
                                   f"00-{TRACE.upper()}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", '00-"},{"status":200-1-01'])
def test_what_is_no_trace_id_is_not_logged_as_one(daemon, given):
    _, headers, _ = daemon.chat(headers={"traceparent": given} if given else {})
    assert line_with(daemon, headers["x-request-id"])["trace"] == ""


def test_the_text_form_has_the_trace_too(start):
    daemon = start(SplitGateway, keys=KEYS)
    daemon.chat(headers={"traceparent": PARENT})
    daemon.call("GET", "/x-keys", headers={"traceparent": PARENT})
    daemon.chat(key="sk-wrong", headers={"traceparent": PARENT})
    daemon.chat()
    daemon.stop()
    assert [re.search(r" trace=(\S+)", line)[1] for line in daemon.access().splitlines()] == [TRACE] * 3 + ["-"]
