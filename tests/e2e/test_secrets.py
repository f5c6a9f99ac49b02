"""Secrets: where they must never be seen, and that nothing less than the whole of one opens anything."""
import ctypes
import datetime
import json
import os
import pathlib
import random
import resource
import signal
import socket
import string
import subprocess
import sys

import pytest

from processes import BUILD, SLOW, Gateway, make_root_key, request, wait_for
from test_mail import MAIL

POOL = [f"sk-canary-pool-{i}-Zq7Xw9Kp2Lm4" for i in range(3)]
MASTER = "canary-master-Qv8Rt3Yb6Nc1Hd5"
MAIL_PASSWORD = "canary-mail-Jf2Ws7Uz0Eo4"
PROMPT = "canary-prompt-Aa1Bb2Cc3"


def today(what):
    return {"confirm": f"{datetime.datetime.now():%Y-%m-%d}-ROTATE-{what}"}


class Quiet(Gateway):
    """A gateway that says nothing of its start at all levels; its ports are chosen before."""

    def __init__(self, directory, mock, **settings):
        with socket.socket() as first, socket.socket() as second:
            for each in (first, second):
                each.bind(("127.0.0.1", 0))
            self.chosen = first.getsockname()[1], second.getsockname()[1]
        super().__init__(directory, mock, PORT=self.chosen[0], ADMIN_LISTEN=f"127.0.0.1:{self.chosen[1]}", **settings)

    def find_ports(self):
        try:
            return self.chosen if self.ready() else None
        except OSError:
            return None

    def ready(self):
        return request(self.chosen[1], "GET", "/readyz")[0] == 200


@pytest.fixture
def quiet(mock, tmp_path):
    started = []

    def begin(**settings):
        started.append(Quiet(tmp_path / "gateway", mock, **settings))
        return started[-1]

    yield begin
    for gateway in started:
        gateway.end()


def shapes_of(secret):
    """The secret as it is, and so much of it that the rest could be guessed; but for the tail that listings show."""
    return {secret, secret[: len(secret) // 2 + 4]}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("level", ["trace", "debug", "info", "warn", "error"])
def test_canaries_are_nowhere(quiet, mock, tmp_path, level, form):
    # A mail server that is not there: what is said of its password stays in the log.
    gateway = quiet(keys=POOL, LOG_LEVEL=level, LOG_FORMAT=form, MASTER_KEY=MASTER, EMAIL_AUTH="user", EMAIL_PASS=MAIL_PASSWORD,
                    RETRY_ATTEMPTS="3", **MAIL | {"EMAIL_SMTP": "127.0.0.1", "EMAIL_PORT": "1"})
    shown, keys = [], [gateway.root]

    def call(*arguments, **more):
        status, headers, body = gateway.call(*arguments, **more)
        shown.append(json.dumps(headers) + body.decode("latin-1"))
        return status, body

    account = gateway.make_child(5)
    keys.append(account.key)
    # A new key is kept with the answer that has it, sealed.
    once = {"Name": "once", "Email": "once@example.com", "CreditGranted": 5}
    status, _, body = gateway.call("POST", "/x-users", once, headers={"Idempotency-Key": "once"})
    assert status == 200
    keys.append(json.loads(body)["User"]["SecretKey"])
    status, _, body = account.call("POST", "/x-self", today("SELF"))
    assert status == 200
    keys.append(json.loads(body)["rotate"]["key"])
    for fault in ("invalid_api_key", "insufficient_quota", "http_500", "reset_before", "redirect_302", "bad_request", "rate_limit"):
        mock.script("*", fault, times=3, retry_after_ms=1)
        call("POST", "/v1/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": PROMPT}]}, key=keys[-1])
        mock.control("DELETE", "/_mock/script")
        for key in json.loads(gateway.call("GET", "/x-keys")[2]):
            gateway.call("POST", f"/x-keys/{key['ID']}/probe")
    for key in keys:
        # Where people put them by mistake.
        call("GET", f"/v1/models/{key}?api_key={key}", key="sk-nobody")
        call("GET", f"/v1/models?key={key}", headers={"User-Agent": key, "X-Request-Id": key, "traceparent": key, "Referer": f"https://a/?k={key}"})
        call("POST", "/x-users", {"Name": key, "Email": key, "CreditGranted": key, key: key})
        call("POST", "/x-keys", {"SecretKey": key[:15], key: key})
    for path in ("/x-keys", "/x-config", "/x-stats", "/x-users", "/x-dna", "/x-requests", "/x-prices", "/dashboard/x_user/info", "/dashboard/x-user-logs"):
        assert call("GET", path)[0] == 200, path
    shown += [gateway.operations(path)[2].decode() for path in ("/metrics", "/healthz", "/readyz")]
    copy = tmp_path / "copy.db"
    for arguments in (["config"], ["check"], ["backup", str(copy)], ["--help"]):
        result = subprocess.run([str(BUILD / "proxyxai"), *arguments], env=gateway.environment, capture_output=True, text=True, timeout=60 * SLOW)
        shown.append(result.stdout + result.stderr)
    files = [copy, *(gateway.directory / "data").iterdir()]
    shown += [path.read_bytes().decode("latin-1") for path in files]
    gateway.stop()
    shown += [path.read_bytes().decode("latin-1") for path in (gateway.directory / "data").iterdir()]
    assert any("gpt-4o" in text for text in shown[-len(files):]), "the files that were searched have what was asked"
    log = gateway.text()
    assert level in ("warn", "error") or "/v1/chat/completions" in log
    for secret in (*POOL, *keys, MASTER, MAIL_PASSWORD, PROMPT):
        for shape in shapes_of(secret):
            assert shape not in log, secret
            # What the caller has sent itself comes back to it alone: `shown` has none of the bodies with new keys.
            assert not [text[:200] for text in shown if shape in text], secret


def dumps_core(process):
    """Ends it as a crash would; whether it left its memory behind."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status)
    return os.WCOREDUMP(status)


def test_a_crash_leaves_no_memory_behind(mock, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        pytest.skip("nothing can leave a core file here")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        gateway = Gateway(tmp_path / "gateway", mock)
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    limits = pathlib.Path(f"/proc/{gateway.process.pid}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [["0", "0"]]
    assert gateway.chat()[0] == 200
    assert not dumps_core(gateway.process)
    gateway.out.close()
    could = dumps_core(other)
    for core in tmp_path.glob("core*"):
        core.unlink()
    if not could:
        pytest.skip("here no process leaves a core file: the limit alone was seen")


def drop_powers():
    """Before a program of root's begins: it gets none of root's capabilities."""
    libc = ctypes.CDLL(None)
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.skipif(os.geteuid() != 0, reason="starts processes without root's powers")
def test_processes_of_the_same_user_cannot_read_its_memory(tmp_path):
    environment = {"PATH": os.environ["PATH"], "PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "ADMIN_LISTEN": "127.0.0.1:0", "DATA_DIR": str(tmp_path / "data"),
                   "INIT_USERS": f"root:root@example.com:{make_root_key()}", **{n: v for n, v in os.environ.items() if n.endswith("SAN_OPTIONS")}}
    log = tmp_path / "daemon.log"
    daemon = subprocess.Popen([BUILD / "proxyxai", "serve"], env=environment, stdout=log.open("wb"), stderr=subprocess.STDOUT, preexec_fn=drop_powers)
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, preexec_fn=drop_powers)

    def may_read(process):
        code = f"open('/proc/{process.pid}/mem', 'rb')"
        return subprocess.run([sys.executable, "-c", code], preexec_fn=drop_powers, capture_output=True, timeout=60).returncode == 0

    try:
        wait_for(lambda: "listening on" in log.read_text() or daemon.poll() is not None, 20 * SLOW, "the start")
        assert daemon.poll() is None, log.read_text()
        if not may_read(other):
            pytest.skip("here no process may read another's memory")
        assert not may_read(daemon)
    finally:
        other.kill()
        other.wait()
        daemon.terminate()
        assert daemon.wait(20 * SLOW) == 0


def test_a_key_that_differs_anywhere_is_nobodys(gateway):
    account = gateway.make_child(50)
    assert account.call("GET", "/dashboard/x-user-status")[0] == 200
    answers = set()
    for place in range(len(account.key)):
        other = random.choice([c for c in string.ascii_letters + string.digits if c != account.key[place]])
        wrong = account.key[:place] + other + account.key[place + 1:]
        status, _, body = gateway.call("GET", "/dashboard/x-user-status", key=wrong)
        assert status == 401, place
        answers.add(body)
    for wrong in (account.key[-20:], account.key.swapcase(), account.key + "%00", account.key.replace("sk-Xvs", ""), make_root_key()):
        status, _, body = gateway.call("GET", "/dashboard/x-user-status", key=wrong)
        assert status == 401
        answers.add(body)
    assert len(answers) == 1, "one text whatever was wrong"


@pytest.mark.parametrize("path,field", [("/v1/chat/completions", "base_url"), ("/v1/chat/completions", "api_base"), ("/v1/responses", "api_base_url"),
                                        ("/v1/embeddings", "endpoint"), ("/v1/chat/completions", "Provider"), ("/v1/chat/completions", "proxy")])
def test_a_body_never_chooses_where_a_key_goes(start, mock, path, field):
    gateway = start(keys=POOL[:1])
    body = {"model": "gpt-4o", "messages": [], "input": "x", field: "http://127.0.0.1:1/"}
    assert gateway.call("POST", path, body, headers={"Host": "elsewhere.example", "X-Forwarded-Host": "elsewhere.example"})[0] == 200
    (seen,) = mock.requests()
    assert dict((name.lower(), value) for name, value in seen["headers"])["host"] == f"localhost:{mock.port}"
