"""A control group with a limit on memory, in which the kernel kills who takes more. Needs root and a memory controller (version 1 or 2)."""
import os
import pathlib
import uuid

import pytest

from processes import wait_for

ROOT = pathlib.Path("/sys/fs/cgroup")


class MemoryGroup:
    """`with MemoryGroup(64) as group: group.add(pid)`. It skips the test where that cannot be had."""

    def __init__(self, mib):
        self.bytes = mib << 20
        self.is_second = (ROOT / "cgroup.controllers").exists()
        self.place = (ROOT if self.is_second else ROOT / "memory") / f"proxyxai-test-{uuid.uuid4().hex[:8]}"

    def __enter__(self):
        if os.geteuid() != 0:
            pytest.skip("makes a control group, which root alone may")
        try:
            if self.is_second:
                (ROOT / "cgroup.subtree_control").write_text("+memory")
            self.place.mkdir()
            (self.place / ("memory.max" if self.is_second else "memory.limit_in_bytes")).write_text(str(self.bytes))
        except OSError as error:
            pytest.skip(f"no control group of our own here: {error}")
        return self

    def __exit__(self, *_):
        # It goes when the last of it has ended.
        wait_for(lambda: not (self.place / "cgroup.procs").read_text(), 20, "the end of who is in it")
        self.place.rmdir()

    def add(self, pid):
        (self.place / "cgroup.procs").write_text(str(pid))

    def highest(self):
        """MiB, files in the page cache among them; None: this kernel does not tell."""
        file = self.place / ("memory.peak" if self.is_second else "memory.max_usage_in_bytes")
        return int(file.read_text()) >> 20 if file.exists() else None

    def kills(self):
        file = self.place / ("memory.events" if self.is_second else "memory.oom_control")
        words = file.read_text().split()
        return int(words[words.index("oom_kill") + 1])
