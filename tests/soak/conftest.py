"""Fixtures of the long load: the mock of tests/e2e, and the clients of tests/crash."""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
for each in ("crash", "e2e"):
    sys.path.insert(0, str(TESTS / each))

from fixtures import mock, tls_mock  # noqa: E402, F401 - fixtures


def pytest_configure(config):
    config.addinivalue_line("markers", "figures: of tests/e2e, whose heads are used here")


def pytest_terminal_summary(terminalreporter):
    from summary import told

    for line in told:
        terminalreporter.write_line(line)
