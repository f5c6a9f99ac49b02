"""The deployment of docker-compose.yml, as it is started, used, backed up, secured and stopped."""
import json
import os
import pathlib
import re
import resource
import subprocess

import pytest
from deployment import DOMAIN
from processes import wait_for
from root import PROJECT

NAMES = {"api": None, "usage": "billing", "sub": "user", "admin": "admin", "": "docs", "www": "docs", "docs": "docs"}


def status(pid):
    lines = (line.partition(":") for line in open(f"/proc/{pid}/status"))
    return {name: value.strip() for name, _, value in lines}


@pytest.fixture
def daemon(deployed):
    """The daemon's service, healthy."""
    container = deployed.running("proxyxai")
    container.wait_until_healthy()
    return container


@pytest.fixture
def nginx(deployed, daemon):
    container = deployed.running("nginx")
    container.wait_until_healthy()
    return container


# The daemon


def test_daemon_is_the_first_process_of_nobody_with_no_power(daemon):
    shown = status(daemon.pid)
    assert shown["NSpid"].split()[-1] == "1"
    assert set(shown["Uid"].split()) == set(shown["Gid"].split()) == {"10001"} and shown["Groups"] == ""
    assert {int(shown[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")} == {0}
    assert shown["NoNewPrivs"] == "1"


def test_daemon_has_the_limits_of_the_file(daemon):
    limits = {line[:26].strip(): line[26:].split()[:2] for line in open(f"/proc/{daemon.pid}/limits")}
    wanted = {kind: [str(value)] * 2 for kind, value in daemon.limits()}
    assert limits["Max open files"] == wanted[resource.RLIMIT_NOFILE] and limits["Max core file size"] == wanted[resource.RLIMIT_CORE] == ["0", "0"]
    # Where the machine lends control groups: the daemon is in them, and they hold what the file says.
    mine = open(f"/proc/{daemon.pid}/cgroup").read()
    for kind, path in daemon.groups.limits.items():
        assert path.parent.name in mine, mine
        if kind == "memory":
            assert int(path.read_text()) == 1200 * 1024**2
    if not daemon.groups.limits:
        pytest.skip("this machine lends no control groups: limits of memory and processors are not tried")


def test_only_data_can_be_written(daemon):
    for place in ("/", "/usr/local/bin", "/etc", "/tmp", "/var/tmp", "/backups", "/home", "/run"):
        code, said = daemon.exec(["touch", f"{place}/x"])
        assert code == 1 and re.search("Read-only file system|Permission denied", said), (place, said)
    assert daemon.exec(["touch", "/data/x"])[0] == 0 and daemon.exec(["rm", "/data/x"])[0] == 0
    # Read-only for root as well, not by who owns what.
    mounts = open(f"/proc/{daemon.pid}/mountinfo").read()
    assert re.search(r" / / ro[, ]| \S+ / ro[, ]", mounts), mounts


def test_data_directory_is_of_the_daemon_alone(deployed, daemon):
    data = deployed.volumes["data"]
    assert (data.stat().st_uid, data.stat().st_mode & 0o777) == (10001, 0o700)
    for file in data.iterdir():
        assert file.stat().st_uid == 10001 and file.stat().st_mode & 0o077 == 0, file


def test_health_check_tells_the_truth(deployed, daemon):
    assert daemon.check_health()[0] == 0
    # Where no daemon runs.
    assert deployed.run("proxyxai", "health", ADMIN_LISTEN="127.0.0.1:1")[0] == 1


def test_commands_are_given_behind_the_image(deployed, daemon):
    """`docker run IMAGE check`: the program's own commands."""
    for command, told in (("--version", "proxyxai 0.1.0"), ("check", "the database is sound"), ("config", "DATA_DIR")):
        code, said = deployed.run("proxyxai", command)
        assert code == 0 and told in said, said


def test_request_is_answered_on_3443(deployed, daemon):
    code, body = deployed.chat(f"http://{deployed.addresses['proxyxai']}:3443")
    assert code == 200 and json.loads(body)["choices"][0]["message"]["content"].startswith("word0")


def test_operations_stay_on_the_containers_loopback(deployed, daemon):
    done = subprocess.run(deployed.networks["nginx"].enter(["curl", "-s", "--max-time", "5", f"http://{deployed.addresses['proxyxai']}:3444/metrics"]))
    assert done.returncode == 7


def test_operations_can_be_opened_to_the_network(deployed, daemon):
    """For a Prometheus beside it; the health check goes on asking."""
    deployed.up("proxyxai", ADMIN_LISTEN="0.0.0.0:3444").wait_until_healthy()
    code, body = deployed.get(f"http://{deployed.addresses['proxyxai']}:3444/metrics")
    assert code == 200 and "proxyxai_build_info" in body


def test_large_bodies_need_no_other_place(deployed, daemon):
    """A body beyond memory goes to a file in /data, for nothing else can be written."""
    container = deployed.up("proxyxai", BODY_MEMORY_BYTES="1M")
    container.wait_until_healthy()
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 3_000_000}]})
    (deployed.directory / "body.json").write_text(body)
    code, said = deployed.get(f"http://{deployed.addresses['proxyxai']}:3443/v1/chat/completions", "-H", f"Authorization: Bearer {deployed.root_key}",
                              "-H", "Content-Type: application/json", "-d", f"@{deployed.directory / 'body.json'}")
    assert code == 200, said


def test_daemon_ends_with_0_within_the_grace(deployed, daemon):
    code, seconds = deployed.down("proxyxai")
    assert code == 0 and seconds < 45


# nginx


def test_nginx_serves_all_names(deployed, nginx):
    for name, page in NAMES.items():
        code, body = deployed.by_name(name, "/" if page else "/v1/models")
        if page:
            assert code == 200 and body == (PROJECT / "pages" / page / "index.html").read_text(), name
        else:
            assert code == 401 and json.loads(body)["error"], body
    assert deployed.chat(f"http://api.{DOMAIN}", "--resolve", f"api.{DOMAIN}:80:127.0.0.1")[0] == 200


def test_nginx_has_few_powers_and_its_workers_none(nginx):
    def names(bits):
        return subprocess.run(["capsh", f"--decode={bits}"], capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]

    master = status(nginx.pid)
    assert set(names(master["CapBnd"]).split(",")) == {"cap_chown", "cap_setgid", "cap_setuid", "cap_net_bind_service"}
    assert master["NoNewPrivs"] == "1"
    workers = open(f"/proc/{nginx.pid}/task/{nginx.pid}/children").read().split()
    assert workers
    for pid in workers:
        shown = status(pid)
        assert shown["Uid"].split()[0] != "0" and int(shown["CapEff"], 16) == 0


def test_what_root_gives_to_the_workers_stays_where_it_is(nginx):
    """A worker that could put a link in the place of a directory of its own would be given what the link names, at the next reload."""
    memory = pathlib.Path(f"/proc/{nginx.pid}/root/tmp")
    given = [each for each in memory.rglob("*") if each.stat().st_uid != 0]
    assert len(given) >= 5
    for each in given:
        above = each.parent.stat()
        assert above.st_uid == 0 and above.st_mode & 0o022 == 0, each


def test_nginx_writes_only_to_memory(nginx):
    mounts = open(f"/proc/{nginx.pid}/mountinfo").read()
    assert re.search(r" / ro[, ]", mounts) and " /tmp rw" in mounts
    code, said = nginx.exec(["touch", "/etc/nginx/x"])
    assert code == 1 and "Read-only file system" in said


def test_client_is_known_through_nginx_and_not_by_its_own_word(deployed, nginx, daemon):
    """The daemon believes the address of nginx alone: not what a client says, nor another on the same network."""
    def seen(where):
        lines = [line for line in daemon.log().splitlines() if where in line]
        return re.search(r"client=(\S+)", lines[-1])[1] if lines else None

    forged = ["-H", "X-Forwarded-For: 198.51.100.7"]
    # A client whom nginx sees at an address of its own.
    deployed.by_name("api", "/v1/models/through-nginx", "-H", f"Authorization: Bearer {deployed.root_key}", *forged)
    assert wait_for(lambda: seen("/v1/models/through-nginx"), what="the line of the log") == "127.0.0.1"
    # The gateway of the network: whoever comes through the published port.
    deployed.get(f"http://{deployed.addresses['proxyxai']}:3443/v1/models/past-nginx", "-H", f"Authorization: Bearer {deployed.root_key}",
                 "--interface", deployed.stranger, *forged)
    assert wait_for(lambda: seen("/v1/models/past-nginx"), what="the line of the log") == deployed.stranger


def test_configuration_has_no_fault(nginx):
    code, said = nginx.exec(["nginx", "-t"])
    assert code == 0 and "warn" not in said and "emerg" not in said, said


def test_console_can_be_kept_to_some(deployed, nginx):
    container = deployed.up("nginx", ADMIN_ALLOW="192.0.2.0/24, 203.0.113.7")
    container.wait_until_healthy()
    assert deployed.by_name("admin")[0] == 403 and deployed.by_name("usage")[0] == 200
    container = deployed.up("nginx", ADMIN_ALLOW="127.0.0.0/8")
    container.wait_until_healthy()
    assert deployed.by_name("admin")[0] == 200


def test_files_of_the_operator_win(deployed, nginx):
    own = deployed.volumes["/etc/proxyxai/nginx"]
    (own / "admin.conf").write_text("return 418;\n")
    deployed.up("nginx").wait_until_healthy()
    assert deployed.by_name("admin")[0] == 418
    (own / "admin.conf").unlink()
    deployed.up("nginx").wait_until_healthy()
    assert deployed.by_name("admin")[0] == 200


def test_with_a_certificate_everything_is_tls(deployed, nginx):
    assert "without TLS" in nginx.log()
    acme = deployed.volumes["/var/www/acme"] / ".well-known" / "acme-challenge"
    acme.mkdir(parents=True)
    (acme / "question").write_text("answer")
    # The authority asks before there is a certificate, and again for each new one.
    for name in NAMES:
        assert deployed.by_name(name, "/.well-known/acme-challenge/question") == (200, "answer"), name
    deployed.obtain_certificate()
    container = deployed.up("nginx")
    container.wait_until_healthy()
    for name, page in NAMES.items():
        code, body = deployed.by_name(name, "/" if page else "/v1/models", scheme="https")
        assert code == (200 if page else 401), (name, body)
        assert deployed.by_name(name, "/a?b=c")[0] == (301 if page else 403)
        assert deployed.by_name(name, "/.well-known/acme-challenge/question") == (200, "answer")
    headers = deployed.by_name("usage", "/", "-D", "-", "-o", "/dev/null", scheme="https")[1]
    assert "HTTP/2 200" in headers and "strict-transport-security: max-age=31536000" in headers
    assert deployed.chat(f"https://api.{DOMAIN}", "--resolve", f"api.{DOMAIN}:443:127.0.0.1", "--cacert",
                         deployed.certificates / "live" / DOMAIN / "fullchain.pem")[0] == 200
    code, said = container.exec(["nginx", "-t"])
    assert code == 0 and "warn" not in said, said


def test_renewed_certificate_is_taken_without_a_break(deployed, nginx):
    """What certbot's hook does: nginx -s reload."""
    live = deployed.certificates / "live" / DOMAIN
    if not live.exists():
        deployed.obtain_certificate()
    deployed.up("nginx").wait_until_healthy()

    def serial():
        shown = deployed.networks["nginx"].run(["sh", "-c", f"openssl s_client -connect 127.0.0.1:443 -servername usage.{DOMAIN} </dev/null 2>/dev/null | openssl x509 -noout -serial"])
        return shown.stdout

    before = serial()
    for file in live.iterdir():
        file.unlink()
    live.rmdir()
    deployed.obtain_certificate()
    assert serial() == before
    assert deployed.started["nginx"].exec(["nginx", "-s", "reload"])[0] == 0
    wait_for(lambda: serial() != before, what="the new certificate")


def test_nginx_ends_after_its_requests(deployed, nginx):
    code, seconds = deployed.down("nginx")
    assert code == 0 and seconds < 45


# The backup


def test_backups_are_made_kept_and_sound(deployed, daemon):
    backup = deployed.up("backup")
    directory = deployed.volumes["backups"]

    def names():
        return sorted(path.name for path in directory.glob("proxyxai-*.db")) if directory.exists() else []

    wait_for(names, what="the first copy")
    assert backup.check_health()[0] == 0, backup.log()
    first = names()[0]
    # Two are kept (BACKUP_KEEP): the first goes when the third has come.
    wait_for(lambda: len(names()) == 2 and first not in names(), 60, f"the third copy: {names()} {backup.log()}")
    assert all(re.fullmatch(r"proxyxai-\d{8}T\d{6}Z\.db", name) for name in names())
    newest = directory / names()[-1]
    assert newest.stat().st_mode & 0o777 == 0o600 and newest.stat().st_uid == 10001
    code, seconds = deployed.down("backup")
    assert code == 0 and seconds < 5
    # A copy that stands alone is whole.
    restored = deployed.directory / "restored"
    restored.mkdir()
    os.chown(restored, 10001, 10001)
    subprocess.run(["cp", "-p", newest, restored / "proxyxai.db"], check=True)
    kept, deployed.volumes["data"] = deployed.volumes["data"], restored
    try:
        code, said = deployed.run("proxyxai", "check")
        assert code == 0 and "the database is sound" in said, said
    finally:
        deployed.volumes["data"] = kept


def test_backup_is_restored_by_a_command(deployed, daemon):
    """docker-compose stop proxyxai; docker-compose run --rm proxyxai restore /backups/NAME; docker-compose up -d."""
    def accounts():
        code, body = deployed.get(f"http://{deployed.addresses['proxyxai']}:3443/x-users", "-H", f"Authorization: Bearer {deployed.root_key}")
        assert code == 200, body
        return body

    def make(name):
        code, body = deployed.get(f"http://{deployed.addresses['proxyxai']}:3443/x-users", "-H", f"Authorization: Bearer {deployed.root_key}", "-H",
                                  "Content-Type: application/json", "-d", json.dumps({"Name": name, "Email": f"{name}@example.com", "CreditGranted": 5}))
        assert code == 200, body

    make("before")
    subprocess.run(["rm", "-rf", deployed.volumes["backups"]], check=True)
    deployed.up("backup", BACKUP_INTERVAL="3600")
    (copy,) = wait_for(lambda: list(deployed.volumes["backups"].glob("proxyxai-*.db")), what="a copy")
    deployed.down("backup")
    make("afterwards")
    assert "afterwards" in accounts()
    deployed.down("proxyxai")
    code, said = deployed.run("proxyxai", "restore", f"/backups/{copy.name}")
    assert code == 0, said
    deployed.up("proxyxai").wait_until_healthy()
    assert "before" in accounts() and "afterwards" not in accounts()
    assert deployed.chat(f"http://{deployed.addresses['proxyxai']}:3443")[0] == 200


def test_backup_reaches_nobody_and_changes_nothing(deployed, daemon):
    backup = deployed.up("backup")
    code, said = backup.exec(["touch", "/data/x"])
    assert code == 1 and "Read-only file system" in said
    assert int(status(backup.pid)["CapBnd"], 16) == 0
    deployed.down("backup")


def test_backup_says_when_there_is_none(deployed, daemon):
    """Not healthy before the first copy, nor when the newest is old; and it says why."""
    subprocess.run(["rm", "-rf", deployed.volumes["backups"]], check=True)
    backup = deployed.up("backup", DATA_DIR="/nowhere")
    wait_for(lambda: "no copy was made" in backup.log(), what="the complaint")
    assert backup.check_health()[0] == 1 and "/nowhere" in backup.log()
    code, seconds = deployed.down("backup")
    assert code == 0 and seconds < 5
    backup = deployed.up("backup")
    wait_for(lambda: list(deployed.volumes["backups"].glob("*.db")), what="a copy")
    assert backup.check_health()[0] == 0
    deployed.down("backup")
    for each in deployed.volumes["backups"].glob("*.db"):
        os.utime(each, (0, 0))
    backup = deployed.up("backup", BACKUP_INTERVAL="9999999999")
    assert backup.exec(["env", "BACKUP_INTERVAL=60", "proxyxai-backups", "healthy"])[0] == 1
    deployed.down("backup")
