"""Bytes no client library sends: must-hold properties 1-9 on the wire. Refused means an answer in the upstream's shape,
the connection closed, and not one byte upstream."""
import json
import re

import pytest

from processes import Raw, wait_for

KEY = "sk-upstream-key-000001"


def head(root, *lines, target="/v1/chat/completions", method="POST", host="Host: a", version="HTTP/1.1"):
    fields = [f"{method} {target} {version}", host, f"Authorization: Bearer {root}", "Content-Type: application/json", *lines]
    return "\r\n".join(line for line in fields if line is not None) + "\r\n\r\n"


REFUSED = {
    "length beside chunked": (["Content-Length: 5", "Transfer-Encoding: chunked"], {}, 400),
    "chunked beside length": (["Transfer-Encoding: chunked", "Content-Length: 5"], {}, 400),
    "unknown coding": (["Transfer-Encoding: blegh"], {}, (400, 501)),
    "coding before length": (["Transfer-Encoding: gzip", "Content-Length: 5"], {}, (400, 501)),
    "two codings": (["Transfer-Encoding: gzip, chunked"], {}, (400, 501)),
    "chunked twice": (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], {}, (400, 501)),
    "chunked with a parameter": (["Transfer-Encoding: chunked;a=b"], {}, (400, 501)),
    "vertical tab in the coding": (["Transfer-Encoding: \x0bchunked"], {}, (400, 501)),
    "high byte in the coding": (["Transfer-Encoding: chunked\xff"], {}, (400, 501)),
    "chunked on HTTP/1.0": (["Transfer-Encoding: chunked"], {"version": "HTTP/1.0"}, (400, 501)),
    "no host": ([], {"host": None}, 400),
    "two hosts": (["Host: b"], {}, 400),
    "empty host": ([], {"host": "Host:"}, 400),
    "host with a path": ([], {"host": "Host: a/b"}, 400),
    "host with user info": ([], {"host": "Host: x@a"}, 400),
    "length list": (["Content-Length: 5, 5"], {}, 400),
    "two lengths": (["Content-Length: 5", "Content-Length: 5"], {}, 400),
    "signed length": (["Content-Length: +5"], {}, 400),
    "negative length": (["Content-Length: -5"], {}, 400),
    "spaced length": (["Content-Length: 5 5"], {}, 400),
    "hexadecimal length": (["Content-Length: 0x5"], {}, 400),
    "huge length": (["Content-Length: 99999999999999999999999"], {}, (400, 413)),
    "length over the limit": (["Content-Length: 9999999999999"], {}, 413),
    "folded field": (["X-A: b\r\n c"], {}, 400),
    "NUL in a value": (["X-A: b\0c"], {}, 400),
    "space before the colon": (["X-A : b"], {}, 400),
    "high byte in a name": (["X-\xe9: b"], {}, 400),
    "no colon": (["nonsense"], {}, 400),
    "absolute target": ([], {"target": "http://evil.example/v1/models"}, 400),
    "authority target": ([], {"target": "evil.example:443"}, 400),
    "asterisk target": ([], {"target": "*"}, 400),
    "CONNECT": ([], {"method": "CONNECT", "target": "evil.example:443"}, (400, 405, 501)),
    "TRACE": ([], {"method": "TRACE"}, (400, 405, 501)),
    "HTTP/2.0": ([], {"version": "HTTP/2.0"}, 505),
    "HTTP/1.2": ([], {"version": "HTTP/1.2"}, (400, 505)),
}


@pytest.fixture(scope="module")
def shared(tls_mock, tmp_path_factory):
    from processes import Gateway

    gateway = Gateway(tmp_path_factory.mktemp("gate"), tls_mock, HEADER_TIMEOUT="2s", BODY_IDLE_TIMEOUT="2s")
    yield gateway
    assert gateway.stop() == 0
    assert "Sanitizer" not in gateway.text()


@pytest.mark.parametrize("name", REFUSED)
def test_ambiguous_head_is_refused_and_nothing_goes_upstream(shared, mock, name):
    lines, options, expected = REFUSED[name]
    with Raw(shared.port) as raw:
        raw.send(head(shared.root, *lines, **options))
        raw.send("GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + shared.root + "\r\n\r\n")
        answer = raw.read_all()
    assert answer.startswith(b"HTTP/1.1 "), answer
    status = int(answer.split()[1])
    assert status == expected or (isinstance(expected, tuple) and status in expected), answer
    assert len(re.findall(rb"(?m)^HTTP/1.1 \d", answer)) == 1, "a leftover was parsed as a request"
    body = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert not mock.requests()


@pytest.mark.parametrize("line_end", ["\n", "\r"])
def test_bare_line_ends_are_refused(shared, mock, line_end):
    with Raw(shared.port) as raw:
        raw.send(f"GET /v1/models HTTP/1.1{line_end}Host: a{line_end}Authorization: Bearer {shared.root}{line_end}{line_end}\r\n\r\n")
        answer = raw.read_all()
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert not mock.requests()


@pytest.mark.parametrize("path", ["/v1//models", "/v1/%2fmodels", "/v1/./models", "/v1/../x-keys", "/v1/%2e%2e/x-keys", "/v1/a%00b", "/v1/a%zz", "/v1\\models"])
def test_paths_with_two_spellings_are_refused(shared, mock, path):
    status, _, body = shared.call("GET", path)
    assert status == 400, body
    assert not mock.requests()


@pytest.mark.figures
def test_chunk_line_over_eight_kib_is_refused_and_memory_stays(shared, mock):
    before = shared.resident_kib()
    with Raw(shared.port) as raw:
        raw.send(head(shared.root, "Transfer-Encoding: chunked"))
        try:
            for _ in range(64):
                raw.send(b"5;" + b"x" * 65536 if _ == 0 else b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = raw.read_all()
    assert b" 400 " in answer.split(b"\r\n")[0] or answer == b"", answer
    assert shared.resident_kib() - before < 1024
    assert not mock.requests()


def test_bad_chunk_size_is_refused(shared, mock):
    for chunk in ("-5\r\nhello\r\n", "5 5\r\nhello\r\n", "0x5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhelloXX0\r\n\r\n", "fffffffffffffffff\r\n"):
        with Raw(shared.port) as raw:
            raw.send(head(shared.root, "Transfer-Encoding: chunked") + chunk)
            answer = raw.read_all()
        assert answer.startswith(b"HTTP/1.1 4"), (chunk, answer)
    assert not mock.requests()


def test_chunked_request_arrives_whole_with_a_length(shared, mock):
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 50_000}]}).encode()
    with Raw(shared.port) as raw:
        raw.send(head(shared.root, "Transfer-Encoding: chunked"))
        for at in range(0, len(body), 999):
            piece = body[at : at + 999]
            raw.send(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece))
        raw.send("0\r\nX-Trailer: dropped\r\n\r\n")
        status, _, _ = raw.read_response()
    assert status == 200
    (seen,) = mock.requests()
    assert seen["body_size"] == len(body)
    names = [name.lower() for name, _ in seen["headers"]]
    assert names.count("content-length") == 1 and "transfer-encoding" not in names and "x-trailer" not in names


def test_pipelined_requests_are_answered_in_order(shared, mock):
    with Raw(shared.port) as raw:
        for index in range(5):
            raw.send(head(shared.root, "Content-Length: 0", target=f"/v1/models/model-{index}", method="GET"))
        for index in range(5):
            status, _, body = raw.read_response()
            assert (f"model-{index}".encode() in body) or status == 404
    assert [r["target"] for r in mock.requests()] == [f"/v1/models/model-{i}" for i in range(5)]


def test_expect_100_continue_is_answered_only_for_a_request_that_may_go_on(shared, mock):
    body = b'{"model":"gpt-4o-mini","messages":[]}'
    with Raw(shared.port) as raw:
        raw.send(head(shared.root, "Expect: 100-continue", f"Content-Length: {len(body)}"))
        assert raw.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        raw.send(body)
        assert raw.read_response()[0] == 200
    with Raw(shared.port) as raw:
        raw.send(head("sk-wrong", "Expect: 100-continue", f"Content-Length: {len(body)}"))
        answer = raw.read_all()
        assert answer.startswith(b"HTTP/1.1 401") and b"100" not in answer.split(b"\r\n")[0]


def test_leftovers_of_an_early_answer_are_never_parsed_as_a_request(shared, mock):
    inner = "GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + shared.root + "\r\n\r\n"
    with Raw(shared.port) as raw:
        raw.send(head("sk-wrong", f"Content-Length: {len(inner)}") + inner)
        raw.send(head("sk-wrong", "Content-Length: 0"))
        assert raw.read_response()[0] == 401
        assert raw.read_response()[0] == 401
    assert not mock.requests()


def test_slow_header_is_closed_while_others_are_served(shared):
    with Raw(shared.port) as slow:
        slow.send("GET /v1/models HTTP/1.1\r\nHo")
        assert shared.chat()[0] == 200
        answer = slow.read_all()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_slow_body_is_closed_while_others_are_served(shared, mock):
    with Raw(shared.port) as slow:
        slow.send(head(shared.root, "Content-Length: 1000") + '{"model"')
        assert shared.chat()[0] == 200
        answer = slow.read_all()
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert len(mock.requests()) == 1


def test_header_section_over_the_limit_is_431(shared):
    with Raw(shared.port) as raw:
        try:
            raw.send(head(shared.root, "X-Long: " + "a" * 70_000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert raw.read_all().startswith(b"HTTP/1.1 431")


def test_nothing_is_tunnelled_before_the_upstreams_101(shared, mock):
    mock.script("*", "upgrade_refused")
    smuggled = "GET /v1/models HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + shared.root + "\r\n\r\n"
    with Raw(shared.port) as raw:
        raw.send(head(shared.root, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", target="/v1/realtime?model=gpt-realtime", method="GET"))
        raw.send(smuggled)
        answer = raw.read_all()
    assert answer.count(b"HTTP/1.1 ") == 1 and b" 101 " not in answer.split(b"\r\n")[0]
    assert all(r["target"].startswith("/v1/realtime") for r in mock.requests())


def test_client_headers_that_are_private_never_reach_upstream(shared, mock):
    headers = {
        "Cookie": "a=b", "OpenAI-Organization": "org-x", "OpenAI-Project": "p", "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Host": "h", "Forwarded": "for=1.2.3.4", "Via": "1.1 x", "X-Api-Key": shared.root, "Api-Key": shared.root,
        "Connection": "keep-alive, x-secret-hop", "X-Secret-Hop": "1", "TE": "trailers", "Proxy-Authorization": "Basic eA==",
        "Accept-Encoding": "gzip", "X-Stainless-Lang": "python", "OpenAI-Beta": "assistants=v2", "Idempotency-Key": "k",
    }
    assert shared.chat(headers=headers)[0] == 200
    (seen,) = mock.requests()
    got = {name.lower(): value for name, value in seen["headers"]}
    for gone in ("cookie", "openai-organization", "openai-project", "x-forwarded-for", "x-forwarded-host", "forwarded", "via",
                 "x-api-key", "api-key", "connection", "x-secret-hop", "te", "proxy-authorization"):
        assert gone not in got, gone
    assert got["authorization"] == f"Bearer {KEY}"
    assert got["accept-encoding"] == "identity"
    assert got["x-stainless-lang"] == "python" and got["openai-beta"] == "assistants=v2" and got["idempotency-key"] == "k"
    assert got["host"].startswith("localhost")
    assert shared.root not in json.dumps(seen)


def test_private_answer_headers_never_reach_the_client(shared, mock):
    status, headers, _ = shared.chat()
    assert status == 200
    for gone in ("set-cookie", "openai-organization", "openai-project", "alt-svc", "strict-transport-security",
                 "x-ratelimit-remaining-requests"):
        assert gone not in headers, gone
    assert headers["x-request-id"] and headers["openai-processing-ms"] and headers["x-proxyxai-attempts"] == "1"


def test_upstream_requests_equal_authorised_requests(shared, mock):
    for _ in range(5):
        shared.chat()
        shared.chat(key="sk-nobody")
    wait_for(lambda: len(mock.requests()) == 5, what="five upstream requests")


def test_http_1_0_client_gets_an_answer_that_ends_with_the_connection(shared, mock):
    body = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "x"}]})
    with Raw(shared.port) as raw:
        raw.send(head(shared.root, f"Content-Length: {len(body)}", version="HTTP/1.0") + body)
        answer = raw.read_all()
    top, data = answer.split(b"\r\n\r\n", 1)
    assert b"transfer-encoding" not in top.lower()
    assert data.rstrip().endswith(b"data: [DONE]")
