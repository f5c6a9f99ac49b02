"""SECURITY.md and docs/reliability.md against the tests: each test that they name is there, and each property has its row."""
import ast
import functools
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("SECURITY.md", "docs/reliability.md")
STATES = ("proved", "partly: ", "no: ")


@functools.cache
def pytest_names(path):
    """The tests of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


@functools.cache
def google_names():
    """All tests of all suites that run: those with parameters only if some are given."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "tests").rglob("*_test.cpp")))
    given = set(re.findall(r"INSTANTIATE_TEST_SUITE_P\(\s*\w*\s*,\s*(\w+)", text))
    found = re.findall(r"^(TEST|TEST_F|TEST_P)\((\w+),\s*(\w+)\)", text, re.M)
    return {f"{suite}.{name}" for kind, suite, name in found if kind != "TEST_P" or suite in given}


def named_in(text):
    """What looks like a test: `path::name`, `Suite.Name`."""
    code = re.findall(r"`([^`\n]+)`", text)
    python = [tuple(each.split("::")) for each in code if "::" in each and each.startswith("tests/")]
    google = [each for each in code if re.fullmatch(r"[A-Z]\w+\.[A-Za-z]\w+", each) and not each.endswith(".md")]
    return python, google


def rows():
    table = re.findall(r"^\| (\d+) \|(.*)\|$", (ROOT / "docs/reliability.md").read_text(), re.M)
    return [(int(number), *(each.strip() for each in re.split(r"(?<!\\)\|", rest))) for number, rest in table]


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_is_there(page):
    python, google = named_in((ROOT / page).read_text())
    missing = [f"{path}::{name}" for path, name in python if not (ROOT / path).is_file() or name not in pytest_names(path)]
    missing += [each for each in google if each not in google_names()]
    assert missing == []
    assert len(python) > 20 and len(google) > 5, "the page has lost its tests"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page):
    text = (ROOT / page).read_text()
    links = [each for each in re.findall(r"\]\(([^)#]+)", text) if not each.startswith("http")]
    places = re.findall(r"`((?:config|docker|docs|scripts|tests)/[\w./-]*\w)`", text)
    assert [each for each in links if not (ROOT / page).parent.joinpath(each).exists()] == []
    assert [each for each in places if not (ROOT / each).exists()] == []


def test_the_table_has_each_of_the_32_properties_once_and_in_order():
    assert [row[0] for row in rows()] == list(range(1, 33))
    for number, name, state, tests, figure in rows():
        assert name and figure and (state == "proved" or state.startswith(STATES[1:])), number
        assert (tests == "–") == state.startswith("no: "), number


def test_what_is_proved_names_its_test():
    """In its own row, or as `the same`, which looks back to a row that does."""
    for number, _, state, tests, _ in rows():
        if state == "proved" and "the same" not in tests:
            assert any(named_in(tests)), number
