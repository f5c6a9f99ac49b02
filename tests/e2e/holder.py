"""Who holds the listening sockets while daemons come and go, as systemd does for a socket unit: sd_listen_fds(3)."""
import fcntl
import signal
import socket
import subprocess
import time

from processes import BUILD, Gateway

# Descriptors from 3 on, and the daemon's own process id, which only the process that becomes the daemon can know.
HAND_OVER = ('names=$1 first=$2 second=$3; shift 3; exec 3<&"$first" 4<&"$second" {first}<&- {second}<&-; '
             'export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=$names; exec "$@"')


def moved(made):
    """The socket with a descriptor that is none of 3, 4, ..."""
    return socket.socket(fileno=fcntl.fcntl(made.fileno(), fcntl.F_DUPFD, 100))


def listening():
    """A socket on a free port."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as made:
        return moved(made)


class Held(Gateway):
    """A daemon on sockets that it is given, first clients', then the operator's; `before` is one that has ended, whose directory
    and settings go on."""

    def __init__(self, before, sockets=None, names="public:operations"):
        self.directory, self.root, self.keys, self.environment = before.directory, before.root, before.keys, before.environment
        self.names, self.lives = names, 0
        self.sockets = sockets or [listening(), listening()]
        self.port, self.admin_port = (each.getsockname()[1] for each in self.sockets)
        self.launch()

    def launch(self):
        self.lives += 1
        self.log_path = self.directory / f"life{self.lives}.log"
        self.out = open(self.log_path, "wb")
        numbers = [each.fileno() for each in self.sockets]
        command = ["bash", "-c", HAND_OVER, "hand-over", self.names, *map(str, numbers), str(BUILD / "proxyxai"), "serve"]
        self.process = subprocess.Popen(command, env=self.environment, stdout=self.out, stderr=subprocess.STDOUT, pass_fds=numbers)

    def restart(self):
        """What `systemctl restart` does to a service with a socket unit; how long the old daemon took to end."""
        began = time.monotonic()
        assert self.stop(signal.SIGTERM, 60) == 0, self.text()[-4000:]
        took = time.monotonic() - began
        self.launch()
        return took

    def end(self):
        super().end()
        for each in self.sockets:
            each.close()
