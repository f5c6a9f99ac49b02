"""Accounts over HTTP: money between them to the cent, repeated calls, new keys."""
import datetime
import json
import time

import pytest

from processes import SLOW, Raw, in_parallel, nanos, wait_for


def cards_of(account):
    return [nanos(card["balance"]) for card in account.info()["credit_balance"]]


def dollars(*amounts):
    return [round(amount * 10**9) for amount in amounts]


def delete(gateway, account, by=None):
    status, _, body = gateway.call("DELETE", f"/x-users/{account.id}", None, by.key if by else None)
    assert status == 200, body


@pytest.fixture
def bank(start):
    return start(CALL_MIN_BALANCE="0")


def test_worked_example_comes_out_to_the_cent(bank):
    parent = bank.make_child(10_000, HardLimit=100_000)
    child = bank.make_child(100, by=parent)
    assert parent.balance() == dollars(9_900)[0]
    bank.change(child, by=parent, CreditGranted=80)
    assert parent.balance() == dollars(9_820)[0] and sorted(cards_of(child)) == dollars(80, 100)
    assert child.info()["hard_limit"] == 200
    bank.change(child, by=parent, CreditGranted=-50)
    assert sorted(cards_of(child)) == dollars(50, 80)
    assert sorted(cards_of(parent)) == dollars(50, 9_819.8)
    bank.change(child, by=parent, Rates=2)
    assert sorted(cards_of(child)) == dollars(100, 160)
    delete(bank, child, by=parent)
    assert sorted(cards_of(parent)) == dollars(50, 129.8, 9_819.8)
    assert child.chat()[0] == 401


def test_money_moved_while_requests_run_adds_up(bank):
    parent = bank.make_child(1_000)
    child = bank.make_child(100, by=parent)

    def work(index):
        for _ in range(10):
            if index % 2:
                assert child.chat()[0] == 200
            else:
                bank.change(child, by=parent, CreditGranted=5 if index % 4 else -3)

    in_parallel(8, work)
    granted = 20 * 5 - 20 * 3
    assert child.balance() == dollars(100 + granted)[0] - sum(child.costs())
    assert parent.balance() == dollars(900 - granted - 20 * 0.2)[0]
    assert sum(cards_of(child)) == child.balance() and sum(cards_of(parent)) == parent.balance()


def test_what_is_promised_to_a_request_can_be_neither_granted_on_nor_taken_back(bank):
    parent = bank.make_child(100)
    child = bank.make_child(10, by=parent)
    with Raw(bank.port) as raw:
        text = json.dumps({"model": "o1-pro", "messages": [], "max_tokens": 15_000})
        raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: {child.key}\r\nContent-Type: application/json\r\n"
                 f"x-mock-delay-ms: 3000\r\nx-mock-usage: {{\"input\":1,\"output\":15000}}\r\nContent-Length: {len(text)}\r\n\r\n{text}")
        wait_for(lambda: bank.metric("proxyxai_requests_in_flight") == 1, what="the request")
        status, _, body = parent.call("PUT", f"/x-users/{child.id}", {"CreditGranted": -5})
        assert status == 400 and b"promised" in body
        assert raw.read_response()[0] == 200
    assert 0 <= child.balance() < 10**9 * 10
    assert child.balance() == 10**10 - sum(child.costs())


def test_repeated_calls_with_an_idempotency_key_move_no_money_twice(bank):
    parent = bank.make_child(1_000)
    child = bank.make_child(100, by=parent)
    headers = {"Idempotency-Key": "grant-1"}
    answers = in_parallel(10, lambda _: parent.call("PUT", f"/x-users/{child.id}", {"CreditGranted": 7}, headers))
    assert {status for status, _, _ in answers} == {200} and len({body for _, _, body in answers}) == 1
    assert child.balance() == dollars(107)[0] and parent.balance() == dollars(893)[0]
    # The same key for another call is refused.
    status, _, body = parent.call("PUT", f"/x-users/{child.id}", {"CreditGranted": 8}, headers)
    assert status == 409 and json.loads(body)["error"]["code"] == "idempotency_key_reused"
    # Another account's keys are its own.
    other = bank.make_child(500)
    theirs = bank.make_child(100, by=other)
    assert other.call("PUT", f"/x-users/{theirs.id}", {"CreditGranted": 7}, headers)[0] == 200
    assert theirs.balance() == dollars(107)[0]


def test_a_repeated_creation_gives_the_same_key_again(bank):
    body = {"Name": "only-one", "Email": "only-one@example.com", "CreditGranted": 5}
    answers = in_parallel(10, lambda _: bank.call("POST", "/x-users", body, None, {"Idempotency-Key": "make"}))
    assert {status for status, _, _ in answers} == {200}
    (key,) = {json.loads(answer)["User"]["SecretKey"] for _, _, answer in answers}
    assert bank.chat(key=key)[0] == 200
    assert len(json.loads(bank.call("GET", "/x-users")[2])) == 1


def today(what):
    return {"confirm": f"{datetime.datetime.now():%Y-%m-%d}-ROTATE-{what}"}


def stops_within_a_second(bank, key):
    began = time.monotonic()
    wait_for(lambda: bank.chat(key=key)[0] == 401, 1.0 * SLOW, "the end of the old key")
    assert bank.call("GET", "/dashboard/x_user/info", key=key)[0] == 401
    return time.monotonic() - began


def test_a_rotated_key_stops_at_once(bank):
    account = bank.make_child(50)
    with Raw(bank.port) as kept:
        def ask():
            text = '{"model":"gpt-4o-mini","messages":[]}'
            kept.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: {account.key}\r\nContent-Type: application/json\r\n"
                      f"Content-Length: {len(text)}\r\n\r\n{text}")
            return kept.read_response()[0]

        assert ask() == 200
        status, _, body = account.call("POST", "/x-self", today("SELF"))
        assert status == 200, body
        rotated = json.loads(body)["rotate"]
        assert rotated["action"] == "rotate_self" and rotated["id"] == account.id
        assert ask() == 401, "also on a connection that stood before"
    assert stops_within_a_second(bank, account.key) < 1 * SLOW
    assert bank.chat(key=rotated["key"])[0] == 200
    status, _, body = bank.call("POST", "/x-root", {"name": account.name, **today("ROOT")})
    assert status == 200
    stops_within_a_second(bank, rotated["key"])
    assert bank.chat(key=json.loads(body)["rotate"]["key"])[0] == 200
    old = bank.root
    status, _, body = bank.call("POST", "/x-root", today("ROOT"))
    assert status == 200
    stops_within_a_second(bank, old)
    bank.root = json.loads(body)["rotate"]["key"]
    assert bank.chat()[0] == 200


@pytest.mark.parametrize("confirm", ["", "2020-01-01-ROTATE-SELF", "rotate", "{today}-ROTATE-ROOT"])
def test_rotation_wants_the_date_of_today(bank, confirm):
    account = bank.make_child(50)
    confirm = confirm.replace("{today}", f"{datetime.datetime.now():%Y-%m-%d}")
    assert account.call("POST", "/x-self", {"confirm": confirm})[0] == 400
    assert account.chat()[0] == 200


def test_a_disabled_or_deleted_account_stops_at_once(bank):
    account = bank.make_child(50)
    assert account.chat()[0] == 200
    bank.change(account, Status=False)
    assert account.chat()[0] == 401
    bank.change(account, Status=True)
    assert account.chat()[0] == 200
    delete(bank, account)
    assert account.chat()[0] == 401


@pytest.mark.parametrize("amount", [0.0000000001, 1e300, -1e300, 9e18, "NaN", "5", None, True, [1], {"a": 1}])
def test_amounts_that_are_none_are_refused(bank, amount):
    parent = bank.make_child(1_000)
    child = bank.make_child(100, by=parent)
    for method, path, more in (("PUT", f"/x-users/{child.id}", {}), ("POST", "/x-users", {"Name": "absurd", "Email": "absurd@example.com"})):
        status, _, body = parent.call(method, path, {"CreditGranted": amount, **more})
        assert status == 400 and json.loads(body)["error"]["param"] == "CreditGranted", body
    for text in ('{"CreditGranted":NaN}', '{"CreditGranted":Infinity}', '{"CreditGranted":1e999}', '{"CreditGranted":-1e999}', '{"CreditGranted":00}'):
        assert parent.call("PUT", f"/x-users/{child.id}", text, {"Content-Type": "application/json"})[0] == 400
    assert (parent.balance(), child.balance()) == tuple(dollars(900, 100))
