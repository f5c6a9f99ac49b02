"""What requests cost: each as upstream's own numbers say, to the nano-dollar, once, and never more than there is."""
import asyncio
import json
import resource
import socket
import struct
import subprocess

import pytest
import websockets.sync.client

import costs
from processes import BUILD, SLOW, Gateway, Raw, in_parallel, nanos, request, wait_for
from wire import FORM, MESSAGES, TEXT, form, wav

KEY = "sk-upstream-key-000001"
PRICES = costs.Prices()
RATES = (1, 1.5)

# What upstream is made to count.
FIGURES = {
    "plain": {},
    "cached": {"input": 1_001, "cached": 400, "output": 53},
    "all cached": {"input": 77, "cached": 77, "output": 1, "reasoning": 1},
    "written": {"input": 300_001, "cached": 10_000, "cache_write": 50_007, "output": 777},
    "sound": {"input": 333, "cached": 13, "audio_input": 111, "output": 200, "audio_output": 150, "reasoning": 20},
    "pictures": {"input": 901, "cached": 100, "image_input": 700, "output": 4_161, "image_output": 4_160},
    "half a nano": {"input": 1, "output": 3},
}
MODELS = {"written": "gpt-5.6", "sound": "gpt-audio", "half a nano": "gpt-5-nano"}


def chat(model, **more):
    return "/v1/chat/completions", {"model": model, "messages": MESSAGES, **more}


def completion(model, **more):
    return "/v1/completions", {"model": model, "prompt": TEXT, **more}


def response(model, **more):
    return "/v1/responses", {"model": model, "input": TEXT, **more}


STREAM, COUNTED = {"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}


def token_cases():
    """By name: path, body, headers for the mock."""
    cases = {}
    for figures, numbers in FIGURES.items():
        asked = {"x-mock-usage": json.dumps(numbers)}
        model = MODELS.get(figures, "gpt-4o-mini")
        for shape, more in {"json": {}, "sse": STREAM, "sse with usage": COUNTED}.items():
            cases[f"chat {shape} {figures}"] = (*chat(model, **more), asked)
            if "usage" not in shape:
                cases[f"responses {shape} {figures}"] = (*response(model, **more), asked)
    for shape, more in {"json": {}, "sse": STREAM, "sse with usage": COUNTED}.items():
        cases[f"completions {shape}"] = (*completion("gpt-3.5-turbo-instruct", **more), {})
        for tier in ("flex", "priority", "default", "auto"):
            cases[f"chat {shape} asked for {tier}"] = (*chat("gpt-4o", service_tier=tier, **more), {})
        cases[f"chat {shape} served as flex"] = (*chat("gpt-4o", service_tier="priority", **more), {"x-mock-tier": "flex"})
        cases[f"chat {shape} served as priority"] = (*chat("o3", **more), {"x-mock-tier": "priority"})
        cases[f"chat {shape} served as default"] = (*chat("o3", service_tier="flex", **more), {"x-mock-tier": "default"})
        cases[f"chat {shape} without an end"] = (*chat("gpt-4o-mini", **more), {"x-mock-no-done": "1"})
        cases[f"chat {shape} obfuscated"] = (*chat("gpt-4o-mini", **more), {"x-mock-obfuscation": "1"})
        cases[f"chat {shape} planted"] = (*chat("gpt-4o", **more), {"x-mock-plant": "1"})
    for shape, more in {"json": {}, "sse": STREAM}.items():
        cases[f"responses {shape} served as flex"] = (*response("gpt-5.1", service_tier="priority", **more), {"x-mock-tier": "flex"})
        cases[f"responses {shape} planted"] = (*response("gpt-4o", **more), {"x-mock-plant": "1"})
        for status in ("incomplete", "failed"):
            cases[f"responses {shape} {status}"] = (*response("gpt-4o", **more), {"x-mock-status": status})
        picture = {"model": "gpt-image-1", "prompt": "a ledger", "n": 2, "quality": "high", **more}
        cases[f"images {shape}"] = ("/v1/images/generations", picture, {})
        cases[f"images {shape} planted"] = ("/v1/images/generations", picture, {"x-mock-plant": "1"})
        cases[f"edits {shape}"] = ("/v1/images/edits", form(image=b"a picture", prompt="x", **({"stream": "true"} if more else {})), FORM)
        heard = form(file=wav(2), model="gpt-4o-transcribe", **({"stream": "true"} if more else {}))
        cases[f"transcription {shape}"] = ("/v1/audio/transcriptions", heard, FORM)
        cases[f"transcription {shape} planted"] = ("/v1/audio/transcriptions", heard, {**FORM, "x-mock-plant": "1"})
    for model in ("gpt-4o-2024-08-06", "gpt-4o-2024-05-13", "gpt-5.4-2026-03-05", "o1-pro", "a-model-nobody-knows"):
        cases[f"chat of {model}"] = (*chat(model), {})
    cases["compaction"] = ("/v1/responses/compact", response("gpt-5.1")[1], {})
    cases["embeddings"] = ("/v1/embeddings", {"model": "text-embedding-3-large", "input": TEXT}, {"x-mock-usage": '{"input":12345}'})
    cases["embeddings planted"] = ("/v1/embeddings", {"model": "text-embedding-3-large", "input": TEXT}, {"x-mock-plant": "1"})
    cases["transcription by length"] = ("/v1/audio/transcriptions", form(file=wav(3), model="whisper-1"), FORM)
    cases["transcription with its duration"] = ("/v1/audio/transcriptions", form(file=wav(3.25), model="whisper-1", response_format="verbose_json"),
                                                {**FORM, "x-mock-no-usage": "1"})
    cases["translation with its duration"] = ("/v1/audio/translations", form(model="whisper-1", response_format="verbose_json", file=wav(7.5)), FORM)
    spoken = {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "alloy", "stream_format": "sse"}
    cases["speech sse"] = ("/v1/audio/speech", spoken, {})
    cases["speech sse planted"] = ("/v1/audio/speech", spoken, {"x-mock-plant": "1"})
    return cases


TOKEN_CASES = token_cases()


def send(port, key, path, body, headers=None, tls=None):
    if isinstance(body, dict):
        body, headers = json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
    return request(port, "POST", path, body, {"Authorization": f"Bearer {key}", **(headers or {})}, tls=tls)


def direct(mock, path, body, headers=None):
    return send(mock.port, KEY, path, body, headers, mock.tls)


def told_by_upstream(mock, path, body, headers):
    """The usage in upstream's own answer, streams made to tell it."""
    endpoint = path.removeprefix("/v1/")
    streams = isinstance(body, dict) and body.get("stream") or b'name="stream"' in body or "speech" in path
    if streams and "completions" in path:
        body = {**body, "stream_options": {"include_usage": True}}
    status, _, answer = direct(mock, path, body, headers)
    assert status == 200, answer
    return costs.usage_of_stream(endpoint, answer) if streams else costs.usage_of(endpoint, json.loads(answer))


def model_of(path, body):
    if isinstance(body, dict):
        return body["model"]
    return next((name for name in ("gpt-4o-transcribe", "whisper-1") if name.encode() in body), "gpt-image-1.5")


@pytest.fixture(scope="module")
def customers(shared):
    return {rate: shared.make_child(1_000, Rates=rate, HardLimit=100_000) for rate in RATES}


def charged_for(account, path, body, headers=None):
    """The row of one request by the account, whose balance has fallen by exactly that; and the answer."""
    before, rows = account.balance(), len(account.requests())
    status, _, answer = send(account.gateway.port, account.key, path, body, headers)
    assert status == 200, answer
    # A row that costs nothing is not waited for.
    row = wait_for(lambda: account.requests()[: len(account.requests()) - rows], what="its row")[0]
    assert len(account.requests()) == rows + 1, "one row for each request"
    cost = nanos(row["cost"])
    assert before - account.balance() == cost
    return row, cost, answer


@pytest.mark.parametrize("case", TOKEN_CASES)
def test_cost_is_what_upstream_counts_to_the_nano_dollar(shop, mock, customers, case):
    path, body, headers = TOKEN_CASES[case]
    usage = told_by_upstream(mock, path, body, headers)
    assert usage, "the mock tells it"
    model = model_of(path, body)
    for rate in RATES:
        row, cost, _ = charged_for(customers[rate], path, body, headers)
        assert cost == costs.nano_dollars(usage, PRICES.find(model), rate)
        assert cost > 0 and not row["estimated"]
        assert (row["prompt_tokens"], row["cached_tokens"], row["completion_tokens"]) == tuple(usage.get(n, 0) for n in ("input", "cached", "output"))


UNIT_CASES = {
    # by name: path, body, headers, usage
    "speech by characters": ("/v1/audio/speech", {"model": "tts-1", "input": "Grüße, 世界 🌍", "voice": "alloy"}, {}, {"characters": 11}),
    "speech in better quality": ("/v1/audio/speech", {"model": "tts-1-hd", "input": "x" * 4_096, "voice": "alloy"}, {}, {"characters": 4_096}),
    "transcript as text": ("/v1/audio/transcriptions", form(file=wav(2.5), model="whisper-1", response_format="text"), FORM, {"seconds": "2.5"}),
    "translation": ("/v1/audio/translations", form(file=wav(1.25), model="whisper-1"), FORM, {"seconds": "1.25"}),
    "a picture": ("/v1/images/generations", {"model": "dall-e-2", "prompt": "x", "size": "256x256", "n": 3}, {}, {"images": 3, "image_kind": "/256x256"}),
    "a large one": ("/v1/images/generations", {"model": "dall-e-3", "prompt": "x", "size": "1792x1024", "quality": "hd"}, {},
                    {"images": 1, "image_kind": "hd/1792x1024"}),
    "a plain one": ("/v1/images/generations", {"model": "dall-e-3", "prompt": "x"}, {}, {"images": 1, "image_kind": "/"}),
    "of no named model": ("/v1/images/generations", {"prompt": "x", "n": 2}, {}, {"images": 2, "image_kind": "/"}),
    "a picture that upstream counts no tokens of": ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "x", "n": 2}, {"x-mock-no-usage": "1"},
                                                    {"images": 2, "image_kind": "/"}),
    "variations": ("/v1/images/variations", form(image=b"a picture", n=4, size="512x512"), FORM, {"images": 4, "image_kind": "/512x512"}),
}


@pytest.mark.parametrize("case", UNIT_CASES)
def test_what_has_no_tokens_is_charged_by_the_unit(shop, customers, case):
    path, body, headers, usage = UNIT_CASES[case]
    model = body.get("model", "dall-e-2") if isinstance(body, dict) else "whisper-1" if "audio" in path else "dall-e-2"
    for rate in RATES:
        row, cost, _ = charged_for(customers[rate], path, body, headers)
        assert cost == costs.nano_dollars(usage, PRICES.find(model), rate)
        assert cost > 0 and not row["estimated"]


SILENT = {
    "chat json": chat("gpt-4o"),
    "chat sse": chat("gpt-4o", **STREAM),
    "chat sse with usage": chat("gpt-4o", **COUNTED),
    "chat of an unknown model": chat("a-model-nobody-knows"),
    "completions json": completion("gpt-3.5-turbo-instruct"),
    "completions sse": completion("gpt-3.5-turbo-instruct", **STREAM),
    "responses json": response("gpt-4o"),
    "responses sse": response("gpt-4o", **STREAM),
    "embeddings": ("/v1/embeddings", {"model": "text-embedding-3-small", "input": TEXT}),
    "speech": ("/v1/audio/speech", {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "alloy"}),
    "speech sse": ("/v1/audio/speech", {"model": "gpt-4o-mini-tts", "input": TEXT, "voice": "alloy", "stream_format": "sse"}),
    "transcription": ("/v1/audio/transcriptions", form(file=wav(20), model="gpt-4o-transcribe")),
    "transcription of what is no wav": ("/v1/audio/transcriptions", form(file=b"x" * 99_999, model="whisper-1", response_format="text")),
}


@pytest.mark.parametrize("case", SILENT)
def test_without_numbers_from_upstream_the_cost_is_estimated_and_never_nothing(shop, customers, case):
    path, body = SILENT[case]
    headers = {"x-mock-no-usage": "1", **(FORM if isinstance(body, bytes) else {})}
    row, cost, _ = charged_for(customers[1], path, body, headers)
    assert row["estimated"] and cost > 0


def test_an_estimate_is_of_the_prompt_and_of_what_was_delivered(shop, customers):
    path, body = chat("gpt-4o", **STREAM)
    row, cost, _ = charged_for(customers[1], path, body, {"x-mock-no-usage": "1", "x-mock-events": "40"})
    assert 40 <= row["completion_tokens"] <= 120 and len(TEXT) / 6 <= row["prompt_tokens"] <= len(TEXT) / 2
    assert cost == costs.nano_dollars({"input": row["prompt_tokens"], "output": row["completion_tokens"]}, PRICES.find("gpt-4o"))


# Numbers that no honest upstream tells; none may pay out, overflow, or stop the service.
ABSURD = ['{"input":-5,"output":-7}', '{"input":-1000000000000000000,"output":10}', '{"input":1.5,"output":2.25}',
          '{"input":"12","output":null}', '{"input":10,"cached":1000000,"output":5}', '{"input":10,"cached":-1000000,"output":5}',
          '{"input":true,"output":[1]}', '{"input":10,"output":5,"total":-1}', '{"input":5,"audio_input":9,"output":2,"audio_output":9}',
          '{"cached":9007199254740993,"input":1,"output":1}', '{"input":{},"output":{"a":1}}']


@pytest.mark.parametrize("shape", ["chat", "chat sse", "responses", "responses sse"])
@pytest.mark.parametrize("figures", ABSURD)
def test_absurd_numbers_never_pay_out_and_break_nothing(shop, shape, figures):
    make = chat if "chat" in shape else response
    path, body = make("gpt-4o-mini", **(STREAM if "sse" in shape else {}))
    _, cost, _ = charged_for(shop.make_child(), path, body, {"x-mock-usage": figures})
    assert 0 <= cost < 10**9


@pytest.mark.parametrize("stream", [{}, STREAM])
def test_more_tokens_than_there_can_be_cost_an_account_no_more_than_a_limit_and_overflow_nothing(shop, stream):
    account, other = shop.make_child(5), shop.make_child(5)
    path, body = chat("o1-pro", **stream)
    status, _, _ = send(shop.port, account.key, path, body, {"x-mock-usage": '{"input":1000000000000000000,"output":9223372036854775807}'})
    assert status == 200
    (row,) = account.requests()
    assert row["cost"] > 0 and account.balance() < 0
    assert send(shop.port, account.key, path, body)[0] == 429
    assert other.chat()[0] == 200 and other.balance() > 0


# Streams that are made to tell their usage.


@pytest.mark.parametrize("headers", [{}, {"x-mock-obfuscation": "1"}, {"x-mock-plant": "1"}, {"x-mock-no-done": "1"}, {"x-mock-bytes": "70000"}],
                         ids=lambda headers: next(iter(headers), "plain"))
@pytest.mark.parametrize("more", [{}, {"stream_options": {}}, {"stream_options": None}, {"stream_options": {"include_usage": False}},
                                  {"stream_options": {"include_obfuscation": True}}], ids=json.dumps)
@pytest.mark.parametrize("make", [chat, completion])
def test_stream_is_byte_for_byte_what_it_would_be_without_the_gateway(shop, mock, customers, make, more, headers):
    path, body = make("gpt-4o", **STREAM, **more)
    _, _, expected = direct(mock, path, body, headers)
    mock.clear()
    row, cost, answer = charged_for(customers[1], path, body, headers)
    assert answer == expected
    assert b"usage" not in answer or "x-mock-plant" in headers
    (seen,) = mock.requests()
    assert json.loads(seen["body_head"])["stream_options"]["include_usage"] is True
    assert not row["estimated"] and cost > 0


@pytest.mark.parametrize("body", ['{"model":"gpt-4o","stream":true,"messages":[],"stream_options":{"include_usage":false}}',
                                  '{"stream_options":{"include_usage":true},"model":"gpt-4o","stream":true,"stream_options":{"include_usage":false},"messages":[]}',
                                  '{"model":"gpt-4o","stream":false,"stream":true,"messages":[]}',
                                  '{"model":"o1-pro","model":"gpt-4o","str\\u0065am":true,"messages":[]}',
                                  ' {\n "model" : "gpt-4o" , "stream" : true, "messages": [ ] }\n'])
def test_odd_ways_to_ask_for_a_stream_are_charged_all_the_same(shop, customers, body):
    account = customers[1]
    before = account.balance()
    status, _, answer = request(shop.port, "POST", "/v1/chat/completions", body,
                                {"Authorization": f"Bearer {account.key}", "Content-Type": "application/json"})
    assert status == 200 and answer.endswith(b"data: [DONE]\n\n") and b"usage" not in answer
    row = account.requests("size=1")[0]
    assert not row["estimated"] and row["completion_tokens"] == 8
    assert before - account.balance() == nanos(row["cost"]) > 0


# A balance is a floor.


async def status_of(port, payload, start):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await start.wait()
    writer.write(payload)
    line = await reader.readline()
    rest = await reader.read()
    writer.close()
    return int(line.split()[1]), rest


async def statuses_of(port, payload, count):
    """Of so many requests at once, each on a connection that stood before."""
    start = asyncio.Event()
    tasks = [asyncio.create_task(status_of(port, payload, start)) for _ in range(count)]
    await asyncio.sleep(0)
    start.set()
    return await asyncio.wait_for(asyncio.gather(*tasks), 60 * SLOW)


def payload_of(account, path, body, headers=None):
    text = json.dumps(body)
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Authorization: Bearer {account.key}", "Content-Type: application/json", "Connection: close",
             f"Content-Length: {len(text)}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


@pytest.mark.parametrize("more,credit,output", [
    ({"max_tokens": 1_000}, 0.015, 1_000),
    ({"max_tokens": 1_000, "stream": True}, 0.015, 1_000),
    ({"max_tokens": 10, "n": 100}, 0.015, 1_000),
    ({}, 0.03, 1_500),
    ({"stream": True}, 0.03, 1_500),
], ids=str)
def test_of_a_thousand_requests_at_once_a_balance_for_one_admits_one(shop, mock, more, credit, output):
    account = shop.make_child(credit)
    path, body = chat("gpt-4o", **more)
    headers = {"x-mock-delay-ms": 500, "x-mock-usage": json.dumps({"input": 20, "output": output})}
    answers = asyncio.run(statuses_of(shop.port, payload_of(account, path, body, headers), 1_000))
    statuses = [status for status, _ in answers]
    assert statuses.count(200) == 1 and statuses.count(429) == 999
    assert all(b'"code":"insufficient_quota"' in rest and b"x-should-retry: false" in rest for status, rest in answers if status == 429)
    assert len(mock.requests()) == 1
    (row,) = account.requests()
    assert account.balance() == round(credit * 10**9) - nanos(row["cost"]) >= 0


STEP = 1_000_000  # nano-dollars


@pytest.fixture(scope="module")
def careful(tls_mock, tmp_path_factory):
    """A gateway that reserves little at a time."""
    gateway = Gateway(tmp_path_factory.mktemp("careful"), tls_mock, USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0", HOLD_STEP="0.001", HOLD_CAP="0.002")
    yield gateway
    gateway.end()


@pytest.mark.parametrize("path,body", [chat("gpt-4o", **STREAM), chat("gpt-4o", **COUNTED), chat("gpt-4o", max_tokens=100_000, **STREAM),
                                       completion("gpt-4o", **STREAM), response("gpt-4o", **STREAM)],
                         ids=["chat", "chat with usage", "chat with a maximum", "completions", "responses"])
def test_a_stream_past_the_balance_ends_with_an_error_event(careful, mock, path, body):
    account = careful.make_child(0.01)
    headers = {"x-mock-events": "2000", "x-mock-bytes": "32"}
    status, _, answer = send(careful.port, account.key, path, body, headers)
    assert status == 200, "http.client has read the final chunk"
    *before, last = costs.events(answer)
    error = last.get("error", last)
    assert error["code"] == "insufficient_quota" and error["message"] == "Insufficient balance"
    assert answer.endswith(b"}\n\n") and (b"event: error\ndata: " in answer) == ("responses" in path)
    assert len(before) > 50, "what was paid for has come"
    mock.wait_for("client_gone", 1)
    assert -STEP <= account.balance() <= STEP
    row = account.requests()[0]
    assert row["estimated"] and row["completion_tokens"] >= len(before) - 10
    taken = account.balance()
    # Nothing more: neither this nor anything else that would cost.
    for retry in (chat("gpt-4o", **STREAM), response("o1-pro"), chat("gpt-4o", max_tokens=1_000)):
        status, fields, refusal = send(careful.port, account.key, *retry)
        assert status == 429 and json.loads(refusal)["error"]["code"] == "insufficient_quota" and fields["x-should-retry"] == "false"
    assert account.balance() == taken and len(mock.requests()) == 1


def test_many_streams_of_one_account_overdraw_it_by_no_more_than_their_steps(careful, mock):
    account = careful.make_child(0.05)
    path, body = chat("gpt-4o", **STREAM)
    headers = {"x-mock-events": "2000", "x-mock-bytes": "32"}
    answers = in_parallel(10, lambda _: send(careful.port, account.key, path, body, headers))
    assert all(status == 429 or b"insufficient_quota" in body for status, _, body in answers)
    assert -10 * STEP <= account.balance() <= 10 * STEP
    assert 50_000_000 - account.balance() == sum(account.costs())


# Clients that leave.

EVENTS = 50
CREDIT = 0.0101  # dollars: covers one request that names no maximum, not two


def leave_after(gateway, account, index, path, body, mark):
    """Reads up to the event `index`, none for -1, and leaves at once. The events that have come."""
    headers = {"x-mock-events": EVENTS, "x-mock-interval-ms": 20}
    with Raw(gateway.port) as raw:
        raw.send(payload_of(account, path, body, headers))
        if index < 0:
            wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") > 0, what="the request")
            came = b""
        else:
            came = raw.read_until(mark % index) + raw.rest
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return sum(mark % i in came for i in range(EVENTS))


@pytest.mark.parametrize("policy", ["cancel", "drain"])
@pytest.mark.parametrize("path,body", [chat("gpt-4o-mini", **STREAM), response("gpt-4o-mini", **STREAM)], ids=["chat", "responses"])
def test_a_client_leaving_at_any_event_pays_for_what_it_got(shop, mock, policy, path, body):
    full = told_by_upstream(mock, path, body, {"x-mock-events": str(EVENTS)})
    price = PRICES.find("gpt-4o-mini")
    whole = costs.nano_dollars(full, price)
    accounts = [shop.make_child(CREDIT, AbortPolicy=policy) for _ in range(EVENTS + 1)]
    came = in_parallel(EVENTS + 1, lambda i: leave_after(shop, accounts[i], i - 1, path, body, b"word%d "))
    wait_for(lambda: shop.metric("proxyxai_requests_in_flight") == 0, 10 * SLOW, "their ends")
    assert came[1:] != [EVENTS] * EVENTS, "they left in the middle"
    for account, count in zip(accounts, came):
        (row,) = wait_for(account.requests, what="its row")
        cost = nanos(row["cost"])
        assert cost >= costs.nano_dollars({"output": count}, price), (count, row)
        assert account.balance() == round(CREDIT * 10**9) - cost
        if policy == "drain":
            assert cost == whole and not row["estimated"]
            assert (row["prompt_tokens"], row["completion_tokens"]) == (full["input"], full["output"])
        else:
            # An estimate counts twice at the most: words of these streams are two tokens by their length.
            assert cost <= 2 * whole
        assert row["status"] in (200, 499)
    # Nothing is reserved any more: each can have a request that takes all it has.
    statuses = in_parallel(EVENTS + 1, lambda i: accounts[i].chat()[0])
    assert statuses == [200] * (EVENTS + 1)


@pytest.mark.parametrize("policy", ["cancel", "drain"])
def test_a_client_leaving_before_a_whole_answer_pays_by_the_policy(shop, mock, policy):
    account = shop.make_child(CREDIT, AbortPolicy=policy)
    path, body = chat("gpt-4o-mini")
    usage = told_by_upstream(mock, path, body, {})
    mock.clear()
    with Raw(shop.port) as raw:
        raw.send(payload_of(account, path, body, {"x-mock-delay-ms": 500}))
        wait_for(mock.requests, what="the request upstream")
    (row,) = wait_for(account.requests, 10 * SLOW, "its row")
    price = PRICES.find("gpt-4o-mini")
    if policy == "drain":
        assert not row["estimated"] and nanos(row["cost"]) == costs.nano_dollars(usage, price)
        assert mock.requests()[0]["outcome"] != "client_gone"
    else:
        assert row["estimated"] and nanos(row["cost"]) == costs.nano_dollars({"input": row["prompt_tokens"]}, price) > 0
        assert row["completion_tokens"] == 0
    assert account.balance() == round(CREDIT * 10**9) - nanos(row["cost"])
    assert account.chat()[0] == 200


def test_what_failed_upstream_costs_nothing_whoever_leaves(start, mock):
    gateway = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0", RETRY_ATTEMPTS="2")
    account = gateway.make_child(1)
    mock.script("*", "http_500")
    status, headers, _ = account.chat()
    assert status == 500 and headers["x-proxyxai-attempts"] == "2"
    mock.control("DELETE", "/_mock/script")
    mock.script("*", "bad_request")
    assert account.chat()[0] == 400
    assert account.balance() == 10**9
    rows = wait_for(lambda: len(account.requests()) == 2 and account.requests(), what="the rows of both")
    assert [(row["status"], row["attempts"], row["cost"]) for row in rows] == [(400, 1, 0), (500, 2, 0)]
    mock.control("DELETE", "/_mock/script")
    # One of two attempts fails: only the other is billed, once.
    mock.script("*", "http_500", times=1)
    row, cost, answer = charged_for(account, *chat("gpt-4o-mini"))
    assert row["attempts"] == 2
    assert cost == costs.nano_dollars(costs.usage_of("chat/completions", json.loads(answer)), PRICES.find("gpt-4o-mini"))


@pytest.mark.parametrize("fault", ["reset_mid", "truncate"])
@pytest.mark.parametrize("policy", ["cancel", "drain"])
def test_a_stream_that_upstream_breaks_is_charged_as_far_as_it_came(shop, mock, policy, fault):
    account = shop.make_child(1, AbortPolicy=policy)
    mock.script("*", fault, after_bytes=2_000)
    path, body = chat("gpt-4o", **STREAM)
    with Raw(shop.port) as raw:
        raw.send(payload_of(account, path, body, {"x-mock-events": 50}))
        answer = raw.read_all()
    count = sum(b"word%d " % i in answer for i in range(50))
    assert 0 < count < 50
    (row,) = wait_for(account.requests, what="its row")
    assert row["estimated"] and nanos(row["cost"]) >= costs.nano_dollars({"output": count}, PRICES.find("gpt-4o"))
    assert account.balance() == 10**9 - nanos(row["cost"])


# WebSockets.


def socket_of(gateway, key, path="/v1/realtime?model=gpt-realtime", **headers):
    headers = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return websockets.sync.client.connect(f"ws://127.0.0.1:{gateway.port}{path}", additional_headers=headers, close_timeout=SLOW)


def ask(connection, until="response.done", **event):
    """Sends an event; the events up to the one that answers it."""
    connection.send(json.dumps(event))
    came = []
    while not came or came[-1]["type"] != until:
        came.append(json.loads(connection.recv(timeout=10 * SLOW)))
    return came


def realtime_usage(event):
    return costs.usage_of("realtime", event)


def test_each_response_of_a_realtime_session_is_charged_as_it_comes(shop):
    account = shop.make_child(1, Rates=1.5)
    price = PRICES.find("gpt-realtime")
    expected = []
    with socket_of(shop, account.key, x_mock_events="3", x_mock_plant="1") as connection:
        for figures in ({"input": 100, "cached": 64, "audio_input": 30, "cached_audio": 4, "output": 121, "audio_output": 91}, {"input": 7, "output": 0}, {}):
            done = ask(connection, type="response.create", mock_usage=figures)[-1]
            expected.append(costs.nano_dollars(realtime_usage(done), price, 1.5))
            assert account.costs()[0] == expected[-1], "stored before the event is here"
        done = ask(connection, "conversation.item.input_audio_transcription.completed", type="mock.transcription")[-1]
        expected.append(costs.nano_dollars(costs.usage_of("realtime", done), price, 1.5))
        assert ask(connection, "mock.echo", type="session.update", usage={"input_tokens": 0})
    wait_for(lambda: shop.metric("proxyxai_requests_in_flight") == 0, what="its end")
    assert account.costs()[::-1] == expected
    assert account.balance() == 10**9 - sum(expected)
    assert {row["path"] for row in account.requests()} == {"realtime"}


def test_responses_over_a_websocket_are_charged_by_their_models(shop):
    account = shop.make_child(1)
    with socket_of(shop, account.key, "/v1/responses") as connection:
        done = ask(connection, "response.completed", type="response.create", model="o3", input="x")[-1]
    wait_for(lambda: shop.metric("proxyxai_requests_in_flight") == 0, what="its end")
    assert account.costs() == [costs.nano_dollars(costs.usage_of("responses", done), PRICES.find("o3"))]


def test_leaving_a_realtime_session_before_its_usage_comes_is_charged_by_what_was_delivered(shop):
    account = shop.make_child(1)
    connection = socket_of(shop, account.key, x_mock_events="50", x_mock_bytes="20", x_mock_interval_ms="20")
    connection.send('{"type":"response.create"}')
    for _ in range(20):
        connection.recv(timeout=10 * SLOW)
    connection.socket.shutdown(socket.SHUT_RDWR)
    (row,) = wait_for(account.requests, 10 * SLOW, "its row")
    assert row["estimated"] and nanos(row["cost"]) >= costs.nano_dollars({"output": 15}, PRICES.find("gpt-realtime"))


def test_a_realtime_session_ends_when_the_credit_does(careful, mock):
    account = careful.make_child(0.01)
    with socket_of(careful, account.key) as connection:
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            for _ in range(1_000):
                ask(connection, type="response.create", mock_usage={"input": 100, "output": 20})
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "insufficient_quota")
    wait_for(lambda: careful.metric("proxyxai_requests_in_flight") == 0, 10 * SLOW, "its end")
    assert -STEP <= account.balance() <= 2 * STEP
    assert 10**7 - account.balance() == sum(account.costs())
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        socket_of(careful, account.key)
    assert refused.value.response.status_code == 429


def test_deltas_of_a_realtime_session_run_the_credit_out_too(careful):
    account = careful.make_child(0.01)
    with socket_of(careful, account.key, x_mock_events="2000", x_mock_bytes="100") as connection:
        connection.send('{"type":"response.create"}')
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            while True:
                connection.recv(timeout=10 * SLOW)
    wait_for(lambda: careful.metric("proxyxai_requests_in_flight") == 0, 10 * SLOW, "its end")
    assert -STEP <= account.balance() <= 2 * STEP


# A disk that takes no more.


def fill_disk(gateway):
    """Files of the daemon may not grow: its writes fail as on a full disk."""
    limit = max(file.stat().st_size for file in (gateway.directory / "data").iterdir())
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def free_disk(gateway):
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def code_of(answer):
    return json.loads(answer)["error"]["code"]


def test_a_full_disk_is_503_and_never_free_and_heals_by_itself(start, mock):
    gateway = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(1)
    assert account.chat()[0] == 200
    paid = account.balance()
    path, body = chat("gpt-4o", **STREAM)
    with Raw(gateway.port) as raw:
        raw.send(payload_of(account, path, body, {"x-mock-events": 20, "x-mock-interval-ms": 50}))
        raw.read_until(b"word0 ")
        fill_disk(gateway)
        answer = raw.read_all()
    assert b"word19 " in answer and b"[DONE]" not in answer and not answer.endswith(b"0\r\n\r\n"), "a stream under way loses its end"
    for make in (chat, completion, response):
        for more in ({}, STREAM):
            status, headers, answer = send(gateway.port, account.key, *make("gpt-4o", **more))
            assert status == 503 and code_of(answer) == "storage_unavailable" and b"word" not in answer
            assert headers.get("x-should-retry") != "false"
    status, _, answer = gateway.call("POST", "/x-users", {"Name": "too-late", "Email": "a@b.example", "CreditGranted": 1})
    assert status == 503 and code_of(answer) == "storage_unavailable"
    assert gateway.metric("proxyxai_ledger_healthy") == 0
    assert account.balance() < paid, "what was delivered of the stream is owed"
    assert gateway.operations("/healthz")[0] == 200
    assert gateway.operations("/readyz")[0] == 503
    free_disk(gateway)
    wait_for(lambda: account.chat()[0] == 200, 10 * SLOW, "service again")
    assert gateway.operations("/readyz")[0] == 200
    assert len(account.requests()) == 3 and 10**9 - account.balance() == sum(account.costs())
    assert gateway.make_child(1, name="too-late")
    gateway.end()
    check = subprocess.run([BUILD / "proxyxai", "check"], env=gateway.environment, capture_output=True, text=True, timeout=60)
    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize("more", [{}, STREAM], ids=["json", "sse"])
def test_the_request_that_finds_the_disk_full_is_not_answered_in_full(start, mock, more):
    gateway = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(1)
    assert account.chat()[0] == 200
    paid = account.balance()
    fill_disk(gateway)
    path, body = chat("gpt-4o", **more)
    with Raw(gateway.port) as raw:
        raw.send(payload_of(account, path, body))
        answer = raw.read_all()
    if more:
        assert b"[DONE]" not in answer and not answer.endswith(b"0\r\n\r\n")
    else:
        assert answer.startswith(b"HTTP/1.1 503") and b"storage_unavailable" in answer and b"word" not in answer
    assert (account.balance() < paid) == bool(more), "what was delivered is owed, and nothing else"
    free_disk(gateway)
    wait_for(lambda: account.chat()[0] == 200, 10 * SLOW, "service again")
    assert len(account.requests()) == (3 if more else 2) and 10**9 - account.balance() == sum(account.costs())


def test_what_is_owed_from_while_the_disk_was_full_is_charged_once_when_it_heals(start, mock):
    gateway = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(1)
    path, body = chat("gpt-4o", **STREAM)
    with Raw(gateway.port) as raw:
        raw.send(payload_of(account, path, body, {"x-mock-events": 500, "x-mock-interval-ms": 50}))
        raw.read_until(b"word3 ")
        fill_disk(gateway)
    wait_for(lambda: gateway.metric("proxyxai_ledger_healthy") == 0, 10 * SLOW, "the fault to be seen")
    free_disk(gateway)
    (row,) = wait_for(account.requests, 10 * SLOW, "its row")
    assert row["estimated"] and nanos(row["cost"]) >= costs.nano_dollars({"output": 4}, PRICES.find("gpt-4o"))
    assert account.chat()[0] == 200
    assert len(account.requests()) == 2 and 10**9 - account.balance() == sum(account.costs())


def test_a_full_disk_ends_a_realtime_session_before_its_usage_passes(start, mock):
    gateway = start(USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(1)
    with socket_of(gateway, account.key) as connection:
        assert ask(connection, type="response.create")[-1]["response"]["usage"]
        paid = account.balance()
        fill_disk(gateway)
        connection.send('{"type":"response.create"}')
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            while True:
                assert "response.done" not in connection.recv(timeout=10 * SLOW)
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1013, "storage_unavailable")
    free_disk(gateway)
    wait_for(lambda: account.chat()[0] == 200, 10 * SLOW, "service again")
    assert account.costs()[1:] == [10**9 - paid] and 10**9 - account.balance() == sum(account.costs())
