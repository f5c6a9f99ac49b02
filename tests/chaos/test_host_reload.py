"""Files that are not what they should be when SIGHUP has them read again: what was there before stays, and the log says why."""
import contextlib
import json
import signal
import ssl
import subprocess
import time
import uuid

import pytest

from processes import SLOW, Gateway, Process, request, wait_for

PRICES = {"models": {"gpt-4o-mini": {"input": 1000, "output": 1000}}}


def reload(gateway):
    """Returns when it has read everything again."""
    seen = gateway.text().count("upstream keys from the database")
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.text().count("upstream keys from the database") > seen, 20 * SLOW, "SIGHUP")


def price_of_one(account):
    before = account.balance()
    assert account.chat(headers={"x-mock-usage": '{"input":100,"output":100}'})[0] == 200
    return before - account.balance()


@pytest.mark.parametrize("broken", ["", "{", '{"models":{"gpt-4o-mini":{"input":-1,"output":1}}}', "[]", None,
                                    "a directory"],
                         ids=["empty", "half written", "negative", "no object", "gone", "a directory"])
def test_broken_prices_leave_the_old_ones(start, mock, tmp_path, broken):
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(PRICES))
    gateway = start(PRICES_FILE=file, USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(100)
    price = price_of_one(account)
    assert price == 200 * 1000 * 1000
    file.unlink()
    if broken == "a directory":
        file.mkdir()
    elif broken is not None:
        file.write_text(broken)
    reload(gateway)
    assert price_of_one(account) == price
    # Of a file that is not there the settings know already.
    assert "the old prices stay" in gateway.text() or "the old settings stay" in gateway.text(), gateway.text()
    with contextlib.suppress(FileNotFoundError):
        file.rmdir() if file.is_dir() else file.unlink()
    file.write_text(json.dumps({"models": {"gpt-4o-mini": {"input": 2000, "output": 2000}}}))
    reload(gateway)
    assert price_of_one(account) == 2 * price


def test_how_many_prices_are_ones_own_is_said(start, mock, tmp_path):
    """A file that was emptied by mistake is valid JSON, and what it priced costs what is built in: a warning says so."""
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(PRICES))
    gateway = start(PRICES_FILE=file)
    assert " info prices: " in gateway.text() and f" {len(PRICES['models'])} of them from PRICES_FILE '{file}'" in gateway.text()
    file.write_text("{}")
    reload(gateway)
    assert f" 0 of them from PRICES_FILE '{file}'" in gateway.text() and " warning prices: " in gateway.text()


def make_certificate(folder, name):
    """A certificate for localhost and its key, as PEM."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
               "-addext", "subjectAltName=DNS:localhost", "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / f"{name}.crt").read_text(), (folder / f"{name}.key").read_text()


def shown_certificate(gateway):
    return ssl.get_server_certificate(("127.0.0.1", gateway.port)).strip()


@pytest.mark.parametrize("broken", ["half a certificate", "no key", "another's key", "empty", "unreadable"])
def test_a_broken_certificate_leaves_the_old_one(start, mock, tmp_path, broken):
    """Under connections that stand, and new ones; when the file is whole, the new one is used."""
    (old, old_key), (new, new_key) = make_certificate(tmp_path, "old"), make_certificate(tmp_path, "new")
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_text(old)
    key.write_text(old_key)
    gateway = start(TLS_CERT=certificate, TLS_KEY=key)
    contexts = [ssl.create_default_context(cadata=each) for each in (old, new)]

    def serves(context):
        return request(gateway.port, "GET", "/v1/models", headers={"Authorization": f"Bearer {gateway.root}"}, tls=context)[0] == 200

    assert serves(contexts[0])
    if broken == "half a certificate":
        certificate.write_text(new[: len(new) // 2])
    elif broken == "no key":
        certificate.write_text(new)
        key.unlink()
    elif broken == "another's key":
        certificate.write_text(new)
    elif broken == "empty":
        certificate.write_text("")
    else:
        certificate.unlink()
        certificate.mkdir()
    reload(gateway)
    assert "the old certificate stays" in gateway.text(), gateway.text()
    assert shown_certificate(gateway) == old.strip() and serves(contexts[0])
    if certificate.is_dir():
        certificate.rmdir()
    certificate.write_text(new)
    key.write_text(new_key)
    reload(gateway)
    assert shown_certificate(gateway) == new.strip() and serves(contexts[1])


class SettledProcess(Process):
    """With a file of settings beside its log."""

    def __init__(self, command, environment, log):
        super().__init__([*command, "--config", str(log.with_name("proxyxai.json"))], environment, log)


class SettledGateway(Gateway, SettledProcess):
    pass


@pytest.mark.parametrize("broken", ["", '{"log_level":"er', '{"log_level":"loud"}', '{"log_levels":"error"}', None],
                         ids=["empty", "half written", "no such level", "no such setting", "gone"])
def test_broken_settings_leave_the_old_ones(start, mock, tmp_path, calm, broken):
    folder = tmp_path / "gateway0"
    folder.mkdir()
    file = folder / "proxyxai.json"
    file.write_text('{"log_level":"info"}')
    gateway = start(SettledGateway)
    before = calm(gateway)
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    reload(gateway)
    assert "the old settings stay" in gateway.text(), gateway.text()
    before.require_calm()
    file.write_text('{"log_level":"error"}')
    assert not is_silent(gateway)
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: is_silent(gateway), 20 * SLOW, "the log's new level")


def is_silent(gateway):
    """Of a request nothing is told any more; lines are handed over each 100 ms."""
    # The mock names an answer after its request: each is another.
    _, headers, _ = gateway.chat(uuid.uuid4().hex)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        if headers["x-request-id"] in gateway.text():
            return False
        time.sleep(0.02)
    return True
