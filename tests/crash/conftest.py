import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from processes import Mock  # noqa: E402


@pytest.fixture
def mock(tmp_path):
    upstream = Mock(tmp_path / "mock")
    yield upstream
    upstream.stop()
