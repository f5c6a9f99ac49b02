"""A run ends at once when it is told to, but not in the middle of what must not be torn apart."""
import signal
import subprocess
import sys

import pytest

from conftest import ROOT

HEAD = f"import os, signal, sys\nsys.path.insert(0, {str(ROOT / 'bench' / 'envelope')!r})\nimport ending\nending.watch_for_it(30)\n"


def run(program):
    return subprocess.run([sys.executable, "-c", HEAD + program], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM])
def test_it_ends_behind_what_must_be_whole(number):
    done = run(f"""
try:
    with ending.held_off():
        with ending.held_off():
            os.kill(os.getpid(), {int(number)})
            print("inner")
        print("outer")
    print("behind")
finally:
    print("cleaned")
""")
    assert done.stdout.split() == ["inner", "outer", "cleaned"] and done.returncode == 1
    assert ("time is over" if number == signal.SIGALRM else number.name) in done.stderr


def test_it_ends_at_once_elsewhere():
    done = run(f"try:\n    os.kill(os.getpid(), {int(signal.SIGTERM)})\n    print('behind')\nfinally:\n    print('cleaned')\n")
    assert done.stdout.split() == ["cleaned"] and done.returncode == 1


def test_a_fault_in_it_is_that_fault():
    done = run("with ending.held_off():\n    raise ValueError('mine')\n")
    assert "ValueError: mine" in done.stderr
