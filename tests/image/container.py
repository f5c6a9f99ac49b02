"""Runs an image as a service of the compose file says, by namespaces and control groups alone: user, capabilities, limits, read-only
root, volumes, memory file systems, environment, health check and the way to stop are taken from there, so what is tested is what is
deployed."""
import errno
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

from builder import inside
from processes import wait_for

# In new mount and process namespaces: lays the container's file system out, then becomes its first process. $1 is the root, $2 the
# lines of what is mounted in it, $3 whether it is read-only, $4 the control groups, the rest the command.
SETUP = r"""
set -e
root=$1 mounts=$2 read_only=$3 groups=$4
shift 4
for group in $groups; do echo 0 >"$group/cgroup.procs"; done
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=64k tmpfs "$root/dev"
for each in null zero full random urandom; do touch "$root/dev/$each"; mount --bind "/dev/$each" "$root/dev/$each"; done
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
echo "$mounts" | while read -r kind source target options; do
  case $kind in
    tmpfs) mount -t tmpfs -o "$options" tmpfs "$root$target" ;;
    bind) mount --bind "$source" "$root$target"; [ "$options" = rw ] || mount -o remount,bind,ro "$root$target" ;;
  esac
done
[ "$read_only" = no ] || mount -o remount,bind,ro "$root"
cd /
exec chroot "$root" "$@"
"""


NAMES = {resource.RLIMIT_NOFILE: "nofile", resource.RLIMIT_CORE: "core"}


class Network:
    """A network namespace: the container's own loopback, where port 80 and 3443 are free."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "up\n"

    def join(self, own, other, others):
        """A cable to another namespace, with the addresses of both ends."""
        subprocess.run(["ip", "link", "add", "proxyxai0", "netns", str(self.holder.pid), "type", "veth",
                        "peer", "name", "proxyxai0", "netns", str(other.holder.pid)], check=True)
        for end, addresses in ((self, own), (other, others)):
            for address in addresses:
                end.run(["ip", "address", "add", f"{address}/24", "dev", "proxyxai0"])
            end.run(["ip", "link", "set", "proxyxai0", "up"])

    def enter(self, argv):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *map(str, argv)]

    def run(self, argv, **more):
        return subprocess.run(self.enter(argv), check=True, capture_output=True, text=True, **more)

    def end(self):
        self.holder.kill()
        self.holder.wait()


def bytes_of(text):
    """compose's own units, as its `config` leaves them."""
    found = re.fullmatch(r"(\d+)([kmg]?)b?", str(text))
    return int(found[1]) * 1024 ** " kmg".index(found[2] or " ")


class Groups:
    """Control groups of either version with the memory, processor and process limits of a service; empty where there are none to be had."""

    def __init__(self, name, service):
        wanted = {
            "memory": {"memory.limit_in_bytes": bytes_of(service["mem_limit"]), "memory.max": bytes_of(service["mem_limit"])},
            "cpu": {"cpu.cfs_quota_us": int(float(service["cpus"]) * 100000), "cpu.max": f"{int(float(service['cpus']) * 100000)} 100000"},
            "pids": {"pids.max": service["pids_limit"]},
        }
        top = pathlib.Path("/sys/fs/cgroup")
        self.paths, self.limits = [], {}
        for kind, files in wanted.items():
            path = (top / kind if (top / kind).is_dir() else top) / name
            try:
                path.mkdir(exist_ok=True)
                for file, value in files.items():
                    if (path / file).exists():
                        (path / file).write_text(str(value))
                        self.limits[kind] = path / file
            except OSError:
                continue
            if path not in self.paths:
                self.paths.append(path)

    def end(self):
        def removed(path):
            try:
                path.rmdir()
            except OSError as error:
                # Until its last process is gone.
                return error.errno != errno.EBUSY
            return True

        for path in self.paths:
            wait_for(lambda: removed(path), 5, f"the end of {path}")


class Container:
    def __init__(self, image, service, network, directory, volumes, environment=None, command=None):
        """`volumes` are directories by the name of a volume or the path on the host; `environment` what .env would have changed."""
        self.image, self.service, self.network = image, service, network
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.volumes, self.log_path = volumes, self.directory / "log"
        self.env = {**image.env, **{name: str(value) for name, value in (service.get("environment") or {}).items()}, **(environment or {})}
        entrypoint = service.get("entrypoint", image.entrypoint)
        # Another entrypoint drops the image's command.
        default = [] if "entrypoint" in service else image.command
        self.argv = entrypoint + (command if command is not None else service.get("command", default))
        self.groups = Groups(f"proxyxai-test-{os.getpid()}-{self.directory.name}", service)
        self.process = None

    def mounts(self):
        for each in self.service.get("volumes", []):
            source, target, *mode = each.split(":")
            place = inside(self.image.root, target)
            if source not in self.volumes:
                # A directory of the host that is not there is made, as an engine does.
                self.volumes[source] = self.directory / source.strip("/").replace("/", "-")
                self.volumes[source].mkdir(exist_ok=True)
            elif not self.volumes[source].exists():
                # A named volume begins as the image has it there, with its owner.
                subprocess.run(["cp", "-a", place, self.volumes[source]], check=True)
            place.mkdir(parents=True, exist_ok=True)
            yield f"bind {self.volumes[source]} {target} {mode[0] if mode else 'rw'}"
        for each in self.service.get("tmpfs", []):
            target, _, options = each.partition(":")
            yield f"tmpfs - {target} {options or 'mode=1777'},nosuid,nodev,noexec"

    def privileges(self):
        user, _, group = self.image.user.partition(":")
        assert self.service["cap_drop"] == ["ALL"]
        kept = [f"+{name.lower()}" for name in self.service.get("cap_add", [])]
        new = ["--no-new-privs"] if "no-new-privileges:true" in self.service.get("security_opt", []) else []
        return ["setpriv", f"--reuid={user}", f"--regid={group or user}", "--clear-groups", "--inh-caps=-all",
                f"--bounding-set={','.join(['-all', *kept])}", *new]

    def limits(self):
        """What the file says, or what this machine has if it has less and does not let anybody raise it."""
        for name, value in self.service.get("ulimits", {}).items():
            kind = getattr(resource, f"RLIMIT_{name.upper()}")
            yield kind, min(value["hard"], resource.getrlimit(kind)[1]) if resource.getrlimit(kind)[1] >= 0 else value["hard"]

    def start(self):
        root, command = str(self.image.root.path), [*self.privileges(), "sh", "-c", 'cd "$0" && exec "$@"', self.image.workdir, *self.argv]
        self.out = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.network.enter(["prlimit", *(f"--{NAMES[kind]}={value}:{value}" for kind, value in self.limits()), "unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                                "sh", "-c", SETUP, "sh", root, "\n".join(self.mounts()), "yes" if self.service.get("read_only") else "no",
                                " ".join(map(str, self.groups.paths)), *command]),
            env=self.env, stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT)
        return self

    @property
    def pid(self):
        """The container's first process, as this machine counts."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def is_up(self):
        """Whether its first process is the image's program already."""
        if self.process.poll() is not None:
            raise AssertionError(f"the container ended with {self.process.returncode}:\n{self.log()}")
        try:
            return os.readlink(f"/proc/{self.pid}/root") == str(self.image.root.path.resolve()) and \
                b"chroot" not in (command := pathlib.Path(f"/proc/{self.pid}/cmdline").read_bytes()) and not command.startswith(b"setpriv")
        except (IndexError, OSError):
            return False

    def exec(self, argv, user=None):
        """A command in it, with its user and capabilities: exit code and what it wrote."""
        wait_for(self.is_up, what="the container's first process")
        done = subprocess.run(["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--root", "--wdns=" + self.image.workdir,
                               *self.privileges(), *argv], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def check_health(self):
        """The health check of the compose file, once: exit code and what it wrote."""
        word, *argv = self.service["healthcheck"]["test"]
        assert word == "CMD"
        return self.exec(argv)

    def wait_until_healthy(self, seconds=30):
        said = []

        def ask():
            said[:] = self.check_health()
            return said[0] == 0

        try:
            wait_for(ask, seconds, "the container's health")
        except AssertionError as error:
            raise AssertionError(f"{error}: {said}\n{self.log()}") from None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        """As the engine stops it: its signal, then the grace period. How it ended and the seconds it took."""
        begun = time.monotonic()
        if self.process.poll() is None:
            wait_for(self.is_up, what="the container's first process")
            os.kill(self.pid, getattr(signal, self.service.get("stop_signal", self.image.stop_signal)))
            grace = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", self.service.get("stop_grace_period", "10s"))
            try:
                self.process.wait(60 * int(grace[1] or 0) + int(grace[2] or 0))
            except subprocess.TimeoutExpired:
                self.kill()
        self.out.close()
        return self.process.returncode, time.monotonic() - begun

    def kill(self):
        """Ends its first process, and so all of its processes."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except (IndexError, OSError):
            self.process.kill()
        self.process.wait()

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()
            self.out.close()
        self.groups.end()


def resolved(directory, file, **variables):
    """The compose file as Compose 1.29 reads it, in a directory that has nothing else."""
    shutil.copy(file, directory / "docker-compose.yml")
    done = subprocess.run(["docker-compose", "config"], cwd=directory, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    import yaml

    return yaml.safe_load(done.stdout)
