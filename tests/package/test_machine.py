"""The service on a machine where systemd runs: sandbox, reload, restarts, backups, sockets, upgrade, removal."""
import json
import re
import resource
import shutil
import subprocess
import sys
import time

import pytest

import test_manual
from processes import BUILD, wait_for
from test_install import rebuilt

ENVIRONMENT = "etc/proxyxai/proxyxai.env"
CLIENT = r"""
import http.client, pathlib, sys
key, stop = sys.argv[1], pathlib.Path(sys.argv[2])
good, bad = 0, []
while not stop.exists():
    try:
        connection = http.client.HTTPConnection("127.0.0.1", 3443, timeout=30)
        connection.request("GET", "/x-keys", headers={"Authorization": "Bearer " + key})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        good += 1
    except Exception as problem:
        bad.append(type(problem).__name__)
    finally:
        connection.close()
    pathlib.Path(sys.argv[2] + ".good").write_text(str(good))
print(good, *bad)
"""


class Service:
    """The installed service and a mock of its upstream, on the machine's own network."""

    def __init__(self, machine, directory):
        self.machine, self.root = machine, machine.root.path
        self.told = machine.run(["dpkg", "-i", "/root/proxyxai.deb"]).stdout
        self.directory, self.mock = directory, None
        self.start_mock()
        self.key = wait_for(lambda: re.search(r"export ROOT_KEY=(\S+)", self.journal()), what="the root key")[1]
        self.set()

    def start_mock(self):
        self.end()
        port_file = self.directory / "port"
        port_file.unlink(missing_ok=True)
        self.mock = subprocess.Popen(self.machine.in_network([BUILD / "mock_openai", "--port-file", port_file, "--tls-auto", self.directory / "tls"]),
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = wait_for(lambda: port_file.exists() and port_file.read_text().strip(), what="the mock's port")
        shutil.copy(self.directory / "tls/ca.pem", self.root / "etc/proxyxai/upstream.pem")

    def set(self, **more):
        """Writes the environment file and restarts."""
        settings = {"OPENAI_API_BASE": f"https://localhost:{self.port}", "UPSTREAM_CA_FILE": "/etc/proxyxai/upstream.pem",
                    "INIT_KEYS": "sk-upstream-key-000001", **more}
        (self.root / ENVIRONMENT).write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        self.control("restart", check=not more)

    def control(self, *arguments, check=True):
        return self.machine.run(["systemctl", *arguments, "proxyxai.service"], check=check).stdout

    def shown(self, name, unit="proxyxai.service"):
        return self.machine.run(["systemctl", "show", "-P", name, unit]).stdout.strip()

    def journal(self):
        return self.machine.run(["journalctl", "-u", "proxyxai", "-o", "cat", "--no-pager"]).stdout

    def curl(self, url, *arguments):
        done = subprocess.run(self.machine.in_network(["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", url,
                                                       "-H", f"Authorization: Bearer {self.key}", *arguments]), capture_output=True, text=True)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def is_ready(self):
        return self.curl("http://127.0.0.1:3444/readyz")[0] == 200

    def ensure(self):
        """Back to what each test starts from."""
        self.machine.run(["systemctl", "disable", "--now", "proxyxai.socket", "proxyxai-operations.socket"], check=False)
        self.machine.run(["systemctl", "reset-failed"], check=False)
        self.set()
        wait_for(self.is_ready, what="readiness")

    def end(self):
        if self.mock is not None:
            self.mock.kill()
            self.mock.wait()


@pytest.fixture(scope="module")
def installed_service(machine, tmp_path_factory):
    made = Service(machine, tmp_path_factory.mktemp("service"))
    yield made
    made.end()


@pytest.fixture
def service(installed_service):
    installed_service.ensure()
    return installed_service


def state(machine, unit):
    return tuple(machine.run(["systemctl", question, unit], check=False).stdout.strip() for question in ("is-enabled", "is-active"))


def test_installation_starts_the_service_and_the_timer(service, machine):
    assert state(machine, "proxyxai.service") == ("enabled", "active")
    assert state(machine, "proxyxai-backup.timer") == ("enabled", "active")
    assert state(machine, "proxyxai.socket") == ("disabled", "inactive")


def test_root_key_is_where_the_installation_says(service, machine):
    command = re.search(r"^  (journalctl .*)$", service.told, re.M)[1]
    assert f"export ROOT_KEY={service.key}" in machine.run(["sh", "-c", command]).stdout


def test_a_call_goes_through_the_sandbox(service):
    body = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    status, answer = service.curl("http://127.0.0.1:3443/v1/chat/completions", "-H", "Content-Type: application/json", "-d", json.dumps(body))
    assert status == 200 and answer.endswith("data: [DONE]\n\n")
    wait_for(lambda: "/v1/chat/completions" in service.journal(), what="its line in the access log")
    metrics = service.curl("http://127.0.0.1:3444/metrics")[1]
    assert float(re.search(r"^process_resident_memory_bytes (\S+)", metrics, re.M)[1]) > 1e6


def test_sandbox_is_in_force(service, machine):
    pid = service.shown("MainPID")
    status = machine.run(["cat", f"/proc/{pid}/status"]).stdout
    uid = machine.run(["id", "-u", "proxyxai"]).stdout.strip()
    for line in (f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status, (line, status)
    limits = machine.run(["cat", f"/proc/{pid}/limits"]).stdout
    # Where this machine may not give more (no CAP_SYS_RESOURCE), it is what there is.
    allowed = {65536, min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])}
    assert service.shown("LimitNOFILE") == "65536" and int(re.search(r"^Max open files +(\d+) ", limits, re.M)[1]) in allowed
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
    mounts = {fields[4]: fields[5] for fields in (line.split() for line in machine.run(["cat", f"/proc/{pid}/mountinfo"]).stdout.splitlines())}
    assert mounts["/"].startswith("ro") and mounts["/var/lib/proxyxai"].startswith("rw")
    # As the daemon sees it: its own directory can be written, others cannot.
    inside = ["nsenter", "-t", pid, "--mount", "--wd=/", "sh", "-c"]
    assert machine.run([*inside, "touch /var/lib/proxyxai/x && rm /var/lib/proxyxai/x"]).returncode == 0
    for place in ("/etc/x", "/usr/x", "/var/lib/x", "/root/x", "/home/x"):
        assert machine.run([*inside, f"touch {place}"], check=False).returncode != 0, place


def test_reload_reads_again_and_restarts_nothing(service):
    pid, before = service.shown("MainPID"), service.journal().count("SIGHUP")
    service.control("reload")
    wait_for(lambda: service.journal().count("SIGHUP") == before + 1, what="the reload")
    assert service.shown("MainPID") == pid and service.is_ready()


def test_stopping_is_a_success(service):
    service.control("stop")
    assert (service.shown("ActiveState"), service.shown("Result"), service.shown("ExecMainStatus")) == ("inactive", "success", "0")


def test_killed_it_comes_back(service):
    pid = service.shown("MainPID")
    service.machine.run(["sh", "-c", f"kill -KILL {pid}"])
    wait_for(lambda: service.shown("MainPID") not in (pid, "0") and service.is_ready(), what="the restart")
    assert service.shown("NRestarts") == "1"


def test_wrong_settings_are_told_and_not_tried_again(service):
    service.set(PORT="many")
    wait_for(lambda: service.shown("ActiveState") == "failed", what="the end")
    assert (service.shown("ExecMainStatus"), service.shown("NRestarts")) == ("2", "0")
    assert "PORT = 'many' (environment)" in service.journal()


def test_backup_is_sound_and_the_last_seven_stay(service, machine):
    directory = service.root / "var/lib/proxyxai/backups"
    machine.run(["rm", "-rf", "/var/lib/proxyxai/backups"])
    machine.run(["install", "-d", "-m", "700", "-o", "proxyxai", "-g", "proxyxai", "/var/lib/proxyxai/backups"])
    for day in range(1, 10):
        machine.run(["runuser", "-u", "proxyxai", "--", "touch", f"/var/lib/proxyxai/backups/proxyxai-202001{day:02}T000000Z.db"])
    machine.run(["runuser", "-u", "proxyxai", "--", "touch", "/var/lib/proxyxai/backups/new"])
    machine.run(["systemctl", "start", "proxyxai-backup"])
    assert service.shown("Result", "proxyxai-backup.service") == "success" and service.shown("ActiveState") == "active"
    *old, newest = sorted(each.name for each in directory.iterdir())
    assert old == [f"proxyxai-202001{day:02}T000000Z.db" for day in range(4, 10)]
    assert newest > "proxyxai-2026" and newest.endswith("Z.db")
    assert machine.run(["stat", "-c", "%U %a", f"/var/lib/proxyxai/backups/{newest}"]).stdout.strip() == "proxyxai 600"
    machine.run(["rm", "-rf", "/root/copy"])
    machine.run(["install", "-D", "-m", "600", f"/var/lib/proxyxai/backups/{newest}", "/root/copy/proxyxai.db"])
    assert machine.run(["env", "DATA_DIR=/root/copy", "proxyxai", "check"]).stdout == "the database is sound\n"


def test_failed_backup_is_told_and_costs_no_old_one(service, machine):
    machine.run(["rm", "-rf", "/var/lib/proxyxai/backups"])
    machine.run(["install", "-d", "-m", "500", "-o", "proxyxai", "-g", "proxyxai", "/var/lib/proxyxai/backups"])
    machine.run(["touch", "/var/lib/proxyxai/backups/proxyxai-20200101T000000Z.db"])
    done = machine.run(["systemctl", "start", "proxyxai-backup"], check=False)
    assert done.returncode != 0 and service.shown("Result", "proxyxai-backup.service") == "exit-code"
    assert machine.run(["ls", "/var/lib/proxyxai/backups"]).stdout.split() == ["proxyxai-20200101T000000Z.db"]
    machine.run(["rm", "-rf", "/var/lib/proxyxai/backups"])


def test_backup_comes_daily_and_is_caught_up(service, machine):
    assert service.shown("Persistent", "proxyxai-backup.timer") == "yes"
    due = service.shown("NextElapseUSecRealtime", "proxyxai-backup.timer")
    when = int(machine.run(["date", "-d", due, "+%s"]).stdout)
    assert 0 < when - time.time() <= 25 * 3600


def manual_example(title):
    """The commands below a title of the manual page."""
    text = test_manual.page().split(f"{title}\n\n")[1].split("\n\n")[0]
    return [" ".join(line.split()) for line in text.replace("\\\n", "").splitlines()]


def test_examples_of_the_manual_work_as_they_stand(service, machine):
    commands = manual_example("With the Debian package, as root; the service's user and settings:")
    assert len(commands) == 5
    (service.root / "root/keys.txt").write_text("sk-upstream-key-000002\n")
    told = {command: machine.run(["sh", "-c", f"cd /root && {command}"]).stdout for command in commands}
    stored = [output for command, output in told.items() if "keys add" in command]
    assert stored == ["1 upstream keys stored, 0 were there already; a running daemon takes them at SIGHUP\n"]
    service.control("reload")
    wait_for(lambda: len(json.loads(service.curl("http://127.0.0.1:3443/x-keys")[1])) == 2, what="the second key")


def restarts_under_clients(service, tmp_path, restarts):
    """What a client sees that connects anew all the time: [good, bad...]."""
    stop = tmp_path / "stop"
    good = tmp_path / "stop.good"

    def answered(more):
        start = int(good.read_text() or 0) if good.exists() else 0
        wait_for(lambda: good.exists() and int(good.read_text() or 0) >= start + more, what="answers")

    client = subprocess.Popen(service.machine.in_network([sys.executable, "-c", CLIENT, service.key, stop]), stdout=subprocess.PIPE, text=True)
    try:
        answered(5)
        for _ in range(restarts):
            service.control("restart")
            answered(5)
    finally:
        stop.touch()
        out = client.communicate(timeout=60)[0].split()
    return int(out[0]), out[1:]


def enable_sockets(service):
    """As the manual says it."""
    for command in manual_example("Let systemd hold the ports, so that a restart refuses no connection:"):
        service.machine.run(["sh", "-c", command])
    wait_for(service.is_ready, what="readiness")


def test_with_sockets_no_restart_refuses_a_connection(service, tmp_path):
    enable_sockets(service)
    good, bad = restarts_under_clients(service, tmp_path, 3)
    print(good, "answers")
    assert good >= 20 and bad == []
    assert service.shown("NRestarts") == "0"


def test_without_sockets_restarts_do_refuse(service, tmp_path):
    """Or the test above could not fail."""
    _, bad = restarts_under_clients(service, tmp_path, 3)
    assert "ConnectionRefusedError" in bad


def test_a_connection_starts_a_stopped_service(service):
    enable_sockets(service)
    service.control("stop")
    assert service.curl("http://127.0.0.1:3443/x-keys")[0] == 200
    service.control("stop")
    assert service.curl("http://127.0.0.1:3444/healthz")[0] == 200


@pytest.mark.parametrize("has_sockets", [False, True])
def test_after_a_power_failure_the_machine_comes_up_serving(service, machine, has_sockets):
    if has_sockets:
        enable_sockets(service)
    machine.cut_power()
    machine.boot()
    service.start_mock()
    wait_for(service.is_ready, what="readiness")
    assert service.curl("http://127.0.0.1:3443/x-keys")[0] == 200
    assert state(machine, "proxyxai.socket") == (("enabled", "active") if has_sockets else ("disabled", "inactive"))
    assert machine.run(["runuser", "-u", "proxyxai", "--", "proxyxai", "--config", "/etc/proxyxai/proxyxai.json", "check"]).stdout == "the database is sound\n"


def test_upgrade_restarts_and_what_is_disabled_stays_so(service, machine, deb, tmp_path):
    pid = service.shown("MainPID")
    machine.run(["systemctl", "disable", "--now", "proxyxai-backup.timer"])
    shutil.copy(rebuilt(deb, tmp_path, "99.0"), service.root / "root/later.deb")
    machine.run(["dpkg", "--force-confold", "-i", "/root/later.deb"])
    wait_for(service.is_ready, what="readiness")
    assert service.shown("MainPID") not in (pid, "0")
    assert state(machine, "proxyxai-backup.timer") == ("disabled", "inactive")
    assert service.curl("http://127.0.0.1:3443/x-keys")[0] == 200
    machine.run(["systemctl", "enable", "--now", "proxyxai-backup.timer"])
    machine.run(["dpkg", "--force-confold", "-i", "/root/proxyxai.deb"])


def test_removal_stops_it_and_it_comes_back_with_its_data(service, machine):
    machine.run(["dpkg", "-r", "proxyxai"])
    assert machine.run(["systemctl", "is-active", "proxyxai.service", "proxyxai-backup.timer"], check=False).stdout.split() == ["inactive", "inactive"]
    assert not machine.run(["pidof", "proxyxai"], check=False).stdout.strip()
    machine.run(["dpkg", "-i", "/root/proxyxai.deb"])
    wait_for(service.is_ready, what="readiness")
    assert service.curl("http://127.0.0.1:3443/x-keys")[0] == 200
