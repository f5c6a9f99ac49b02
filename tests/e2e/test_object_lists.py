"""What the gateway reads of upstream on its own behalf, to make a list: with the keys that hold the objects, within what those keys may,
and for as long as somebody waits for it."""
import json
import socket
import time

import pytest

from objects import upload
from processes import SLOW, Raw, wait_for
from test_objects import client_of, key_of, rich

KEYS = ["sk-upstream-listing-0001", "sk-upstream-listing-0002"]


def files_of(account):
    status, _, body = account.call("GET", "/v1/files")
    return status, [each["id"] for each in json.loads(body).get("data", [])]


@pytest.fixture
def gateway(start):
    return start(keys=KEYS)


@pytest.fixture
def account(gateway):
    return rich(gateway)


def upload_some(account, count, mock):
    """Makes files under one key: an account's objects keep together."""
    with client_of(account) as client:
        made = [upload(client, f"{number}.txt", "x").id for number in range(count)]
        client.files.retrieve(made[0])
    return made, key_of(mock, made[0])


def test_a_list_waits_for_a_key_that_cools(gateway, account, mock):
    made, key = upload_some(account, 3, mock)
    mock.script(key, "rate_limit", times=1, retry_after_ms=300)
    assert files_of(account) == (200, made[::-1])


def test_a_list_does_not_wait_for_ever(start, mock):
    gateway = start(keys=KEYS, KEYS_MAX_WAIT="200ms")
    account = rich(gateway)
    made, key = upload_some(account, 3, mock)
    mock.script(key, "rate_limit", times=1, retry_after=60)
    begun = time.monotonic()
    status, shown = files_of(account)
    assert (status, shown) == (503, []) and time.monotonic() - begun < 10 * SLOW


def test_a_key_that_proves_dead_while_a_list_is_read_is_out(gateway, account, mock):
    _, key = upload_some(account, 3, mock)
    mock.script(key, "invalid_api_key")
    assert files_of(account) == (200, [])
    assert gateway.shown(key)["State"] == "dead"


def test_what_a_list_reads_counts_for_its_key(gateway, account, mock):
    made, key = upload_some(account, 3, mock)
    before = gateway.shown(key)["Requests"]
    assert files_of(account) == (200, made[::-1])
    assert gateway.shown(key)["Requests"] == before + 3


def test_a_list_keeps_within_the_limit_of_its_key(start, mock):
    gateway = start(keys=KEYS, KEYS_MAX_WAIT="200ms")
    account = rich(gateway)
    made, key = upload_some(account, 3, mock)
    assert gateway.call("PUT", f"/x-keys/{gateway.shown(key)['ID']}", {"RPM": 2})[0] == 200
    before = mock.stats()["by_key"][key]
    assert files_of(account)[0] == 503
    assert mock.stats()["by_key"][key] - before <= 2


def test_nothing_more_is_read_for_a_client_that_has_left(gateway, account, mock):
    _, key = upload_some(account, 40, mock)
    before = mock.stats()["by_key"][key]
    with Raw(gateway.port) as raw:
        raw.send(f"GET /v1/files HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {account.key}\r\nx-mock-delay-ms: {int(200 * SLOW)}\r\n\r\n")
        wait_for(lambda: mock.stats()["by_key"][key] > before, 10 * SLOW, "the first of what the list reads")
        raw.socket.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 0, 20 * SLOW, "the end of the list")
    # Eight are read at once.
    assert mock.stats()["by_key"][key] - before <= 16
