"""What gets round the names that the gateway reads, or round the bills that come later: each was found by an attack."""
import json
import socket

import pytest

import costs
from objects import MODEL, upload
from processes import SLOW, Gateway, Raw, wait_for
from test_objects import USAGE, client_of, rich

PRICE = costs.Prices().find(MODEL)
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def gateway(tls_mock, tmp_path_factory):
    """One key, so that nothing but the gateway keeps accounts apart."""
    gateway = Gateway(tmp_path_factory.mktemp("evasion"), tls_mock, keys=["sk-upstream-evasion-0001"], PENDING_INTERVAL="200ms")
    yield gateway
    gateway.end()


@pytest.fixture
def secret(gateway):
    """A file of somebody else's."""
    with client_of(rich(gateway)) as client:
        return upload(client, "secret.txt", "a secret").id


def lines(*bodies):
    return "\n".join(json.dumps({"custom_id": str(i), "method": "POST", "url": "/v1/responses", "body": {"model": MODEL, "input": "x", **body}})
                     for i, body in enumerate(bodies))


@pytest.mark.parametrize("encode", [lambda text: b"\xef\xbb\xbf" + text.encode(), lambda text: text.encode("utf-16-le"), lambda text: text.encode("utf-16-be"),
                                    lambda text: b"1 " + text.encode()], ids=["bom", "utf-16-le", "utf-16-be", "more than an object"])
def test_a_body_that_others_read_otherwise_names_nothing(gateway, secret, encode):
    status, _, answer = rich(gateway).call("POST", "/v1/vector_stores", encode(json.dumps({"file_ids": [secret]})), JSON)
    assert status == 400 and json.loads(answer)["error"]["code"] == "bad_json"


def test_an_encoded_body_names_nothing(gateway, secret):
    status, _, answer = rich(gateway).call("POST", "/v1/vector_stores", json.dumps({"file_ids": [secret]}), JSON | {"Content-Encoding": "gzip"})
    assert status == 415 and json.loads(answer)["error"]["code"] == "unsupported_content_encoding"


def test_the_lines_of_a_batch_name_what_the_account_reaches(gateway, secret):
    with client_of(rich(gateway)) as client:
        own = upload(client, "own.txt", "own").id
        file_of = lambda each: {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": each}]}]}
        assert upload(client, "in.jsonl", lines({}, file_of(own)), "batch").id
        with pytest.raises(Exception) as refused:
            upload(client, "in.jsonl", lines({}, file_of(secret)), "batch")
        assert refused.value.status_code == 404


def test_a_batch_reads_only_files_whose_lines_were_read(gateway):
    with client_of(rich(gateway)) as client:
        for name, text, purpose in (("in.jsonl", lines({}), "user_data"), ("in.jsonl", "no json", "batch"), ("in.jsonl", lines({}, {"model": "o3"}), "batch")):
            with pytest.raises(Exception) as refused:
                client.batches.create(input_file_id=upload(client, name, text, purpose).id, endpoint="/v1/responses", completion_window="24h")
            assert (refused.value.status_code, refused.value.code) == (400, "bad_batch_file")


def test_a_batch_reserves_what_its_lines_allow(gateway):
    account = gateway.make_child(3)
    with client_of(account) as client:
        file = upload(client, "in.jsonl", lines(*[{"max_output_tokens": 1_000_000}] * 100), "batch").id
        with pytest.raises(Exception) as refused:
            client.batches.create(input_file_id=file, endpoint="/v1/responses", completion_window="24h")
        assert (refused.value.status_code, refused.value.code) == (429, "insufficient_quota")


@pytest.mark.parametrize("path", ["threads", "uploads", "conversations", "skills", "chatkit/threads", "files", "fine_tuning/alpha"])
def test_an_upgrade_opens_no_other_path(gateway, path):
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    assert rich(gateway).call("GET", "/v1/" + path, headers=headers)[0] in (200, 403)
    assert json.loads(rich(gateway).call("GET", "/v1/" + path, headers=headers)[2]).get("data", []) == []


@pytest.mark.parametrize("path", ["webhook_endpoints", "skills/skill_1", "agents", "audio/voices", "videos/characters", "chatkit/threads/x", "Files/file-1"])
def test_paths_that_nobody_knows_are_the_operators(gateway, path):
    assert rich(gateway).call("POST", "/v1/" + path, "{}", JSON)[0] == 403


def test_an_eval_does_not_read_what_others_have_stored(gateway):
    account = rich(gateway)
    for source in ({"type": "stored_completions"}, {"type": "custom", "inner": {"type": "log\u0073"}}, {"source": {"type": "responses"}}):
        assert account.call("POST", "/v1/evals", json.dumps({"data_source_config": source, "testing_criteria": []}), JSON)[0] == 403


@pytest.mark.parametrize("body", [{"background": True}, {"background": True, "stream": True}], ids=["whole", "streamed"])
def test_leaving_before_the_answer_comes_leaves_the_bill(gateway, body):
    account = rich(gateway)
    text = json.dumps({"model": MODEL, "input": "x", **body})
    with Raw(gateway.port) as raw:
        raw.send(f"POST /v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {account.key}\r\nContent-Type: application/json\r\n"
                 f"x-mock-usage: {json.dumps(USAGE)}\r\nx-mock-delay-ms: 500\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        wait_for(lambda: gateway.metric("proxyxai_requests_in_flight") == 1, 10 * SLOW, "the request")
        raw.socket.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: costs.nano_dollars(USAGE, PRICE) in account.costs(), 20 * SLOW, "its bill")


def test_a_list_of_nothing_but_what_is_gone_is_empty(mock, tmp_path):
    gateway = Gateway(tmp_path, mock, keys=["sk-upstream-evasion-0002"])
    account = rich(gateway)
    with client_of(account) as client:
        for number in range(20):
            upload(client, f"{number}.txt", "x")
    assert gateway.call("DELETE", "/x-keys/1")[0] == 200
    status, _, body = account.call("GET", "/v1/files")
    assert (status, json.loads(body)["data"]) == (200, [])
    gateway.end()
