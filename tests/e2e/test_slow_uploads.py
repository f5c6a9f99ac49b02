"""How long a client takes for its body is no fault of an upstream key's."""
import json
import time

from processes import SLOW, Gateway, Raw
from test_header_gate import head


def test_an_upload_longer_than_the_deadline_of_attempts_is_answered(mock, tmp_path):
    gateway = Gateway(tmp_path / "gateway", mock, RETRY_DEADLINE="1s", FIRST_BYTE_TIMEOUT=f"{10 * SLOW}s")
    try:
        body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]})
        begun = time.monotonic()
        with Raw(gateway.port) as raw:
            raw.send(head(gateway.root, f"Content-Length: {len(body)}", "x-mock-delay-ms: 300", target="/v1/chat/completions"))
            # So slow is the client that is tested: there is nothing to wait for.
            for byte in body:
                raw.send(byte)
                time.sleep(1.5 / len(body))
            status, _, answer = raw.read_response()
        assert time.monotonic() - begun > 1.5
        assert status == 200, answer
        (key,) = gateway.keys_shown().values()
        assert (key["State"], key["Failures"]) == ("active", 0)
    finally:
        gateway.end()
