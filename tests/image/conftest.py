"""Fixtures of the images' tests.

  image      the daemon's image, as docker/Dockerfile makes it in a clean Debian root. What its build stage would compile is taken from
             PROXYXAI_BUILD by `cmake --install`; with PROXYXAI_IMAGE_BUILD=1 that stage is carried out too (some minutes)
  pages      the image of nginx, as docker/nginx.Dockerfile makes it of Debian's nginx
  deployed   both and the backup, run as docker-compose.yml says, each in namespaces of its own, before the mock upstream
"""
import os
import pathlib
import subprocess
import sys

import pytest

for beside in ("e2e", "roots"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / beside))

import builder  # noqa: E402
import slim  # noqa: E402
from context import copy_context  # noqa: E402
from processes import BUILD  # noqa: E402
from root import PROJECT  # noqa: E402

from deployment import Deployment  # noqa: E402


@pytest.fixture(scope="session")
def context(tmp_path_factory):
    return copy_context(tmp_path_factory.mktemp("context"))


@pytest.fixture(scope="session")
def image(context, tmp_path_factory):
    directory = tmp_path_factory.mktemp("image")
    ready = {}
    if not os.environ.get("PROXYXAI_IMAGE_BUILD"):
        ready["build"] = directory / "installed"
        done = subprocess.run(["cmake", "--install", str(BUILD), "--prefix", "/usr/local", "--strip"], cwd=PROJECT,
                              env={**os.environ, "DESTDIR": str(ready["build"] / "installed")}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    image = builder.build(PROJECT / "docker" / "Dockerfile", context, directory, {"debian:12-slim": slim.make_slim()}, ready)
    yield image
    image.root.end()


@pytest.fixture(scope="session")
def pages(context, tmp_path_factory):
    pages = builder.build(PROJECT / "docker" / "nginx.Dockerfile", context, tmp_path_factory.mktemp("pages"), {"nginx:stable": slim.make_nginx()})
    yield pages
    pages.root.end()


@pytest.fixture(scope="module")
def deployed(image, pages, tmp_path_factory):
    deployed = Deployment(image, pages, tmp_path_factory.mktemp("deployed"))
    yield deployed
    deployed.end()
