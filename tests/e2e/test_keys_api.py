"""/x-keys as an operator uses it."""
import json
import signal
import subprocess

import pytest

from processes import BUILD, in_parallel, wait_for

FIRST, SECOND, THIRD = "sk-upstream-first-0001", "sk-upstream-second-0002", "sk-upstream-third-00003"
FIELDS = ["ID", "Name", "Provider", "Level", "Weight", "RPM", "TPM", "Concurrency", "Status", "State", "Reason", "Since", "Until", "Limits", "PartialKey",
          "Requests", "Failures", "LastUsedAt", "CreatedAt"]


def add(gateway, body, headers=None):
    status, _, answer = gateway.call("POST", "/x-keys", body, headers=headers)
    return status, json.loads(answer)


def test_life_of_a_key(start, mock):
    gateway = start(keys=[])
    assert gateway.chat()[0] == 503
    status, answer = add(gateway, {"SecretKey": FIRST, "Name": "one"})
    assert status == 200 and answer["Action"] == "add"
    key = answer["Key"]
    assert list(key) == FIELDS and key["PartialKey"] == "0001" and key["State"] == "active"
    assert FIRST not in json.dumps(answer)
    assert gateway.chat()[0] == 200, "a new key counts at once"
    again = add(gateway, {"SecretKey": FIRST, "Name": "other"})[1]["Key"]
    assert again["ID"] == key["ID"] and again["Name"] == "one", "the same secret again changes nothing"
    status, _, body = gateway.call("PUT", f"/x-keys/{key['ID']}", {"Status": False, "Name": "off"})
    changed = json.loads(body)
    assert status == 200 and changed["Action"] == "update" and changed["Key"]["State"] == "disabled" and changed["Key"]["Name"] == "off"
    assert gateway.chat()[0] == 503
    gateway.call("PUT", f"/x-keys/{key['ID']}", {"Status": True})
    assert gateway.chat()[0] == 200
    status, _, body = gateway.call("DELETE", f"/x-keys/{key['ID']}")
    assert status == 200 and json.loads(body)["Action"] == "delete"
    assert gateway.call("GET", f"/x-keys/{key['ID']}")[0] == 404
    assert gateway.chat()[0] == 503


def test_a_key_at_its_limit_is_waited_for_and_passed_over(start, mock):
    gateway = start(keys=[], KEYS_MAX_WAIT="1s")
    status, answer = add(gateway, {"SecretKey": FIRST, "RPM": 2})
    key = answer["Key"]
    assert status == 200 and (key["RPM"], key["TPM"], key["Concurrency"]) == (2, 0, 0)
    assert [gateway.chat()[0] for _ in range(2)] == [200, 200]
    status, headers, body = gateway.chat()
    assert status == 429 and json.loads(body)["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(headers["retry-after"]) <= 120
    add(gateway, {"SecretKeys": [SECOND, {"SecretKey": THIRD, "Concurrency": 0}], "Concurrency": 1})
    assert (gateway.shown(SECOND)["Concurrency"], gateway.shown(THIRD)["Concurrency"]) == (1, 0)
    gateway.call("PUT", f"/x-keys/{gateway.shown(THIRD)['ID']}", {"Status": False})
    assert gateway.chat()[0] == 200, "another key has room"

    def two_at_once(delay_ms):
        statuses = []
        in_parallel(2, lambda _: statuses.append(gateway.chat(headers={"x-mock-delay-ms": delay_ms})[0]))
        return sorted(statuses)

    assert two_at_once("300") == [200, 200], "the second waits for the first"
    assert two_at_once("3000") == [200, 429], "but not for longer than KEYS_MAX_WAIT"
    status, _, body = gateway.call("PUT", f"/x-keys/{key['ID']}", {"RPM": 0})
    assert status == 200 and json.loads(body)["Key"]["RPM"] == 0
    assert gateway.chat()[0] == 200


def test_cache_aware_routing_keeps_prompts_that_begin_alike_on_one_key(start, mock):
    keys = [f"sk-upstream-cache-{i:06}" for i in range(6)]
    gateway = start(keys=keys, ROUTING="cache_aware")

    def used():
        by_key = mock.stats()["by_key"]
        return {key: by_key.get(key, 0) for key in keys}

    def spread(prompts):
        before = used()
        assert {gateway.chat(prompt)[0] for prompt in prompts} == {200}
        after = used()
        return [after[key] - before[key] for key in keys if after[key] > before[key]]

    assert spread([f"{'The same instructions. ' * 500} Question {i}" for i in range(12)]) == [12]
    assert len(spread([f"Instructions {i}. " * 500 for i in range(40)])) > 3
    assert len(spread(["short"] * 60)) == 6, "what is not cached takes turns"


def test_limits_of_a_key_are_told_apart_whatever_the_models_are_called(start, mock):
    key = "sk-upstream-limited-0001"
    gateway = start(keys=[key])
    name = "nope: invalid_api_key; cooling until 2030-01-01T00:00:00Z"
    mock.script(key, "rate_limit", times=1, model="gpt-4o", retry_after=60)
    mock.script(key, status=403, times=1, model=name, body={"error": {"code": "model_not_found", "message": "does not have access to model"}})
    gateway.chat(model="gpt-4o")
    gateway.chat(model=name)
    limits = gateway.shown(key)["Limits"]
    assert {(each["Kind"], each["Subject"]) for each in limits} == {("cooling", "gpt-4o"), ("excluded_model", name)}
    assert all(each["Since"] and each["Reason"] for each in limits)
    assert {each["Kind"]: bool(each["Until"]) for each in limits} == {"cooling": True, "excluded_model": False}


def test_bulk_in_every_form(start):
    gateway = start(keys=[FIRST])
    status, answer = add(gateway, [FIRST, SECOND, {"SecretKey": THIRD, "Level": 2}])
    assert status == 200 and (answer["Added"], answer["Existing"], len(answer["Keys"])) == (2, 1, 3)
    text = "\n".join(f"sk-upstream-bulk-{i:06}" for i in range(1000))
    status, answer = add(gateway, text, {"Content-Type": "text/plain"})
    assert status == 200 and answer["Added"] == 1000
    status, headers, body = gateway.call("GET", "/x-keys?page=2&size=500")
    assert status == 200 and len(json.loads(body)) == 500 and headers["x-total-count"] == "1003"
    assert [k["PartialKey"] for k in json.loads(gateway.call("GET", "/x-keys?level=2")[2])] == ["0003"]
    assert len(json.loads(gateway.call("GET", "/x-keys?state=active")[2])) == 1003
    assert gateway.call("GET", "/x-keys?state=bored")[0] == 400


@pytest.mark.parametrize("body,param", [("{", None), ("{}", "SecretKey"), ('{"SecretKey":"short"}', "SecretKey"), ('{"SecretKey":"' + FIRST + '","Foo":1}', "Foo"),
                                        ('["' + FIRST + '","x"]', "[1]"), ('{"SecretKey":"' + FIRST + '","Provider":"gopher://x"}', "Provider")])
def test_bad_input_is_named_and_nothing_stored(start, body, param):
    gateway = start(keys=[])
    status, _, answer = gateway.call("POST", "/x-keys", body, headers={"Content-Type": "application/json"})
    assert status == 400 and json.loads(answer)["error"]["param"] == param
    assert json.loads(gateway.call("GET", "/x-keys")[2]) == []


def test_probe_and_verify(start, mock):
    gateway = start(keys=[FIRST])
    mock.script(SECOND, "invalid_api_key")
    status, answer = add(gateway, {"SecretKey": SECOND, "Verify": True})
    assert status == 400 and answer["error"]["param"] == "SecretKey" and "invalid_api_key" in answer["error"]["message"]
    # A port that nobody listens on.
    status, answer = add(gateway, {"SecretKey": SECOND, "Provider": "http://127.0.0.1:1", "Verify": True})
    assert status == 502 and answer["error"]["code"] == "key_not_verified" and "connect_failed" in answer["error"]["message"]
    add(gateway, {"SecretKey": SECOND})
    key = gateway.shown(SECOND)
    status, _, body = gateway.call("POST", f"/x-keys/{key['ID']}/probe")
    assert status == 200 and json.loads(body)["State"] == "dead"
    key = gateway.shown(FIRST)
    mock.script(FIRST, "insufficient_quota", times=1)
    assert gateway.chat()[0] == 503
    assert gateway.shown(FIRST)["State"] == "exhausted"
    assert json.loads(gateway.call("POST", f"/x-keys/{key['ID']}/probe")[2])["State"] == "active"
    assert gateway.chat()[0] == 200


def test_only_root_may(start, mock):
    gateway = start(keys=[FIRST])
    child = "sk-Xvs" + "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHI"
    gateway.stop()
    from processes import Gateway

    environment = {"INIT_USERS": f"root:root@example.com:{gateway.root},kid:kid@example.com:{child}"}
    again = Gateway(gateway.directory, mock, keys=[], root=gateway.root, **environment)
    try:
        assert again.call("PUT", "/x-users/kid", {"CreditGranted": 5})[0] == 200
        assert again.chat(key=child)[0] == 200
        for method, path in [("GET", "/x-keys"), ("POST", "/x-keys"), ("GET", "/x-keys/1"), ("PUT", "/x-keys/1"), ("DELETE", "/x-keys/1"), ("POST", "/x-keys/1/probe")]:
            assert again.call(method, path, key=child)[0] == 403, (method, path)
            assert again.call(method, path, key="sk-nobody")[0] == 401, (method, path)
        for path in ("//x-keys", "/x%2dkeys", "/X-KEYS", "/x-keys/.", "/x-keys//1", "/v1/../x-keys", "/x-keys%2f1", "/v1/x-keys", "/x-keys."):
            status, _, body = again.call("GET", path, key=child)
            assert status in (400, 401, 403, 404), (path, status)
            assert b"PartialKey" not in body
        for path in ("/v1/organization/users", "/v1/projects", "/v1/realtime/client_secrets", "/v1/chatkit/sessions"):
            assert again.call("GET", path, key=child)[0] == 403, path
        assert again.call("GET", "/v1/%6frganization/users", key=child)[0] == 404
    finally:
        assert again.stop() == 0


def test_keys_of_another_process_count_after_sighup(start, mock):
    gateway = start(keys=[])
    added = subprocess.run([str(BUILD / "proxyxai"), "keys", "add", "-"], input=FIRST + "\n", env=gateway.environment, text=True, capture_output=True)
    assert added.returncode == 0 and "1 upstream keys stored" in added.stdout, added
    assert gateway.chat()[0] == 503
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: gateway.chat()[0] == 200, what="the reload")


def test_sealed_at_rest_and_shown_nowhere(start, mock):
    gateway = start(keys=[FIRST, SECOND], LOG_LEVEL="trace")
    add(gateway, {"SecretKey": THIRD})
    mock.script(SECOND, "invalid_api_key")
    for _ in range(6):
        gateway.chat()
    gateway.call("GET", "/v1/models?api_key=" + gateway.root)
    gateway.call("GET", "/v1/models/" + gateway.root)
    seen = [gateway.operations("/metrics")[2].decode(), gateway.call("GET", "/x-keys")[2].decode()]
    assert gateway.stop() == 0
    seen.append(gateway.text())
    for path in (gateway.directory / "data").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
        seen.append(path.read_bytes().decode("latin-1"))
    assert (gateway.directory / "data").stat().st_mode & 0o077 == 0
    for secret in (FIRST, SECOND, THIRD, gateway.root):
        for text in seen:
            assert secret not in text and secret[3:20] not in text


def test_database_with_another_master_key_is_refused_in_words(start, mock):
    gateway = start(keys=[FIRST])
    gateway.stop()
    result = subprocess.run([str(BUILD / "proxyxai")], env={**gateway.environment, "MASTER_KEY": "another master key"}, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "MASTER_KEY" in result.stderr and "0001" in result.stderr
