"""The daemon in its limit, and what can be seen of it from outside."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import signal
import sqlite3
import ssl
import subprocess
import threading
import time

import ending
import run as bench

def raise_descriptors(wanted):
    """For this process and those that it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, hard), max(wanted, hard)))
    except (ValueError, OSError):
        raise SystemExit(f"this needs {wanted} open files, {hard} are allowed here: run it as root, or behind 'ulimit -n {wanted}' of a shell that may")


class Daemon:
    def __init__(self, binary, folder, limit, cores, environment):
        self.folder, self.limit = folder, limit
        self.log = folder / "proxyxai.log"
        self.environment = {"PATH": os.environ["PATH"], **environment}
        self.tls = ssl.create_default_context(cafile=folder / "ca.pem") if "TLS_CERT" in environment else None

        def enter():
            os.sched_setaffinity(0, cores)
            limit.enter()

        with open(self.log, "wb") as log, open(folder / "access.log", "ab") as access:
            self.begun = time.monotonic()
            with ending.held_off():
                self.process = subprocess.Popen(limit.command([str(binary), "serve"]), preexec_fn=enter, env=self.environment, stdout=access, stderr=log)
                bench.running.append(self.process)
        self.pid = self.process.pid
        bench.wait_until(lambda: self.find_ports() or self.process.poll() is not None, "proxyxai")
        if self.process.poll() is not None:
            raise SystemExit(f"proxyxai did not start: {self.log.read_text()[-2000:]}")
        limit.attach(self.pid)
        self.port, self.admin = self.find_ports()
        self.watch = None

    def find_ports(self):
        found = re.search(r"listening on \S+ port (\d+), operations on \S+ port (\d+)", self.log.read_text())
        return (int(found[1]), int(found[2])) if found else None

    def open(self):
        if self.tls:
            return http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.tls)
        return http.client.HTTPConnection("localhost", self.port, timeout=60)

    def call(self, key, method, path, body=None):
        """The answer's JSON; anything but 200 ends the run."""
        with contextlib.closing(self.open()) as connection:
            kind = "application/json" if not isinstance(body, str) else "text/plain"
            connection.request(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body,
                               {"Authorization": f"Bearer {key}", **({"Content-Type": kind} if body is not None else {})})
            response = connection.getresponse()
            data = response.read()
        if response.status != 200:
            raise SystemExit(f"{method} {path}: {response.status} {data[:500]!r}")
        return json.loads(data)

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        return Metrics(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))

    def resident(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/status").read_text())[1]) * 1024

    def cpu(self):
        return bench.cpu_seconds(self.pid)

    def stop(self):
        """It must end by itself, and well."""
        if self.watch:
            self.watch.stop()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        bench.running.remove(self.process)
        if code != 0:
            raise SystemExit(f"proxyxai ended with {code}: {self.log.read_text()[-2000:]}")


class Metrics:
    def __init__(self, pairs):
        self.values = {name: float(value) for name, value in pairs}

    def __getitem__(self, name):
        return self.values[name]

    def total(self, name):
        """Of all labels."""
        found = [value for each, value in self.values.items() if each.startswith(name + "{")]
        if not found:
            raise KeyError(name)
        return sum(found)


class Watch(threading.Thread):
    """Scrapes as Prometheus would, and looks at memory and at the database's log four times a second."""

    def __init__(self, daemon, interval):
        super().__init__(daemon=True)
        self.target, self.interval = daemon, interval
        self.over = threading.Event()
        self.scrapes, self.memory, self.wal = [], [], []
        daemon.watch = self
        self.start()

    def run(self):
        wal = self.target.folder / "data" / "proxyxai.db-wal"
        scrape_at = 0
        while not self.over.wait(0.25):
            now = time.monotonic()
            # The last look may find nobody.
            with contextlib.suppress(OSError, TypeError, http.client.HTTPException):
                self.memory.append((now, self.target.resident()))
                self.wal.append((now, wal.stat().st_size))
                if now >= scrape_at:
                    scrape_at = now + self.interval
                    self.scrapes.append((now, self.target.metrics()))

    def stop(self):
        self.over.set()
        self.join()

    def highest(self, series, begin=0.0):
        return max((value for at, value in series if at >= begin), default=float("nan"))

    def slowest_rate(self, begin, end):
        """Requests a second between two scrapes, at the worst."""
        counts = [(at, each.total("proxyxai_requests_total")) for at, each in self.scrapes if begin <= at <= end]
        return min((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(counts, counts[1:])) if len(counts) > 1 else float("nan")


class Disk:
    """What is in use: pages of the database that are not free, bytes of the access log, rows of requests."""

    def __init__(self, folder):
        with contextlib.closing(sqlite3.connect(f"file:{folder / 'data' / 'proxyxai.db'}?mode=ro", uri=True, timeout=60)) as database:
            one = lambda sql: database.execute(sql).fetchone()[0]
            database.execute("BEGIN")
            self.requests = one("SELECT COUNT(*) FROM requests")
            self.rolled_up = one("SELECT COUNT(*) FROM account_requests")
            self.objects = one("SELECT COUNT(*) FROM objects")
            self.database = (one("PRAGMA page_count") - one("PRAGMA freelist_count")) * one("PRAGMA page_size")
        self.access_log = (folder / "access.log").stat().st_size
