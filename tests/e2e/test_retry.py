"""Faults of upstream and of keys: what the client notices, and what it does not."""
import json
import time

import pytest

from processes import SLOW, Mock, in_parallel, wait_for

GOOD, BROKEN, DEAD = "sk-upstream-good-000001", "sk-upstream-broken-0002", "sk-upstream-dead-00003"


def counts(mock):
    return mock.stats()["by_key"]


def test_one_key_500_one_401_one_good_a_thousand_successes(start, mock):
    gateway = start(keys=[BROKEN, DEAD, GOOD])
    mock.script(BROKEN, "http_500")
    mock.script(DEAD, "invalid_api_key")
    before = counts(mock)
    attempts = []

    def client(index):
        for _ in range(125):
            status, headers, body = gateway.chat(f"hello {index}")
            assert status == 200, body
            attempts.append(int(headers["x-proxyxai-attempts"]))

    in_parallel(8, client)
    after = counts(mock)
    used = {key: after.get(key, 0) - before.get(key, 0) for key in (GOOD, BROKEN, DEAD)}
    assert len(attempts) == 1000
    assert used[DEAD] <= 8, "the dead key leaves after its first answer; only requests already on their way met it"
    assert used[GOOD] == 1000
    assert sum(attempts) == sum(used.values()), "the attempts told to clients are the requests upstream has seen"
    shown = gateway.keys_shown()
    assert shown["..." + DEAD[-4:]]["State"] == "dead"
    assert shown["..." + DEAD[-4:]]["Reason"] == "invalid_api_key"
    assert shown["..." + BROKEN[-4:]]["State"] == "resting"
    assert shown["..." + GOOD[-4:]]["State"] == "active"
    assert used[BROKEN] < 200, "three strikes put a key to rest while others succeed"


def test_a_dead_key_is_never_used_again_and_stays_dead_after_a_restart(start, mock):
    gateway = start(keys=[DEAD, GOOD])
    mock.script(DEAD, "invalid_api_key", times=1)
    for _ in range(10):
        assert gateway.chat()[0] == 200
    assert gateway.shown(DEAD)["State"] == "dead"
    assert gateway.stop() == 0
    from processes import Gateway

    again = Gateway(gateway.directory, mock, keys=[], root=gateway.root)
    try:
        assert again.shown(DEAD)["State"] == "dead"
        before = counts(mock).get(DEAD, 0)
        for _ in range(4):
            assert again.chat()[0] == 200
        assert counts(mock).get(DEAD, 0) == before
    finally:
        assert again.stop() == 0


@pytest.mark.parametrize("clients", [1, 64])
@pytest.mark.parametrize("keys", [3, 7])
def test_equal_keys_share_equally(start, mock, clients, keys):
    secrets = [f"sk-upstream-share-{keys}-{clients:02}-{i:04}" for i in range(keys)]
    gateway = start(keys=secrets)
    rounds = 640 // clients
    in_parallel(clients, lambda _: [gateway.chat() for _ in range(rounds)])
    used = [counts(mock).get(key, 0) for key in secrets]
    assert sum(used) == rounds * clients
    assert max(used) - min(used) <= 1, used


FAULTS = {
    # fault: (state of the key afterwards, whether the next key saves the request)
    "account_deactivated": ("dead", True),
    "access_terminated": ("dead", True),
    "missing_scopes": ("excluded", True),
    "not_member": ("disabled", True),
    "ip_not_authorized": ("disabled", True),
    "model_no_access": ("excluded", True),
    "billing_hard_limit": ("exhausted", True),
    "insufficient_quota": ("exhausted", True),
    "credit_balance_exhausted": ("exhausted", True),
    "organization_spend_limit_exceeded": ("exhausted", True),
    "project_spend_limit_exceeded": ("exhausted", True),
    "organization_usage_limit_exceeded": ("exhausted", True),
    "billing_not_active": ("exhausted", True),
    "rate_limit": ("cooling", True),
    "slow_down": ("cooling", True),
    "server_is_overloaded": ("active", True),
    "http_500": ("active", True),
    "http_502": ("active", True),
    "http_504": ("active", True),
    "http_520": ("active", True),
    "http_529": ("active", True),
    "html_502": ("active", True),
    "reset_before": ("active", True),
    "close_before": ("active", True),
    "unsupported_country": ("active", True),
    "model_not_found": ("active", True),
    "request_too_large": ("active", False),
    "bad_request": ("active", False),
    "not_found": ("active", False),
    "conflict": ("active", False),
    "payload_too_large": ("active", False),
    "unsupported_media": ("active", False),
    "unprocessable": ("active", False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_blames_the_right_party(start, mock, fault):
    state, saved = FAULTS[fault]
    gateway = start(keys=[BROKEN, GOOD])
    mock.script(BROKEN, fault)
    status, headers, body = gateway.chat()
    assert headers["x-proxyxai-attempts"] == ("2" if saved else "1")
    if saved:
        assert status == 200, body
    else:
        direct = mock.stats
        assert 400 <= status < 500, body
        assert direct()["by_key"].get(GOOD, 0) == 0
    assert gateway.shown(BROKEN)["State"] == state
    assert gateway.shown(GOOD)["State"] == "active"


@pytest.mark.parametrize("fault", ["invalid_api_key", "insufficient_quota", "not_member", "missing_scopes"])
def test_an_answer_about_a_pool_key_never_reaches_the_client(start, mock, fault):
    gateway = start(keys=[BROKEN])
    mock.script(BROKEN, fault)
    status, _, body = gateway.chat()
    assert status == 503
    assert json.loads(body)["error"]["code"] == "no_upstream_available"
    assert BROKEN[-4:].encode() not in body and b"sk-" not in body


def test_all_attempts_failing_gives_the_upstreams_last_5xx(start, mock):
    gateway = start(keys=[GOOD])
    mock.script("*", "http_502")
    status, headers, body = gateway.chat()
    assert status == 502 and json.loads(body)["error"]
    assert headers["x-proxyxai-attempts"] == "5"


def test_cooling_key_is_waited_for_when_its_time_is_near(start, mock):
    gateway = start(keys=[BROKEN])
    mock.script(BROKEN, "rate_limit", times=1, retry_after_ms=300)
    began = time.monotonic()
    status, headers, body = gateway.chat()
    assert status == 200, body
    assert time.monotonic() - began >= 0.3
    assert headers["x-proxyxai-attempts"] == "2"


def test_a_request_waits_no_longer_in_all_however_often_it_is_sent_back(start, mock):
    gateway = start(keys=[GOOD], KEYS_MAX_WAIT="1s")
    mock.script(GOOD, "rate_limit", retry_after_ms=700)
    status, headers, body = gateway.chat()
    assert status == 429 and json.loads(body)["error"]["code"] == "rate_limit_exceeded" and headers["retry-after"] == "1"
    assert headers["x-proxyxai-attempts"] == "2", "one more after 700 ms; for a third it would have waited for 1.4 s"


def test_the_last_of_its_attempts_is_told_as_it_was(start, mock):
    gateway = start(keys=[GOOD], RETRY_ATTEMPTS="1")
    mock.script(GOOD, "rate_limit", retry_after=7)
    status, headers, _ = gateway.chat()
    assert status == 429 and headers["retry-after"] == "7"


def test_far_cooling_gives_429_with_the_true_retry_after(start, mock):
    gateway = start(keys=[BROKEN])
    mock.script(BROKEN, "rate_limit", retry_after=40)
    assert gateway.chat()[0] == 429
    status, headers, body = gateway.chat()
    assert status == 429 and 35 <= int(headers["retry-after"]) <= 40
    assert json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    # Another model of the same key is not cooling.
    mock.control("DELETE", "/_mock/script")
    assert gateway.chat(model="gpt-4o")[0] == 200
    assert gateway.chat()[0] == 429


def test_no_key_at_all_is_503(start, mock):
    gateway = start(keys=[])
    status, _, body = gateway.chat()
    assert status == 503 and json.loads(body)["error"]["code"] == "no_upstream_available"


def test_upstream_down_answers_in_time_within_the_budget_and_recovers(start, tmp_path):
    mock = Mock(tmp_path / "own-mock")
    gateway = start(mock=mock, keys=[GOOD, BROKEN], CONNECT_TIMEOUT="2s")
    assert gateway.chat()[0] == 200
    port = mock.port
    mock.stop()
    began = time.monotonic()
    statuses = in_parallel(50, lambda _: [gateway.chat()[0] for _ in range(4)])
    took = time.monotonic() - began
    assert {s for row in statuses for s in row} == {503}
    assert took < 30 * SLOW
    made = sum(gateway.metric("proxyxai_attempts_total", f'fault="{f}"') or 0 for f in ("upstream", "stale_connection"))
    # 200 requests: their first attempts, the retries granted before the outage was seen, 20 %, and the floor of 10 a second.
    assert made <= 200 + 40 + 10 * (took + 10) + 20, made
    again = Mock(tmp_path / "own-mock", "--port", port)
    try:
        wait_for(lambda: gateway.chat()[0] == 200, 30 * SLOW, "recovery without a restart")
    finally:
        again.stop()


def test_stale_kept_connection_is_invisible(start, mock):
    gateway = start(keys=[GOOD])
    assert gateway.chat()[0] == 200
    mock.script(GOOD, "close_before", times=1)
    status, headers, body = gateway.chat()
    assert status == 200, body
    assert headers["x-proxyxai-attempts"] == "2"
    assert gateway.shown(GOOD)["State"] == "active"


def test_redirects_are_passed_on_and_never_followed(start, mock):
    gateway = start(keys=[GOOD])
    mock.script(GOOD, "redirect_302")
    status, headers, _ = gateway.chat()
    assert status == 302 and "location" in headers
    assert len(mock.requests()) == 1


def test_base_url_in_a_body_moves_nothing(start, mock):
    gateway = start(keys=[GOOD])
    assert gateway.chat(base_url="http://127.0.0.1:1/", api_base="http://127.0.0.1:1/")[0] == 200
    assert len(mock.requests()) == 1
