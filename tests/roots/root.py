"""A clean Debian in a directory, for what must work on a machine that has nothing: debootstrap's smallest, entered by chroot.

    base = CleanRoot.make()            # once a machine; kept in build/debian-root-... (or PROXYXAI_ROOT), never changed
    root = base.copy(tmp_path / "root")
    root.install("ca-certificates")
    root.run(["proxyxai", "--version"], user="nobody")
    root.end()

What is mounted in it is seen by the processes started there only and goes with them.
"""
import fcntl
import hashlib
import inspect
import os
import pathlib
import shutil
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# In the mount namespace that `unshare` has made; $1 is the root, the rest chroot's arguments.
ENTER = """
mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" && cd / || exit 125
shift && exec chroot "$@"
"""


def repositories():
    """Where this machine has its own release from: [(address, suite, component)], the release itself first."""
    code_name = os_release()["VERSION_CODENAME"]

    def known():
        shown = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)", "Created-By: Packages"],
            capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 3) for line in shown.splitlines()]
        own = {tuple(row[:3]) for row in rows if len(row) == 4 and row[3].lower() == os_release()["ID"]}
        return sorted(((uri, suite, part) for uri, suite, part in own if suite.split("-")[0] == code_name), key=lambda row: (row[1], row[2] != "main"))

    found = known()
    if not found:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        found = known()
    assert found and found[0][1] == code_name, f"apt knows no repository of {code_name}"
    return found


def os_release():
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines if "=" in line)}


class CleanRoot:
    def __init__(self, path, is_base=False):
        self.path = pathlib.Path(path)
        self.is_base = is_base
        self.started = []

    @classmethod
    def make(cls):
        """The base, from the mirror and of the release of this machine. Skips the test when it may not be made."""
        if os.geteuid() != 0:
            pytest.skip("a clean Debian root is made and entered as root only")
        # One that was made in another way is another.
        way = hashlib.sha256(inspect.getsource(cls._bootstrap).encode()).hexdigest()[:8]
        path = pathlib.Path(os.environ.get("PROXYXAI_ROOT", PROJECT / "build" / f"debian-root-{way}"))
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                cls._bootstrap(path)
        return cls(path, is_base=True)

    @staticmethod
    def _bootstrap(path):
        assert shutil.which("debootstrap"), "debootstrap is not installed"
        rows = repositories()
        half = pathlib.Path(f"{path}.half")
        shutil.rmtree(half, ignore_errors=True)
        done = subprocess.run(["debootstrap", "--variant=minbase", rows[0][1], str(half), rows[0][0]], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        (half / "etc/apt/sources.list").write_text("".join(f"deb {uri} {suite} {part}\n" for uri, suite, part in rows))
        # What this machine says about proxies and the age of lists holds there too.
        options = subprocess.run(["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True).stdout
        (half / "etc/apt/apt.conf.d/90acquire").write_text(options)
        # Every machine and every container has this.
        (half / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        # No service starts because its package is installed.
        policy = half / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        CleanRoot(half)._forget_lists()
        for each in (half / "var/cache/apt/archives").glob("*.deb"):
            each.unlink()
        half.rename(path)

    def copy(self, path):
        """A root of the test's own, to change as it likes."""
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.path), str(path)], check=True)
        return CleanRoot(path)

    def install(self, *packages):
        """Installs packages, by name or as files (paths in the root), and leaves neither lists nor archives behind."""
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        env = {"DEBIAN_FRONTEND": "noninteractive", **proxies}
        self.run(["apt-get", "update", "-qq"], env=env)
        done = self.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], env=env)
        self.run(["apt-get", "clean"])
        self._forget_lists()
        return done

    def _forget_lists(self):
        for each in (self.path / "var/lib/apt/lists").glob("*_*"):
            each.unlink()

    def command(self, argv, user=None):
        spec = [f"--userspec={user}"] if user else []
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh", str(self.path), *spec, str(self.path), *map(str, argv)]

    def start(self, argv, user=None, env=None, **more):
        """A process in the root (its own pid: signals reach it), ended by end() at the latest."""
        process = subprocess.Popen(self.command(argv, user), env={"PATH": PATH, "LANG": "C.UTF-8", **(env or {})}, **more)
        self.started.append(process)
        return process

    def run(self, argv, user=None, env=None, check=True, **more):
        """Runs it to its end; what it wrote is in .stdout, its errors with it."""
        done = subprocess.run(self.command(argv, user), env={"PATH": PATH, "LANG": "C.UTF-8", **(env or {})}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        assert not check or done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout[-6000:]}"
        return done

    def end(self):
        """Ends what still runs and removes the directory, the base excepted."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        if not self.is_base:
            shutil.rmtree(self.path)
