"""Fixtures that several folders of tests share; a conftest.py imports those that it wants.

  tls_mock   the mock upstream over TLS, one for all tests
  mock       the same, without rules or records of other tests
  start      starts gateways: start(keys=[...], SETTING=...). Each must end cleanly, its sanitizers silent. start(again=gateway) starts
             one that has ended on its directory again; start(Kind) makes another kind of Gateway
  defaults   what `start` is given unless a test says otherwise: for a conftest.py to say
"""
import pytest

from processes import Gateway, Mock


@pytest.fixture(scope="session")
def tls_mock(tmp_path_factory):
    mock = Mock(tmp_path_factory.mktemp("mock"))
    yield mock
    mock.stop()


@pytest.fixture
def mock(tls_mock):
    tls_mock.clear()
    yield tls_mock
    tls_mock.clear()


@pytest.fixture
def defaults():
    return {}


@pytest.fixture
def start(mock, defaults, tmp_path):
    started = []

    def begin(kind=Gateway, again=None, **options):
        directory = again.directory if again else tmp_path / f"gateway{len(started)}"
        before = {"root": again.root, "keys": again.keys} if again else {}
        gateway = kind(directory, **{"mock": mock, **defaults, **before, **options})
        started.append(gateway)
        return gateway

    yield begin
    for gateway in started:
        gateway.end()
