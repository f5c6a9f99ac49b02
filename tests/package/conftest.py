"""Fixtures of the package's tests. They want a configured build tree with the daemon and the mock upstream in it: PROXYXAI_BUILD.

  deb         the Debian package, made of the build tree
  tree        what is in it, unpacked
  installed   a clean Debian root with the package installed, for one test; as root only
  machine     a clean Debian with systemd running, the package's dependencies there, for one test file; as root only
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TESTS = PROJECT / "tests"
os.environ["PROXYXAI_BUILD"] = os.path.abspath(os.environ.get("PROXYXAI_BUILD", "build/release"))
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "roots")]

from machine import Machine  # noqa: E402
from processes import BUILD  # noqa: E402
from root import CleanRoot  # noqa: E402


@pytest.fixture(scope="session")
def deb(tmp_path_factory):
    directory = tmp_path_factory.mktemp("deb")
    command = ["cpack", "-G", "DEB", "--config", str(BUILD / "CPackConfig.cmake"), "-B", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = directory.glob("*.deb")
    return made


@pytest.fixture(scope="session")
def tree(deb, tmp_path_factory):
    directory = tmp_path_factory.mktemp("tree")
    subprocess.run(["dpkg-deb", "-x", str(deb), str(directory)], check=True)
    return directory


def dependencies(deb):
    shown = subprocess.run(["dpkg-deb", "-f", str(deb), "Depends"], capture_output=True, text=True, check=True).stdout
    return [re.split(r"[ |(]", each.strip())[0] for each in shown.split(",")]


@pytest.fixture(scope="session")
def with_package(deb, tmp_path_factory):
    """A root with the package just installed: what `installed` copies."""
    root = CleanRoot.make().copy(tmp_path_factory.mktemp("root") / "installed")
    shutil.copy(deb, root.path / "root/proxyxai.deb")
    root.told = root.install("/root/proxyxai.deb").stdout
    yield root
    root.end()


@pytest.fixture
def installed(with_package, tmp_path):
    root = with_package.copy(tmp_path / "root")
    yield root
    root.end()


@pytest.fixture(scope="module")
def machine(deb, tmp_path_factory):
    root = CleanRoot.make().copy(tmp_path_factory.mktemp("machine") / "root")
    root.install("systemd", *dependencies(deb))
    shutil.copy(deb, root.path / "root/proxyxai.deb")
    running = Machine(root)
    yield running
    running.end()
    root.end()
