"""The whole run, with everything small; and that it tells of nothing it has not measured."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

import limit
import report
import traffic
from conftest import ROOT

BUILD = pathlib.Path(os.environ.get("PROXYXAI_BUILD", ROOT / "build" / "release")).resolve()


@pytest.fixture
def envelope(tmp_path):
    """Starts a run; nothing of it may be left behind."""
    (tmp_path / "work").mkdir()
    started = []

    def start(*more, path=os.environ["PATH"]):
        command = [sys.executable, ROOT / "bench" / "envelope", "--quick", "--build", BUILD, "--directory", tmp_path / "work", "--json", tmp_path / "envelope.json"]
        process = subprocess.Popen([str(each) for each in [*command, *more]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "PATH": path}, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        assert list((tmp_path / "work").iterdir()) == []
        assert not [each for each in limit.MOUNT.glob(f"**/proxyxai-envelope-{process.pid}") if each.is_dir()]
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


def test_quick_run_measures_every_figure_and_touches_no_page(envelope, tmp_path):
    page = ROOT / "docs" / "performance.md"
    before = page.read_text()
    process = envelope()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    read = json.loads((tmp_path / "envelope.json").read_text())
    counted = "cgroup" in read["limit"] or "systemd" in read["limit"]
    assert list(read["figures"]) and set(read["figures"]) == {name for name in report.FIGURES if counted or name not in report.COUNTED}
    assert read["quick"] and read["seconds"] < 40, read["seconds"]
    value = {name: each["value"] for name, each in read["figures"].items()}
    assert (value["idle_tls_connections"], value["idle_plain_connections"], value["streams"]) == (300, 300, 60)
    assert value["idle_tls_resident"] > value["start_resident"] and value["highest_resident"] >= value["request_resident"]
    assert value["request_p50_ms"] < value["request_p99_ms"] and value["request_slowest_rate"] < 2 * value["request_rate"]
    assert 400 < value["event_rate"] < 700, "60 streams of 10 a second"
    assert abs(value["request_core_rate"] * value["request_cpu_us"] - 1e6) < 1
    # A row has a hundred bytes or so, a line of the log two hundred.
    assert 40e6 < value["disk_database"] < 1e9 and 100e6 < value["disk_access_log"] < 1e9
    assert read["machine"]["cpu"] in out and read["limit"] in out and all(each["what"] in out for each in read["figures"].values())
    assert page.read_text() == before


def test_a_run_whose_load_tells_nothing_fails_and_writes_nothing(envelope, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "wrk").write_text("#!/bin/sh\necho 'Requests/sec: 100000'\n")
    (programs / "wrk").chmod(0o755)
    process = envelope(path=f"{programs}:{os.environ['PATH']}")
    out, err = process.communicate(timeout=120)
    assert process.returncode != 0 and "wrk told nothing" in err, err
    assert out == "" and not (tmp_path / "envelope.json").exists()


def test_a_run_that_is_ended_takes_everything_with_it(envelope, tmp_path):
    process = envelope()
    for line in process.stderr:
        if "idle connections" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode != 0 and not (tmp_path / "envelope.json").exists()


RESULT = {"requests": 10, "seconds": 2.0, "bytes": 1, "p50_ms": 1.0, "p99_ms": 2.0, "connect": 0, "read": 0, "write": 0, "timeout": 0, "status": 0}


@pytest.mark.parametrize("kind", ["connect", "read", "write", "timeout", "status"])
def test_a_failed_request_fails_the_run(kind):
    assert traffic.read_result("Running ...\n" + json.dumps(RESULT))["rate"] == 5
    with pytest.raises(SystemExit, match=kind):
        traffic.read_result(json.dumps({**RESULT, kind: 1}))


def test_help_tells_the_options():
    done = subprocess.run([str(ROOT / "scripts" / "envelope"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and all(option in done.stdout for option in ("--quick", "--limit", "--json", "--directory"))


def test_the_load_is_installed():
    assert shutil.which("wrk") and shutil.which("nginx")
