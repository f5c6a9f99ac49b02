"""Storms: how long they last, what they choose, and what a gateway is held against when they are over.

  PROXYXAI_CHAOS  seconds that each storm lasts; without it, a few
  PROXYXAI_SEED   repeats the choices of a run, though not its timing
"""
import os
import pathlib
import random
import sys

import pytest

# Helpers of the folders beside this one.
sys.path.extend(str(pathlib.Path(__file__).parents[1] / each) for each in ("e2e", "crash"))

from fixtures import defaults, mock, start, tls_mock  # noqa: E402, F401 - fixtures
from certificates import Certificates  # noqa: E402
from invariants import Baseline  # noqa: E402

SEED = int(os.environ.get("PROXYXAI_SEED", random.randrange(10**9)))


@pytest.fixture
def seed():
    """Told when the test fails."""
    print(f"PROXYXAI_SEED={SEED}")
    return SEED


@pytest.fixture
def choose(seed):
    """The choices of a storm."""
    return random.Random(seed)


@pytest.fixture
def storm_seconds():
    """storm_seconds(usual): how long a storm lasts, in seconds."""
    return lambda usual: max(usual, float(os.environ.get("PROXYXAI_CHAOS", 0)))


@pytest.fixture
def calm():
    """calm(gateway): a Baseline of it as it is now, before the storm."""
    return Baseline


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Certificates for localhost by an authority of ours: {kind: (certificate, key)}, and the authority's as `ca`."""
    return Certificates(tmp_path_factory.mktemp("certificates"))
