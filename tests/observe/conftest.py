"""Fixtures of the tests of metrics, alerts, dashboard and logs, beside those of tests/e2e/fixtures.py.

  watch       starts a Prometheus that scrapes daemons every second: watch(daemon, ...)
  visited     a daemon that has had traffic of every kind, one for all tests
"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from fixtures import defaults, mock, start, tls_mock  # noqa: E402, F401 - fixtures
from processes import Gateway  # noqa: E402
from prometheus import Prometheus  # noqa: E402
from traffic import KEYS, Traffic  # noqa: E402


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
def visited(tls_mock, tmp_path_factory):  # noqa: F811
    daemon = Gateway(tmp_path_factory.mktemp("visited"), tls_mock, keys=KEYS)
    tls_mock.clear()
    Traffic(daemon, tls_mock).round()
    yield daemon
    daemon.end()
