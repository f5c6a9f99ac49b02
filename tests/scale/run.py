#!/usr/bin/env python3
"""What the daemon needs on a database of a million accounts and ten million requests. By hand: it takes some minutes and 5 GB.

    tests/scale/run.py [--accounts N] [--requests N] [--build build/release] [--directory DIR] [--write]

--directory keeps the filled database for another run; --write replaces the table in docs/performance.md.
"""
import argparse
import datetime
import http.client
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

BYTES_A_REQUEST, BYTES_AN_ACCOUNT = 260, 1_500


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--directory", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


ARGUMENTS = read_arguments()
os.environ["PROXYXAI_BUILD"] = str(ARGUMENTS.build.resolve())
os.environ["PROXYXAI_SLOW"] = "1"

import fill  # noqa: E402
from processes import Gateway  # noqa: E402


class Timed:
    """A caller on a connection of its own, which remembers how long each answer took."""

    def __init__(self, port, key):
        self.key = key
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self.connection.connect()

    def call(self, path, method="GET", body=None, key=None, headers=None):
        all_headers = {"Authorization": f"Bearer {key or self.key}", **(headers or {})}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        begun = time.perf_counter()
        self.connection.request(method, path, json.dumps(body) if body is not None else None, all_headers)
        response = self.connection.getresponse()
        data = response.read()
        took = (time.perf_counter() - begun) * 1000
        if response.status != 200:
            raise SystemExit(f"{method} {path}: {response.status} {data[:500]}")
        return took, json.loads(data)


class Report:
    def __init__(self):
        self.lines = []

    def add(self, what, figure, target=""):
        self.lines.append((what, figure, target))
        print(f"  {what}: {figure}{' (wanted: ' + target + ')' if target else ''}", flush=True)

    def time(self, what, caller, path, target="", repeat=9, **call):
        first, answer = caller.call(path, **call)
        rest = [caller.call(path, **call)[0] for _ in range(repeat if first < 2_000 else 1)]
        rows = len(answer["data"]) if isinstance(answer, dict) and "data" in answer else len(answer) if isinstance(answer, list) else 1
        self.add(what, f"{first:.1f} ms first, {statistics.median(rest):.1f} ms then, {rows} rows", target)

    def table(self, title):
        rows = ["| what | figure | wanted |", "|---|---|---|"] + [f"| {what} | {figure} | {target or '–'} |" for what, figure, target in self.lines]
        return "\n".join([*rows, "", title])


def forget_pages(file):
    """The next start reads from the disk."""
    with open(file, "rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def start(directory):
    begun = time.monotonic()
    root = directory / "root.key"
    gateway = Gateway(directory, None, keys=(), root=root.read_text() if root.exists() else None, KEEPALIVE_TIMEOUT="3600s", HEADER_TIMEOUT="3600s")
    root.write_text(gateway.root)
    return gateway, time.monotonic() - begun


def cold(caller, accounts, count, seed):
    """Latencies of the first call with each of many keys."""
    ids = random.Random(seed).sample(range(2, accounts), count)
    return [caller.call("/dashboard/x-user-status", key=fill.key_of(each))[0] for each in ids]


def measure(gateway, filled, report):
    root, busy = Timed(gateway.port, gateway.root), Timed(gateway.port, fill.key_of(filled["busy"]))
    parent = Timed(gateway.port, fill.key_of(fill.FIRST_PARENT))
    one, quick, accounts = filled["busy"], "< 50 ms", filled["accounts"]

    times = cold(root, accounts, 2_000, 1)
    report.add("authentication of a cold account, file not in memory", f"{statistics.median(times):.2f} ms, 99 % in {percentile(times, 0.99):.2f} ms", "< 5 ms")
    times = cold(root, accounts, 10_000, 2)
    report.add("authentication of a cold account", f"{statistics.median(times):.2f} ms, 99 % in {percentile(times, 0.99):.2f} ms", "< 5 ms")

    report.time("/x-requests of the busy account", busy, "/x-requests", quick)
    report.time("the same, page 500", busy, "/x-requests?page=500", quick)
    report.time("the same, of a rare model", busy, f"/x-requests?model={fill.RARE_MODEL}", quick)
    report.time("the same, of one day", busy, f"/x-requests?start={filled['day']}&end={filled['day']}", quick)
    report.time("/x-requests of a parent of 50", parent, "/x-requests", quick)
    report.time("/x-requests of root", root, "/x-requests", quick)
    report.time("the same, of one user", root, f"/x-requests?user={one}", quick)
    report.time("the same, of a rare model", root, f"/x-requests?model={fill.RARE_MODEL}")
    report.time("/x-bill of the busy account, 30 days", busy, "/x-bill", quick)
    report.time("/x-bill of a parent of 50, 30 days", parent, "/x-bill", quick)
    report.time("/x-bill of root for one user", root, f"/x-bill?user={one}", quick)
    report.time("/x-bill of root, 30 days of everybody", root, "/x-bill")
    report.time("/x-users of a parent of 50", parent, "/x-users")
    report.time("/x-users of root, first 1,000", root, "/x-users")
    report.time("/x-dna of root, first 1,000", root, "/x-dna")
    report.time("/x-users/ID by root", root, f"/x-users/{one}")
    report.time("/x-dna/NAME by root", root, f"/x-dna/user{accounts // 3}")
    report.time("/x-dna/E-MAIL by root", root, f"/x-dna/user{accounts // 3}@example.com")
    report.time("a grant by root", root, f"/x-users/{accounts // 3}", method="PUT", body={"CreditGranted": 1})
    report.time("/dashboard/x-user-info of the busy account", busy, "/dashboard/x-user-info", quick)

    listing = threading.Thread(target=lambda: Timed(gateway.port, gateway.root).call("/x-bill"))
    listing.start()
    time.sleep(0.02)
    times = cold(root, accounts, 200, 3)
    listing.join()
    report.add("authentication of a cold account while root's bill is made", f"{statistics.median(times):.2f} ms, at most {max(times):.2f} ms", "< 5 ms")


def main():
    directory = ARGUMENTS.directory or pathlib.Path(tempfile.mkdtemp(prefix="proxyxai-scale-"))
    directory.mkdir(parents=True, exist_ok=True)
    needed = ARGUMENTS.requests * BYTES_A_REQUEST + ARGUMENTS.accounts * BYTES_AN_ACCOUNT
    if shutil.disk_usage(directory).free < 2 * needed:
        raise SystemExit(f"'{directory}' has less than {2 * needed >> 30} GiB free")
    try:
        run(directory)
    finally:
        if not ARGUMENTS.directory:
            shutil.rmtree(directory)


def run(directory):
    file, notes = directory / "data" / "proxyxai.db", directory / "filled.json"
    if not notes.exists():
        print(f"filling {file}", flush=True)
        gateway, _ = start(directory)
        gateway.stop()
        made = fill.Fill(file, ARGUMENTS.accounts, ARGUMENTS.requests)
        day = datetime.datetime.fromtimestamp(made.last / 1e6 - 40 * 86_400).strftime("%Y-%m-%d")
        notes.write_text(json.dumps({"accounts": made.accounts, "requests": made.requests, "busy": made.busy, "day": day, **made.rows}))
    filled = json.loads(notes.read_text())
    report = Report()
    report.add("file", f"{file.stat().st_size / 1e9:.2f} GB")
    forget_pages(file)
    gateway, took = start(directory)
    try:
        report.add("start, file not in memory", f"{took:.2f} s", "< 5 s")
        report.add("resident after the start", f"{gateway.resident_kib() / 1024:.0f} MiB")
        measure(gateway, filled, report)
        report.add("resident after all of this", f"{gateway.resident_kib() / 1024:.0f} MiB", "< 300 MB")
        cold(Timed(gateway.port, gateway.root), filled["accounts"], min(60_000, filled["accounts"] // 2), 4)
        report.add("resident with the most accounts in memory", f"{gateway.resident_kib() / 1024:.0f} MiB", "< 300 MB")
        begun = time.monotonic()
        checked = subprocess.run([str(ARGUMENTS.build / "proxyxai"), "check"], env=gateway.environment, capture_output=True, text=True)
        report.add("`proxyxai check` beside it", f"{time.monotonic() - begun:.0f} s")
    finally:
        code = gateway.stop()
    _, took = started = start(directory)
    started[0].stop()
    report.add("start, file in memory", f"{took:.2f} s", "< 5 s")
    what = f"{filled['accounts']:,} accounts, {filled['requests']:,} requests over {fill.DAYS} days, {filled['days']:,} rows of days; "
    what += f"the busy account has {filled['requests'] // 50:,} requests. {datetime.date.today()}, {platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} cores."
    table = report.table(what)
    print("\n" + table)
    if ARGUMENTS.write:
        page = ROOT / "docs" / "performance.md"
        begin, end = "<!-- data:begin -->", "<!-- data:end -->"
        before, rest = page.read_text().split(begin)
        page.write_text(before + begin + "\n" + table + "\n" + end + rest.split(end)[1])
    if code != 0 or checked.returncode != 0:
        raise SystemExit(f"the daemon ended with {code}, check with {checked.returncode}: {checked.stdout[-2000:]}")


if __name__ == "__main__":
    main()
