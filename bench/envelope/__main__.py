"""Runs the daemon with everything on inside a limit of two cores and 2 GiB, and measures how far it goes.

TLS on both sides, a ledger that syncs, a database of a million accounts, limits on those that call, access log to a file, metrics
scraped, chats, streams, large bodies, objects that are found again at the key that made them. What makes the load runs outside the
limit. The table goes to docs/performance.md and, with --quick too, to a JSON file.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import ssl
import string
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[0:0] = [str(HERE.parent)]  # before this folder: `run` is the bench's
sys.path.append(str(ROOT / "tests" / "scale"))

import fill  # noqa: E402
import run as bench  # noqa: E402

import ending  # noqa: E402
import limit  # noqa: E402
import report  # noqa: E402
import traffic  # noqa: E402
from daemon import Daemon, Disk, Watch, raise_descriptors  # noqa: E402

ROOT_KEY = "sk-Xvs" + "".join(random.choices(string.ascii_letters + string.digits, k=45))
CHAT_KEYS = [f"sk-upstream-envelope-{index:04}" for index in range(3)]
OBJECT_KEY = "sk-upstream-objects-0001"


class Scale:
    """How much of everything; `quick` proves that all works, its figures mean little."""

    def __init__(self, quick):
        self.accounts, self.called, self.callers = (5_000, 500, 10) if quick else (1_000_000, 20_000, 100)
        self.idle = 300 if quick else 10_000
        self.streams, self.events, self.event_rate = (60, 30, 10) if quick else (2_000, 300, 10)
        self.warmup, self.seconds, self.connections, self.mixed_streams = (1, 3, 16, 10) if quick else (5, 120, 64, 100)
        self.few, self.few_seconds = (2, 1) if quick else (8, 20)
        self.rounds, self.round_seconds = (1, 1) if quick else (5, 6)
        self.scrape = 1 if quick else 5
        self.most_seconds = 75 if quick else 1_200


def say(text):
    print(text, file=sys.stderr, flush=True)


def read_arguments():
    parser = argparse.ArgumentParser(prog="envelope", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="everything small, in half a minute; writes no page")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="where the programs are (build/release)")
    parser.add_argument("--directory", type=pathlib.Path, help="for the database, some 2 GB; a temporary one is made in it (TMPDIR)")
    parser.add_argument("--json", type=pathlib.Path, help="build/envelope.json, with --quick build/envelope-quick.json")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs" / "performance.md", help="the page that has the table")
    parser.add_argument("--limit", choices=["auto", *limit.KINDS], default="auto", help="what limits the daemon; auto: the first that works")
    return parser.parse_args()


def share_cores():
    """Cores of the daemon, cores of all else, and that in words. As in scripts/bench, where two must do."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) >= 3:
        return set(cores[:limit.CORES]), set(cores[limit.CORES:]), f"the daemon has {limit.CORES} cores of {len(cores)}, load and upstreams the others"
    if len(cores) == 2:
        return {cores[0]}, {cores[1]}, "two cores in all: the daemon is held to one, load and upstreams have the other, so this is a floor for two"
    return set(cores), set(cores), "one core in all, which the daemon shares with load and upstreams"


class Clients:
    """clients.py, in a process of its own."""

    def __init__(self, run, daemon, kind, connections, *more):
        command = [sys.executable, HERE / "clients.py", kind, "--port", daemon.port, "--keys", run.keys_file, "--connections", connections, *more]
        if daemon.tls:
            command += ["--ca", run.folder / "ca.pem"]
        with ending.held_off():
            self.process = subprocess.Popen([str(each) for each in command], preexec_fn=lambda: os.sched_setaffinity(0, run.load_cores),
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            bench.running.append(self.process)

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the clients ended with {self.process.wait()}")
        return json.loads(line)

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        code = self.process.wait(120)
        bench.running.remove(self.process)
        if code != 0:
            raise SystemExit(f"the clients ended with {code}")


class Run:
    def __init__(self, options, scale, folder, chosen, figures):
        self.options, self.scale, self.folder, self.limit, self.figures = options, scale, folder, chosen, figures
        self.daemon_cores, self.load_cores, self.cores_told = share_cores()
        bench.PROXY_CORE, bench.LOAD_CORE = min(self.daemon_cores), min(self.load_cores)
        self.highest, self.begun = [], time.monotonic()
        self.keys_file = folder / "keys"

    # What the parts share.

    def begin(self, part):
        say(f"{time.monotonic() - self.begun:3.0f} s: {part}")

    def start(self, tls=True):
        environment = {
            "PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "ADMIN_LISTEN": "127.0.0.1:0", "DATA_DIR": str(self.folder / "data"),
            "INIT_USERS": f"root:root@example.com:{ROOT_KEY}", "INIT_KEYS": f"{OBJECT_KEY}::https://localhost:{self.objects_port}",
            "OPENAI_API_BASE": f"https://localhost:{self.upstream.port}", "UPSTREAM_CA_FILE": str(self.folder / "ca.pem"), "DURABILITY": "full",
            "LOG_LEVEL": "info", "KEEPALIVE_TIMEOUT": "1h", "HEADER_TIMEOUT": "1h",
        }
        if tls:
            environment |= {"TLS_CERT": str(self.folder / "server.pem"), "TLS_KEY": str(self.folder / "server.key")}
        return Daemon(self.options.build / "proxyxai", self.folder, self.limit, self.daemon_cores, environment)

    def stop(self, daemon):
        if daemon.watch:
            self.highest.append(daemon.watch.highest(daemon.watch.memory))
        account = self.limit.account()
        daemon.stop()
        if account.get("killed"):
            raise SystemExit("the kernel has killed for want of memory")
        return account

    def settle(self, daemon, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"{what} did not come about within {seconds} s")
            if daemon.process.poll() is not None:
                raise SystemExit(f"proxyxai ended with {daemon.process.returncode}: {daemon.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def add_kernel(self, name, daemon):
        kernel = self.limit.account().get("kernel")
        if kernel is not None:
            self.figures.add(name, "memory of the kernel's beside it, for sockets and files", kernel, report.mb(kernel))

    # The parts, in their order.

    def prepare(self):
        self.begin("certificates and upstreams")
        bench.make_certificates(self.folder)
        with ending.held_off():
            self.upstream = bench.Upstream(self.options.build, self.folder, tls=True)
        port = self.folder / "port-objects"
        log = open(self.folder / "mock.log", "wb")
        with ending.held_off():
            bench.start([self.options.build / "mock_openai", "--port-file", port, "--tls-cert", self.folder / "server.pem", "--tls-key", self.folder / "server.key"],
                        bench.LOAD_CORE, stdout=log, stderr=log)
        bench.wait_until(port.exists, "mock_openai")
        self.objects_port = int(port.read_text())
        self.stop(self.start())
        self.begin(f"a database of {self.scale.accounts:,} accounts")
        with contextlib.redirect_stdout(sys.stderr):
            fill.Fill(self.folder / "data" / "proxyxai.db", self.scale.accounts, self.scale.accounts)
        self.sync_us = bench.sync_microseconds(self.folder)

    def measure_start(self):
        self.begin("start")
        with open(self.folder / "data" / "proxyxai.db", "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        daemon = self.start()
        daemon.call(fill.key_of(self.scale.accounts), "GET", "/dashboard/x-user-status")
        took = time.monotonic() - daemon.begun
        count, resident = f"{self.scale.accounts:,}", daemon.resident()
        self.figures.add("start_seconds", f"start with {count} accounts until one of them is answered, file not in memory", took, f"{took:.2f} s", 5, "< 5 s")
        self.figures.add("start_resident", "resident after it", resident, report.mb(resident), 300e6, "< 300 MB")
        Watch(daemon, self.scale.scrape)
        self.make_accounts(daemon)
        self.make_objects(daemon)
        connection = daemon.open()
        with contextlib.closing(connection):
            for index in range(self.scale.called):
                connection.request("GET", "/dashboard/x-user-status", headers={"Authorization": f"Bearer {fill.key_of(2 + index * 7919 % (self.scale.accounts - 1))}"})
                response = connection.getresponse()
                if response.read() and response.status != 200:
                    raise SystemExit(f"an account was answered {response.status}")
        resident = daemon.resident()
        self.figures.add("called_resident", f"resident after {self.scale.called:,} of them have called", resident, report.mb(resident), 300e6, "< 300 MB")
        return daemon

    def make_accounts(self, daemon):
        """Those that call: with limits, wide enough that none is met."""
        self.keys = []
        for index in range(self.scale.callers):
            limits = {"RPM": 10**8, "RPH": 10**9, "RPD": 10**9, "TPM": 10**12, "TPH": 10**12, "TPD": 10**12, "Concurrency": 10**5,
                      "ModelLimits": {"gpt-4*": {"rpm": 10**8, "tpm": 10**12}}}
            body = {"Name": f"envelope{index}", "Email": f"envelope{index}@example.com", "CreditGranted": 1_000_000, **limits}
            self.keys.append(daemon.call(ROOT_KEY, "POST", "/x-users", body)["User"]["SecretKey"])
        self.keys_file.write_text("\n".join(self.keys))

    def make_objects(self, daemon):
        """While there is one upstream key only. Then come others that are used before it: what was made stays with the first."""
        self.objects = {}
        for key in self.keys:
            made = [daemon.call(key, "POST", "/v1/responses", {"model": "gpt-4o-mini", "input": f"Remember {key[-8:]} {index}"})["id"] for index in range(2)]
            self.objects[key] = made
        (first,) = daemon.call(ROOT_KEY, "GET", "/x-keys")
        daemon.call(ROOT_KEY, "PUT", f"/x-keys/{first['ID']}", {"Level": 9})
        daemon.call(ROOT_KEY, "POST", "/x-keys", "\n".join(CHAT_KEYS))

    def measure_idle(self, daemon, name, words, most):
        self.begin(f"idle connections {words}")
        before = daemon.resident()
        clients = Clients(self, daemon, "idle", self.scale.idle)
        count = clients.hear()["open"]
        metrics = daemon.metrics()
        if metrics["proxyxai_client_connections"] < count:
            raise SystemExit(f"{count} connections were opened, {metrics['proxyxai_client_connections']:.0f} are there")
        self.settle(daemon, lambda: daemon.metrics()["proxyxai_requests_in_flight"] == 0, "rest")
        resident = daemon.resident()
        self.figures.add(f"{name}_connections", f"idle connections {words}, each after a request", count, f"{count:,}")
        self.figures.add(f"{name}_resident", "resident with them", resident, report.mb(resident), most, f"< {most / 1e6:.0f} MB")
        each = (resident - before) / count
        self.figures.add(f"{name}_each", "of it for each", each, f"{each / 1024:.1f} KiB")
        self.add_kernel(f"{name}_kernel", daemon)
        clients.go_on()
        clients.hear()
        clients.end()
        self.settle(daemon, lambda: daemon.metrics()["proxyxai_client_connections"] == 0, "the connections' end")

    def measure_streams(self, daemon):
        self.begin("streams")
        scale = self.scale
        clients = Clients(self, daemon, "streams", scale.streams, "--events", scale.events, "--rate", scale.event_rate)
        clients.hear()
        cpu = daemon.cpu()
        clients.go_on()
        running = clients.hear()
        if "running" not in running:
            raise SystemExit(f"the streams did not run together: {running}")
        # The last look is a second before the first of them ends.
        time.sleep(max(0, scale.events / scale.event_rate - running["since"] - 1))
        in_flight, resident = daemon.metrics()["proxyxai_requests_in_flight"], daemon.resident()
        if in_flight < scale.streams:
            raise SystemExit(f"{in_flight:.0f} streams at one time, wanted {scale.streams}")
        self.figures.add("streams", "concurrent streams with TLS", scale.streams, f"{scale.streams:,}")
        self.figures.add("streams_resident", "resident with them", resident, report.mb(resident))
        self.add_kernel("streams_kernel", daemon)
        ended = clients.hear()
        clients.end()
        cpu_us = (daemon.cpu() - cpu) * 1e6 / ended["events"]
        if ended["failed"]:
            raise SystemExit(f"{ended['failed']} streams failed: {ended['errors']}")
        rate, gap = ended["rate"], ended["gap_p99_ms"]
        self.figures.add("event_rate", f"events a second while all run, {scale.event_rate} in each stream", rate, f"{rate:,.0f}")
        self.figures.add("event_cpu_us", "processor time for an event", cpu_us, f"{cpu_us:.1f} µs")
        self.figures.add("event_gap_p99_ms", f"time between two events, 99 % under (upstream: {1000 // scale.event_rate} ms)", gap, f"{gap:.0f} ms")

    def measure_requests(self, daemon):
        self.begin("requests")
        scale = self.scale
        mixed = traffic.write(self.folder / "mixed", traffic.mixed(self.keys, self.objects))
        streams = traffic.write(self.folder / "streams", traffic.streams(self.keys))
        traffic.Load(self.load_cores, mixed, daemon.port, scale.connections, scale.warmup).finish()
        few = traffic.Load(self.load_cores, mixed, daemon.port, scale.few, scale.few_seconds).finish()
        self.settle(daemon, self.is_rolled_up, "the roll-up")
        before = Disk(self.folder)
        asked_for = self.objects_asked_for()
        begun, cpu, counted = time.monotonic(), daemon.cpu(), daemon.metrics().total("proxyxai_requests_total")
        loads = [traffic.Load(self.load_cores, mixed, daemon.port, scale.connections, scale.seconds),
                 traffic.Load(self.load_cores, streams, daemon.port, scale.mixed_streams, scale.seconds)]
        requests, streamed = (each.finish() for each in loads)
        ended = time.monotonic()
        # Those that were cut off when wrk left are requests too.
        self.settle(daemon, lambda: daemon.metrics()["proxyxai_requests_in_flight"] == 0, "rest")
        cpu_us = (daemon.cpu() - cpu) * 1e6 / (daemon.metrics().total("proxyxai_requests_total") - counted)
        resident = daemon.watch.highest(daemon.watch.memory, begun)
        wal = daemon.watch.highest(daemon.watch.wal, begun)
        slowest = daemon.watch.slowest_rate(begun, ended)
        self.settle(daemon, self.is_rolled_up, "the roll-up")
        after = Disk(self.folder)
        rows = after.requests - before.requests
        if rows < requests["requests"] + streamed["requests"]:
            raise SystemExit(f"{requests['requests'] + streamed['requests']} requests were answered, {rows} are in the ledger")
        asked_for, due = self.objects_asked_for() - asked_for, requests["requests"] // traffic.OBJECT_ONE_IN - 1
        if asked_for < due:
            raise SystemExit(f"{due} requests were for stored responses, {asked_for} of them came where those are")
        if after.objects == before.objects:
            raise SystemExit("no object was recorded")
        self.measured = {"requests": rows, "streams": streamed["requests"], "objects": after.objects - before.objects, "seconds": requests["seconds"],
                         "connections": scale.connections, "stream_connections": scale.mixed_streams}
        million = 1e6 / rows
        self.figures.add("request_rate", f"requests a second, {scale.connections} clients, for {requests['seconds']:.0f} s", requests["rate"], f"{requests['rate']:,.0f}")
        self.figures.add("request_p50_ms", "time for one, half under", requests["p50_ms"], f"{requests['p50_ms']:.1f} ms")
        self.figures.add("request_p99_ms", "99 % under", requests["p99_ms"], f"{requests['p99_ms']:.1f} ms")
        self.figures.add("request_slowest_rate", f"requests a second in the slowest {scale.scrape} s", slowest, f"{slowest:,.0f}")
        self.figures.add("few_p50_ms", f"time for one with {scale.few} clients, half under", few["p50_ms"], f"{few['p50_ms']:.1f} ms")
        self.figures.add("few_p99_ms", f"99 % under, at {few['rate']:,.0f} a second", few["p99_ms"], f"{few['p99_ms']:.1f} ms")
        self.figures.add("request_cpu_us", "processor time for a request of this mix", cpu_us, f"{cpu_us:.1f} µs")
        self.figures.add("request_core_rate", "which is requests a second on a core of the daemon's", 1e6 / cpu_us, f"{1e6 / cpu_us:,.0f}")
        self.figures.add("request_resident", "resident meanwhile, at most", resident, report.mb(resident))
        growth = (after.database - before.database) * million, (after.access_log - before.access_log) * million
        self.figures.add("disk_database", "growth of the database for a million requests", growth[0], report.mb(growth[0]))
        self.figures.add("disk_access_log", "of the access log", growth[1], report.mb(growth[1]))
        self.figures.add("disk_wal", "the database's write-ahead log at its longest", wal, report.mb(wal))

    def objects_asked_for(self):
        """What has come to the upstream that alone has them. The other would answer too, with a chat."""
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        with contextlib.closing(http.client.HTTPSConnection("localhost", self.objects_port, timeout=60, context=context)) as connection:
            connection.request("GET", "/_mock/stats")
            return json.loads(connection.getresponse().read())["requests"]

    def is_rolled_up(self):
        disk = Disk(self.folder)
        return disk.requests == disk.rolled_up

    def check_access_log(self, filled):
        """A line for each request of the ledger, or growth of the log is not what it seems."""
        with open(self.folder / "access.log", "rb") as log:
            lines = sum(1 for _ in log)
        rows = Disk(self.folder).requests - filled
        if lines < rows:
            raise SystemExit(f"{rows} requests are in the ledger, {lines} lines in the access log")

    def measure_beside_nginx(self, daemon):
        self.begin("the same request through nginx")
        with ending.held_off():
            nginx = bench.Nginx(self.folder, self.upstream, streaming=False, tls_clients=True)
        file = traffic.write(self.folder / "chats", [traffic.chat(key) for key in self.keys])
        seen = {"nginx": [], "proxyxai": []}
        for index in range(self.scale.rounds):
            sides = [("nginx", nginx.port, lambda: bench.cpu_seconds(nginx.pid)), ("proxyxai", daemon.port, daemon.cpu)]
            for name, port, cpu in sides if index % 2 == 0 else reversed(sides):
                traffic.Load(self.load_cores, file, port, self.scale.connections, 1).finish()
                before = cpu()
                result = traffic.Load(self.load_cores, file, port, self.scale.connections, self.scale.round_seconds).finish()
                seen[name].append(((cpu() - before) * 1e6 / result["requests"], result["rate"]))
        bench.stop(nginx.process)
        middle = lambda values: sorted(values)[len(values) // 2]
        ratios = sorted(n[0] / p[0] for n, p in zip(seen["nginx"], seen["proxyxai"]))
        for name in seen:
            value = middle([cpu for cpu, _ in seen[name]])
            self.figures.add(f"{name}_cpu_us", f"processor time for a small chat alone: {name}", value, f"{value:.1f} µs")
        self.figures.add("nginx_ratio", "nginx ÷ proxyxai", middle(ratios), f"{middle(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})")
        rates = middle([p[1] / n[1] for n, p in zip(seen["nginx"], seen["proxyxai"])])
        self.figures.add("nginx_rate_ratio", "its requests a second, proxyxai ÷ nginx", rates, f"{rates:.2f}")

    def check_books(self, daemon):
        self.begin("check")
        checked = subprocess.run([str(self.options.build / "proxyxai"), "check"], env=daemon.environment, capture_output=True, text=True)
        if checked.returncode != 0:
            raise SystemExit(f"the books do not agree: {checked.stdout[-2000:]}{checked.stderr[-2000:]}")

    def measure(self):
        self.prepare()
        daemon = self.measure_start()
        self.measure_idle(daemon, "idle_tls", "with TLS", 500e6)
        self.measure_streams(daemon)
        self.measure_requests(daemon)
        self.measure_beside_nginx(daemon)
        first = self.stop(daemon)
        self.check_access_log(self.scale.accounts)
        daemon = self.start(tls=False)
        daemon.call(self.keys[0], "GET", "/dashboard/x-user-status")
        Watch(daemon, self.scale.scrape)
        self.measure_idle(daemon, "idle_plain", "without TLS", 150e6)
        second = self.stop(daemon)
        self.check_books(daemon)
        highest = max(self.highest)
        self.figures.add("highest_resident", "resident in the whole run, at most", highest, report.mb(highest))
        charged = [each["highest"] for each in (first, second) if each.get("highest")]
        if charged:
            self.figures.add("highest_charged", f"charged to the limit of {limit.MEMORY >> 20} MiB at most, the page cache with it", max(charged), report.mb(max(charged)))
        if "throttled" in first:
            throttled = max(first["throttled"], second["throttled"])
            self.figures.add("throttled_seconds", "time that the limit of cores held it back", throttled, f"{throttled:.1f} s")


def main():
    options = read_arguments()
    scale = Scale(options.quick)
    for name in ("wrk", "nginx", "openssl"):
        if not shutil.which(name):
            raise SystemExit(f"{name} is not installed")
    for name in ("proxyxai", "bench_upstream", "mock_openai"):
        if not (options.build / name).exists():
            raise SystemExit(f"'{options.build / name}' is not built: ./scripts/envelope builds it")
    # A stream is a client and an upstream; the rest is for files and for what is kept open.
    raise_descriptors(max(scale.idle, 2 * scale.streams) + 3_000)
    begun = time.monotonic()
    try:
        chosen = limit.choose(options.limit)
    except OSError as fault:
        raise SystemExit(f"--limit {options.limit}: {fault}")
    say(chosen.statement)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="proxyxai-envelope-", dir=options.directory))
    folder.chmod(0o755)
    figures = report.Report(say)

    try:
        ending.watch_for_it(scale.most_seconds)
        if shutil.disk_usage(folder).free < 4_000 * scale.accounts:
            raise SystemExit(f"'{folder}' has less than {4_000 * scale.accounts / 1e9:.0f} GB free")
        run = Run(options, scale, folder, chosen, figures)
        run.measure()
        figures.check(counted=bool(chosen.counts))
    except report.Incomplete as fault:
        raise SystemExit(str(fault))
    finally:
        with ending.held_off():
            for process in list(bench.running):
                bench.stop(process)
            chosen.close()
            shutil.rmtree(folder, ignore_errors=True)
    publish(options, figures, run, time.monotonic() - begun)


def publish(options, figures, run, seconds):
    machine, mix = report.machine(), run.measured
    notes = [
        f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, {machine['memory'] / 1e9:.0f} GB; one fdatasync takes {run.sync_us:.0f} µs.",
        f"What held: {run.limit.statement}; {run.cores_told}.",
        f"The mix: of {traffic.LARGE_ONE_IN} requests one has a picture of {traffic.LARGE_BYTES >> 20} MiB, of {traffic.OBJECT_ONE_IN} one reads a response that is "
        f"stored upstream or goes on from it, the rest are chats; {mix['stream_connections']} clients beside them read streams of {traffic.STREAM_EVENTS} events, "
        f"{traffic.STREAM_RATE} a second. In all {mix['requests']:,} requests, {mix['streams']:,} of them streams, and {mix['objects']:,} new objects; growth is that of these, for a million.",
    ]
    table = figures.table(notes)
    print(table)
    file = options.json or ROOT / "build" / ("envelope-quick.json" if options.quick else "envelope.json")
    report.write_json(file, figures, quick=options.quick, seconds=seconds, machine=machine, limit=run.limit.statement, cores=run.cores_told, fdatasync_us=run.sync_us, mix=mix)
    say(f"{file}, {seconds:.0f} s")
    if not options.quick:
        report.publish(options.page, table)
    if figures.missed():
        raise SystemExit("missed: " + "; ".join(figures.missed()))


if __name__ == "__main__":
    main()
