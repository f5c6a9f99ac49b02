"""Ways to pay less than a request costs: each must come to the full price, or be refused before it reaches upstream."""
import json

import pytest

import costs
from processes import SLOW, Raw, in_parallel, nanos, wait_for
from test_billing import PRICES, socket_of
from wire import FORM, MESSAGES, form, wav

CHAT = {"model": "gpt-4o-mini", "messages": MESSAGES}
EMBEDDING = {"model": "text-embedding-3-small", "input": "x" * 400}


def price_of(account, path, body, headers=None):
    """What the request was charged, in nano-dollars."""
    assert account.call("POST", path, body, headers)[0] == 200
    return account.costs()[0]


def refused(mock, account, status, code, path, body, headers=None):
    """Refused before upstream saw it, and for nothing."""
    before = len(mock.requests())
    got, _, answer = account.call("POST", path, body, headers)
    error = json.loads(answer)["error"]
    assert (got, error["code"]) == (status, code), answer
    assert len(mock.requests()) == before and account.costs() == []
    return error


def test_asking_for_a_websocket_where_there_is_none_changes_nothing(shop):
    account = shop.make_child(1)
    whole = price_of(account, "/v1/chat/completions", CHAT)
    assert whole > 0
    for headers in ({"Upgrade": "websocket"}, {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "x" * 22 + "=="}):
        assert price_of(account, "/v1/chat/completions", CHAT, headers) == whole


@pytest.mark.parametrize("path", ["/v1/%63hat/completions", "/v1/chat/completion%73", "/chat/%63ompletions", "/v1/files%2D"])
def test_a_path_has_one_spelling(shop, mock, path):
    refused(mock, shop.make_child(1), 404, "not_found", path, CHAT)


UNREADABLE = {"bom": b"\xef\xbb\xbf" + json.dumps(CHAT).encode(), "utf-16": json.dumps(CHAT).encode("utf-16"), "list": b'["x"]', "blank": b" ",
              "another-model": json.dumps({**CHAT, "Model": "gpt-5"}).encode(), "escaped-model": json.dumps(CHAT).encode()[:-1] + b', "\\u004DODEL": "gpt-5"}'}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused(shop, mock, body):
    refused(mock, shop.make_child(1), 400, "bad_json", "/v1/chat/completions", body, {"Content-Type": "application/json"})


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json; charset=utf-7", 'application/json; a=b; Charset = "utf-16"', "text/plain;charset"])
def test_a_type_that_makes_something_else_of_a_body_is_refused(shop, mock, content_type):
    refused(mock, shop.make_child(1), 400, "bad_content_type", "/v1/chat/completions", json.dumps(CHAT), {"Content-Type": content_type})


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'application/json;charset="UTF-8"', "application/json ; charset = utf8; a=b"])
def test_a_type_of_plain_json_is_taken(shop, content_type):
    assert price_of(shop.make_child(1), "/v1/chat/completions", CHAT, {"Content-Type": content_type}) > 0


@pytest.mark.parametrize("suffix", ["cancel", "input_tokens", "x/cancel"])
def test_no_end_of_a_path_makes_it_free(shop, suffix):
    account = shop.make_child(1)
    status = account.call("POST", f"/v1/images/generations/{suffix}", {"model": "dall-e-2", "prompt": "a cat", "n": 1})[0]
    assert status != 200 or account.costs()[0] > 0, status


def test_an_encoded_body_is_refused(shop, mock):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused(mock, shop.make_child(1), 415, "unsupported_content_encoding", "/v1/chat/completions", json.dumps(CHAT), headers)


def test_two_content_types_are_refused(shop, mock):
    account = shop.make_child(1)
    body = json.dumps(CHAT)
    with Raw(shop.port) as raw:
        raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {account.key}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                 f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        assert b"bad_content_type" in raw.read_until(b"}}")
    assert account.costs() == []


def test_a_form_that_cannot_be_read_is_refused(shop, mock):
    account = shop.make_child(1)
    path, body = "/v1/audio/transcriptions", form(model="whisper-1", response_format="text", file=wav(60))
    refused(mock, account, 400, "bad_form", path, body[:-4], FORM)
    for boundary in ("x" * 71, "another"):
        refused(mock, account, 400, "bad_form", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    two = form(file=wav(0.02)).replace(form(), b"") + body
    assert refused(mock, account, 400, "bad_form", path, two, FORM)["param"] == "file"


def test_a_wav_that_claims_to_be_short_is_as_long_as_it_is(shop):
    account = shop.make_child(1)

    def price(sound):
        return price_of(account, "/v1/audio/transcriptions", form(model="whisper-1", response_format="text", file=sound), FORM)

    sound = wav(60)
    size = sound.index(b"data") + 4
    assert price(sound) == 60 * 100_000
    assert price(sound[:size] + (32).to_bytes(4, "little") + sound[size + 4:]) >= 59 * 100_000


def test_a_tier_makes_it_cheaper_only_where_upstream_says_so(shop):
    account = shop.make_child(1)
    assert price_of(account, "/v1/embeddings", EMBEDDING | {"service_tier": "flex"}) == price_of(account, "/v1/embeddings", EMBEDDING) > 0


def test_what_a_prompt_hides_outside_of_its_text_is_reserved(shop):
    account = shop.make_child(0.2)
    names = {"type": "object", "properties": {f"name_{i:060}": {"type": "string"} for i in range(20_000)}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": names}}]
    pictures = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"https://example.com/{i}.png"}} for i in range(200)]}]
    for path, body in {
        "names": ("/v1/chat/completions", {"model": "gpt-4o", "messages": MESSAGES, "tools": tools, "max_tokens": 1}),
        "numbers": ("/v1/embeddings", {"model": "text-embedding-3-large", "input": [[1000] * 2_000 for _ in range(2_000)]}),
        "links": ("/v1/chat/completions", {"model": "gpt-4o", "messages": pictures, "max_tokens": 1}),
        "what is stored": ("/v1/responses", {"model": "gpt-4o", "prompt": {"id": "pmpt_1"}, "max_output_tokens": 1}),
        "many prompts": ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": ["x"] * 50, "best_of": 20, "max_tokens": 1_000}),
    }.values():
        status, _, answer = account.call("POST", path, body)
        assert (status, json.loads(answer)["error"]["code"]) == (429, "insufficient_quota"), path
    assert account.costs() == []


@pytest.mark.parametrize("body", [CHAT | {"stream": True}, {"model": "o3", "input": "x", "stream": True}], ids=["chat", "responses"])
def test_leaving_when_only_the_usage_is_to_come_costs_what_upstream_counts(shop, mock, body):
    account = shop.make_child(1)
    path, mark = ("/v1/chat/completions", b'"finish_reason":"stop"') if "messages" in body else ("/v1/responses", b"response.output_text.done")
    figures = {"input": 60_000, "output": 20_000}
    with Raw(shop.port) as raw:
        text = json.dumps(body)
        raw.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {account.key}\r\nContent-Type: application/json\r\n"
                 f"x-mock-usage: {json.dumps(figures)}\r\nx-mock-interval-ms: 100\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        raw.read_until(mark)
    (row,) = wait_for(account.requests, 20 * SLOW, "its row")
    assert nanos(row["cost"]) == costs.nano_dollars(figures, PRICES.find(body["model"])) and not row["estimated"]


def test_leaving_a_responses_socket_before_its_answer_costs_the_prompt(shop):
    account = shop.make_child(1)
    connection = socket_of(shop, account.key, "/v1/responses", x_mock_interval_ms="1000")
    connection.send(json.dumps({"type": "response.create", "model": "o3", "input": "word " * 8_000}))
    connection.recv(timeout=10 * SLOW)
    connection.socket.close()
    (row,) = wait_for(account.requests, 20 * SLOW, "its row")
    assert row["estimated"] and nanos(row["cost"]) >= costs.nano_dollars({"input": 9_000}, PRICES.find("o3"))


def test_sockets_reserve_what_they_are_sent(shop):
    account = shop.make_child(0.3)
    prompt = json.dumps({"type": "response.create", "model": "o3", "input": "word " * 16_000})

    def turn(_):
        try:
            with socket_of(shop, account.key, "/v1/responses", x_mock_interval_ms="50") as connection:
                connection.send(prompt)
                while json.loads(connection.recv(timeout=20 * SLOW))["type"] != "response.completed":
                    pass
        except Exception:  # noqa: BLE001 - refused at its start, or ended
            pass

    in_parallel(20, turn)
    wait_for(lambda: shop.metric("proxyxai_requests_in_flight") == 0, 20 * SLOW, "their end")
    assert account.balance() >= -10**8
