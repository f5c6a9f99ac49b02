"""The official Node SDK against the gateway, over TLS to upstream, beside the same calls straight at the mock."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(os.environ.get("PROXYXAI_NODE", "build/e2e-node"))
BROKEN, DEAD, GOOD = "sk-upstream-broken-0001", "sk-upstream-dead-00002", "sk-upstream-good-00003"


def run(base_url, key, ca=None):
    script = FOLDER / "clients.mjs"
    shutil.copy(pathlib.Path(__file__).parent / "node" / "clients.mjs", script)
    environment = {**os.environ, **({"NODE_EXTRA_CA_CERTS": str(ca)} if ca else {})}
    done = subprocess.run(["node", str(script), base_url, key], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("keys", ["one good key", "two of three broken"])
def test_every_call_is_as_on_the_direct_connection(start, mock, keys):
    if keys == "one good key":
        gateway = start(keys=[GOOD])
    else:
        gateway = start(keys=[BROKEN, DEAD, GOOD])
        mock.script(BROKEN, "http_500")
        mock.script(DEAD, "invalid_api_key")
    through = run(gateway.base_url, gateway.root)
    assert through["missing"] and through["unauthorised"] and through["deleted"]
    assert through["heard"].endswith(through["soundHash"]) and through["edited"].endswith(through["soundHash"])
    assert through["fileHash"] == through["soundHash"] and through["spoken"] == 65536 and through["embedding"] == 8
    assert through["events"][-1] == "response.completed"
    if keys == "one good key":
        straight = run(mock.url + "/v1", GOOD, mock.ca)
        for name in ("chat", "chunks", "rawStream", "events"):
            assert through[name] == straight[name], name
