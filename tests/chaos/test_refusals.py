"""Storms of refusals: 429 with every way to say how long, 5xx, keys that die or run out of money in the middle of it."""
import datetime
import email.utils
import json
import random
import signal
import time

import faults
from clients import CHAT, Crowd, ask_once, chat_body
from processes import SLOW, wait_for
from upstream import Upstream

DAY = 24 * 3600


def date(seconds):
    return email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds), usegmt=True)


def too_many(message="Rate limit reached.", **fields):
    return faults.answer(429, faults.error_body("rate_limit_exceeded", "tokens", message), **fields)


# name: (the refusal, made when it is given; for how long the key must cool). 1 s is what is waited when upstream tells nothing of use.
TELLS = {
    "seconds": (lambda: too_many(Retry_After="7"), 7),
    "a fraction": (lambda: too_many(Retry_After="0.5"), 0.5),
    "zero": (lambda: too_many(Retry_After="0"), 1),
    "negative": (lambda: too_many(Retry_After="-5"), 1),
    "an exponent": (lambda: too_many(Retry_After="1e3"), 1),
    "words": (lambda: too_many(Retry_After="soon"), 1),
    "a list": (lambda: too_many(Retry_After="5, 7"), 1),
    "empty": (lambda: too_many(Retry_After=""), 1),
    "huge": (lambda: too_many(Retry_After="9" * 30), DAY),
    "a year": (lambda: too_many(Retry_After=str(365 * DAY)), DAY),
    "a date": (lambda: too_many(Retry_After=date(30)), 30),
    "a date that was": (lambda: too_many(Retry_After=date(-3600)), 1),
    "a date far away": (lambda: too_many(Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"), DAY),
    "no date": (lambda: too_many(Retry_After="Fri, 31 Feb 2027 23:59:59 GMT"), 1),
    "milliseconds": (lambda: too_many(retry_after_ms="1500", Retry_After="9"), 1.5),
    "negative milliseconds": (lambda: too_many(retry_after_ms="-1500", Retry_After="9"), 9),
    "nothing": (lambda: too_many(), 1),
    "in words": (lambda: too_many("Rate limit reached for gpt-4o. Please try again in 3.89s. Visit https://example.com."), 3.89),
    "in words, minutes": (lambda: too_many("Please try again in 1m30s."), 90),
    "reset of requests": (lambda: too_many(x_ratelimit_reset_requests="250ms"), 0.25),
    "reset of tokens": (lambda: too_many(x_ratelimit_reset_tokens="6m0s"), 360),
    "both resets": (lambda: too_many(x_ratelimit_reset_requests="1s", x_ratelimit_reset_tokens="1h2m3s"), 3723),
    "the reset of what is spent": (lambda: too_many(x_ratelimit_reset_requests="2s", x_ratelimit_remaining_requests="0",
                                                    x_ratelimit_reset_tokens="6m0s", x_ratelimit_remaining_tokens="9"), 2),
    "resets that are none": (lambda: too_many(x_ratelimit_reset_requests="-1s", x_ratelimit_reset_tokens="1s1h"), 1),
    "a huge reset": (lambda: too_many(x_ratelimit_reset_requests="9" * 30 + "d"), DAY),
    "no JSON": (lambda: faults.answer(429, b"<html>slow down</html>", Retry_After="3"), 3),
    "no body": (lambda: faults.answer(429, b"", Retry_After="3"), 3),
}


def test_each_way_to_say_how_long_is_believed_and_no_longer(start, calm):
    asked = {}

    def plan(request):
        name = request.json()["model"] if request.body else request.fields.get("x-storm-fault")
        asked[name] = asked.get(name, 0) + 1
        return TELLS[name][0]() if name in TELLS and asked[name] == 1 else None

    with Upstream(plan) as upstream:
        gateway = start(mock=upstream, KEYS_MAX_WAIT="1ms")
        before = calm(gateway)
        for name, (_, seconds) in TELLS.items():
            began = datetime.datetime.now(datetime.timezone.utc)
            # Each has a model of its own: what a key cools for.
            status, fields, told, _ = ask_once(gateway, chat_body() | {"model": name}, x_storm_fault=name)
            ended = datetime.datetime.now(datetime.timezone.utc)
            assert status == 429 and json.loads(told)["error"]["code"] == "rate_limit_exceeded", (name, told)
            limit, = (each for each in gateway.shown(gateway.keys[0])["Limits"] if each["Subject"] == name)
            until = datetime.datetime.fromisoformat(limit["Until"].replace("Z", "+00:00"))
            # Dates are whole seconds, and so is what is shown.
            slack = datetime.timedelta(seconds=2.1 if "date" in name else 1.1)
            length = datetime.timedelta(seconds=seconds)
            assert began + length - slack <= until <= ended + length + slack, (name, began, limit)
            assert 0 <= int(fields["retry-after"]) <= seconds + 1, (name, fields)
            # Nothing of it is for another model.
            assert ask_once(gateway, chat_body())[0] == 200
        for name, (_, seconds) in TELLS.items():
            if seconds <= 1.5:
                wait_for(lambda name=name: ask_once(gateway, chat_body() | {"model": name}, x_storm_fault=name)[0] == 200, 10 * SLOW, f"service again after {name}")
        before.require_calm(keys={gateway.keys[0]: "active"})
        before.require_end()


def keys_of(count, name):
    """Unlike in their last four characters, by which they are shown."""
    return [f"sk-upstream-{name}-{name[0]}{i:03}" for i in range(count)]


def test_a_storm_of_429s_ends_when_upstream_says(start, calm, choose, storm_seconds):
    keys, calm_again = keys_of(8, "cool"), []
    short = ["a fraction", "zero", "negative", "a date that was", "milliseconds", "nothing", "reset of requests", "the reset of what is spent", "words"]
    choices = random.Random(choose.random())

    def plan(request):
        return TELLS[choices.choice(short)][0]() if not calm_again and choices.random() < 0.4 else None

    with Upstream(plan) as upstream:
        calm_again.append(True)
        gateway = start(mock=upstream, keys=keys, KEYS_MAX_WAIT="2s")
        accounts = [gateway.make_child(1000) for _ in range(4)]
        # Of another model, which nothing was said of.
        before = calm(gateway, lambda: gateway.chat(model="gpt-4o"))
        calm_again.clear()
        crowd = Crowd(gateway, accounts, choose, allowed=(429,)).work(storm_seconds(5), lambda: upstream.faults["answers 429"] > 20)
        counts = crowd.stop()
        calm_again.append(True)
        before.require_calm(crowd.answers, dict.fromkeys(keys, "active"))
        # What upstream told was short; what is doubled where it told nothing has a minute at most.
        for key in gateway.keys_shown().values():
            for limit in key["Limits"]:
                until = datetime.datetime.fromisoformat(limit["Until"].replace("Z", "+00:00"))
                assert until <= datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=61), key
        wait_for(lambda: gateway.chat()[0] == 200, 70 * SLOW, "service of the model that was refused")
        before.require_end(crowd.answers)
        print(dict(counts), dict(upstream.faults))


def test_a_storm_of_5xx_rests_who_fails_and_heals_when_it_is_over(start, calm, choose, storm_seconds):
    """Two keys fail always, the others now and then; then nobody does."""
    bad, good = keys_of(2, "bad"), keys_of(4, "well")
    choices, is_over = random.Random(choose.random()), [True]

    def plan(request):
        if is_over or request.method != "POST":
            return None
        if request.key in bad or choices.random() < 0.15:
            status = choices.choice([500, 502, 503, 504, 520, 524, 529, 408])
            body = faults.error_body("server_error") if choices.random() < 0.7 else b"<html>Bad gateway</html>"
            return faults.answer(status, body, Retry_After="3600")
        return None

    with Upstream(plan) as upstream:
        gateway = start(mock=upstream, keys=bad + good)
        accounts = [gateway.make_child(1000) for _ in range(4)]
        before = calm(gateway)
        is_over.clear()
        # Two keys that always fail and a seventh of the rest: five attempts hardly ever all fail.
        crowd = Crowd(gateway, accounts, choose, allowed=(500, 502, 503, 504, 520, 524, 529, 408))
        crowd.work(storm_seconds(5), lambda: all(gateway.shown(key)["State"] == "resting" for key in bad))
        counts = crowd.stop()
        shown = gateway.keys_shown()
        assert all(shown["..." + key[-4:]]["State"] == "resting" for key in bad), shown
        assert all(shown["..." + key[-4:]]["State"] in ("active", "resting") for key in good), shown
        assert all(not key["Limits"] for key in shown.values()), "a 5xx cools nobody, whatever its Retry-After says"
        whole = sum(count for what, count in counts.items() if what.startswith("whole"))
        refused = sum(count for what, count in counts.items() if what.startswith("status"))
        assert whole > 20 * refused, counts
        is_over.append(True)

        def all_are_back():
            assert gateway.chat()[0] == 200
            return all(key["State"] == "active" for key in gateway.keys_shown().values())

        # A rest has 15 s, twice as many when its one request failed.
        longest = 16 if storm_seconds(5) <= 15 else 610
        wait_for(all_are_back, longest * 2, "all keys active")
        before.require_calm(crowd.answers, dict.fromkeys(bad + good, "active"))
        before.require_end(crowd.answers)
        print(dict(counts), dict(upstream.faults))


def test_keys_that_die_in_the_storm_leave_and_the_others_stay(start, calm, choose, storm_seconds):
    """What is said of one key is never held against another, and never reaches a client."""
    fates = {
        "sk-upstream-die-dead01": ((401, faults.INVALID_KEY), "dead"),
        "sk-upstream-die-dead02": ((403, faults.error_body("account_deactivated")), "dead"),
        "sk-upstream-die-poor03": ((429, faults.NO_QUOTA), "exhausted"),
        "sk-upstream-die-poor04": ((402, faults.error_body("payment_required")), "exhausted"),
        "sk-upstream-die-away05": ((401, faults.error_body("none", message="You must be a member of an organization to use the API.")), "disabled"),
        "sk-upstream-die-none06": ((403, faults.error_body("model_not_found", message=f"Project does not have access to model `{CHAT}`")), "excluded"),
        "sk-upstream-die-odds07": ((401, b"not even JSON"), "excluded"),
    }
    good = keys_of(3, "live")
    begun = []

    def plan(request):
        if request.key in fates and begun and time.monotonic() > begun[0]:
            (status, body), _ = fates[request.key]
            return faults.answer(status, body)
        return None

    with Upstream(plan) as upstream:
        gateway = start(mock=upstream, keys=[*fates, *good])
        accounts = [gateway.make_child(1000) for _ in range(4)]
        before = calm(gateway)
        crowd = Crowd(gateway, accounts, choose, allowed=())
        begun.append(time.monotonic() + 1)
        counts = crowd.work(storm_seconds(3), lambda: len(upstream.faults) == 4).stop()
        used = dict(upstream.by_key)
        before.require_calm(crowd.answers, {secret: state for secret, (_, state) in fates.items()} | dict.fromkeys(good, "active"))
        for _ in range(30):
            assert gateway.chat()[0] == 200
        assert all(upstream.by_key[secret] == used[secret] for secret in fates), "who is out is asked no more"
        # Upstream thinks better of all of them: who only lacked money is back when asked, who lacked rights at a reload, and the dead stay dead.
        begun.clear()
        for secret, (_, state) in fates.items():
            if state == "exhausted":
                assert gateway.call("POST", f"/x-keys/{gateway.shown(secret)['ID']}/probe")[0] == 200
        gateway.process.send_signal(signal.SIGHUP)
        healed = {secret: state if state in ("dead", "disabled") else "active" for secret, (_, state) in fates.items()}
        wait_for(lambda: all(gateway.shown(secret)["State"] == state for secret, state in healed.items()), 20 * SLOW, "who is back")
        before.require_calm(crowd.answers, healed | dict.fromkeys(good, "active"))
        before.require_end(crowd.answers)
        assert {f"answers {status}" for (status, _), _ in fates.values()} == set(upstream.faults)
        print(dict(counts), dict(upstream.faults))
