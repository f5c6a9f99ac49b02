"""The figures of the envelope: all of them or none. As a table for the page, and as JSON."""
import json
import math
import os
import pathlib
import platform
import re
import time

BEGIN, END = "<!-- envelope:begin -->", "<!-- envelope:end -->"

# What a run must have measured, in the order of the table.
FIGURES = (
    "start_seconds", "start_resident", "called_resident",
    "request_rate", "request_p50_ms", "request_p99_ms", "request_slowest_rate", "few_p50_ms", "few_p99_ms",
    "request_cpu_us", "request_core_rate", "request_resident",
    "proxyxai_cpu_us", "nginx_cpu_us", "nginx_ratio", "nginx_rate_ratio",
    "idle_tls_connections", "idle_tls_resident", "idle_tls_each", "idle_tls_kernel",
    "idle_plain_connections", "idle_plain_resident", "idle_plain_each", "idle_plain_kernel",
    "streams", "streams_resident", "streams_kernel", "event_rate", "event_cpu_us", "event_gap_p99_ms",
    "disk_database", "disk_access_log", "disk_wal",
    "highest_resident", "highest_charged", "throttled_seconds",
)
# Only a cgroup counts these.
COUNTED = {"idle_tls_kernel", "idle_plain_kernel", "streams_kernel", "highest_charged", "throttled_seconds"}
MAY_BE_NOTHING = {"throttled_seconds"}


class Incomplete(Exception):
    pass


def mb(size):
    return f"{size / 1e6:.0f} MB"


class Report:
    def __init__(self, say=print):
        self.figures, self.say = {}, say

    def add(self, name, what, value, shown, below=None, wanted=""):
        """`below`: what the figure must be under, which is `wanted` in words."""
        if name not in FIGURES:
            raise ValueError(f"no figure is called {name}")
        self.figures[name] = {"what": what, "value": value, "shown": shown, "wanted": wanted, "held": below is None or value < below}
        self.say(f"  {what}: {shown}{f' (wanted: {wanted})' if wanted else ''}")

    def check(self, counted):
        """Raises unless all was measured; `counted`: the limit has an account."""
        wanted = [name for name in FIGURES if counted or name not in COUNTED]
        missing = [name for name in wanted if name not in self.figures]
        if missing:
            raise Incomplete(f"not measured: {', '.join(missing)}")
        for name in wanted:
            value = self.figures[name]["value"]
            if not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0 or value == 0 and name not in MAY_BE_NOTHING:
                raise Incomplete(f"'{name}' is {value!r}, which was not measured")

    def missed(self):
        return [f"{each['what']}: {each['shown']}, wanted {each['wanted']}" for each in self.figures.values() if not each["held"]]

    def table(self, notes):
        rows = ["| what | figure | wanted |", "|---|---|---|"]
        for name in FIGURES:
            if name in self.figures:
                each = self.figures[name]
                wanted = each["wanted"] or "–"
                rows.append(f"| {each['what']} | {each['shown']} | {wanted if each['held'] else f'**missed**: {wanted}'} |")
        return "\n".join([*rows, "", *notes])


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {"date": time.strftime("%Y-%m-%d"), "kernel": platform.release().split("-")[0], "cpu": model[1] if model else platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "memory": int(memory[1]) * 1024}


def write_json(file, report, **more):
    figures = {name: {"what": each["what"], "value": each["value"], "wanted": each["wanted"], "held": each["held"]} for name, each in report.figures.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(json.dumps({**more, "figures": figures}, indent=1, ensure_ascii=False) + "\n")
    new.rename(file)


def publish(page, table):
    """Replaces what stands between the two marks, nothing else."""
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise SystemExit(f"'{page}' must have '{BEGIN}' and '{END}' behind it, once each")
    before, rest = text.split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}")
