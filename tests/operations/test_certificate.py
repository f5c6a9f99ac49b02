"""Another certificate under load: new connections see it, those that are open go on, and a broken file changes nothing."""
import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest
from clients import Crowd
from document import block
from processes import request, wait_for
from web import make_certificate


@pytest.fixture
def pairs(tmp_path):
    """Two certificates with their keys, as files."""
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        made.append(make_certificate(tmp_path / name))
    return made


@pytest.fixture
def served(start, pairs, tmp_path):
    """A gateway that speaks TLS with the first."""
    files = tmp_path / "served.pem", tmp_path / "served.key"
    put(pairs[0], files)
    gateway = start(TLS_CERT=files[0], TLS_KEY=files[1])
    gateway.files = files
    return gateway


def put(pair, files):
    """As certbot's deploy hook and everybody who cares does: each file whole, by renaming."""
    for source, target in zip(pair, files):
        shutil.copy(source, f"{target}.new")
        (target.parent / f"{target.name}.new").rename(target)


def trusting(pair):
    return ssl.create_default_context(cafile=str(pair[0]))


def shown(gateway):
    """The certificate that a new connection sees."""
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as raw, context.wrap_socket(raw, server_hostname="api.proxyxai.test") as tls:
        return ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True))


def reload(gateway, says):
    before = gateway.text().count(says)
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.text().count(says) > before, what=f"'{says}' in the log")


def test_a_new_certificate_under_load(served, pairs):
    first, second = pairs
    # Whoever connected before trusts the first only: were a connection of theirs broken, they could make no other.
    before = Crowd(served.port, [served.root], 30, tls=trusting(first), hostname="api.proxyxai.test")
    after = None
    try:
        before.wait_for_answers(20)
        assert shown(served).split() == first[0].read_text().split()
        put(second, served.files)
        reload(served, "read 2 upstream keys")
        assert shown(served).split() == second[0].read_text().split()
        after = Crowd(served.port, [served.root], 30, tls=trusting(second), hostname="api.proxyxai.test")
        before.wait_for_answers(20)
        after.wait_for_answers(20)
    finally:
        for each in (before, after):
            if each:
                each.stop()
    for each in (before, after):
        each.require_no_failure()


@pytest.mark.parametrize("fault", ["garbage", "missing", "another key"])
def test_a_broken_file_leaves_the_old_one(served, pairs, fault):
    first, second = pairs
    crowd = Crowd(served.port, [served.root], 10, tls=trusting(first), hostname="api.proxyxai.test")
    try:
        crowd.wait_for_answers(5)
        if fault == "garbage":
            served.files[0].write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
        elif fault == "missing":
            served.files[0].unlink()
        else:
            put((second[0], first[1]), served.files)
        reload(served, "the old certificate stays: ")
        assert shown(served).split() == first[0].read_text().split()
        crowd.wait_for_answers(5)
        put(second, served.files)
        reload(served, "read 2 upstream keys")
        assert shown(served).split() == second[0].read_text().split()
        crowd.wait_for_answers(5)
    finally:
        crowd.stop()
    crowd.require_no_failure()


def test_nginx_takes_a_new_certificate_at_reload(start, nginx, pairs):
    gateway = start()
    front = nginx(gateway)
    shows = lambda: ssl.get_server_certificate(("127.0.0.1", front.tls_port)).split()  # noqa: E731
    assert shows() == front.certificate.read_text().split()
    put(pairs[1], (front.certificate, front.key))
    front.process.process.send_signal(signal.SIGHUP)
    wait_for(lambda: shows() == pairs[1][0].read_text().split(), what="nginx's new certificate")
    name = {"Host": "api.proxyxai.test", "Authorization": f"Bearer {gateway.root}"}
    assert request(front.tls_port, "GET", "/v1/models", headers=name, tls=ssl._create_unverified_context())[0] == 200


def test_certbots_hook_of_the_document(served, pairs, tmp_path):
    """As certbot calls it; `systemctl reload` is what the unit makes of it, SIGHUP."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "systemctl").write_text(f"#!/bin/sh\n[ \"$*\" = 'reload proxyxai' ] && kill -HUP {served.process.pid}\n")
    (programs / "systemctl").chmod(0o755)
    lineage = tmp_path / "lineage"
    lineage.mkdir()
    for source, name in zip(pairs[1], ("fullchain.pem", "privkey.pem")):
        shutil.copy(source, lineage / name)
    target = tmp_path / "etc"
    target.mkdir()
    hook = tmp_path / "hook"
    text = block("Certificates", how="hook")
    assert "-g proxyxai" in text and "/etc/proxyxai/" in text
    hook.write_text(text.replace("-g proxyxai ", "").replace("/etc/proxyxai/", f"{target}/"))
    hook.chmod(0o755)
    for file, name in zip(served.files, ("fullchain.pem", "privkey.pem")):
        file.rename(target / name)
        file.symlink_to(target / name)
    subprocess.run([str(hook)], check=True, env={"PATH": f"{programs}:{os.environ['PATH']}", "RENEWED_LINEAGE": str(lineage)})
    assert (target / "privkey.pem").stat().st_mode & 0o777 == 0o640
    wait_for(lambda: shown(served).split() == pairs[1][0].read_text().split(), what="the new certificate")
