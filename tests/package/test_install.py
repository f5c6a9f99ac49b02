"""The package in a clean Debian: installed, started as its user, upgraded, removed, purged."""
import json
import re
import shutil
import signal
import subprocess

import pytest

from processes import make_root_key, request, wait_for

CONFIG = "/etc/proxyxai/proxyxai.json"


def stat(root, path):
    return root.run(["stat", "-c", "%U:%G %a", path]).stdout.strip()


class Daemon:
    """The daemon of a root, started as the service would be, but for its ports."""

    def __init__(self, root, log, **settings):
        self.log = open(log, "w+")
        env = {"PORT": "0", "ADMIN_LISTEN": "127.0.0.1:0", "LISTEN_ADDRESS": "127.0.0.1", **settings}
        self.process = root.start(["proxyxai", "serve", "--config", CONFIG], user="proxyxai", env=env, stdout=self.log, stderr=subprocess.STDOUT)
        wait_for(lambda: self.ports() or self.process.poll() is not None, what="the daemon's start")
        assert self.process.poll() is None, self.text()
        self.port, self.admin_port = self.ports()

    def text(self):
        with open(self.log.name) as file:
            return file.read()

    def ports(self):
        found = re.search(r"listening on \S+ port (\d+), operations on \S+ port (\d+)", self.text())
        return (int(found[1]), int(found[2])) if found else None

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(40)
        self.log.close()
        return code


@pytest.fixture
def start(installed, tmp_path):
    started = []

    def begin(**settings):
        started.append(Daemon(installed, tmp_path / f"daemon{len(started)}.log", **settings))
        return started[-1]

    yield begin
    for daemon in started:
        if daemon.process.poll() is None:
            assert daemon.end() == 0


def rebuilt(deb, directory, version):
    """The same package as a later version, which has changed the settings that it comes with."""
    tree = directory / "later"
    subprocess.run(["dpkg-deb", "-R", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
    settings = tree / "etc/proxyxai/proxyxai.json"
    settings.write_text(settings.read_text().replace('"info"', '"debug"'))
    (tree / "etc/proxyxai/proxyxai.env").write_text("# What the later version says.\n")
    made = directory / "later.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(made)], check=True, stdout=subprocess.DEVNULL)
    return made


def test_user_directory_and_modes(installed):
    entry = installed.run(["getent", "passwd", "proxyxai"]).stdout.strip().split(":")
    assert 100 <= int(entry[2]) < 1000 and entry[5] == "/var/lib/proxyxai" and entry[6] == "/usr/sbin/nologin"
    assert stat(installed, "/var/lib/proxyxai") == "proxyxai:proxyxai 700"
    assert stat(installed, "/etc/proxyxai/proxyxai.env") == "root:proxyxai 640"
    assert stat(installed, CONFIG) == "root:root 644"


def test_installation_tells_where_the_root_key_will_be(with_package):
    assert "journalctl -u proxyxai -o cat | grep ROOT_KEY=" in with_package.told


def test_it_serves_as_its_user_and_check_is_content(installed, start):
    daemon = start()
    status = installed.run(["cat", f"/proc/{daemon.process.pid}/status"]).stdout
    uid = installed.run(["id", "-u", "proxyxai"]).stdout.strip()
    assert re.search(r"^Uid:\s+(\d+)", status, re.M)[1] == uid
    assert re.search(r"^CapEff:\s+0+$", status, re.M)
    assert request(daemon.admin_port, "GET", "/readyz")[0] == 200
    key = re.search(r"export ROOT_KEY=(\S+)", daemon.text())[1]
    assert request(daemon.port, "GET", "/x-keys", headers={"Authorization": f"Bearer {key}"})[0] == 200
    shown = installed.run(["proxyxai", "--config", CONFIG, "check"], user="proxyxai").stdout
    assert shown == "the database is sound\n"
    assert stat(installed, "/var/lib/proxyxai/proxyxai.db") == "proxyxai:proxyxai 600"
    assert stat(installed, "/var/lib/proxyxai/master.key") == "proxyxai:proxyxai 600"
    assert daemon.end() == 0


def test_another_user_reads_neither_keys_nor_data(installed, start):
    start()
    for path in ("/etc/proxyxai/proxyxai.env", "/var/lib/proxyxai/master.key", "/var/lib/proxyxai/proxyxai.db"):
        assert installed.run(["cat", path], user="nobody", check=False).returncode != 0, path


def test_same_version_again_keeps_settings_and_data(installed, start):
    root_key = make_root_key()
    start(INIT_USERS=f"root:root@example.com:{root_key}").end()
    edited = json.dumps({"port": 8080, "data_dir": "/var/lib/proxyxai", "log_level": "warn"})
    (installed.path / CONFIG[1:]).write_text(edited)
    installed.run(["dpkg", "-i", "/root/proxyxai.deb"])
    assert (installed.path / CONFIG[1:]).read_text() == edited
    daemon = start(LOG_LEVEL="info")
    assert request(daemon.port, "GET", "/x-keys", headers={"Authorization": f"Bearer {root_key}"})[0] == 200


def test_upgrade_keeps_what_was_edited_and_renews_what_was_not(installed, start, deb, tmp_path):
    root_key = make_root_key()
    start(INIT_USERS=f"root:root@example.com:{root_key}").end()
    edited = json.dumps({"data_dir": "/var/lib/proxyxai", "log_level": "warn"})
    (installed.path / CONFIG[1:]).write_text(edited)
    shutil.copy(rebuilt(deb, tmp_path, "99.0"), installed.path / "root/later.deb")
    installed.run(["dpkg", "--force-confdef", "--force-confold", "-i", "/root/later.deb"])
    assert installed.run(["dpkg-query", "-W", "-f", "${Version} ${db:Status-Abbrev}", "proxyxai"]).stdout.split() == ["99.0", "ii"]
    assert (installed.path / CONFIG[1:]).read_text() == edited
    assert (installed.path / "etc/proxyxai/proxyxai.env").read_text() == "# What the later version says.\n"
    assert stat(installed, "/etc/proxyxai/proxyxai.env") == "root:proxyxai 640"
    daemon = start(LOG_LEVEL="info")
    assert request(daemon.port, "GET", "/x-keys", headers={"Authorization": f"Bearer {root_key}"})[0] == 200


def test_mode_that_the_administrator_has_set_stays(installed):
    installed.run(["dpkg-statoverride", "--update", "--add", "root", "root", "0600", "/etc/proxyxai/proxyxai.env"])
    installed.run(["dpkg", "-i", "/root/proxyxai.deb"])
    assert stat(installed, "/etc/proxyxai/proxyxai.env") == "root:root 600"


def test_removal_and_purge_keep_the_data_and_it_can_come_back(installed, start):
    root_key = make_root_key()
    start(INIT_USERS=f"root:root@example.com:{root_key}").end()
    installed.run(["dpkg", "-r", "proxyxai"])
    assert not (installed.path / "usr/bin/proxyxai").exists()
    assert (installed.path / CONFIG[1:]).exists()
    told = installed.run(["dpkg", "-P", "proxyxai"]).stdout
    assert "/var/lib/proxyxai has accounts, balances and backups, and stays" in told
    assert not (installed.path / "etc/proxyxai").exists()
    assert (installed.path / "var/lib/proxyxai/proxyxai.db").exists()
    installed.run(["dpkg", "-i", "/root/proxyxai.deb"])
    daemon = start()
    assert request(daemon.port, "GET", "/x-keys", headers={"Authorization": f"Bearer {root_key}"})[0] == 200


def test_purge_leaves_nothing_of_a_package_that_never_ran(installed):
    told = installed.run(["dpkg", "-P", "proxyxai"]).stdout
    assert "stays" not in told
    for path in ("etc/proxyxai", "var/lib/proxyxai", "usr/share/proxyxai", "usr/lib/proxyxai", "usr/share/doc/proxyxai"):
        assert not (installed.path / path).exists(), path
