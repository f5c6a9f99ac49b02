"""Fixtures of the tests of day two: those of tests/e2e, and nginx with config/nginx as tests/pages starts it."""
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
for each in ("pages", "crash", "e2e"):
    sys.path.insert(0, str(TESTS / each))

from fixtures import mock, start, tls_mock  # noqa: E402, F401 - fixtures
from web import Nginx  # noqa: E402

KEYS = ("sk-upstream-key-000001", "sk-upstream-key-000002")


@pytest.fixture
def defaults():
    return {"keys": KEYS}


# What nginx's own log does not say: a connection that was refused has no time at which it was made.
FORMAT = "log_format operations '$status connected=$upstream_connect_time $request_method $uri';\n"


@pytest.fixture
def nginx(tmp_path):
    """Starts nginx before a gateway, with config/nginx as it is; .lines() are of a log for these tests."""
    started = []

    def begin(gateway):
        log = tmp_path / f"nginx{len(started)}.log"
        front = Nginx(tmp_path / f"nginx{len(started)}", gateway.port, extra=FORMAT, listen=f"access_log {log} operations;\n")
        front.lines = lambda: log.read_text().splitlines()
        started.append(front)
        return front

    yield begin
    for each in started:
        each.stop()


def pytest_terminal_summary(terminalreporter):
    from figures import lines

    for line in lines():
        terminalreporter.write_line(line)
