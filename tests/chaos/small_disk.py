"""A file system of a few MiB in a folder, real and one's own: to fill, and to have go read-only."""
import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

mounts = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system, which root alone may")


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    return done.stdout.strip()


class SmallDisk:
    """`with SmallDisk(folder) as disk:`, `disk.place` is where it is mounted. It skips the test where that cannot be had."""

    def __init__(self, folder, mib=8, kind="tmpfs"):
        self.place, self.image, self.mib, self.kind = folder / "disk", folder / "disk.img", mib, kind
        self.ballast = self.place / "ballast"

    def __enter__(self):
        self.place.mkdir(exist_ok=True)
        if self.kind == "tmpfs":
            run("mount", "-t", "tmpfs", "-o", f"size={self.mib}m,mode=0755", "small-disk", self.place)
            return self
        if not self.image.exists():
            self.format()
        run("mount", "-o", "loop", self.image, self.place)
        return self

    def format(self):
        if shutil.which("mkfs.ext4") is None:
            pytest.skip("needs mkfs.ext4")
        with open(self.image, "wb") as image:
            image.truncate(self.mib << 20)
        # As most hosts have it: at the first fault of the file system nothing is written any more.
        run("mkfs.ext4", "-q", "-F", "-e", "remount-ro", self.image)

    def repair(self):
        """While it is not mounted. What is repaired is a copy: the kernel may hold on to the other for as long as somebody in another namespace does."""
        copy = self.image.with_suffix(".repaired")
        shutil.copyfile(self.image, copy)
        self.image = copy
        done = subprocess.run(["fsck.ext4", "-fy", str(self.image)], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr

    def __exit__(self, failed, *_):
        # A test that failed may have left a daemon on it.
        subprocess.run(["umount", *(["--lazy"] if failed else []), str(self.place)], check=True)

    def fill(self):
        """To the last byte."""
        with open(self.ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0" * size)

    def free(self):
        self.ballast.unlink()

    def remount(self, options):
        run("mount", "-o", f"remount,{options}", self.place)

    def device(self):
        return pathlib.Path(run("findmnt", "-n", "-o", "SOURCE", self.place)).name

    def break_down(self):
        """The kernel has found a fault of the file system: from now on it is read-only, whoever has files open for writing."""
        trigger = pathlib.Path("/sys/fs/ext4") / self.device() / "trigger_fs_error"
        if not trigger.exists():
            pytest.skip("this kernel has no trigger_fs_error")
        trigger.write_text("1")
