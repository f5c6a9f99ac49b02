"""What the metrics say is what is."""
import json
import os
import pathlib
import subprocess
import time

import exposition
from processes import BUILD, Raw, nanos, wait_for
from traffic import FIRST, KEYS


def test_the_process_is_told_as_the_system_tells_it(start):
    daemon = start()
    pid = daemon.process.pid
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    most = next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files"))
    assert daemon.metric("process_max_fds") == int(most)
    # The daemon's own look at them is one, the question another.
    assert abs(daemon.metric("process_open_fds") - daemon.descriptors()) <= 3
    assert abs(daemon.metric("process_resident_memory_bytes") / 1024 - daemon.resident_kib()) < 0.2 * daemon.resident_kib()
    size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGESIZE")
    assert abs(daemon.metric("process_virtual_memory_bytes") - size) < 0.2 * size
    age = time.time() - daemon.metric("process_start_time_seconds")
    assert -2 < age < 120, "the system tells its own start in whole seconds"
    version = subprocess.run([str(BUILD / "proxyxai"), "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    assert daemon.metric("proxyxai_build_info", f'version="{version}"') == 1


def test_descriptors_and_processor_time_grow_with_what_is_done(start):
    daemon = start()
    files, used = daemon.metric("process_open_fds"), daemon.metric("process_cpu_seconds_total")
    idle = [Raw(daemon.port) for _ in range(20)]
    wait_for(lambda: daemon.metric("proxyxai_client_connections") >= 20, what="the connections")
    assert daemon.metric("process_open_fds") >= files + 20
    for raw in idle:
        raw.socket.close()
    wait_for(lambda: daemon.metric("proxyxai_client_connections") == 0, what="their end")

    def has_worked():
        daemon.chat()
        return daemon.metric("process_cpu_seconds_total") >= used + 0.05

    wait_for(has_worked, what="some processor time")


def test_money_is_told_to_the_last_billionth(start):
    daemon = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = daemon.make_child(10)
    for number in range(3):
        assert account.chat(f"Hello {number}", model="gpt-4o")[0] == 200
    model = account.requests()[0]["model"]
    shown = {labels["model"]: value for _, labels, value in exposition.read(daemon.operations("/metrics")[2].decode())["proxyxai_list_cost_dollars_total"].samples}
    assert [nanos(value) for value in shown.values()] == [sum(account.costs())], (model, shown)


def test_what_a_stream_holds_is_told_while_it_runs(start):
    daemon = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = daemon.make_child(10)
    assert daemon.metric("proxyxai_held_dollars") == 0
    body = json.dumps({"model": "gpt-4o", "stream": True, "max_tokens": 1000, "messages": []})
    with Raw(daemon.port) as raw:
        raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: {account.key}\r\nContent-Type: application/json\r\n"
                 f"x-mock-events: 1000\r\nx-mock-interval-ms: 100\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        raw.read_until(b"word0")
        assert 0 < daemon.metric("proxyxai_held_dollars") < 10
        assert daemon.metric("proxyxai_requests_in_flight") == 1
    wait_for(lambda: daemon.metric("proxyxai_requests_in_flight") == 0, what="its end")
    assert daemon.metric("proxyxai_held_dollars") == 0


def test_keys_are_told_as_they_are_and_deleted_ones_no_more(start, mock):
    daemon = start(keys=KEYS)
    mock.script(FIRST, "http_500", times=1)
    for _ in KEYS:
        assert daemon.chat()[0] == 200
    for key in daemon.keys_shown().values():
        label = f'key="{key["ID"]}"'
        assert daemon.metric("proxyxai_upstream_key_requests_total", label) == key["Requests"] > 0
        assert daemon.metric("proxyxai_upstream_key_failures_total", label) == key["Failures"]
    assert daemon.metric("proxyxai_upstream_key_failures_total", f'key="{daemon.shown(FIRST)["ID"]}"') == 1
    gone = daemon.shown(FIRST)["ID"]
    assert daemon.call("DELETE", f"/x-keys/{gone}")[0] == 200
    assert daemon.metric("proxyxai_upstream_key_requests_total", f'key="{gone}"') is None
    assert daemon.metric("proxyxai_upstream_keys", 'state="active"') == 2


def test_commits_are_counted_and_timed(start):
    daemon = start()
    account = daemon.make_child(100)
    before = daemon.metric("proxyxai_commit_duration_seconds_count"), daemon.metric("proxyxai_commit_duration_seconds_sum")
    for _ in range(5):
        assert account.chat()[0] == 200
    assert daemon.metric("proxyxai_commit_duration_seconds_count") >= before[0] + 5
    assert 0 < daemon.metric("proxyxai_commit_duration_seconds_sum") - before[1] < 60
    assert daemon.metric("proxyxai_writer_commits_total") >= daemon.metric("proxyxai_commit_duration_seconds_count")
