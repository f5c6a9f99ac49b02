"""Who is let in: each refusal with its status and code, in the order of the contract, and what a refusal leaves behind: nothing."""
import json

import pytest

from processes import Raw, in_parallel, wait_for

EMBEDDING = {"model": "text-embedding-3-small", "input": "x"}


def code_of(body):
    return json.loads(body)["error"]["code"]


def refused(answer, status, code, final=True):
    """Asserts that the answer is that refusal, and returns its header fields."""
    got, headers, body = answer
    error = json.loads(body)["error"]
    assert (got, error["code"]) == (status, code), body
    assert error["message"] and error["type"] and "param" in error
    assert headers["content-type"] == "application/json" and headers["x-request-id"].startswith("req_")
    assert (headers.get("x-should-retry") == "false") == final
    return headers


def let_in(answer):
    assert answer[0] == 200, answer
    return answer[1]


REFUSALS = {
    # by code: status, fields of the account, method and path, fields of the body
    "account_disabled": (401, {"Status": False}, "POST /v1/chat/completions", {}),
    "ip_not_allowed": (403, {"AllowIPs": "192.0.2.0/24 2001:db8::/32"}, "POST /v1/chat/completions", {}),
    "resource_not_allowed": (403, {"Resources": "/v1/embeddings"}, "POST /v1/chat/completions", {}),
    "model_not_allowed": (403, {"AllowModels": "gpt-4o o3*"}, "POST /v1/chat/completions", {}),
    "insufficient_quota": (429, {}, "POST /v1/chat/completions", {"max_tokens": 1_000_000, "n": 100}),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_each_refusal_has_its_code_and_leaves_nothing_behind(shop, mock, code):
    status, fields, target, more = REFUSALS[code]
    account = shop.make_child(1, RPM=3, **fields)
    method, path = target.split()
    body = {"model": "gpt-4o-mini", "messages": [], **more}
    counted = shop.metric("proxyxai_refusals_total", f'reason="{code}"') or 0
    for _ in range(10):
        refused(account.call(method, path, body), status, code)
    assert shop.metric("proxyxai_refusals_total", f'reason="{code}"') == counted + 10
    assert not mock.requests(), "nothing went upstream"
    shop.change(account, Status=True, AllowIPs="*", Resources="*", AllowModels="*")
    assert account.requests() == [] and account.balance() == 10**9
    # None of them took a slot of the three.
    for left in (2, 1, 0):
        assert let_in(account.chat())["x-ratelimit-remaining-requests"] == str(left)
    refused(account.chat(), 429, "rate_limit_exceeded", final=False)


def test_refusals_come_in_the_order_of_the_contract(shop):
    account = shop.make_child(0.06, RPM=1)
    let_in(account.chat())
    shop.change(account, Status=False, AllowIPs="192.0.2.1", Resources="/v1/files", AllowModels="o3", HardLimit=0.000001, SoftLimit=0)
    for status, code, mended in [
        (401, "account_disabled", {"Status": True}),
        (403, "ip_not_allowed", {"AllowIPs": "*"}),
        (403, "resource_not_allowed", {"Resources": "*"}),
        (403, "model_not_allowed", {"AllowModels": "*"}),
        (429, "hard_limit_reached", {"HardLimit": 100}),
        (429, "insufficient_quota", {"CreditGranted": 1}),
        (429, "rate_limit_exceeded", {"RPM": 10}),
    ]:
        refused(account.chat(max_tokens=100_000), status, code, final=code != "rate_limit_exceeded")
        shop.change(account, **mended)
    let_in(account.chat(max_tokens=100_000))


def test_monthly_limit_is_reached_by_use_not_by_holds(shop):
    account = shop.make_child(1, HardLimit=0.00001, SoftLimit=0)
    let_in(account.chat())
    let_in(account.chat())
    refused(account.chat(), 429, "hard_limit_reached")
    assert account.info()["monthly_usage"]["CreditUsed"] * 10**9 >= 10_000
    shop.change(account, HardLimit=1)
    let_in(account.chat())


def test_the_least_balance_to_call_with(start):
    gateway = start(CALL_MIN_BALANCE="1.00", USER_MIN_BALANCE="0")
    poor, rich = gateway.make_child(0.99), gateway.make_child(1)
    assert "Insufficient balance" in json.loads(poor.chat()[2])["error"]["message"]
    refused(poor.chat(), 429, "insufficient_quota")
    let_in(rich.chat())
    refused(rich.chat(), 429, "insufficient_quota")


def test_root_is_never_refused_for_money(start):
    gateway = start(CALL_MIN_BALANCE="1.00")
    assert gateway.chat(max_tokens=10_000_000, n=100)[0] == 200


# Rates.


def test_rate_limit_tells_when_to_come_back(shop):
    account = shop.make_child(1, RPM=2)
    headers = let_in(account.chat())
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("2", "1")
    assert headers["x-ratelimit-reset-requests"].endswith("ms")
    let_in(account.chat())
    headers = refused(account.chat(), 429, "rate_limit_exceeded", final=False)
    assert 1 <= int(headers["retry-after"]) <= 120
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("2", "0")
    assert int(headers["x-ratelimit-reset-requests"].removesuffix("ms")) > 0


def test_an_account_without_limits_shows_none_of_the_pool_keys(shop):
    assert not [name for name in let_in(shop.make_child(1).chat()) if name.startswith("x-ratelimit-")]


@pytest.mark.parametrize("limit", ["RPM", "RPH", "RPD", "RateLimit"])
def test_requests_are_limited_by_each_window(shop, limit):
    account = shop.make_child(1, **{limit: 1})
    let_in(account.chat())
    headers = refused(account.chat(), 429, "rate_limit_exceeded", final=False)
    assert headers["x-ratelimit-limit-requests"] == "1" and int(headers["retry-after"]) >= 1


@pytest.mark.parametrize("limit", ["TPM", "TPH", "TPD"])
def test_tokens_are_limited_by_each_window(shop, limit):
    account = shop.make_child(1, **{limit: 1_000})
    usage = {"x-mock-usage": '{"input":500,"output":450}'}
    headers = let_in(account.chat(headers=usage, max_tokens=500))
    assert headers["x-ratelimit-limit-tokens"] == "1000"
    headers = refused(account.chat(max_tokens=100), 429, "rate_limit_exceeded", final=False)
    assert headers["x-ratelimit-remaining-tokens"] == "50" and int(headers["retry-after"]) >= 1
    # What fits is let in.
    let_in(account.chat("x", max_tokens=10))


def test_a_request_larger_than_its_token_limit_is_told_not_to_come_back(shop):
    account = shop.make_child(1, TPM=1_000)
    refused(account.chat(max_tokens=5_000), 429, "rate_limit_exceeded")
    let_in(account.chat(max_tokens=500))


def test_concurrent_requests_cannot_slip_past_a_token_limit(shop):
    account = shop.make_child(10, TPM=1_000)
    # Each counts its maximum until it has ended: two fit.
    answers = in_parallel(20, lambda _: account.chat(headers={"x-mock-delay-ms": "1000"}, max_tokens=400))
    assert sorted(status for status, _, _ in answers) == [200] * 2 + [429] * 18
    # Then what they have used: 2 x 25 tokens or so.
    statuses = [account.chat(max_tokens=400)[0] for _ in range(3)]
    assert statuses == [200] * 3


def test_places_are_given_back_when_requests_end(shop):
    account = shop.make_child(10, Concurrency=3)
    for _ in range(2):
        answers = in_parallel(12, lambda _: account.chat(headers={"x-mock-delay-ms": "1000"}))
        assert sorted(status for status, _, _ in answers) == [200] * 3 + [429] * 9
        refusal = next(answer for answer in answers if answer[0] == 429)
        refused(refusal, 429, "rate_limit_exceeded", final=False)
    # Also by those who leave.
    for _ in range(6):
        with Raw(shop.port) as raw:
            text = '{"model":"gpt-4o","messages":[]}'
            raw.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: {account.key}\r\nContent-Type: application/json\r\n"
                     f"x-mock-delay-ms: 20000\r\nContent-Length: {len(text)}\r\n\r\n{text}")
            wait_for(lambda: shop.metric("proxyxai_requests_in_flight") == 1, what="the request")
        wait_for(lambda: shop.metric("proxyxai_requests_in_flight") == 0, what="its end")
    let_in(account.chat())


def test_limits_of_single_models(shop):
    account = shop.make_child(1, RPM=5, ModelLimits={"gpt-4o": {"rpm": 1}, "o3*": {"tpm": 100}})
    let_in(account.chat(model="gpt-4o"))
    for _ in range(10):
        refused(account.chat(model="gpt-4o"), 429, "rate_limit_exceeded", final=False)
    refused(account.chat(model="o3-mini", max_tokens=1_000), 429, "rate_limit_exceeded")
    # The refused ones took no slot of the account's own.
    for _ in range(4):
        let_in(account.chat())
    refused(account.chat(), 429, "rate_limit_exceeded", final=False)


def test_a_childs_traffic_counts_against_its_ancestors(shop):
    parent = shop.make_child(100, RPM=3)
    children = [shop.make_child(1, by=parent) for _ in range(2)]
    stranger = shop.make_child(1)
    for account in (*children, parent):
        let_in(account.chat())
    for account in (*children, parent):
        _, _, body = answer = account.chat()
        refused(answer, 429, "rate_limit_exceeded", final=False)
        assert parent.name in json.loads(body)["error"]["message"]
    let_in(stranger.chat())


def test_an_ancestors_places_and_tokens_are_its_childrens_too(shop):
    parent = shop.make_child(100, Concurrency=2, TPM=10_000)
    child = shop.make_child(10, by=parent)
    grandchild = shop.make_child(1, by=shop.make_child(50, by=parent))
    answers = in_parallel(8, lambda i: (child, grandchild)[i % 2].chat(headers={"x-mock-delay-ms": "1000"}, max_tokens=100))
    assert sorted(status for status, _, _ in answers) == [200] * 2 + [429] * 6
    let_in(child.chat(headers={"x-mock-usage": '{"input":9000,"output":10}'}, max_tokens=100))
    refused(grandchild.chat(max_tokens=1_000), 429, "rate_limit_exceeded", final=False)


def test_a_disabled_account_takes_those_below_it_with_it(shop):
    parent = shop.make_child(100)
    child = shop.make_child(50, by=parent)
    grandchild = shop.make_child(1, by=child)
    shop.change(parent, Status=False)
    for account in (parent, child, grandchild):
        refused(account.chat(), 401, "account_disabled")
        assert account.call("GET", "/dashboard/x_user/info")[0] == 401
    shop.change(parent, Status=True)
    for account in (parent, child, grandchild):
        let_in(account.chat())


# Where from, where to, and which model.


@pytest.mark.parametrize("allowed,forwarded,is_in", [
    ("192.0.2.0/24", None, False),
    ("127.0.0.1", None, True),
    ("192.0.2.0/24", "192.0.2.7", True),
    ("192.0.2.0/24", "198.51.100.1", False),
    # Right-most that is no proxy of ours: what stands before it was written by a stranger.
    ("192.0.2.0/24", "192.0.2.7, 198.51.100.1", False),
    ("192.0.2.0/24", "198.51.100.1, 192.0.2.7", True),
    ("192.0.2.0/24", "192.0.2.7, 127.0.0.1", True),
    ("192.0.2.0/24", "192.0.2.7,127.0.0.1 ,  ::1", True),
    ("2001:db8::/32", "2001:db8::7", True),
    ("2001:db8::/32", "2001:db9::7", False),
    ("192.0.2.0/24", "192.0.2.999", False),
    ("192.0.2.0/24", "", False),
    ("192.0.2.0/24 -192.0.2.7", "192.0.2.7", False),
    ("192.0.2.0/24 -192.0.2.7", "192.0.2.8", True),
])
def test_addresses(shop, allowed, forwarded, is_in):
    account = shop.make_child(1, AllowIPs=allowed)
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    answer = account.chat(headers=headers)
    let_in(answer) if is_in else refused(answer, 403, "ip_not_allowed")
    assert account.call("GET", "/dashboard/x_user/info", headers=headers)[0] == (200 if is_in else 403)


def test_forwarded_addresses_of_strangers_are_not_believed(start):
    gateway = start(TRUSTED_PROXIES="", USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0")
    account = gateway.make_child(1, AllowIPs="192.0.2.0/24")
    refused(account.chat(headers={"X-Forwarded-For": "192.0.2.7"}), 403, "ip_not_allowed")


@pytest.mark.parametrize("resources,path,is_in", [
    ("/v1/embeddings", "/v1/embeddings", True),
    ("/v1/embeddings", "/embeddings", True),
    ("/embeddings", "/v1/embeddings", True),
    ("/v1/embeddings", "/v1/chat/completions", False),
    ("/v1/embed", "/v1/embeddings", False),
    ("/v1/embed*", "/v1/embeddings", True),
    ("/v1/chat /v1/embeddings", "/v1/embeddings", True),
    ("/v1/models", "/v1/embeddings", False),
    ("*", "/v1/embeddings", True),
])
def test_resources(shop, resources, path, is_in):
    account = shop.make_child(1, Resources=resources)
    answer = account.call("POST", path, EMBEDDING)
    let_in(answer) if is_in else refused(answer, 403, "resource_not_allowed")


def test_what_an_account_may_not_use_its_children_may_not_either(shop):
    parent = shop.make_child(100, AllowModels="gpt-4o*", Resources="/v1/chat /v1/models")
    child = shop.make_child(10, by=parent)
    let_in(child.chat())
    refused(child.chat(model="o3"), 403, "model_not_allowed")
    refused(child.call("POST", "/v1/embeddings", EMBEDDING), 403, "resource_not_allowed")
    assert models_of(child) == ["gpt-4o", "gpt-4o-mini"]


def models_of(account):
    status, headers, body = account.call("GET", "/v1/models")
    assert status == 200 and int(headers["content-length"]) == len(body), body
    return [each["id"] for each in json.loads(body)["data"]]


@pytest.mark.parametrize("allowed,shown", [
    ("*", ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "whisper-1"]),
    ("gpt-4o*", ["gpt-4o", "gpt-4o-mini"]),
    ("gpt-4o", ["gpt-4o"]),
    ("gpt-4o* -gpt-4o-mini", ["gpt-4o"]),
    ("-whisper-1", ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"]),
    ("nothing-like-it", []),
])
def test_list_of_models_shows_what_may_be_used(shop, allowed, shown):
    account = shop.make_child(1, AllowModels=allowed)
    assert models_of(account) == shown
    for model in ("gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "whisper-1"):
        status, _, body = account.call("GET", f"/v1/models/{model}")
        assert (status == 200) == (model in shown), body
    status = account.chat(model="gpt-4o-mini")[0]
    assert status == (200 if "gpt-4o-mini" in shown else 403)


def test_no_way_round_the_allowed_models(shop, mock):
    account = shop.make_child(100, AllowModels="gpt-4o")
    boundary = "b"
    form = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--{boundary}--\r\n')
    as_form, as_json = {"Content-Type": f"multipart/form-data; boundary={boundary}"}, {"Content-Type": "application/json"}
    ways = [
        ("POST", "/v1/chat/completions", '{"model":"gpt-4o","messages":[],"model":"o1-pro"}', as_json),
        ("POST", "/v1/chat/completions", '{"messages":[],"mod\\u0065l":"o1-pro"}', as_json),
        ("POST", "/v1/chat/completions", '{"model":"GPT-4o","messages":[]}', as_json),
        ("POST", "/v1/chat/completions", '{"model":"gpt-4o ","messages":[]}', as_json),
        ("POST", "/v1/chat/completions?model=gpt-4o", '{"model":"o1-pro","messages":[]}', as_json),
        ("POST", "/v1/audio/transcriptions", form, as_form),
        # Upstream has a model of its own for who names none.
        ("POST", "/v1/images/generations", '{"prompt":"x"}', as_json),
        ("POST", "/v1/images/variations", form.replace('name="model"', 'name="other"'), as_form),
        # Bodies that are not read for what they are.
        ("POST", "/v1/chat/completions", '{"model":"o1-pro","messages":[]}', {"Content-Type": "text/plain"}),
        ("POST", "/v1/chat/completions", '{"model":"o1-pro","messages":[]}', {}),
    ]
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    many = "&".join(f"p{i}=x" for i in range(100))
    for query in ("?model=gpt-realtime", "", "?mod%65l=gpt-realtime", f"?{many}&model=gpt-realtime", "?model=gpt%2Drealtime"):
        ways += [("GET", "/v1/realtime" + query, None, upgrade), ("GET", "/v1/realtime" + query, '{"model":"gpt-4o"}', upgrade | as_json)]
    ways += [("GET", "/v1/responses", None, upgrade), ("POST", "/v1/responses", '{"prompt":{"id":"pmpt_1"}}', as_json)]
    passed = []
    for method, path, body, headers in ways:
        status, _, answer = account.call(method, path, body, headers)
        # Where an upgrade has a body, that is refused before anything of it is read.
        wanted = (400, "bad_request") if body and "Upgrade" in headers else (403, "model_not_allowed")
        if (status, code_of(answer)) != wanted:
            passed.append((method, path, body, headers.get("Content-Type"), status))
    assert passed == []
    for query in ("?model=gpt-4o&model=gpt-realtime", f"?model=gpt-4o&{many}&mode%6C=gpt-realtime"):
        refused(account.call("GET", "/v1/realtime" + query, None, upgrade), 400, "bad_query")
    assert not mock.requests()
