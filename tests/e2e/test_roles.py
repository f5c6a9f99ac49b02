"""Who may do what: every route with every role, however the path is spelled; and that accounts never see each other."""
import datetime
import json
import re

import pytest

from processes import Gateway, make_root_key

KEY = "sk-upstream-key-000001"
REFUSED = {400, 401, 403, 404, 405}


@pytest.fixture(scope="module")
def family(tls_mock, tmp_path_factory):
    """root over parent over child and sibling, and grandchild below child; strangers beside them. All may manage accounts."""
    gateway = Gateway(tmp_path_factory.mktemp("family"), tls_mock, keys=[KEY], USER_MIN_BALANCE="0", CALL_MIN_BALANCE="0", FEE_LISTING="0")
    parent = gateway.make_child(1_000, name="parent")
    child = gateway.make_child(200, name="the-child", by=parent)
    roles = {
        "parent": parent,
        "child": child,
        "sibling": gateway.make_child(200, name="the-sibling", by=parent),
        "grandchild": gateway.make_child(50, name="grandchild", by=child),
        "stranger": gateway.make_child(200, name="stranger"),
    }
    for account in roles.values():
        assert account.chat()[0] == 200
    yield gateway, roles
    gateway.end()


def key_of(family, role):
    gateway, roles = family
    if role == "root":
        return gateway.root
    return roles[role].key if role in roles else make_root_key()


def today():
    return datetime.datetime.now().strftime("%Y-%m-%d")


# Routes that are root's alone: method, path, body.
ROOTS = [
    ("GET", "/x-keys", None),
    ("POST", "/x-keys", {"SecretKey": "sk-upstream-planted-0001"}),
    ("GET", "/x-keys/1", None),
    ("PUT", "/x-keys/1", {"Status": False}),
    ("POST", "/x-keys/1", {"Status": False}),
    ("PATCH", "/x-keys/1", {"Status": False}),
    ("DELETE", "/x-keys/1", None),
    ("POST", "/x-keys/1/probe", {}),
    ("GET", "/x-config", None),
    ("PUT", "/x-config", {"ModelMapper": "gpt-4o-mini=gpt-planted"}),
    ("POST", "/x-config", {"ModelMapper": "gpt-4o-mini=gpt-planted"}),
    ("DELETE", "/x-config", None),
    ("GET", "/x-stats", None),
    ("POST", "/x-root", {"confirm": f"{today()}-ROTATE-ROOT"}),
    ("POST", "/x-root", {"name": "the-sibling", "confirm": f"{today()}-ROTATE-ROOT"}),
    ("GET", "/v1/organization/users", None),
    ("GET", "/v1/organization/admin_api_keys", None),
    ("POST", "/v1/organization/projects", {"name": "x"}),
    ("GET", "/v1/organizations", None),
    ("GET", "/v1/projects/proj_1/api_keys", None),
    ("POST", "/v1/realtime/client_secrets", {}),
    ("POST", "/v1/realtime/sessions", {"model": "gpt-realtime"}),
    ("POST", "/v1/realtime/transcription_sessions", {}),
    ("POST", "/v1/chatkit/sessions", {}),
    ("GET", "/v1/dashboard/billing/nothing", None),
    ("GET", "/v1/usage", None),
    ("GET", "/v1/me", None),
]


def spellings(path):
    """The path and what a lenient server might take for it."""
    head, _, tail = path[1:].partition("/")
    first = f"%{ord(head[0]):02x}" + head[1:]
    rest = f"/{tail}" if tail else ""
    made = [path, "/" + path, path + "/", path + "//", path.replace("/", "//"), path.replace("/", "/./"), "/x/.." + path, path + "/.", path + "/..",
            path + ".", path + "%2e", path + "%20", path + "%00", path + "%2f", path + ";x=1", path + "?x=1", path + "%3fx", path.upper(), path.title(),
            f"/{head}.{rest}", f"/{first}{rest}", f"/{head.upper()}{rest}", f"/{head}%2f{tail}", f"/{head}%2F{tail}", f"/{head}\\{tail}", f"/%2f{head}{rest}",
            "/v1" + path, "/v1/" + path, "/v1/v1" + path, path.removeprefix("/v1"), "/V1" + path.removeprefix("/v1"), "/%761" + path.removeprefix("/v1"),
            "/v1/models/.." + path, "/v1/files/%2e%2e" + path.removeprefix("/v1"), "/dashboard/.." + path, f"http://elsewhere.example{path}"]
    return list(dict.fromkeys(each for each in made if each.startswith(("/", "http"))))


@pytest.mark.parametrize("method,path,body", ROOTS, ids=[f"{method} {path}" for method, path, _ in ROOTS])
def test_what_is_roots_alone_is_refused_to_all_others_however_it_is_spelled(family, mock, method, path, body):
    gateway, roles = family
    passed = []
    for role in (*roles, "nobody"):
        for spelled in spellings(path):
            status, _, answer = gateway.call(method, spelled, body, key_of(family, role))
            if status not in REFUSED or KEY[-4:].encode() in answer or b"SecretKey" in answer:
                passed.append((role, spelled, status, answer[:200]))
    assert passed == []
    assert mock.requests() == [], "nothing of it went upstream"
    assert gateway.shown(KEY)["State"] == "active" and len(gateway.keys_shown()) == 1
    assert b"planted" not in gateway.call("GET", "/x-config")[2]
    assert all(account.call("GET", "/dashboard/x-user-status")[0] == 200 for account in roles.values()), "no key was rotated"


def test_root_may(family):
    gateway, _ = family
    assert gateway.call("GET", "/x-keys")[0] == 200 and gateway.call("GET", "/x-keys/1")[0] == 200
    assert gateway.call("GET", "/x-stats")[0] == 200
    assert gateway.call("GET", "/x-config")[0] == 200 and gateway.call("PUT", "/x-config", {})[0] == 200
    assert gateway.call("GET", "/v1/organization/users")[0] == 404, "upstream's own answer"


# The whole matrix. Per role: what it is answered; for the routes of one account that is `child`, by its id.
EVERY = ("root", "parent", "child", "sibling", "grandchild", "stranger", "nobody")
ANYONE = dict.fromkeys(EVERY, 200) | {"nobody": 401}
ABOVE_CHILD = {"root": 200, "parent": 200, "child": 200, "sibling": 404, "grandchild": 404, "stranger": 404, "nobody": 401}
MATRIX = {
    # method and path: what each role gets
    "GET /x-users": ANYONE,
    "GET /x-dna": ANYONE,
    "GET /x-prices": ANYONE,
    "GET /x-requests": ANYONE,
    "GET /x-bill": ANYONE,
    "GET /dashboard/x_user/info": ANYONE,
    "GET /dashboard/x-user-info": ANYONE,
    "GET /dashboard/x-user-status": ANYONE,
    "GET /dashboard/x-user-logs": ANYONE,
    "GET /dashboard/billing/subscription": ANYONE,
    "GET /v1/dashboard/billing/subscription": ANYONE,
    "GET /dashboard/billing/usage": ANYONE,
    "GET /v1/dashboard/billing/usage": ANYONE,
    "GET /dashboard/billing/credit_grants": ANYONE,
    "GET /v1/dashboard/billing/credit_grants": ANYONE,
    "GET /v1/models": ANYONE,
    "GET /models": ANYONE,
    "GET /x-dna/{child}": ABOVE_CHILD,
    "GET /x-requests?user={child}": ABOVE_CHILD,
    "GET /x-bill?user={child}": ABOVE_CHILD,
    # Direct children only.
    "GET /x-users/{child}": ABOVE_CHILD | {"root": 404},
    "PUT /x-users/{child}": ABOVE_CHILD,
    "POST /x-users/{child}": ABOVE_CHILD,
    "PATCH /x-users/{child}": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "PUT /x-users": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "DELETE /x-users": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "DELETE /x-requests": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "POST /x-bill": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "POST /x-prices": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "GET /x-self": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "POST /dashboard/x_user/info": dict.fromkeys(EVERY, 405) | {"nobody": 401},
    "GET /x-nothing": dict.fromkeys(EVERY, 404) | {"nobody": 401},
    "GET /nothing": dict.fromkeys(EVERY, 404),
}


@pytest.mark.parametrize("target", MATRIX)
def test_matrix_of_routes_and_roles(family, target):
    gateway, roles = family
    method, path = target.replace("{child}", str(roles["child"].id)).split()
    body = {"Alias": "the child"} if "{child}" in target and method != "GET" else {} if method in ("POST", "PUT") else None
    got = {role: gateway.call(method, path, body, key_of(family, role))[0] for role in EVERY}
    assert got == MATRIX[target]


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "Bearer "}, {"Authorization": "Basic cm9vdDpyb290"},
                                     {"Authorization": "Bearer root"}, {"Authorization": "Bearer null"}, {"Authorization": "Bearer " + KEY}])
def test_nobody_gets_anywhere(family, mock, headers):
    gateway, _ = family
    answers = set()
    for target in [*MATRIX, *(f"{method} {path}" for method, path, _ in ROOTS), "POST /v1/chat/completions", "GET /v1/files"]:
        method, path = target.replace("{child}", "2").split()
        status, _, answer = gateway.call(method, path, None, None, headers)
        assert status in (401, 404), (target, status)
        answers.add(answer) if status == 401 else None
    assert len(answers) == 1, "the same text whatever was wrong"
    assert mock.requests() == []


def alike(answer, names, others):
    """The answer with the one account's names for the other's."""
    status, _, body = answer
    text = body.decode()
    for name, other in zip(names, others):
        text = text.replace(str(name), str(other))
    return status, text


OTHERS = ("987654", "no-such-name", "no-such-name@example.com")
PLACES = ["GET /x-users/{}", "GET /x-dna/{}", "GET /x-requests?user={}", "GET /x-bill?user={}", "PUT /x-users/{}", "POST /x-users/{}",
          "DELETE /x-users/{}", "GET /x-users?{}", "GET /x-dna?{}"]


@pytest.mark.parametrize("viewer", ["sibling", "grandchild", "stranger"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("whose", ["parent", "child", "root"])
def test_anothers_account_answers_exactly_as_one_that_does_not_exist(family, viewer, place, whose):
    gateway, roles = family
    names = ("1", "root", "root@example.com") if whose == "root" else (str(roles[whose].id), roles[whose].name, roles[whose].name + "@example.com")
    for index, kind in enumerate(("id", "name", "email")):
        def ask(name):
            method, path = place.format(f"{kind}={name}" if "?{}" in place else name).split()
            body = {"Alias": "stolen", "CreditGranted": -1} if method in ("PUT", "POST") else None
            return gateway.call(method, path, body, roles[viewer].key)

        status, text = seen = alike(ask(names[index]), (names[index],), (OTHERS[index],))
        assert seen == alike(ask(OTHERS[index]), (), ())
        assert status == 404 or json.loads(text) == []


def test_nothing_of_anothers_requests_logs_and_bills_is_shown(family):
    gateway, roles = family
    secrets = {role: (account.name, f'"user_id":{account.id},', f".{account.id}.") for role, account in roles.items()}
    sees = {"parent": {"parent", "child", "sibling", "grandchild"}, "child": {"child", "grandchild"}, "sibling": {"sibling"},
            "grandchild": {"grandchild"}, "stranger": {"stranger"}}
    for viewer, account in roles.items():
        for path in ("/x-requests", "/x-bill", "/x-users", "/x-dna"):
            text = account.call("GET", path)[2].decode()
            for role in set(roles) - sees[viewer]:
                assert roles[role].name not in re.sub(r"granted by \S+", "", text), (viewer, path, role)
                if path == "/x-requests":
                    assert secrets[role][1] not in text
        for path in ("/x-requests", "/x-bill"):
            text = account.call("GET", path)[2].decode()
            assert all(f'"{roles[role].name}"' in text for role in sees[viewer]), (viewer, path)
        assert "list_cost" not in account.call("GET", "/x-requests")[2].decode() and '"key_id"' not in account.call("GET", "/x-requests")[2].decode()
        for target in roles.values():
            logs = account.read(f"/dashboard/x-user-logs?target_id={target.id}")["data"]
            assert all(account.id in (each["actor_id"], each["target_id"]) for each in logs)


UNSETTABLE = ["ID", "DNA", "Level", "Balance", "CreditUsed", "Parent", "ParentID", "SecretKey", "PartialKey", "IsRoot"]


@pytest.mark.parametrize("field", UNSETTABLE)
def test_what_the_api_never_sets(family, field):
    gateway, roles = family
    value = {"DNA": ".1.", "SecretKey": make_root_key(), "PartialKey": "x", "IsRoot": True}.get(field, 1)
    for role in ("parent", "root"):
        status, _, body = gateway.call("PUT", f"/x-users/{roles['child'].id}", {"Alias": "x", field: value}, key_of(family, role))
        assert status == 400 and json.loads(body)["error"]["param"] == field
        body = {"Name": "sneaky", "Email": "sneaky@example.com", "CreditGranted": 1, field: value}
        assert gateway.call("POST", "/x-users", body, key_of(family, role))[0] == 400


def test_of_itself_an_account_changes_its_alias_and_its_billing_address_only(family):
    _, roles = family
    child = roles["child"]
    for who in (child.id, child.name, child.name + "@example.com"):
        assert child.call("PUT", f"/x-users/{who}", {"Alias": "me", "BillingEmail": "bills@example.com"})[0] == 200
        for fields in ({"CreditGranted": 10}, {"CreditGranted": -10}, {"Rates": 1}, {"HardLimit": 10_000}, {"SoftLimit": 1}, {"RPM": 1}, {"AllowModels": "*"},
                       {"AllowIPs": "*"}, {"Status": True}, {"Name": "other"}, {"Email": "other@example.com"}, {"AbortPolicy": "drain"},
                       {"Resources": "*"}, {"ModelLimits": {}}, {"Alias": "me", "TPM": 5}):
            assert child.call("PUT", f"/x-users/{who}", fields)[0] in (400, 403), fields
        assert child.call("DELETE", f"/x-users/{who}")[0] in (403, 404)
    assert child.chat()[0] == 200


def test_a_child_never_gets_more_than_its_parent_has(family):
    gateway, roles = family
    parent = gateway.make_child(100, RPM=10, TPM=1_000, Concurrency=5, Rates=2)
    for fields in ({"RPM": 11}, {"RPM": 0}, {"TPM": 1_001}, {"Concurrency": 6}, {"Rates": 1}, {"CreditGranted": 101}):
        body = {"Name": "greedy", "Email": "greedy@example.com", "CreditGranted": 1, **fields}
        status, _, answer = parent.call("POST", "/x-users", body)
        if status == 200:
            # Or it is bounded.
            stored = json.loads(answer)["User"]["Updates"]
            assert 0 < stored["RPM"] <= 10 and 0 < stored["TPM"] <= 1_000 and 0 < stored["Concurrency"] <= 5 and stored["Rates"] >= 2, (fields, stored)
            assert parent.call("DELETE", "/x-users/greedy")[0] == 200
        else:
            assert status == 400, answer
