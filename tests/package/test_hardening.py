"""What the linker and the compiler put into the program against faults of memory: see cmake/hardening.cmake."""
import platform
import re
import subprocess

import pytest


def read(binary, *options):
    return subprocess.run(["readelf", "--wide", *options, str(binary)], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def binary(tree):
    return tree / "usr/bin/proxyxai"


def test_it_is_loaded_at_another_place_each_time(binary):
    assert re.search(r"Type:\s+DYN", read(binary, "--file-header"))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", read(binary, "--dynamic"))


def test_what_the_loader_resolved_cannot_be_written(binary):
    assert "GNU_RELRO" in read(binary, "--segments")
    assert re.search(r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b", read(binary, "--dynamic"))


def test_no_memory_is_to_be_written_and_executed(binary):
    segments = read(binary, "--segments")
    assert re.search(r"GNU_STACK.*\bRW\b", segments)
    assert not re.search(r"^\s+LOAD.*\bRWE\b", segments, re.M)
    assert not re.search(r"TEXTREL", read(binary, "--dynamic"))


def test_the_stack_has_canaries_and_copies_are_checked(binary):
    symbols = read(binary, "--dyn-syms")
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk@", symbols.replace("__stack_chk_fail", ""))


def test_indices_are_checked(binary):
    assert "__glibcxx_assert_fail" in read(binary, "--dyn-syms")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a feature of x86 processors")
def test_calls_and_returns_land_where_they_may(binary):
    # One at each function that is called by its address; whether the processor looks is the distribution's C library's choice too.
    assert binary.read_bytes().count(b"\xf3\x0f\x1e\xfa") > 1_000
