"""That the matrix of routes and roles has every route of the management API: one that is new must say whose it is."""
import re

from test_api_docs import routes
from test_roles import MATRIX, PLACES, ROOTS

# These have tests of their own, in test_roles and test_accounts: each call makes something new.
BY_THEMSELVES = {("POST", "/x-users"), ("POST", "/x-self")}


def test_every_route_and_method_is_in_the_matrix(gateway):
    def bare(path):
        return re.sub(r"/(\{\w*\}|\d+)(?=/|$)", "/1", path.split("?")[0])

    tried = {tuple(each.split()) for each in (*MATRIX, *PLACES)} | {(method, path) for method, path, _ in ROOTS}
    tried = {(method, bare(path)) for method, path in tried} | BY_THEMSELVES
    calls, dashboard = routes()
    missing = []
    for path in sorted(calls | dashboard):
        for each in (path, path + "/1"):
            allowed = re.findall(r"\w+", gateway.call("HEAD", each)[1].get("allow", ""))
            missing += [(method, each) for method in allowed if (method, each) not in tried]
    assert missing == []
