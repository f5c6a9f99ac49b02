"""How long a 401 takes must not tell how near a key is to one that there is. What is left to see is whether a key was looked up just before."""
import random
import statistics
import string
import time

import pytest

from processes import Raw, make_root_key

pytestmark = pytest.mark.figures

ROUNDS = 1500
# A look into the database takes half as long again as all the rest; noise is a tenth of that.
MOST = 0.15


def near(key):
    """Another key, but for its last three characters the same."""
    while (other := key[:-3] + "".join(random.choices(string.ascii_letters + string.digits, k=3))) == key:
        pass
    return other


def microseconds(raw, key):
    request = f"GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    began = time.perf_counter_ns()
    raw.socket.sendall(request)
    status = raw.read_response()[0]
    took = time.perf_counter_ns() - began
    assert status == 401
    return took / 1000


def test_a_refusal_takes_as_long_whatever_the_key_is_like(gateway):
    live, disabled = gateway.make_child(50), gateway.make_child(50)
    assert live.chat()[0] == disabled.chat()[0] == 200
    gateway.change(disabled, Status=False)
    again = make_root_key()
    kinds = {
        "never seen": make_root_key,
        "near a live one": lambda: near(live.key),
        "near a disabled one": lambda: near(disabled.key),
        "seen just before, unknown": lambda: again,
        "seen just before, disabled": lambda: disabled.key,
        "of no form": lambda: "sk-x",
    }
    times = {name: [] for name in kinds}
    with Raw(gateway.port) as raw:
        for _ in range(ROUNDS):
            # Mixed, so that whatever else the machine does is done to all of them.
            for name in random.sample(list(kinds), len(kinds)):
                times[name].append(microseconds(raw, kinds[name]()))
    medians = {name: statistics.median(each) for name, each in times.items()}
    print({name: f"{each:.1f} us" for name, each in medians.items()})

    def differ(one, other):
        return abs(medians[one] - medians[other]) / min(medians[one], medians[other])

    assert differ("never seen", "near a live one") < MOST
    assert differ("never seen", "near a disabled one") < MOST
    assert differ("seen just before, unknown", "seen just before, disabled") < MOST
    assert differ("seen just before, unknown", "of no form") < MOST
    # One look into the database, which a key is worth once a second; only who has a disabled account's whole key could see it missing, and is told
    # by the answer that the account is disabled.
    assert medians["never seen"] - medians["seen just before, disabled"] < 250
