"""Fixtures of the tests of day two: those of tests/e2e, and nginx with config/nginx as tests/pages starts it."""
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
for each in ("pages", "crash", "e2e"):
    sys.path.insert(0, str(TESTS / each))

from processes import Gateway, Mock  # noqa: E402
from web import Nginx  # noqa: E402

KEYS = ("sk-upstream-key-000001", "sk-upstream-key-000002")


@pytest.fixture(scope="session")
def tls_mock(tmp_path_factory):
    mock = Mock(tmp_path_factory.mktemp("mock"))
    yield mock
    mock.stop()


@pytest.fixture
def mock(tls_mock):
    """The mock over TLS, without rules or records of other tests."""
    tls_mock.clear()
    yield tls_mock
    tls_mock.clear()


@pytest.fixture
def start(mock, tmp_path):
    """Starts gateways: start(keys=[...], SETTING=...). Each must end cleanly; `again` starts one on the directory of another."""
    started = []

    def begin(again=None, **options):
        directory = again.directory if again else tmp_path / f"gateway{len(started)}"
        if again:
            options = {"root": again.root, "keys": again.keys, **options}
        gateway = Gateway(directory, options.pop("mock", mock), **{"keys": KEYS, **options})
        started.append(gateway)
        return gateway

    yield begin
    for gateway in started:
        gateway.end()


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
