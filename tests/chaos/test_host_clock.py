"""Somebody sets the wall clock of the host, by a little or by years, while the daemon serves."""
import datetime
import itertools
import json
import signal
import time

import pytest

from crowd import Crowd, make_customers
from preload import WallClock, compiled
from processes import SLOW, Mock, wait_for

pytestmark = compiled

KEY, OTHER = "sk-upstream-key-000001", "sk-upstream-key-000002"
JUMPS = {"an hour on": {"hours": 1}, "an hour back": {"hours": -1}, "40 days on": {"days": 40}, "ten years back": {"days": -3652}}


@pytest.fixture(scope="module")
def plain_mock(tmp_path_factory):
    """Without TLS: certificates are of their time, and rightly refused at another."""
    mock = Mock(tmp_path_factory.mktemp("plain"), tls=False)
    yield mock
    mock.stop()


@pytest.fixture
def clock(tmp_path):
    return WallClock(tmp_path)


@pytest.fixture
def begin(start, plain_mock, clock):
    """Starts a gateway whose wall clock is `clock`."""
    plain_mock.clear()
    return lambda **more: start(**{"mock": plain_mock, "keys": [KEY, OTHER], **clock.settings, **more})


def now_of(gateway):
    return datetime.datetime.fromisoformat(json.loads(gateway.call("GET", "/x-stats")[2])["Now"])


def days_off(gateway):
    """How far its clock is from ours."""
    return (now_of(gateway) - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400


def test_jumps_under_load(begin, clock, calm, choose, seed):
    """Nothing hangs, each request has an id of its own above those before it, and the books stay what they were."""
    gateway = begin(STATS_INTERVAL=20)
    customers = make_customers(gateway, Days=365)
    before = calm(gateway)
    jumps = choose.sample(sorted(JUMPS), len(JUMPS))
    print(jumps)
    last = 0
    with Crowd(gateway, seed, customers) as crowd:
        for name in itertools.chain(*((each, None) for each in jumps)):
            clock.jump(**JUMPS.get(name, {}))
            expected = JUMPS.get(name, {})
            assert days_off(gateway) == pytest.approx(expected.get("days", 0) + expected.get("hours", 0) / 24, abs=0.01)
            crowd.wait_for_answers(30)
            ids = [row[0] for row in before.books.requests_after(last)]
            assert ids and last < ids[0], "ids rise, whatever the clock says"
            last = ids[-1]
            # Beside what is under way, which may be anything now.
            before.served_at_once()
    assert not crowd.journal.refused, crowd.codes()
    before.require_calm(answers=crowd.journal.answers, keys={KEY: "active", OTHER: "active"})
    before.require_end(answers=crowd.journal.answers)


def test_credit_expires_by_the_wall_clock_and_no_balance_is_negative(begin, clock, calm, seed):
    """Credit for 30 days is gone 40 days on, with its movement in the books; what was for a year is there."""
    gateway = begin(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    lasting, short = make_customers(gateway, 1, Days=365)[0], make_customers(gateway, 1, Days=30)[0]
    before = calm(gateway)
    with Crowd(gateway, seed, [lasting, short]) as crowd:
        clock.jump(days=40)
        crowd.wait_for_refusals(429)
        clock.jump(days=-3652)
        crowd.wait_for_answers()
        clock.jump()
        crowd.wait_for_answers()
    assert set(crowd.codes()) == {(429, "insufficient_quota")}
    before.require_calm(answers=crowd.journal.answers)
    balances = before.books.require_sound()
    used = sum(each.cost for each in crowd.journal.answers if each.account == lasting.id)
    assert 0 < balances[lasting.name] <= 1000 * 10**9 - used
    # What was promised to requests under way when the credit went is left, or owed, and no more than that.
    assert abs(balances[short.name]) < 10**9
    assert sum(amount * times for amount, times in before.books.times_moved("expiry").items()) > 900 * 10**9


def test_a_key_cools_as_long_as_upstream_said(begin, clock, plain_mock):
    """By the monotonic clock: neither freed by an hour on nor held by an hour back."""
    wait = 1
    gateway = begin(keys=[KEY], KEYS_MAX_WAIT="100ms")
    for jump in ({"hours": 1}, {"hours": -1}, {"days": -3652}):
        clock.jump()
        plain_mock.clear()
        plain_mock.script(KEY, "rate_limit", 1, retry_after=wait)
        began = time.monotonic()
        assert gateway.chat()[0] == 429
        clock.jump(**jump)
        assert gateway.chat()[0] == 429 and len(plain_mock.requests()) == 1
        wait_for(lambda: gateway.chat()[0] == 200, 10 * SLOW, "the key's return")
        assert wait - 0.2 <= time.monotonic() - began <= wait + 2 * SLOW, jump


def test_limits_a_minute_are_of_the_monotonic_clock(begin, clock):
    gateway = begin()
    account = gateway.make_child(100, RPM=3, Days=365)
    assert [account.chat()[0] for _ in range(4)] == [200, 200, 200, 429]
    for jump in ({"hours": 1}, {"hours": -1}, {"days": 40}, {}):
        clock.jump(**jump)
        status, _, answer = account.chat()
        assert status == 429 and b"rate_limit_exceeded" in answer, jump


def test_a_month_has_its_limit_and_its_sums(begin, clock):
    """Over the end of a month: the limit begins anew, and what the account is told of a day and a month is of that one."""
    gateway = begin(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(100, HardLimit=0.001, Days=365)
    spend = {"model": "gpt-4o", "headers": {"x-mock-usage": '{"input":100,"output":100}'}}
    assert account.chat(**spend)[0] == 200
    status, _, answer = account.chat(**spend)
    assert status == 429 and b"hard_limit_reached" in answer
    assert account.info()["monthly_usage"]["Requests"] == account.info()["daily_usage"]["Requests"] == 1
    clock.jump(days=40)
    wait_for(lambda: account.chat(**spend)[0] == 200, 10 * SLOW, "the new month")
    assert account.chat(**spend)[0] == 429
    assert account.info()["monthly_usage"]["Requests"] == account.info()["daily_usage"]["Requests"] == 1


@pytest.mark.parametrize("again", [False, True], ids=["running", "started again"])
def test_the_limit_of_a_month_holds_when_the_clock_comes_back(begin, clock, again):
    """A clock that was wrong for a moment gives nobody the month's money twice."""
    gateway = begin(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(100, HardLimit=0.001, Days=365)
    spend = {"model": "gpt-4o", "headers": {"x-mock-usage": '{"input":100,"output":100}'}}
    assert [account.chat(**spend)[0] for _ in range(2)] == [200, 429]
    clock.jump(days=40)
    wait_for(lambda: account.chat(**spend)[0] == 200, 10 * SLOW, "the new month")
    clock.jump()
    if again:
        gateway.end()
        gateway = begin(again=gateway, USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
        account.gateway = gateway
    # The ledger looks at the calendar each second.
    end, served = time.monotonic() + 1.6, 0
    while time.monotonic() < end:
        served += account.chat(**spend)[0] == 200
        time.sleep(0.05)
    assert served == 0, f"{served} more requests were served in a month whose limit is reached"


def test_started_again_ten_years_early(begin, clock, calm, seed):
    """As on a board without a battery: ids go on, and the books are taken over."""
    gateway = begin()
    customers = make_customers(gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as crowd:
        gateway.stop(signal.SIGKILL)
    gateway.expected_exit = -signal.SIGKILL
    clock.jump(days=-3652)
    last = before.books.requests_after(0)[-1][0]
    gateway = begin(again=gateway)
    before = calm(gateway)
    with Crowd(gateway, seed, customers) as again:
        again.wait_for_answers()
    answers = crowd.journal.answers + again.journal.answers
    before.require_calm(answers=answers)
    assert len(before.books.requests_after(last)) >= len(again.journal.answers) > 0
