"""System calls of a running gateway that fail or dawdle, as those of a host that is ill. Needs root and strace."""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from processes import SLOW, wait_for

injects = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("strace") is None, reason="needs root and strace")
SYNCS = "fsync,fdatasync,sync_file_range"


class Injection:
    """`calls` meet with `fault`, as strace writes it, from `with` on to its end: those that touch `paths`, or all."""

    def __init__(self, gateway, log, calls, fault, paths=()):
        self.gateway, self.log, self.fault = gateway, pathlib.Path(log), fault
        self.command = ["strace", "-f", "-q", "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}", "-o", str(log), "-p", str(gateway.process.pid)]
        for each in paths:
            self.command += ["-P", str(each)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        tasks = pathlib.Path(f"/proc/{self.gateway.process.pid}/task")

        def traced():
            assert self.process.poll() is None, "strace ended"
            return all("TracerPid:\t0\n" not in (each / "status").read_text() for each in tasks.iterdir())

        wait_for(traced, 10 * SLOW, "strace")
        return self

    def __exit__(self, *_):
        # It lets go of the process and ends.
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20 * SLOW)

    def count(self):
        """How many calls met with it."""
        return self.log.read_text().count("(INJECTED)") + self.log.read_text().count("(DELAYED)")
