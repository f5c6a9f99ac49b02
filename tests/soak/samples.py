"""What the daemon has of the machine, looked at again and again while it is under load."""
import csv
import dataclasses
import os
import pathlib
import statistics
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
METRICS = ("proxyxai_client_connections", "proxyxai_requests_in_flight", "proxyxai_upstream_kept_connections", "proxyxai_body_memory_bytes",
           "proxyxai_writer_waiting_jobs", "proxyxai_ledger_healthy", "proxyxai_access_log_dropped_lines_total")


def status_of(pid):
    """VmRSS, threads and the like."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.split()[0] for name, value in (line.split(":", 1) for line in lines) if value.split()}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@dataclasses.dataclass
class Sample:
    seconds: float
    rss_kib: int
    fds: int
    threads: int
    cpu: float
    mock_rss_kib: int
    mock_fds: int
    database_kib: int
    wal_kib: int
    metrics: dict

    def row(self):
        plain = dataclasses.asdict(self)
        metrics = plain.pop("metrics")
        return {**plain, **metrics}


class Sampler(threading.Thread):
    """Scrapes the operator's port and looks into /proc each `interval`; writes a line a sample into `file`."""

    def __init__(self, place, mock, file, interval):
        super().__init__()
        self.place, self.mock, self.file, self.interval = place, mock, file, interval
        self.samples, self.failure = [], None
        self.began = time.monotonic()
        self.read = 0

    def run(self):
        try:
            with open(self.file, "w", newline="") as out:
                writer = None
                while not self.place.over.wait(self.began + self.interval * len(self.samples) - time.monotonic()):
                    sample = self.look()
                    self.samples.append(sample)
                    writer = writer or csv.DictWriter(out, sample.row())
                    if len(self.samples) == 1:
                        writer.writeheader()
                    writer.writerow(sample.row())
                    out.flush()
        except BaseException as failure:  # noqa: BLE001 - told by the test
            self.failure = failure

    def look(self):
        gateway, mock = self.place.gateway, self.mock.process.pid
        self.require_silence()
        for path in ("/healthz", "/readyz"):
            self.ask(path)
        text = self.ask("/metrics")
        values = dict(line.rsplit(" ", 1) for line in text.decode().splitlines() if not line.startswith("#"))
        pid, file = gateway.process.pid, gateway.directory / "data" / "proxyxai.db"
        process = status_of(pid)
        wal = file.with_name(file.name + "-wal")
        return Sample(seconds=round(time.monotonic() - self.began, 2), rss_kib=int(process["VmRSS"]), fds=gateway.descriptors(),
                      threads=int(process["Threads"]), cpu=cpu_seconds(pid), mock_rss_kib=int(status_of(mock)["VmRSS"]),
                      mock_fds=len(os.listdir(f"/proc/{mock}/fd")), database_kib=file.stat().st_size >> 10, wal_kib=wal.stat().st_size >> 10,
                      metrics={name: float(values[name]) for name in METRICS})

    def ask(self, path):
        """Again, when a busy machine has kept us from asking for longer than that listener waits."""
        began = time.monotonic()
        try:
            status, _, answer = self.place.gateway.operations(path)
        except OSError:
            if time.monotonic() - began < 5:
                raise
            self.place.tally.count("scraped again", "-")
            status, _, answer = self.place.gateway.operations(path)
        assert status == 200, (path, status, answer)
        return answer

    def require_silence(self):
        """Of the sanitizers, in what the log has more than before."""
        with open(self.place.gateway.log_path, "rb") as log:
            log.seek(self.read)
            new = log.read()
        self.read += len(new)
        assert b"Sanitizer" not in new and b"runtime error" not in new, new[-4000:]

    def quarters(self, name):
        """The median of each quarter of the time."""
        size = max(1, len(self.samples) // 4)
        parts = [self.samples[i * size:(i + 1) * size] for i in range(4)]
        return [statistics.median(getattr(each, name) for each in part) for part in parts if part]
