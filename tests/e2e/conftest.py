import pytest

from processes import Gateway, Mock


def pytest_configure(config):
    config.addinivalue_line("markers", "figures: measures memory or time, and so wants the optimised build")


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
    """Starts gateways: start(keys=[...], SETTING=...). Each must end cleanly, its sanitizers silent."""
    started = []

    def begin(**options):
        upstream = options.pop("mock", mock)
        gateway = Gateway(tmp_path / f"gateway{len(started)}", upstream, **options)
        started.append(gateway)
        return gateway

    yield begin
    for gateway in started:
        gateway.end()


@pytest.fixture
def gateway(start):
    """A gateway with one key."""
    return start()


@pytest.fixture(scope="module")
def shared(tls_mock, tmp_path_factory):
    """A gateway for all tests of a file, each with accounts of its own, which may be as poor as they like."""
    gateway = Gateway(tmp_path_factory.mktemp("shared"), tls_mock, USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    yield gateway
    gateway.end()


@pytest.fixture
def shop(shared, mock):
    return shared
