"""Requests that are sent one behind the other on one connection: served in their order, whatever stands before them."""
import json

import pytest

from processes import Raw
from test_header_gate import head

CHAT = json.dumps({"model": "gpt-4o-mini", "messages": []})
# The gateway takes a chunked body out of what it has read in pieces of this size.
PIECE = 16 << 10


def chunked(body):
    return f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"


def listing(gateway, name, size=None):
    """A request that is told from others by its query, `size` bytes long."""
    start = f"GET /v1/models?n={name} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {gateway.root}\r\n"
    padding = f"X-Padding: {'p' * (size - len(start) - len('X-Padding: ') - 4)}\r\n" if size else ""
    return f"{start}{padding}\r\n"


@pytest.mark.parametrize("known", [True, False], ids=["of a good request", "of a refused request"])
@pytest.mark.parametrize("cut", [0, 1, 100], ids="{} bytes beyond it".format)
def test_what_came_together_with_a_chunked_body_keeps_its_order(gateway, mock, known, cut):
    body = chunked(CHAT)
    # A head so long that what is read with it is more than one piece; the first piece ends with the first listing, or inside it.
    first = head(gateway.root if known else "sk-wrong", "Transfer-Encoding: chunked", "X-Padding: " + "p" * 33_000) + body
    with Raw(gateway.port) as raw:
        raw.send(first + listing(gateway, "one", PIECE - len(body) + cut) + listing(gateway, "two") + listing(gateway, "three"))
        statuses = [raw.read_response()[0] for _ in range(4)]
    assert [each["target"] for each in mock.requests() if "?n=" in each["target"]] == [f"/v1/models?n={name}" for name in ("one", "two", "three")]
    assert statuses == [200 if known else 401, 200, 200, 200]
