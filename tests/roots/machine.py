"""A clean root that runs: systemd as process 1 in namespaces of its own, as on a machine, with a network of its own.

    machine = Machine(root)               # the root must have systemd installed
    machine.run(["systemctl", "is-active", "dbus"])
    subprocess.run(machine.in_network(["curl", ...]))    # this machine's programs on that one's network
    machine.end()
"""
import pathlib
import subprocess
import time

import pytest

from root import PATH

# $1 is the root. What systemd expects of a container, but for what it makes itself.
BOOT = """
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys || mount --rbind /sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for each in null zero full random urandom tty; do
  touch dev/$each
  mount --bind /dev/$each dev/$each
done
mkdir dev/shm dev/pts
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
pivot_root . mnt
exec chroot . sh -c 'umount -l /mnt && exec env -i container=test PATH="$1" /lib/systemd/systemd' sh "$2"
"""


def may_boot():
    done = subprocess.run(["unshare", "--mount", "--cgroup", "sh", "-c", "mount -t cgroup2 cgroup2 /mnt"], capture_output=True, text=True)
    return done.returncode == 0


class Machine:
    def __init__(self, root):
        if not may_boot():
            pytest.skip("no cgroup2 can be mounted here, which systemd needs to run")
        self.root = root
        (root.path / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        self.log = open(pathlib.Path(f"{root.path}.log"), "w+")
        self.holder = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount", "--propagation", "private", "--net", "--uts", "--ipc", "--cgroup",
             "sh", "-c", BOOT, "sh", str(root.path), PATH], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.wait_for(lambda: self.run(["systemctl", "is-system-running"], check=False).stdout.strip() in ("running", "degraded"), "the machine's start")

    @property
    def pid(self):
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        return children[0] if children else str(self.holder.pid)

    def wait_for(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.holder.poll() is not None:
                break
            if result := condition():
                return result
            time.sleep(0.05)
        self.log.flush()
        raise AssertionError(f"{what} did not come about: {pathlib.Path(self.log.name).read_text()[-3000:]}")

    def run(self, argv, check=True, seconds=120, **more):
        """Runs a program of the root in it, as root."""
        command = ["nsenter", "-t", self.pid, "--all", "--root", "--wd=/", *map(str, argv)]
        done = subprocess.run(command, env={"PATH": PATH, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, **more)
        assert not check or done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout[-6000:]}"
        return done

    def in_network(self, argv):
        """The command for a program of this machine on that one's network."""
        return ["nsenter", "-t", self.pid, "--net", *map(str, argv)]

    def end(self):
        # Process 1 takes all others of its namespace along.
        if self.holder.poll() is None:
            subprocess.run(["kill", "-KILL", self.pid], check=False)
            self.holder.wait(30)
        self.log.close()
