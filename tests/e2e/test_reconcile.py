"""`proxyxai reconcile`: this ledger against upstream's own books."""
import base64
import datetime
import hashlib
import itertools
import json
import socket
import sqlite3
import subprocess
import threading

import pytest

from processes import BUILD, SLOW, Mock, request

ADMIN = "sk-admin-of-the-organisation-1"
numbers = itertools.count(1)
DAY = datetime.timedelta(days=1)


def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


@pytest.fixture(autouse=True)
def no_midnight():
    """The tests take a moment of one day."""
    now = datetime.datetime.now(datetime.timezone.utc)
    if (now.hour, now.minute) == (23, 59):
        pytest.skip("the day is about to end")


@pytest.fixture
def used(start, mock):
    """A gateway whose one key, used nowhere else, has served a few requests of several kinds."""
    gateway = start(keys=[f"sk-upstream-reconciled-{next(numbers):04}-{id(mock)}"])
    for i in range(10):
        assert gateway.chat("Hello " * i)[0] == 200
    assert gateway.chat(stream=True, headers={"x-mock-usage": '{"input":1000,"cached":600,"output":50}'})[0] == 200
    assert gateway.chat(model="gpt-4o")[0] == 200
    assert gateway.call("POST", "/v1/responses", {"model": "gpt-4o", "input": "Hello", "stream": True})[0] == 200
    assert gateway.call("POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hello"})[0] == 200
    assert gateway.call("POST", "/v1/chat/completions", "{}", headers={"Content-Type": "application/json"})[0] == 400
    return gateway


def ids(gateway):
    short = hashlib.sha256(gateway.keys[0].encode()).hexdigest()[:16]
    return "key_" + short, "proj_" + short


def reconcile(gateway, *options, admin_key=ADMIN, since=None, key=1, **environment):
    arguments = [str(BUILD / "proxyxai"), "reconcile", "--key", str(key), "--since", str(since or today()), *options]
    variables = gateway.environment | ({"OPENAI_ADMIN_KEY": admin_key} if admin_key else {}) | environment
    done = subprocess.run(arguments, env=variables, capture_output=True, text=True, timeout=60 * SLOW)
    assert "Sanitizer" not in done.stderr
    if admin_key:
        assert admin_key not in done.stdout + done.stderr
    return done


def rows(done):
    """The lines of the table by day and model, and `total`: the eight figures."""
    found = {}
    for line in done.stdout.splitlines():
        cells = line.split()
        if len(cells) >= 11 and cells[-1] == "%":
            found[tuple(cells[:-10])] = [int(cell) for cell in cells[-10:-2]]
    return found


def direct(mock, gateway, text="Hello"):
    """A request that passes by the gateway."""
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]})
    assert request(mock.port, "POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {gateway.keys[0]}"}, tls=mock.tls)[0] == 200


def test_both_agree_after_real_traffic(used):
    key, project = ids(used)
    for scope in (["--upstream-key-id", key], ["--project", project], ["--upstream-key-id", key, "--project", project, "--tolerance", "0"]):
        done = reconcile(used, *scope)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "both agree" in done.stdout and done.stderr == ""
        assert "..." + used.keys[0][-4:] in done.stdout and used.keys[0] not in done.stdout
    found = rows(done)
    day = str(today())
    assert set(found) == {(day, "gpt-4o"), (day, "gpt-4o-mini"), (day, "text-embedding-3-small"), ("total",)}, "dated names are those of their price"
    assert all(figures[0::2] == figures[1::2] for figures in found.values())
    assert found[day, "gpt-4o-mini"][0] == 11 and found[day, "gpt-4o-mini"][4] == 600
    assert found[day, "text-embedding-3-small"] == [1, 1, 5, 5, 0, 0, 0, 0]
    assert found["total",] == [sum(figures[i] for name, figures in found.items() if name != ("total",)) for i in range(8)]
    dollars = [line.split() for line in done.stdout.splitlines() if line.startswith("total")][1]
    assert float(dollars[1]) > 0 and dollars[1] == dollars[2]


def test_columns_are_aligned(used):
    tokens, dollars = reconcile(used, "--project", ids(used)[1]).stdout.split("\ndollars ")
    for table in (tokens, " " * 8 + dollars):
        assert len({len(line) for line in table.splitlines() if line.endswith(("difference", "0 %"))}) == 1, table


def test_a_request_that_passed_by_is_a_difference(used, mock):
    key, project = ids(used)
    direct(mock, used)
    done = reconcile(used, "--upstream-key-id", key)
    assert done.returncode == 1 and "they differ by more than 1 %" in done.stdout
    figures = rows(done)[str(today()), "gpt-4o-mini"]
    assert (figures[0], figures[1]) == (11, 12)
    assert reconcile(used, "--upstream-key-id", key, "--tolerance", "50").returncode == 0
    done = reconcile(used, "--project", project)
    assert done.returncode == 1


def test_without_a_scope_it_is_the_whole_organisation_and_says_so(start, tmp_path):
    mock = Mock(tmp_path / "own")
    try:
        gateway = start(mock=mock, keys=["sk-upstream-first-0001", "sk-upstream-second-002"])
        for _ in range(6):
            assert gateway.chat()[0] == 200
        done = reconcile(gateway)
        assert done.returncode == 1 and "upstream's figures are of the whole organisation" in done.stdout
        assert rows(done)["total",][:2] == [3, 6]
        assert reconcile(gateway, "--project", "proj_" + hashlib.sha256(b"sk-upstream-second-002").hexdigest()[:16], key=2).returncode == 0
        gateway.stop()
        assert reconcile(gateway).returncode == 1, "also when no daemon runs"
    finally:
        mock.stop()


def test_many_days_are_read_page_by_page(used):
    done = reconcile(used, "--upstream-key-id", ids(used)[0], since=today() - 100 * DAY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"the ledger begins on {today()}" in done.stdout
    # A range in which nothing was used.
    done = reconcile(used, "--upstream-key-id", ids(used)[0], "--until", str(today() - DAY), since=today() - 9 * DAY)
    assert done.returncode == 0 and rows(done) == {("total",): [0] * 8}


def edit(gateway, *statements):
    """Changes the database of a gateway that has stopped."""
    gateway.stop()
    with sqlite3.connect(gateway.directory / "data" / "proxyxai.db") as database:
        for statement in statements:
            database.execute(statement)


def test_requests_that_are_kept_no_longer_are_told_of(used):
    day_us = 86_400_000_000
    edit(used, f"UPDATE requests SET id = id - 3 * {day_us} WHERE id = (SELECT MIN(id) FROM requests)",
         "INSERT OR REPLACE INTO forgotten VALUES (1, 7, 7)")
    done = reconcile(used, "--upstream-key-id", ids(used)[0], "--tolerance", "20", since=today() - 30 * DAY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"before {today() - 2 * DAY} the ledger has only sums by day" in done.stdout
    done = reconcile(used, "--until", str(today() - 3 * DAY), since=today() - 30 * DAY)
    assert done.returncode == 2 and "nothing to compare" in done.stderr


def test_a_key_that_was_deleted_is_still_known_by_its_requests(used):
    assert used.call("DELETE", "/x-keys/1")[0] == 200
    done = reconcile(used, "--upstream-key-id", ids(used)[0])
    assert done.returncode == 0 and "upstream key 1 (deleted)" in done.stdout


def test_models_that_one_side_does_not_know_are_summed_for_their_day(used):
    edit(used, "UPDATE requests SET model = 0 WHERE id = (SELECT MIN(id) FROM requests)")
    done = reconcile(used, "--upstream-key-id", ids(used)[0])
    assert done.returncode == 0, done.stdout
    assert set(rows(done)) == {(str(today()), "(all)"), ("total",)}


@pytest.mark.parametrize("options,said", [
    (["--key", "1"], "--key ID and --since DATE"),
    (["--since", "2026-01-01"], "--key ID and --since DATE"),
    (["--key", "one", "--since", "2026-01-01"], "--key 'one' is no id"),
    (["--key", "-1", "--since", "2026-01-01"], "--key '-1' is no id"),
    (["--key", "1", "--since", "yesterday"], "--since 'yesterday' is no date; write it as 2026-11-25"),
    (["--key", "1", "--since", "2026-02-30"], "--since '2026-02-30' is no date"),
    (["--key", "1", "--since", "2026-1-1"], "no date"),
    (["--key", "1", "--since", "2026-01-02", "--until", "2026-01-01"], "--since 2026-01-02 is after --until 2026-01-01"),
    (["--key", "1", "--since", "2999-01-01"], "may not be later"),
    (["--key", "1", "--since", "2020-01-01", "--until", "2021-01-01"], "366 days"),
    (["--key", "1", "--since", "2026-01-01", "--tolerance", "much"], "--tolerance 'much' must be a number of percent"),
    (["--key", "1", "--since", "2026-01-01", "--tolerance", "-1"], "--tolerance '-1'"),
    (["--key", "1", "--since", "2026-01-01", "--project", "my project"], "--project must be an id of OpenAI's"),
    (["--key", "1", "--since", "2026-01-01", "--upstream-key-id", "sk-upstream-key-000001"], "--upstream-key-id must be an id of OpenAI's such as key_abc123"),
    (["--key", "1", "--sinse", "2026-01-01"], "did you mean '--since'?"),
    (["--key"], "--key needs a value"),
    (["1"], "does not take '1'"),
])
def test_bad_use_is_named(options, said):
    done = subprocess.run([str(BUILD.resolve() / "proxyxai"), "reconcile", *options], env={"OPENAI_ADMIN_KEY": ADMIN}, capture_output=True, text=True, timeout=60, cwd="/")
    assert done.returncode == 2 and said in done.stderr and done.stdout == "", done
    assert "sk-upstream-key-000001" not in done.stderr


def test_the_admin_key_is_wanted_and_never_shown(used):
    done = reconcile(used, admin_key=None)
    assert done.returncode == 2 and "OPENAI_ADMIN_KEY is not set" in done.stderr
    assert reconcile(used, admin_key=None, OPENAI_ADMIN_KEY="").returncode == 2
    done = reconcile(used, admin_key="sk-admin-with\nnewline")
    assert done.returncode == 2 and "blanks or control characters" in done.stderr
    done = reconcile(used, admin_key="sk-an-ordinary-key-000001")
    assert done.returncode == 2 and "answers 403; OPENAI_ADMIN_KEY must be an admin key" in done.stderr


def test_unknown_key_and_no_database(used, tmp_path):
    done = reconcile(used, key=7)
    assert done.returncode == 2 and "there is no upstream key 7; GET /x-keys lists them" in done.stderr
    done = reconcile(used, DATA_DIR=str(tmp_path / "nowhere"))
    assert done.returncode == 2 and "there is no database" in done.stderr


@pytest.mark.parametrize("fault,said", [
    ({"status": 500, "body": {"error": {"message": "try\nlater", "code": None}}}, "answers 500: try later"),
    ({"fault": "redirect_302"}, "answers 302"),
    ({"fault": "invalid_api_key"}, "answers 401; OPENAI_ADMIN_KEY must be an admin key"),
    ({"status": 200, "body": {"data": 7}}, "it has no array 'data'"),
    ({"status": 200, "body": {"data": [{"start_time": 86400, "results": [{"input_tokens": -1}]}]}}, "'input_tokens' is no count"),
    ({"status": 200, "body": {"data": [], "has_more": True, "next_page": "on and on"}}, "has no end"),
    ({"status": 500, "body": {"error": {"message": "a secret: " + ADMIN}}}, "answers 500\n"),
])
def test_an_upstream_that_answers_otherwise(used, mock, fault, said):
    mock.control("POST", "/_mock/script", {"key": ADMIN, "times": 0, **fault})
    done = reconcile(used)
    assert done.returncode == 2 and said in done.stderr, done


def test_certificates_are_verified_and_nobody_answers(used):
    done = reconcile(used, UPSTREAM_CA_FILE="")
    assert done.returncode == 2 and "cannot ask 'https://localhost" in done.stderr and "ertificate" in done.stderr
    edit(used, "UPDATE upstream_keys SET provider = 'https://127.0.0.1:1'")
    done = reconcile(used)
    assert done.returncode == 2 and "cannot ask 'https://127.0.0.1:1/v1/organization/usage/completions'" in done.stderr


def test_the_upstream_proxy_is_used(used, mock):
    heads = []

    def serve(listener):
        peer, _ = listener.accept()
        with peer:
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.recv(4096)
            heads.append(head.decode())
            peer.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        done = reconcile(used, UPSTREAM_PROXY=f"http://user:p@ss@127.0.0.1:{listener.getsockname()[1]}")
        thread.join(30)
    assert done.returncode == 2 and "cannot ask" in done.stderr and "p@ss" not in done.stderr
    assert heads[0].startswith(f"CONNECT localhost:{mock.port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic " + base64.b64encode(b"user:p@ss").decode() in heads[0]
    assert ADMIN not in heads[0], "the proxy does not see the key"


def test_help():
    done = subprocess.run([str(BUILD / "proxyxai"), "reconcile", "--help"], env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "proxyxai reconcile --key ID --since DATE" in done.stdout and "OPENAI_ADMIN_KEY" in done.stdout
