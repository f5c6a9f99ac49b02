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
        code = gateway.stop()
        text = gateway.text()
        assert "Sanitizer" not in text and "runtime error" not in text, text[-8000:]
        assert code == getattr(gateway, "expected_exit", 0), f"exit code {code}:\n{text[-4000:]}"


@pytest.fixture
def gateway(start):
    """A gateway with one key."""
    return start()
