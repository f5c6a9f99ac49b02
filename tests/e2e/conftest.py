import pytest

from fixtures import defaults, mock, start, tls_mock  # noqa: F401 - fixtures
from processes import Gateway


def pytest_configure(config):
    config.addinivalue_line("markers", "figures: measures memory or time, and so wants the optimised build")


@pytest.fixture
def gateway(start):  # noqa: F811
    """A gateway with one key."""
    return start()


@pytest.fixture(scope="module")
def shared(tls_mock, tmp_path_factory):  # noqa: F811
    """A gateway for all tests of a file, each with accounts of its own, which may be as poor as they like."""
    gateway = Gateway(tmp_path_factory.mktemp("shared"), tls_mock, USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    yield gateway
    gateway.end()


@pytest.fixture
def shop(shared, mock):  # noqa: F811
    return shared
