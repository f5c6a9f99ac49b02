"""WebSockets that stand when their key stops: the next thing they ask for is refused as a new request would be."""
import datetime

import pytest
import websockets.exceptions

from processes import SLOW, wait_for
from test_billing import ask, socket_of


@pytest.mark.parametrize("how", ["disabled", "its parent disabled", "rotated"])
def test_an_open_socket_ends_when_its_key_stops(start, mock, how):
    gateway = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    parent = gateway.make_child(50)
    account = gateway.make_child(1, by=parent)
    with socket_of(gateway, account.key) as connection:
        assert ask(connection, type="response.create")[-1]["type"] == "response.done"
        if how == "rotated":
            assert account.call("POST", "/x-self", {"confirm": f"{datetime.datetime.now():%Y-%m-%d}-ROTATE-SELF"})[0] == 200
        else:
            gateway.change(account if how == "disabled" else parent, Status=False)
        assert account.chat()[0] == 401
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            for _ in range(20):
                ask(connection, type="response.create")
    assert closed.value.rcvd.code == 1008
    wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 0, 10 * SLOW, "its end")
