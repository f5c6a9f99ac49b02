"""Fixtures of the pages' tests.

  site    daemon, mock upstream and nginx by name, one for a test file: site.url('usage'), site.api, site.root_key,
          site.make_child(), site.chat(), site.away() (see web.py)
  page    a Playwright page, 1280 px, English, light. What the console, the policy or the network complains of fails the test
          at its end, but for what page.expect_errors('pattern', ...) was told of.
  phone   the same, 375 px
  pages   more of them: pages.open(width=320, language='zh-CN', theme='dark')
  shot    shot(page, 'name') writes a picture of the whole page
"""
import os
import pathlib
import sys

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from browser import ARGUMENTS, CHROMIUM, Pages  # noqa: E402
from web import REPOSITORY, Site  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "figures: measures time, and so wants the machine for itself")


SHOTS = pathlib.Path(os.environ.get("PROXYXAI_SHOTS", REPOSITORY / "build" / "screenshots"))


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.end()


@pytest.fixture
def pages(browser):
    pages = Pages(browser)
    yield pages
    pages.close()


@pytest.fixture
def page(pages):
    return pages.open()


@pytest.fixture
def phone(pages):
    return pages.open(width=375, height=812)


@pytest.fixture
def shot():
    def take(page, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True, animations="disabled")

    return take
