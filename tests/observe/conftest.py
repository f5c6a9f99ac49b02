"""Fixtures of the tests of metrics, alerts, dashboard and logs.

  mock        the mock upstream, without rules or records of other tests
  start       starts daemons: start(keys=[...], SETTING=...); each must end cleanly
  watch       starts a Prometheus that scrapes daemons every second: watch(daemon, ...)
  visited     a daemon that has had traffic of every kind, one for all tests
"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from processes import Gateway, Mock  # noqa: E402
from prometheus import Prometheus  # noqa: E402
from traffic import KEYS, Traffic  # noqa: E402


@pytest.fixture(scope="session")
def session_mock(tmp_path_factory):
    mock = Mock(tmp_path_factory.mktemp("mock"))
    yield mock
    mock.stop()


@pytest.fixture
def mock(session_mock):
    session_mock.clear()
    yield session_mock
    session_mock.clear()


@pytest.fixture
def start(mock, tmp_path):
    started = []

    def begin(kind=Gateway, **options):
        daemon = kind(tmp_path / f"daemon{len(started)}", mock, **options)
        started.append(daemon)
        return daemon

    yield begin
    for daemon in started:
        daemon.end()


@pytest.fixture
def watch(tmp_path):
    started = []

    def begin(*daemons):
        prometheus = Prometheus(tmp_path / f"prometheus{len(started)}", [daemon.admin_port for daemon in daemons])
        started.append(prometheus)
        return prometheus

    yield begin
    for prometheus in started:
        assert prometheus.stop() == 0, prometheus.text()[-4000:]


@pytest.fixture(scope="session")
def visited(session_mock, tmp_path_factory):
    daemon = Gateway(tmp_path_factory.mktemp("visited"), session_mock, keys=KEYS)
    session_mock.clear()
    Traffic(daemon, session_mock).round()
    yield daemon
    daemon.end()
