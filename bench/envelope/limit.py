"""The limit that the daemon runs in, alone: some cores and so much memory without swap, by the best means that this machine has.

`choose` gives one. `enter` is called in the child before it becomes the daemon, `account` tells what the kernel has counted.
"""
import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import time

CORES, MEMORY = 2, 2 << 30
PERIOD = 100_000
MOUNT = pathlib.Path("/sys/fs/cgroup")


def fields(file):
    """Lines of `name number`."""
    return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}


def number(file):
    return int(file.read_text())


class Cgroup2:
    """A group of our own in the unified hierarchy."""
    counts = True

    def __init__(self, memory=MEMORY, mount=MOUNT):
        self.group = mount / f"proxyxai-envelope-{os.getpid()}"
        if not {"cpu", "memory"} <= set((mount / "cgroup.controllers").read_text().split()):
            raise OSError("no controllers")
        (mount / "cgroup.subtree_control").write_text("+cpu +memory")
        self.group.mkdir()
        try:
            (self.group / "cpu.max").write_text(f"{CORES * PERIOD} {PERIOD}")
            (self.group / "memory.max").write_text(str(memory))
            if (self.group / "memory.swap.max").exists():
                (self.group / "memory.swap.max").write_text("0")
        except OSError:
            self.close()
            raise
        self.statement = f"cgroup v2: cpu.max {CORES * 100} %, memory.max {memory >> 20} MiB, no swap"

    def command(self, command):
        return command

    def enter(self):
        (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def attach(self, pid):
        pass

    def account(self):
        return account_of(self.group)

    def close(self):
        remove(self.group)


def account_of(group):
    """What a group of the unified hierarchy has counted."""
    memory, cpu, events = fields(group / "memory.stat"), fields(group / "cpu.stat"), fields(group / "memory.events")
    peak = group / "memory.peak"  # since Linux 5.19
    kernel = memory.get("kernel", 0) + memory.get("sock", 0)
    return {"kernel": kernel, "highest": number(peak) if peak.exists() else None,
            "killed": events["oom_kill"], "throttled": cpu.get("throttled_usec", 0) / 1e6}


class Cgroup1:
    """Two groups of our own, one for each controller."""
    counts = True

    def __init__(self, memory=MEMORY, mount=MOUNT):
        self.groups = [mount / kind / f"proxyxai-envelope-{os.getpid()}" for kind in ("cpu", "memory")]
        self.cpu, self.memory = self.groups
        if not all((each.parent / "cgroup.procs").exists() for each in self.groups):
            raise OSError("no controllers")
        try:
            for each in self.groups:
                each.mkdir()
            (self.cpu / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self.cpu / "cpu.cfs_quota_us").write_text(str(CORES * PERIOD))
            (self.memory / "memory.limit_in_bytes").write_text(str(memory))
            # With swap as much as without: none. There is no such file where swap is not accounted for.
            if (self.memory / "memory.memsw.limit_in_bytes").exists():
                (self.memory / "memory.memsw.limit_in_bytes").write_text(str(memory))
        except OSError:
            self.close()
            raise
        self.statement = f"cgroup v1: cpu.cfs_quota_us {CORES * 100} %, memory.limit_in_bytes {memory >> 20} MiB, no swap"

    def command(self, command):
        return command

    def enter(self):
        for each in self.groups:
            (each / "cgroup.procs").write_text(str(os.getpid()))

    def attach(self, pid):
        pass

    def account(self):
        kernel = sum(number(self.memory / name) for name in ("memory.kmem.usage_in_bytes", "memory.kmem.tcp.usage_in_bytes"))
        control = fields(self.memory / "memory.oom_control")
        return {"kernel": kernel, "highest": number(self.memory / "memory.max_usage_in_bytes"),
                "killed": control.get("oom_kill", 0), "throttled": fields(self.cpu / "cpu.stat")["throttled_time"] / 1e9}

    def close(self):
        for each in self.groups:
            remove(each)


def remove(group):
    """A group stays busy for a moment after its last process."""
    for _ in range(200):
        try:
            group.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)


class Systemd:
    """A scope of systemd's; it is gone with its process, so the account is that of the present one."""

    def __init__(self, memory=MEMORY):
        if not shutil.which("systemd-run") or not pathlib.Path("/run/systemd/system").exists():
            raise OSError("no systemd")
        self.prefix = ["systemd-run", "--scope", "--quiet", *([] if os.geteuid() == 0 else ["--user"]), "-p", f"CPUQuota={CORES * 100}%",
                       "-p", f"MemoryMax={memory}", "-p", "MemorySwapMax=0", "--"]
        if subprocess.run([*self.prefix, "true"], capture_output=True).returncode != 0:
            raise OSError("systemd-run may not make a scope")
        self.group = None
        self.statement = f"scope of systemd-run: CPUQuota {CORES * 100} %, MemoryMax {memory >> 20} MiB, no swap"

    def command(self, command):
        return [*self.prefix, *command]

    def enter(self):
        pass

    def attach(self, pid):
        paths = [line.split("::", 1)[1] for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::")]
        group = MOUNT / paths[0].lstrip("/") if paths else None
        self.group = group if group and (group / "memory.current").exists() else None

    def account(self):
        return account_of(self.group) if self.group else {}

    @property
    def counts(self):
        return self.group is not None

    def close(self):
        pass


class Prlimit:
    """Where no group can be made: address space in place of memory, which is more than what is resident, and cores by affinity."""
    counts = False

    def __init__(self, memory=MEMORY):
        self.memory = memory
        self.statement = f"no cgroup: RLIMIT_AS {memory >> 20} MiB of address space, and {CORES} cores at most by affinity"

    def command(self, command):
        return command

    def enter(self):
        resource.setrlimit(resource.RLIMIT_AS, (self.memory, self.memory))

    def attach(self, pid):
        pass

    def account(self):
        return {}

    def close(self):
        pass


KINDS = {"cgroup2": Cgroup2, "cgroup1": Cgroup1, "systemd": Systemd, "prlimit": Prlimit}


def choose(kind="auto", **options):
    if kind != "auto":
        return KINDS[kind](**options)
    for each in KINDS.values():
        with contextlib.suppress(OSError):
            return each(**options)
