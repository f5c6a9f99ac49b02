"""Start, stop, signals, settings, logs, the operator's listener."""
import json
import re
import signal
import subprocess
import threading
import time

import pytest

from processes import BUILD, SLOW, Raw, request, wait_for

KEY, DEAD = "sk-upstream-key-000001", "sk-upstream-dead-00003"


def run(gateway_environment, *arguments):
    return subprocess.run([str(BUILD / "proxyxai"), *arguments], env=gateway_environment, capture_output=True, text=True, timeout=60)


def test_health_and_metrics_are_only_on_the_operators_listener(gateway):
    assert gateway.operations("/healthz")[0] == 200
    assert gateway.operations("/readyz")[0] == 200
    gateway.chat()
    status, headers, body = gateway.operations("/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'proxyxai_requests_total{endpoint="chat/completions",status="200"} 1' in body.decode()
    for path in ("/metrics", "/healthz", "/readyz"):
        assert gateway.call("GET", path)[0] == 404
    assert gateway.operations("/v1/models")[0] == 404


def test_root_is_told_how_the_service_does(start, mock):
    gateway = start(keys=[KEY, DEAD])
    mock.script(DEAD, "invalid_api_key")
    for _ in range(2):
        assert gateway.chat()[0] == 200
    assert gateway.chat(key="sk-wrong")[0] == 401
    stats = json.loads(gateway.call("GET", "/x-stats")[2])
    assert stats["Requests"] == {"Total": 3, "Ok": 2, "ClientErrors": 1, "ServerErrors": 0, "ClientsLeft": 0}
    assert stats["ByEndpoint"] == {"chat/completions": 3} and stats["Refusals"] == {"invalid_api_key": 1}
    assert stats["Attempts"] == {"none": 2, "dead": 1} and stats["Retries"] == {"dead": 1}
    assert stats["Keys"] == {"active": 1, "resting": 0, "exhausted": 0, "dead": 1, "disabled": 0}
    latency = stats["Latency"]
    assert len(latency["Bounds"]) + 1 == len(latency["Total"]) and latency["Bounds"] == sorted(latency["Bounds"])
    assert (sum(latency["Total"]), sum(latency["FirstByte"]), sum(latency["Added"])) == (3, 2, 2)
    assert stats["LedgerHealthy"] and stats["Connections"] >= 1 and stats["ResidentBytes"] > 1 << 20
    assert json.loads(gateway.call("GET", "/x-stats")[2])["Management"]["Ok"] == 1, "the first time that it was asked"


def test_every_setting_fault_is_told_at_once(tmp_path):
    environment = {"PORT": "70000", "RETRY_ATTEMPTS": "many", "TLS_CERT": "/nowhere", "INIT_KEYS": "sk-too-short", "DATA_DIR": str(tmp_path / "d")}
    result = run(environment)
    assert result.returncode == 2
    for name in ("PORT", "RETRY_ATTEMPTS", "TLS_CERT", "INIT_KEYS"):
        assert name in result.stderr, result.stderr
    assert "sk-too-short" not in result.stderr
    assert not (tmp_path / "d").exists(), "nothing is started"


def test_commands(start, tmp_path):
    gateway = start()
    assert "Usage" in run({}, "--help").stdout and run({}, "--version").stdout.startswith("proxyxai ")
    assert run({}, "serv").returncode == 2 and "serve" in run({}, "serv").stderr
    shown = run(gateway.environment, "config")
    assert shown.returncode == 0 and gateway.root not in shown.stdout and KEY not in shown.stdout and "INIT_KEYS" in shown.stdout
    assert run(gateway.environment, "check").returncode == 0
    copy = tmp_path / "copy.db"
    assert run(gateway.environment, "backup", str(copy)).returncode == 0 and copy.stat().st_mode & 0o077 == 0
    assert run(gateway.environment, "backup", str(copy)).returncode == 1


def test_second_daemon_on_one_directory_is_refused(gateway):
    result = run(gateway.environment)
    assert result.returncode == 1 and "DATA_DIR" in result.stderr


def test_root_key_is_made_once_and_printed_once(start, mock):
    gateway = start(INIT_USERS="")
    text = wait_for(lambda: "Type next" in gateway.text() and gateway.text(), what="the welcome")
    key = re.search(r"sk-Xvs[A-Za-z0-9]{45}", text)[0]
    assert gateway.chat(key=key)[0] == 200
    gateway.stop()
    from processes import Gateway

    again = Gateway(gateway.directory, mock, keys=[], INIT_USERS="")
    try:
        assert again.chat(key=key)[0] == 200
        assert "sk-Xvs" not in again.text()
    finally:
        assert again.stop() == 0


def test_new_root_key_replaces_the_old_one(start, mock):
    gateway = start()
    gateway.stop()
    from processes import Gateway

    again = Gateway(gateway.directory, mock, keys=[])
    try:
        assert again.chat()[0] == 200 and again.chat(key=gateway.root)[0] == 401
        assert "replaces the key" in again.text()
    finally:
        assert again.stop() == 0


@pytest.mark.parametrize("key", ["sk-Xvs" + "x" * 45, "sk-Xvs" + "0123456789" * 4 + "0123!"])
def test_no_start_with_a_default_or_malformed_root_key(tmp_path, key):
    environment = {"DATA_DIR": str(tmp_path / "d"), "PORT": "0", "ADMIN_LISTEN": "127.0.0.1:0", "INIT_USERS": f"root:a@b.c:{key}"}
    result = run(environment)
    assert result.returncode == 1 and "INIT_USERS" in result.stderr and key not in result.stderr


def test_sigterm_lets_requests_finish(start):
    gateway = start()
    answers = []
    body = json.dumps({"model": "m", "stream": True, "messages": []})
    thread = threading.Thread(target=lambda: answers.append(gateway.call("POST", "/v1/chat/completions", body, headers={
        "Content-Type": "application/json", "x-mock-events": "10", "x-mock-interval-ms": "100"})))
    thread.start()
    wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 1, what="the stream")
    idle = Raw(gateway.port)
    gateway.process.send_signal(signal.SIGTERM)
    thread.join()
    assert answers[0][0] == 200 and answers[0][2].endswith(b"data: [DONE]\n\n")
    assert gateway.process.wait(10 * SLOW) == 0
    assert idle.read_all() == b""


def test_a_second_signal_ends_at_once(start):
    gateway = start()
    gateway.expected_exit = 1
    with Raw(gateway.port) as raw:
        body = '{"model":"m"}'
        raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\nContent-Type: application/json\r\n"
                 f"x-mock-delay-ms: 60000\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 1, what="the request")
        gateway.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining" in gateway.text(), what="the drain")
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(10 * SLOW) == 1


def test_kill_and_start_again(start, mock):
    gateway = start()
    assert gateway.chat()[0] == 200
    gateway.process.kill()
    gateway.process.wait()
    gateway.expected_exit = -9
    from processes import Gateway

    again = Gateway(gateway.directory, mock, keys=[], root=gateway.root)
    assert again.chat()[0] == 200
    assert again.stop() == 0


@pytest.mark.parametrize("form", ["text", "json"])
def test_access_log_tells_what_happened_and_no_secret(start, mock, form):
    gateway = start(LOG_FORMAT=form)
    gateway.chat("SECRET-PROMPT")
    gateway.chat(key="sk-wrong-key-000000000000")
    gateway.call("GET", "/v1/models/a%0ab%22%ff")
    gateway.stop()
    text = gateway.text()
    assert "SECRET-PROMPT" not in text and "sk-wrong" not in text
    lines = [line for line in text.splitlines() if "/v1/" in line]
    assert len(lines) == 3
    if form == "json":
        first, second, _ = (json.loads(line) for line in lines)
        assert first["status"] == 200 and first["model"] == "gpt-4o-mini" and first["account"] == "root" and first["attempts"] == 1
        assert second["status"] == 401 and second["reason"] == "invalid_api_key"
    else:
        assert " 200 account=root model=gpt-4o-mini key=1 attempts=1 reason=- " in lines[0]
        assert "reason=invalid_api_key" in lines[1]


def test_credential_forms(gateway):
    for headers in ({"Authorization": f"Bearer {gateway.root}"}, {"Authorization": gateway.root}, {"Authorization": "", "api-key": gateway.root},
                    {"Authorization": "", "x-api-key": gateway.root}):
        assert gateway.call("GET", "/v1/models", headers=headers)[0] == 200, list(headers)
    bad = [request(gateway.port, "GET", "/v1/models", headers=h) for h in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {gateway.root}x"},
                                                                          {"Authorization": "Bearer " + gateway.root[:20]}, {"api-key": "y" * 5000})]
    assert {b[0] for b in bad} == {401} and len({b[2] for b in bad}) == 1, "one text whatever was wrong"


def test_paths_and_cors(gateway, mock):
    assert gateway.call("GET", "/models")[0] == 200
    assert gateway.call("POST", "/chat/completions", {"model": "m", "messages": []})[0] == 200
    for path in ("/", "/nope", "/v2/models", "/x-nope", "/dashboard/x"):
        status, headers, body = gateway.call("GET", path)
        assert status == 404 and json.loads(body)["error"]["code"] and headers["x-request-id"], path
    status, headers, _ = request(gateway.port, "OPTIONS", "/v1/chat/completions", headers={
        "Origin": "https://a.example", "Access-Control-Request-Headers": "authorization,x-stainless-os"})
    assert status == 204 and headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-headers"] == "authorization,x-stainless-os"
    status, headers, _ = gateway.call("GET", "/v1/models", headers={"Origin": "https://a.example"})
    assert headers["access-control-allow-origin"] == "*" and "x-request-id" in headers["access-control-expose-headers"]
    status, headers, _ = gateway.call("GET", "/v1/models", key="sk-wrong", headers={"Origin": "https://a.example"})
    assert status == 401 and headers["access-control-allow-origin"] == "*"


@pytest.mark.figures
def test_idle_memory(gateway):
    assert gateway.resident_kib() < 25 * 1024


def test_a_kept_connection_is_idle_whatever_the_pieces_of_its_request_were(gateway):
    raw = Raw(gateway.port)
    text = '{"model":"gpt-4o-mini","messages":[]}'
    for _ in range(20):
        raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: {gateway.root}\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(text)}\r\n\r\n")
        wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 1, what="the head to be read")
        raw.send(text)
        assert raw.read_response()[0] == 200
    began = time.monotonic()
    assert gateway.stop() == 0
    assert time.monotonic() - began < SLOW, "what is idle does not hold up the end"
    raw.socket.close()
