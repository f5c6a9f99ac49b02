"""MODEL_MAPPER and /x-config: another model serves, and upstream sees nothing else of it."""
import base64
import hashlib
import json
import os
import subprocess

import pytest

from processes import BUILD, Gateway, Raw, wait_for
from wire import BOUNDARY, FORM, MESSAGES, wav

MAP = r'gpt-3.5*=gpt-4o-mini, whisper-2=whisper-1, gpt-4-32k=gpt-4o, gpt-rt=gpt-realtime, a*=b"\c'


@pytest.fixture
def mapped(start):
    return start(MODEL_MAPPER=MAP)


def sent(mock):
    """What upstream has got last: target, body hash, beginning and length."""
    last = mock.requests()[-1]
    return last["target"], last["body_sha256"], last["body_head"], last["body_size"]


def sha256(text):
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


def post(gateway, body, path="/v1/chat/completions", key=None, headers=None):
    return gateway.call("POST", path, body, key, {"Content-Type": "application/json", **(headers or {})})


@pytest.mark.parametrize("asked,got", [
    ('{"model":"gpt-3.5-turbo","messages":[]}', '{"model":"gpt-4o-mini","messages":[]}'),
    ('{ "messages" : [{"role":"user","content":"\\"model\\":\\"gpt-3.5\\""}],\n "model" :\t"gpt-3.5" }\n',
     '{ "messages" : [{"role":"user","content":"\\"model\\":\\"gpt-3.5\\""}],\n "model" :\t"gpt-4o-mini" }\n'),
    ('{"model":"gpt-4o","messages":[],"model":"g\\u0070t-4-32k"}', '{"model":"gpt-4o","messages":[],"model":"gpt-4o"}'),
    ('{"model":"a","messages":[]}', '{"model":"b\\"\\\\c","messages":[]}'),
    ('{"model":"gpt-4o","messages":[{"model":"gpt-3.5"}]}', '{"model":"gpt-4o","messages":[{"model":"gpt-3.5"}]}'),
])
def test_json(mapped, mock, asked, got):
    assert post(mapped, asked)[0] == 200
    assert sent(mock)[2] == got
    # The same in pieces.
    with Raw(mapped.port) as raw:
        raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {mapped.root}\r\nContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n")
        for byte in asked:
            raw.send(f"1\r\n{byte}\r\n")
        assert raw.send("0\r\n\r\n").read_response()[0] == 200
    assert sent(mock)[2] == got


@pytest.mark.parametrize("asked,got", [
    ('{"model":"gpt-3.5","stream":true,"messages":[]}', '{"stream_options":{"include_usage":true},"model":"gpt-4o-mini","stream":true,"messages":[]}'),
    ('{"stream":true,"stream_options":{"include_usage":false},"model":"gpt-3.5","messages":[]}',
     '{"stream":true,"stream_options":{"include_usage":true},"model":"gpt-4o-mini","messages":[]}'),
    ('{"stream":true,"model":"gpt-3.5","messages":[],"stream_options":{}}',
     '{"stream":true,"model":"gpt-4o-mini","messages":[],"stream_options":{"include_usage":true}}'),
])
@pytest.mark.parametrize("size", [0, 300_000])
def test_streamed_chat_whose_usage_is_hidden(mapped, mock, asked, got, size):
    asked, got = (text.replace('"messages":[]', '"messages":[{"role":"user","content":"%s"}]' % ("x" * size)) for text in (asked, got))
    status, _, body = post(mapped, asked)
    assert status == 200 and body.endswith(b"data: [DONE]\n\n") and b'"usage":{' not in body
    assert sent(mock)[1] == sha256(got)


def test_large_bodies_that_are_spooled(start, mock):
    gateway = start(MODEL_MAPPER=MAP, BODY_MEMORY_BYTES="1MiB")
    text = base64.b64encode(os.urandom(3_000_000)).decode()
    for body in ('{"messages":[{"role":"user","content":"%s"}],"model":"%s","stream":true}', '{"model":"%s","stream":true,"messages":[{"role":"user","content":"%s"}]}'):
        is_last = body.endswith("true}")
        asked, got = ((body % (text, name) if is_last else body % (name, text)) for name in ("gpt-3.5-turbo-16k-0613", "gpt-4o-mini"))
        got = '{"stream_options":{"include_usage":true},' + got[1:]
        assert post(gateway, asked)[0] == 200
        assert sent(mock)[1] == sha256(got)


@pytest.mark.parametrize("fields", [("model", "file"), ("file", "model")])
@pytest.mark.parametrize("seconds", [1, 60])
def test_multipart_in_both_orders(mapped, mock, fields, seconds):
    parts = {"model": b'Content-Disposition: form-data; name="model"\r\n\r\n%s\r\n',
             "file": b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' + wav(seconds).replace(b"%", b"%%") + b"\r\n"}

    def form(model):
        lines = [parts[name] % ((model,) if name == "model" else ()) for name in fields]
        return b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + each for each in lines) + f"--{BOUNDARY}--\r\n".encode()

    assert mapped.call("POST", "/v1/audio/transcriptions", form(b"whisper-2"), headers=FORM)[0] == 200
    assert sent(mock)[1] == sha256(form(b"whisper-1"))


@pytest.mark.parametrize("query,got", [("?model=gpt-rt", "?model=gpt-realtime"), ("?a=%20b&model=gpt%2Drt&c", "?a=%20b&model=gpt-realtime&c"),
                                       ("?m%6fdel=ax&", "?model=b%22%5Cc"), ("?model=gpt-realtime&a", "?model=gpt-realtime&a")])
def test_query_of_realtime(mapped, mock, query, got):
    with Raw(mapped.port) as raw:
        raw.send(f"GET /v1/realtime{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {mapped.root}\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        assert raw.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
    assert sent(mock)[0].rstrip("&") == "/v1/realtime" + got


def test_price_is_of_the_model_that_serves_and_permission_of_the_one_that_was_named(mapped):
    named = mapped.make_child(5, AllowModels="gpt-3.5*")
    assert named.chat(model="gpt-3.5-turbo")[0] == 200
    assert named.chat(model="gpt-4o-mini")[0] == 403
    row = named.requests()[0]
    assert row["model"] == "gpt-4o-mini"
    serving = mapped.make_child(5, AllowModels="gpt-4o-mini")
    assert serving.chat(model="gpt-3.5-turbo")[0] == 403
    assert serving.chat(model="gpt-4o-mini")[0] == 200
    assert serving.costs() == named.costs()


def test_limits_are_of_the_model_that_serves(mapped):
    account = mapped.make_child(5, ModelLimits={"gpt-4o-mini": {"rpm": 1}})
    assert account.chat(model="gpt-3.5-turbo")[0] == 200
    assert account.chat(model="gpt-4o-mini")[0] == 429


def test_a_mapper_that_is_wrong_keeps_the_daemon_from_starting(tmp_path):
    environment = {"DATA_DIR": str(tmp_path / "d"), "PORT": "0", "ADMIN_LISTEN": "127.0.0.1:0", "MODEL_MAPPER": "a=b,gpt-4"}
    result = subprocess.run([str(BUILD / "proxyxai")], env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "MODEL_MAPPER = 'a=b,gpt-4' (environment): entry 2, 'gpt-4', has no '='" in result.stderr


# /x-config

def config(gateway):
    status, _, body = gateway.call("GET", "/x-config")
    assert status == 200
    return json.loads(body)


def put(gateway, body, method="PUT"):
    status, _, answer = gateway.call(method, "/x-config", body)
    return status, json.loads(answer)


def served_by(gateway, mock, model):
    assert gateway.chat(model=model)[0] == 200
    return json.loads(sent(mock)[2])["model"]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_change_counts_at_once_and_after_a_restart(start, mock, method):
    gateway = start(MODEL_MAPPER="x=gpt-4o")
    assert config(gateway) == {"ModelMapper": "x=gpt-4o"}
    assert served_by(gateway, mock, "x") == "gpt-4o"
    assert put(gateway, {"ModelMapper": "y=gpt-4o-mini"}, method) == (200, {"Action": "update", "Config": {"ModelMapper": "y=gpt-4o-mini"}})
    assert served_by(gateway, mock, "x") == "x" and served_by(gateway, mock, "y") == "gpt-4o-mini"
    gateway.stop()
    again = Gateway(gateway.directory, mock, keys=[], root=gateway.root, MODEL_MAPPER="x=gpt-4o")
    try:
        assert config(again) == {"ModelMapper": "y=gpt-4o-mini"}
        assert served_by(again, mock, "y") == "gpt-4o-mini"
        assert put(again, {"ModelMapper": ""})[1]["Config"] == {"ModelMapper": ""}
        assert served_by(again, mock, "x") == "x"
        assert put(again, {"ModelMapper": None})[1]["Config"] == {"ModelMapper": "x=gpt-4o"}
        assert served_by(again, mock, "x") == "gpt-4o" and served_by(again, mock, "y") == "y"
    finally:
        assert again.stop() == 0
    last = Gateway(gateway.directory, mock, keys=[], root=gateway.root)
    assert config(last) == {"ModelMapper": ""}
    assert last.stop() == 0


@pytest.mark.parametrize("body,code,param,said", [
    ("{", "invalid_json", None, "JSON"),
    ("[]", "invalid_json", None, "object"),
    ('{"Modelmapper":"a=b"}', "unknown_field", "Modelmapper", "Known: ModelMapper"),
    ('{"ModelMapper":7}', "invalid_value", "ModelMapper", "string"),
    ('{"ModelMapper":"a=b,gpt-4"}', "invalid_value", "ModelMapper", "entry 2, 'gpt-4', has no '='"),
    ('{"ModelMapper":"a=b","ModelMapper":"c=d"}', "invalid_value", "ModelMapper", "twice"),
    ('{"ModelMapper":"a=b","Other":1}', "unknown_field", "Other", "Other"),
])
def test_bad_input_is_named_and_nothing_changed(gateway, body, code, param, said):
    put(gateway, {"ModelMapper": "x=gpt-4o"})
    status, _, answer = gateway.call("PUT", "/x-config", body, headers={"Content-Type": "application/json"})
    error = json.loads(answer)["error"]
    assert (status, error["code"], error["param"]) == (400, code, param) and said in error["message"]
    assert config(gateway) == {"ModelMapper": "x=gpt-4o"}


def test_methods_sizes_and_paths(gateway):
    status, headers, _ = gateway.call("DELETE", "/x-config")
    assert status == 405 and headers["allow"] == "GET, PUT, POST"
    assert gateway.call("GET", "/x-config/1")[0] == 404
    assert gateway.call("PUT", "/x-config", {"ModelMapper": "a=b," * 100_000})[0] == 413
    assert gateway.call("PUT", "/x-config", "a=b", headers={"Content-Type": "text/plain"})[0] == 415
    assert put(gateway, {})[0] == 200


def test_a_full_disk_changes_nothing(gateway, mock):
    # What cannot be stored is not in force either.
    import resource

    put(gateway, {"ModelMapper": "x=gpt-4o"})
    resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    try:
        status, _, _ = gateway.call("PUT", "/x-config", {"ModelMapper": "x=gpt-4o-mini"})
    finally:
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert status == 503
    assert config(gateway) == {"ModelMapper": "x=gpt-4o"}
    wait_for(lambda: gateway.chat(model="x")[0] == 200, what="the store to heal")
    assert json.loads(sent(mock)[2])["model"] == "gpt-4o"
