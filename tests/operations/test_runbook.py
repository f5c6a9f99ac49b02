"""The situations of the runbook, produced: what one sees is what docs/operations.md says, what it says to do helps, and what it says
of the end is so."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import subprocess

import openai
import pytest
from clients import Crowd
from conftest import KEYS
from document import PATHS, block, blocks
from ledger import command, require_in_books_once, require_sound
from processes import SLOW, Mock, wait_for
from reader import Reader


def section(name):
    """What the runbook says of something, as text."""
    return PATHS["en"].read_text().split(f"\n### {name}\n")[1].split("\n### ")[0]


def code_of(answer):
    return json.loads(answer)["error"]["code"]


def commands(name, how):
    found = [each.text for each in blocks() if each.section == name and each.how == how]
    assert found, name
    return found


def require_logged(gateway, name):
    """The lines that the runbook shows stand in the log, but for their numbers."""
    shown = [each.text for each in blocks() if each.section == name and each.language == "text"]
    assert shown
    for line in "".join(shown).splitlines():
        pattern = re.sub(r"\d+", lambda _: r"\d+", re.escape(line))
        wait_for(lambda: re.search(pattern, gateway.text()), what=f"'{line}' in the log")


def test_all_keys_are_exhausted(start, mock, tmp_path):
    name = "All keys are exhausted"
    gateway = start()
    reader = Reader(gateway, tmp_path)
    mock.script(KEYS[0], "insufficient_quota")
    mock.script(KEYS[1], "invalid_api_key")
    assert [gateway.chat()[0] for _ in range(2)] == [503, 503]
    status, _, answer = gateway.chat()
    assert status == 503 and code_of(answer) == "no_upstream_available"
    require_logged(gateway, name)
    assert gateway.metric("proxyxai_upstream_keys", 'state="active"') == 0
    assert gateway.metric("proxyxai_refusals_total", 'reason="no_upstream_available"') >= 1
    assert gateway.operations("/readyz")[0] == 200
    look, probe, add, ask = commands(name, "run")
    assert {each["State"] for each in json.loads(reader.type(look))} == {"exhausted", "dead"}
    mock.clear()
    # Paid: the probe brings the one back, a new key would have done as well.
    reader.type(probe)
    assert gateway.shown(KEYS[0])["State"] == "active" and gateway.shown(KEYS[1])["State"] == "dead"
    reader.type(ask)
    mock.script(KEYS[0], "insufficient_quota")
    assert gateway.chat()[0] == 503
    reader.type(add)
    reader.type(ask)
    assert gateway.metric("proxyxai_upstream_keys", 'state="active"') == 1


@contextlib.contextmanager
def small_disk(directory):
    """A file system of 16 MB for DATA_DIR."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system wants root")
    directory.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "proxyxai-test", str(directory)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this system lets nobody mount: {done.stderr}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_the_disk_is_full(start, mock, tmp_path):
    name = "The disk is full"
    with small_disk(tmp_path / "disk") as disk:
        gateway = start(DATA_DIR=disk / "data")
        reader = Reader(gateway, tmp_path)
        crowd = Crowd(gateway.port, [gateway.root], 10, ("chat", "stream"), pause=0.05)
        try:
            crowd.wait_for_answers(10)
            # What the runbook says may go.
            fill(disk / "data" / "proxyxai.db.before-v3")
            wait_for(lambda: gateway.metric("proxyxai_ledger_healthy") == 0, 20 * SLOW, "the fault to be seen")
            status, _, answer = gateway.chat()
            assert status == 503 and code_of(answer) == "storage_unavailable"
            assert gateway.operations("/readyz")[2] == b"not ready: what requests cost cannot be stored\n"
            assert gateway.metric("proxyxai_writer_failed_commits_total") >= 1
            assert command(gateway, "health", ADMIN_LISTEN=f"127.0.0.1:{gateway.admin_port}").returncode == 1
            require_logged(gateway, name)
            room = block(name).splitlines()
            reader.type("\n".join(line for line in room if "DATA_DIR" in line))
            wait_for(lambda: gateway.operations("/readyz")[0] == 200, 5 * SLOW, "service again")
            crowd.wait_for_answers(5)
        finally:
            crowd.stop()
        assert gateway.metric("proxyxai_ledger_healthy") == 1
        assert command(gateway, "health", ADMIN_LISTEN=f"127.0.0.1:{gateway.admin_port}").returncode == 0
        assert {each.status for each in crowd.answers} <= {200, 503}
        assert all("IncompleteRead" in each.why or "no [DONE]" in each.why for each in crowd.failures), crowd.failures[:3]
        require_in_books_once(gateway, crowd.answers)
        assert gateway.stop() == 0


def test_upstream_is_down(start, tmp_path):
    name = "Upstream is down"
    upstream = Mock(tmp_path / "upstream", tls=False)
    try:
        gateway = start(mock=upstream, CONNECT_TIMEOUT="1s", RETRY_DEADLINE="5s")
        assert gateway.chat()[0] == 200
        upstream.script("*", "http_503")
        status, headers, answer = gateway.chat()
        assert status == 503 and b"Service unavailable." in answer, "upstream's own words"
        assert int(headers["x-proxyxai-attempts"]) > 1
        upstream.clear()
        assert gateway.chat()[0] == 200
    finally:
        upstream.stop()
    status, _, answer = gateway.chat()
    assert status == 503 and code_of(answer) == "no_upstream_available"
    wait_for(lambda: "reason=connect_failed" in gateway.text(), what="the reason in the access log")
    assert "`connect_failed`" in section(name) and re.search(r"attempts=[2-9] reason=connect_failed ", gateway.text())
    assert gateway.metric("proxyxai_attempts_total", 'fault="upstream"') > 1
    assert gateway.metric("proxyxai_retries_total", 'fault="upstream"') >= 1
    assert {each["State"] for each in gateway.keys_shown().values()} <= {"active", "resting"}
    other = Mock(tmp_path / "other", tls=False)
    try:
        reader = Reader(gateway, tmp_path)
        (add,) = commands(name, "run")
        reader.type(add.replace("https://api.example.com", other.url).replace('"Level":1', '"Level":0'))
        wait_for(lambda: gateway.chat()[0] == 200, 20 * SLOW, "the other upstream")
        assert gateway.metric("proxyxai_attempts_total", 'fault="none"') >= 3
    finally:
        gateway.stop()
        other.stop()


def is_free(gateway):
    """Whether no daemon uses its DATA_DIR."""
    with open(pathlib.Path(gateway.environment["DATA_DIR"], "lock")) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def started_by(reader, text):
    """A daemon that the reader starts with commands, on ports of its own: its log, as it grows."""
    environment = reader.environment(ADMIN_LISTEN="127.0.0.1:0", PORT="0")
    environment.pop("ROOT_KEY")
    log = reader.directory / "started.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(["bash", "-ec", text + "\n"], env=environment, cwd=reader.directory, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for(lambda: "listening on" in log.read_text() or process.poll() is not None, 20 * SLOW, "its start")
        yield log
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60 * SLOW)
        # The shell ends before its daemon does.
        wait_for(lambda: is_free(reader.gateway), 60 * SLOW, "the daemon's end")


def test_the_root_key_is_lost(start, tmp_path):
    name = "The root key is lost"
    gateway = start()
    reader = Reader(gateway, tmp_path)
    alice = gateway.make_child(20, name="alice")
    wrong = gateway.chat(key="sk-Xvs" + "a" * 45)
    assert wrong[0] == 401 and code_of(wrong[2]) == "invalid_api_key"
    assert gateway.stop() == 0
    (text,) = commands(name, "start")
    with started_by(reader, text.replace("INIT_USERS=", "printf %s $ROOT_KEY >note; INIT_USERS=")) as log:
        assert "INIT_USERS replaces the key of account 'root': the old key is refused from now on" in section(name)
        assert "INIT_USERS replaces the key of account 'root': the old key is refused from now on" in log.read_text()
    made = (tmp_path / "note").read_text()
    assert re.fullmatch(r"sk-Xvs\w{45}", made)
    # The line is taken out of the settings again.
    again = start(again=gateway, INIT_USERS="-")
    assert again.chat(key=made)[0] == 200 and again.chat(key=gateway.root)[0] == 401 and again.chat(key=alice.key)[0] == 200
    reader.gateway, reader.variables["ROOT_KEY"] = again, made
    (look,) = commands(name, "run")
    assert json.loads(reader.type(look))["name"] == "root"
    # Left in, it would make its key root's again.
    assert again.stop() == 0
    left = start(again=gateway)
    assert left.chat(key=made)[0] == 401 and left.chat(key=gateway.root)[0] == 200


def test_the_master_key_is_lost(start, mock, tmp_path):
    name = "The master key is lost"
    gateway = start()
    alice = gateway.make_child(20, name="alice")
    assert alice.chat()[0] == 200
    balance = alice.balance()
    headers = {"Idempotency-Key": "once", "Content-Type": "application/json"}
    call = json.dumps({"Name": "bob-of-old", "Email": "b@b.example", "CreditGranted": 5})
    assert gateway.call("POST", "/x-users", call, headers=headers)[0] == 200
    assert gateway.stop() == 0
    pathlib.Path(gateway.environment["DATA_DIR"], "master.key").unlink()
    refused = command(gateway, "serve")
    assert refused.returncode == 1
    gateway.log_path.write_text(refused.stderr)
    require_logged(gateway, name)
    reader = Reader(gateway, tmp_path)
    (text,) = commands(name, "lost")
    reader.type(text)
    again = start(again=gateway, keys=[])
    alice.gateway = again
    assert again.metric("proxyxai_upstream_keys", 'state="active"') == 2
    assert alice.balance() == balance and alice.chat()[0] == 200
    status, _, answer = again.call("POST", "/x-users", call, headers=headers)
    assert status == 409 and code_of(answer) == "idempotency_key_reused"
    assert again.stop() == 0
    require_sound(again)


def test_objects_of_a_forgotten_key_are_gone(start, mock, tmp_path):
    """Also when the same key is added again, as the runbook says."""
    gateway = start(keys=KEYS[:1])
    body = {"model": "gpt-4o-mini", "input": "Hello", "store": True}
    status, _, answer = gateway.call("POST", "/v1/responses", body)
    made = json.loads(answer)["id"]
    assert status == 200 and gateway.call("GET", f"/v1/responses/{made}")[0] == 200
    assert gateway.stop() == 0
    pathlib.Path(gateway.environment["DATA_DIR"], "master.key").unlink()
    assert command(gateway, "keys", "delete", "all").returncode == 0
    (tmp_path / "keys.txt").write_text(KEYS[0] + "\n")
    assert command(gateway, "keys", "add", tmp_path / "keys.txt").returncode == 0
    again = start(again=gateway, keys=[])
    assert again.chat()[0] == 200 and again.call("GET", f"/v1/responses/{made}")[0] == 410


def test_the_database_is_damaged(start, mock, tmp_path):
    name = "The database is damaged"
    gateway = start()
    alice = gateway.make_child(20, name="alice")
    assert alice.chat()[0] == 200
    backups = tmp_path / "backups"
    backups.mkdir()
    assert command(gateway, "backup", backups / "proxyxai-20261125T030000Z.db").returncode == 0
    assert gateway.stop() == 0
    file = pathlib.Path(gateway.environment["DATA_DIR"], "proxyxai.db")
    content = bytearray(file.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    for damage in (bytes(content), b"This is no database." * 1000):
        file.write_bytes(damage)
        refused = command(gateway, "serve")
        assert refused.returncode == 1
        told = command(gateway, "check")
        assert told.returncode == 1
        if damage.startswith(b"SQLite"):
            gateway.log_path.write_text(refused.stderr)
            require_logged(gateway, name)
            assert "malformed" in told.stdout + told.stderr
        else:
            assert "file is not a database" in section(name) and "file is not a database" in refused.stderr and "file is not a database" in told.stderr
        reader = Reader(gateway, tmp_path)
        assert "the database is sound" in reader.type(block(name).replace("/var/lib/proxyxai/backups", str(backups)))
        again = start(again=gateway)
        alice.gateway = again
        assert alice.chat()[0] == 200
        assert again.stop() == 0
    kept = {path.read_bytes() for path in file.parent.glob("proxyxai.db.before-restore*")}
    assert {bytes(content), b"This is no database." * 1000} <= kept, "the damaged ones are kept aside"


def test_memory_is_short(start, mock, tmp_path):
    """Killed for it, the daemon comes back with all that clients were given in full in its books."""
    gateway = start(STATS_INTERVAL=20, BODY_MEMORY_BYTES="2M")
    reader = Reader(gateway, tmp_path)
    (look,) = commands("Memory is short", "ops")
    assert set(re.findall(r"^(\w+) \d", reader.type(look), re.M)) == {"process_resident_memory_bytes", "proxyxai_body_memory_bytes",
                                                                       "proxyxai_client_connections", "proxyxai_requests_in_flight"}
    crowd = Crowd(gateway.port, [gateway.root], 20, ("chat", "stream"))
    large = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * (8 << 20)}]})
    assert gateway.call("POST", "/v1/chat/completions", large, headers={"Content-Type": "application/json"})[0] == 200, "a body beyond it goes to a file"
    assert gateway.metric("proxyxai_body_memory_bytes") <= 2 << 20
    crowd.wait_for_answers(50)
    gateway.process.kill()
    gateway.process.wait()
    gateway.expected_exit = -signal.SIGKILL
    crowd.stop()
    again = start(again=gateway)
    assert again.chat()[0] == 200
    require_in_books_once(again, crowd.answers)


def test_a_client_says_it_was_charged_twice(start, mock, tmp_path):
    name = "A client says it was charged twice"
    gateway = start()
    reader = Reader(gateway, tmp_path)
    alice = gateway.make_child(20, name="alice")
    _, headers, _ = alice.chat("the same question")
    first = headers["x-request-id"]
    alice.chat("another question")
    balance = alice.balance()
    find, give_back = commands(name, "run")
    shown = reader.type(find.replace("req_1ad8e9595ced9a54550de3c2585dfd3b", first))
    assert shown.count(first) == 1, shown
    assert "no such request" in reader.type(find.replace("req_1ad8e9595ced9a54550de3c2585dfd3b", "req_" + "0" * 32))
    wait_for(lambda: f"id={first}" in gateway.text(), what="the line of the access log")
    window = re.search(r"`(start=\S+&end=\S+)`", section(name))[1]
    assert alice.read(f"/x-requests?{window}")["data"] == []
    reader.type(give_back)
    assert alice.balance() == balance + 50_000_000
    status, _, answer = gateway.call("GET", "/dashboard/x-user-logs?action=update")
    assert status == 200 and json.loads(answer)["data"][0]["details"] == {"CreditGranted": 0.05}


def test_an_sdk_that_tries_again_is_two_requests(start, mock):
    """With two ids, as the runbook says, when an answer does not come in time."""
    gateway = start()
    alice = gateway.make_child(20, name="alice")
    client = openai.OpenAI(base_url=gateway.base_url, api_key=alice.key, max_retries=2, timeout=1.0)
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "slow"}], extra_headers={"x-mock-delay-ms": "2500"})
    wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 0, 20 * SLOW, "the end of all")
    wait_for(lambda: gateway.text().count("account=alice") >= 3, 20 * SLOW, "their lines")
    assert len(set(re.findall(r"/v1/chat/completions 499 account=alice.* id=(\w+)", gateway.text()))) == 3
    rows = wait_for(lambda: len(alice.requests()) == 3 and alice.requests(), what="their rows")
    assert {(each["status"], each["estimated"]) for each in rows} == {(499, True)} and len({each["request_id"] for each in rows}) == 3
