"""Connections to upstream that are kept, and end when the next request is on its way."""
import random
import time

import pytest

import faults
from clients import Crowd
from processes import SLOW, wait_for
from invariants import KEPT, metrics
from test_refusals import keys_of
from upstream import Upstream, good_answer


def test_an_upstream_that_ends_its_connections_at_any_moment_costs_no_request(start, calm, choose, certificates, storm_seconds):
    """Behind each answer it may close, reset or fall silent a moment later, as those do who think a connection idle."""
    choices, is_over = random.Random(choose.random()), [True]

    def plan(request):
        if is_over or choices.random() < 0.5:
            return None
        how, moment = choices.choice(["reset", "close", "goodbye"]), choices.choice([0, 0, 0.001, 0.005, 0.03, 0.06])

        @faults.named(how + " behind the answer")
        def fault(peer, request):
            peer.send(good_answer(request).data)
            # At once a reset could overtake the answer itself.
            time.sleep(max(moment, 0.02) if how == "reset" else moment)
            getattr(peer, faults.ENDS[how])()

        return fault

    keys = keys_of(3, "kept")
    with Upstream(plan, certificates["good"], certificates.ca) as upstream:
        gateway = start(mock=upstream, keys=keys)
        accounts = [gateway.make_child(1000) for _ in range(4)]
        before = calm(gateway)
        is_over.clear()
        crowd = Crowd(gateway, accounts, choose, allowed=()).work(storm_seconds(4), lambda: sum(upstream.faults.values()) > 50)
        counts = crowd.stop()
        is_over.append(True)
        assert not counts["cut off"], counts
        assert upstream.connections > 50
        before.require_calm(crowd.answers, dict.fromkeys(keys, "active"))
        assert gateway.metric("proxyxai_attempts_total", 'fault="stale_connection"') > 0
        before.require_end(crowd.answers)
        print(dict(counts), dict(upstream.faults))


def test_kept_connections_that_upstream_has_closed_are_given_back(start, calm, choose):
    """Of a crowd's connections those that are idle are closed by upstream: neither they nor their descriptors stay for long."""
    with Upstream() as upstream:
        gateway = start(mock=upstream)
        accounts = [gateway.make_child(1000) for _ in range(2)]
        before = calm(gateway)
        crowd = Crowd(gateway, accounts, choose, allowed=()).work(2)
        crowd.stop()
        before.at_rest()
        kept = metrics(gateway)[KEPT]
        assert kept >= 8, kept
        upstream.drop_all()
        wait_for(lambda: not upstream.open, 20 * SLOW, "the end of all connections at upstream")
        wait_for(lambda: gateway.chat()[0] == 200 and metrics(gateway)[KEPT] <= 2, 5 * SLOW, "the end of what was kept")
        before.require_calm(crowd.answers)
        before.require_end(crowd.answers)


def test_a_stop_in_the_storm_loses_nothing(start, calm, choose, certificates):
    """SIGTERM with requests under way, some of which upstream never answers."""
    choices = random.Random(choose.random())

    def plan(request):
        drawn = choices.random()
        if drawn < 0.05:
            return faults.cut("in the data", "stall")
        return faults.drip(40, 0.005) if drawn < 0.3 else None

    with Upstream(plan, certificates["good"], certificates.ca) as upstream:
        gateway = start(mock=upstream, DRAIN_TIMEOUT="2s")
        # It tells that it could not wait for all.
        gateway.expected_exit = 1
        accounts = [gateway.make_child(1000) for _ in range(4)]
        plan_of_before, upstream.plan = upstream.plan, lambda request: None
        before = calm(gateway)
        upstream.plan = plan_of_before
        crowd = Crowd(gateway, accounts, choose)
        crowd.work(1.5, lambda: len(crowd.answers) > 20)
        crowd.may_end()
        began = time.monotonic()
        before.require_end()
        assert time.monotonic() - began < 8 * SLOW
        crowd.stop()
        before.books.require_sound()
        before.require_answers_once(crowd.answers)


def test_what_upstream_has_closed_is_closed_here_without_a_request(start, choose):
    with Upstream() as upstream:
        gateway = start(mock=upstream)
        accounts = [gateway.make_child(1000)]
        Crowd(gateway, accounts, choose, allowed=()).work(1, lambda: metrics(gateway)[KEPT] >= 8).stop()
        upstream.drop_all()
        wait_for(lambda: not upstream.open, 20 * SLOW, "the end of all connections at upstream")
        wait_for(lambda: metrics(gateway)[KEPT] == 0, 5, "the end of what was kept")
