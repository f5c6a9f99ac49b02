"""Measures the gateway beside nginx as a plain reverse proxy and beside itself without billing, in the same run, and writes tables of ratios.

The proxy under test has one core to itself, load and upstream the other. What is compared is processor time for each request
or event, taken from the kernel's accounts of every thread of the proxy: throughput and latency depend on the load generator
and on the neighbours of the machine, the ratio of two processor times taken in turns does not.
"""
import argparse
import json
import os
import pathlib
import platform
import random
import re
import shutil
import signal
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time
import typing
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROXY_CORE, LOAD_CORE = 0, 1


class Case(typing.NamedTuple):
    label: str
    tls_upstream: bool = False
    tls_clients: bool = False
    think_ms: int = 0  # before upstream answers


CASES = {
    "plain": Case("request, plain upstream"),
    "TLS": Case("request, TLS upstream", tls_upstream=True),
    "TLS-both": Case("request, TLS upstream and clients", tls_upstream=True, tls_clients=True),
    "thinking": Case("the same, upstream takes 50 ms", tls_upstream=True, tls_clients=True, think_ms=50),
    "events": Case("SSE event, {streams} streams at 50/s"),
}
running = []


def start(command, core, **options):
    process = subprocess.Popen([str(c) for c in command], preexec_fn=lambda: os.sched_setaffinity(0, {core}), **options)
    running.append(process)
    return process


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    running.remove(process)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what):
    for _ in range(1000):
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise SystemExit(f"{what} did not start")


def can_connect(port):
    socket.create_connection(("127.0.0.1", port), 1).close()
    return True


def cpu_seconds(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_mib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


class Upstream:
    def __init__(self, build, folder, tls, think_ms=0):
        self.scheme = "https" if tls else "http"
        port_file = folder / f"port-{self.scheme}"
        port_file.unlink(missing_ok=True)
        command = [build / "bench_upstream", "--port-file", port_file, "--think-ms", think_ms]
        if tls:
            command += ["--cert", folder / "server.pem", "--key", folder / "server.key"]
        self.process = start(command, LOAD_CORE)
        wait_until(lambda: port_file.exists() and port_file.read_text().strip(), "the upstream")
        self.port = int(port_file.read_text())


class Nginx:
    name = "nginx"

    def __init__(self, folder, upstream, streaming, tls_clients=False):
        self.port, self.key = free_port(), "sk-any"
        tls = f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {folder}/ca.pem; proxy_ssl_name localhost; proxy_ssl_session_reuse on;" if upstream.scheme == "https" else ""
        text = (ROOT / "bench" / "nginx.conf.in").read_text()
        for name, value in {"DIR": folder, "HOST": "127.0.0.1", "UPSTREAM": upstream.port, "PORT": self.port, "SCHEME": upstream.scheme,
                            "BUFFERING": "off" if streaming else "on", "TLS": tls, "CLIENTS": " ssl" if tls_clients else "",
                            "CERTIFICATE": f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;" if tls_clients else ""}.items():
            text = text.replace(f"@{name}@", str(value))
        config = folder / "nginx.conf"
        config.write_text(text)
        self.process = start(["nginx", "-p", folder, "-c", config], PROXY_CORE, stderr=subprocess.DEVNULL)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        # The master listens before it has its worker.
        wait_until(lambda: can_connect(self.port) and children.read_text().split(), "nginx")
        self.pid = int(children.read_text().split()[0])


class Proxyxai:
    def __init__(self, binary, folder, upstream, name="proxyxai", tls_clients=False):
        self.name = name
        self.port, admin = free_port(), free_port()
        self.key = "sk-Xvs" + "".join(random.choices(string.ascii_letters + string.digits, k=45))
        data = tempfile.mkdtemp(dir=folder)
        environment = {
            "PATH": os.environ["PATH"], "PORT": str(self.port), "LISTEN_ADDRESS": "127.0.0.1", "ADMIN_LISTEN": f"127.0.0.1:{admin}", "DATA_DIR": data,
            "INIT_USERS": f"root:root@example.com:{self.key}", "INIT_KEYS": ",".join(f"sk-upstream-bench-key-{i:04}" for i in range(3)),
            "OPENAI_API_BASE": f"{upstream.scheme}://localhost:{upstream.port}", "LOG_LEVEL": "info",
        }
        if upstream.scheme == "https":
            environment["UPSTREAM_CA_FILE"] = str(folder / "ca.pem")
        if tls_clients:
            environment["TLS_CERT"], environment["TLS_KEY"] = str(folder / "server.pem"), str(folder / "server.key")
        log = open(folder / "proxyxai.log", "ab")
        self.process = start([binary], PROXY_CORE, env=environment, stdout=log, stderr=log)
        self.pid = self.process.pid
        wait_until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=1).status == 200, "proxyxai")
        # Listening is not all: the log of the first request loads what is loaded once.
        wait_until(lambda: can_connect(self.port), "proxyxai")


def load(build, port, key, *more):
    command = [build / "bench_load", "--port", port, "--key", key, *more]
    process = start(command, LOAD_CORE, stdout=subprocess.PIPE, text=True)
    return process


def finish(process):
    out, _ = process.communicate()
    running.remove(process)
    return json.loads(out)


def measure_requests(build, proxy, seconds, tls_clients):
    idle, tls = resident_mib(proxy.pid), ("--tls", int(tls_clients))
    finish(load(build, proxy.port, proxy.key, "--seconds", 0.5, "--warmup", 0.2, *tls))
    before = cpu_seconds(proxy.pid)
    result = finish(load(build, proxy.port, proxy.key, "--seconds", seconds, "--warmup", 0, *tls))
    result["cpu_us"] = (cpu_seconds(proxy.pid) - before) * 1e6 / max(1, result["all_requests"])
    result["idle_mib"], result["loaded_mib"] = idle, resident_mib(proxy.pid)
    return result


def sync_microseconds(folder):
    """What one fdatasync takes on this disk: of a page more at the end of a file, as a commit is."""
    times = []
    with open(folder / "sync", "wb", buffering=0) as file:
        for _ in range(300):
            file.write(bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1e6)
    return statistics.median(times)


def measure_streams(build, proxy, folder, streams, seconds):
    idle = resident_mib(proxy.pid)
    flag = folder / "started"
    flag.unlink(missing_ok=True)
    process = load(build, proxy.port, proxy.key, "--connections", streams, "--events", int(50 * (seconds + 1)), "--rate", 50, "--warmup", 0,
                   "--seconds", seconds + 60, "--started-file", flag)
    wait_until(flag.exists, "the streams")
    before, begun = cpu_seconds(proxy.pid), time.monotonic()
    time.sleep(seconds * 0.6)
    spent, span = cpu_seconds(proxy.pid) - before, time.monotonic() - begun
    loaded = resident_mib(proxy.pid)
    result = finish(process)
    result["cpu_us"] = spent * 1e6 / (streams * 50 * span)
    result["idle_mib"], result["loaded_mib"] = idle, loaded
    return result


def make_certificates(folder):
    def run(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder)

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=Bench authority", "-keyout", "ca.key", "-out", "ca.pem")
    run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out", "server.csr")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", "server.pem")


def profile(build, binary, folder, upstream, seconds):
    proxy = Proxyxai(binary, folder, upstream)
    process = load(build, proxy.port, proxy.key, "--seconds", seconds, "--warmup", 0.5)
    time.sleep(0.7)
    data = folder / "perf.data"
    subprocess.run(["perf", "record", "-q", "-F", "2000", "-g", "-o", data, "-p", str(proxy.pid), "--", "sleep", str(seconds - 1)], check=False, stderr=subprocess.DEVNULL)
    finish(process)
    stop(proxy.process)
    report = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.6"], capture_output=True, text=True)
    print("\n".join(line for line in report.stdout.splitlines() if line.strip() and not line.startswith("#"))[:6000])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="two short rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--require", type=float, default=0, help="fail when a ratio is below this")
    parser.add_argument("--profile", action="store_true", help="also show where the gateway's time goes (perf)")
    parser.add_argument("--beside", type=pathlib.Path, metavar="BINARY", help="another build of proxyxai, measured in turns with this one")
    parser.add_argument("--only", choices=CASES)
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 2, 2
    if not shutil.which("nginx"):
        raise SystemExit("nginx is not installed (Debian: nginx-light)")
    if os.cpu_count() < 2:
        raise SystemExit("two cores are needed: one for the proxy, one for load and upstream")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="proxyxai-bench-"))
    folder.chmod(0o755)
    binary = options.build / "proxyxai"
    rows, syncs, errors = [], [], 0
    try:
        make_certificates(folder)
        for case, about in CASES.items():
            if options.only and case != options.only:
                continue
            tls_clients = about.tls_clients
            upstream = Upstream(options.build, folder, about.tls_upstream, about.think_ms)
            seen = {"nginx": [], "unbilled": [], "proxyxai": [], "beside": []}
            straight = finish(load(options.build, upstream.port, "sk-any", "--seconds", 2, "--warmup", 0.5, "--tls", int(about.tls_upstream))) if case != "events" else None
            for index in range(options.rounds):
                syncs.append(sync_microseconds(folder))
                makers = [lambda: Nginx(folder, upstream, case == "events", tls_clients),
                          lambda: Proxyxai(options.build / "bench_unbilled", folder, upstream, "unbilled", tls_clients),
                          lambda: Proxyxai(binary, folder, upstream, tls_clients=tls_clients)]
                if options.beside:
                    makers.append(lambda: Proxyxai(options.beside, folder, upstream, "beside", tls_clients))
                for maker in makers if index % 2 == 0 else reversed(makers):
                    proxy = maker()
                    if case == "events":
                        result = measure_streams(options.build, proxy, folder, options.streams, max(4, options.seconds))
                    else:
                        result = measure_requests(options.build, proxy, options.seconds, tls_clients)
                    errors += result["errors"]
                    seen[proxy.name].append(result)
                    stop(proxy.process)
                    print(f"{case} {proxy.name}: {result['cpu_us']:.2f} us CPU, {result['rate']:.0f}/s, p50 {result['p50_us']:.0f} us, {result['loaded_mib']:.1f} MiB, errors {result['errors']}", file=sys.stderr)
            rows.append((case, seen, straight))
            if options.profile and straight and not about.think_ms:
                profile(options.build, binary, folder, upstream, 5)
            stop(upstream.process)
    finally:
        for process in list(running):
            stop(process)
        shutil.rmtree(folder, ignore_errors=True)
    table, worst = render(rows, statistics.median(syncs), options)
    print(table)
    if not options.quick and not options.only and not options.beside:
        publish(table)
    if errors:
        raise SystemExit(f"{errors} requests failed")
    if worst < options.require:
        raise SystemExit(f"the worst ratio, {worst:.2f}, is below {options.require}")


def render(rows, sync, options):
    """Two tables: beside nginx, and what billing adds; and the worst ratio beside nginx of what does the same work."""
    def ratio(seen, over, under):
        ratios = sorted(a["cpu_us"] / b["cpu_us"] for a, b in zip(seen[over], seen[under]))
        return statistics.median(ratios), f"**{statistics.median(ratios):.2f}** ({ratios[0]:.2f}–{ratios[-1]:.2f})"

    names = ("nginx", "unbilled", "proxyxai")
    beside = ["| case | CPU µs: nginx / without billing / proxyxai | nginx ÷ without billing | nginx ÷ proxyxai | throughput, proxyxai ÷ nginx | added p50 µs (the three) | added p99 µs | resident MiB idle → loaded |",
              "|---|---|---|---|---|---|---|---|"]
    billing = ["| metering and ledger | CPU with ÷ without | added p50 µs, 64 clients | one fdatasync µs | added ÷ fdatasync |", "|---|---|---|---|---|"]
    worst = 1e9
    for case, seen, straight in rows:
        middle = lambda name, field: statistics.median(r[field] for r in seen[name])
        each = lambda text: " / ".join(text(name) for name in names)
        label = CASES[case].label.format(streams=options.streams)
        same_work, shown = ratio(seen, "nginx", "unbilled")
        # Clients that wait for upstream leave the core idle, which makes each request dearer and bounds nothing.
        if not CASES[case].think_ms:
            worst = min(worst, same_work)
        speed = p50 = p99 = "–"
        waits = ["–"] * 3
        if straight:
            p50, p99 = (each(lambda name: f"{middle(name, field) - straight[field]:.0f}") for field in ("p50_us", "p99_us"))
            speed = f"{middle('proxyxai', 'rate') / middle('nginx', 'rate'):.2f}"
            added = middle("proxyxai", "p50_us") - middle("unbilled", "p50_us")
            waits = [f"{added:.0f}", f"{sync:.0f}", f"{added / sync:.1f}"]
        cpu = each(lambda name: f"{middle(name, 'cpu_us'):.2f}")
        memory = each(lambda name: f"{middle(name, 'idle_mib'):.0f} → {middle(name, 'loaded_mib'):.0f}")
        beside.append(f"| {label} | {cpu} | {shown} | {ratio(seen, 'nginx', 'proxyxai')[1]} | {speed} | {p50} | {p99} | {memory} |")
        billing.append(f"| {label} | {ratio(seen, 'proxyxai', 'unbilled')[1]} | {' | '.join(waits)} |")
    compared = ["", "| beside the other build | CPU, this ÷ other | throughput, this ÷ other |", "|---|---|---|"]
    for case, seen, straight in rows:
        if seen["beside"]:
            speed = "–"
            if straight:
                speeds = sorted(a["rate"] / b["rate"] for a, b in zip(seen["proxyxai"], seen["beside"]))
                speed = f"**{statistics.median(speeds):.2f}** ({speeds[0]:.2f}–{speeds[-1]:.2f})"
            compared.append(f"| {case} | {ratio(seen, 'proxyxai', 'beside')[1]} | {speed} |")
    return "\n".join([*beside, "", *billing, *(compared if options.beside else [])]), worst


def publish(table):
    path = ROOT / "docs" / "performance.md"
    text = path.read_text()
    begin, end = "<!-- bench:begin -->", "<!-- bench:end -->"
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip().split("/")[-1]
    note = f"{time.strftime('%Y-%m-%d')}, {model[1] if model else platform.machine()}, Linux {platform.release().split('-')[0]}, nginx {version}."
    head, rest = text.split(begin)
    path.write_text(f"{head}{begin}\n{table}\n\n{note}\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
