"""The official Python SDK against the gateway, over TLS to upstream."""
import asyncio
import hashlib

import openai
import pytest

BROKEN, DEAD, GOOD = "sk-upstream-broken-0001", "sk-upstream-dead-00002", "sk-upstream-good-00003"
MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def client(gateway):
    return openai.OpenAI(api_key=gateway.root, base_url=gateway.base_url, max_retries=0)


@pytest.fixture
def straight(mock):
    """The same SDK straight at the mock."""
    http = openai.DefaultHttpxClient(verify=mock.tls)
    return openai.OpenAI(api_key="sk-upstream-key-000001", base_url=mock.url + "/v1", http_client=http)


def test_chat(client, straight):
    ask = dict(model="gpt-4o-mini", messages=MESSAGES)
    answer = client.chat.completions.create(**ask)
    assert answer.choices[0].message.content.startswith("word0")
    assert answer.model_dump() == straight.chat.completions.create(**ask).model_dump()


def test_streamed_chat_is_that_of_the_direct_connection(client, straight):
    ask = dict(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    through = [chunk.model_dump() for chunk in client.chat.completions.create(**ask)]
    assert through == [chunk.model_dump() for chunk in straight.chat.completions.create(**ask)]
    assert len(through) == 9
    assert all(chunk["usage"] is None for chunk in through)


def test_streamed_chat_with_usage(client):
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.completion_tokens == 8 and chunks[-1].choices == []


def test_streamed_bytes_are_identical(client, straight):
    ask = dict(model="gpt-4o-mini", messages=MESSAGES, stream=True)
    got = b"".join(client.chat.completions.with_raw_response.create(**ask).http_response.iter_bytes())
    assert got == b"".join(straight.chat.completions.with_raw_response.create(**ask).http_response.iter_bytes())
    assert got.endswith(b"data: [DONE]\n\n")


def test_responses(client):
    assert client.responses.create(model="gpt-4o", input="x").output_text.startswith("word0")
    events = list(client.responses.create(model="gpt-4o", input="x", stream=True))
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    assert events[-1].response.usage.output_tokens == 8


def test_embeddings_models_moderations(client):
    assert len(client.embeddings.create(model="text-embedding-3-small", input="x").data[0].embedding) == 8
    assert "gpt-4o-mini" in [m.id for m in client.models.list()]
    assert client.moderations.create(input="x").results[0].flagged is False


def test_audio(client):
    sound = bytes(range(256)) * 4000
    heard = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", sound))
    assert heard.text == f"bytes={len(sound)} sha256={hashlib.sha256(sound).hexdigest()}"
    spoken = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello")
    assert len(spoken.content) == 65536


def test_image_edit(client):
    picture = b"\x89PNG" + bytes(50_000)
    answer = client.images.edit(model="gpt-image-1", image=("a.png", picture), prompt="x")
    assert answer.data[0].revised_prompt == "sha256=" + hashlib.sha256(picture).hexdigest()
    assert client.images.generate(prompt="x").data[0].b64_json


def test_files(client):
    content = b'{"a":1}\n' * 10_000
    stored = client.files.create(file=("batch.jsonl", content), purpose="batch")
    assert client.files.content(stored.id).content == content
    assert [f.id for f in client.files.list()] == [stored.id]
    assert client.files.delete(stored.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(stored.id)


def test_errors_are_the_sdks_own_classes(gateway, client, mock):
    with pytest.raises(openai.AuthenticationError) as wrong:
        openai.OpenAI(api_key="sk-wrong", base_url=gateway.base_url).models.list()
    assert wrong.value.code == "invalid_api_key" and wrong.value.type == "authentication_error"
    for fault, kind in [("bad_request", openai.BadRequestError), ("not_found", openai.NotFoundError), ("conflict", openai.ConflictError),
                        ("unprocessable", openai.UnprocessableEntityError), ("http_500", openai.InternalServerError),
                        ("request_too_large", openai.RateLimitError), ("insufficient_quota", openai.InternalServerError)]:
        mock.control("DELETE", "/_mock/script")
        mock.script("*", fault)
        with pytest.raises(kind):
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)


def test_two_of_three_keys_broken_and_nobody_notices(start, mock):
    gateway = start(keys=[BROKEN, DEAD, GOOD])
    mock.script(BROKEN, "http_500")
    mock.script(DEAD, "invalid_api_key")
    client = openai.OpenAI(api_key=gateway.root, base_url=gateway.base_url, max_retries=0)
    for _ in range(20):
        assert client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES).choices
        assert len(list(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True))) == 9


def test_many_streams_at_once(gateway):
    async def one(client):
        stream = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
        return [chunk.model_dump_json() async for chunk in stream]

    async def all_of_them():
        client = openai.AsyncOpenAI(api_key=gateway.root, base_url=gateway.base_url)
        return await asyncio.gather(*(one(client) for _ in range(50)))

    results = asyncio.run(all_of_them())
    assert all(r == results[0] for r in results) and len(results[0]) == 9


def test_realtime(gateway, mock):
    async def talk():
        client = openai.AsyncOpenAI(api_key=gateway.root, base_url=gateway.base_url)
        async with client.realtime.connect(model="gpt-realtime") as connection:
            assert (await connection.recv()).type == "session.created"
            await connection.response.create()
            done = await connection.recv()
            assert done.type == "response.done" and done.response.usage.output_tokens == 20
            for index in range(200):
                await connection.send({"type": "conversation.item.create", "padding": "x" * index * 50})
                echo = await connection.recv()
                assert echo.type == "mock.echo"

    asyncio.run(talk())
    (seen,) = mock.requests()
    assert seen["key"] == "sk-upstream-key-000001" and "model=gpt-realtime" in seen["target"]
    assert gateway.root not in str(seen)


def test_realtime_with_the_key_in_the_subprotocol(gateway, mock):
    import websockets.sync.client as websockets

    protocols = ["realtime", "openai-insecure-api-key." + gateway.root]
    with websockets.connect(f"ws://127.0.0.1:{gateway.port}/v1/realtime?model=m", subprotocols=protocols) as connection:
        assert connection.subprotocol == "realtime"
        assert "session.created" in connection.recv()
        connection.send(b"\x00\x01" * 40_000)
        assert connection.recv() == b"\x00\x01" * 40_000
    assert gateway.root not in str(mock.requests())
