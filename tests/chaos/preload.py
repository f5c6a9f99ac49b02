"""Small libraries that stand between the daemon and its host: NAME.c of this folder, compiled when it is asked for."""
import pathlib
import shutil
import struct
import subprocess

import pytest

from processes import sanitizers

compiled = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


def preload(name, folder, libraries=()):
    """The settings with which the daemon is started behind it."""
    library = folder / f"{name}.so"
    source = pathlib.Path(__file__).with_name(f"{name}.c")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), *libraries], check=True)
    return {"LD_PRELOAD": " ".join([*sanitizers(), str(library)])}


class WallClock:
    """The wall clock of the daemons that are started with `settings`: `clock.jump(days=40)`, `clock.jump()` back to the machine's."""

    def __init__(self, folder):
        self.file = folder / "wall-clock"
        self.jump()
        self.settings = {**preload("wall_clock", folder), "WALL_CLOCK_FILE": self.file}

    def jump(self, days=0, hours=0):
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", (days * 24 + hours) * 3600 * 10**9))
