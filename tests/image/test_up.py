"""`docker-compose up -d` with nothing but the file there: what it has an engine pull, make and start, and with which limits."""
import os
import shutil
import subprocess
import tempfile

import pytest
from container import bytes_of, resolved
from engine import Engine
from root import PROJECT

FILE = PROJECT / "docker-compose.yml"
KEPT = ("proxyxai", "nginx", "backup")
COMMANDS = {"1.29": ["docker-compose"], "v2": [os.environ.get("PROXYXAI_COMPOSE_V2", "")]}


@pytest.fixture(scope="module", params=COMMANDS)
def up(request, tmp_path_factory):
    """The engine after `up -d`, and the file as Compose 1.29 reads it."""
    command = COMMANDS[request.param]
    if not shutil.which(command[0]) or not shutil.which("docker-compose"):
        pytest.skip("docker-compose is not installed" if request.param == "1.29" else "PROXYXAI_COMPOSE_V2 names no Compose v2")
    directory = tmp_path_factory.mktemp("host")
    compose = resolved(directory, FILE)
    assert [each.name for each in directory.iterdir()] == ["docker-compose.yml"]
    # A socket's path may not be long.
    with tempfile.TemporaryDirectory(prefix="engine") as place:
        engine = Engine(f"{place}/s")
        try:
            done = subprocess.run([*command, "-f", "docker-compose.yml", "up", "-d"], cwd=directory, capture_output=True, text=True, timeout=120,
                                  env={"PATH": os.environ["PATH"], "HOME": str(directory), "DOCKER_HOST": engine.address})
            assert done.returncode == 0, done.stdout + done.stderr + "\n".join(engine.asked)
            yield engine, compose
        finally:
            engine.end()


def test_images_are_pulled_by_name_and_none_is_built(up):
    engine, _ = up
    assert set(engine.pulled) == {"proxyxai/proxyxai:latest", "proxyxai/pages:latest"}
    assert not [each for each in engine.asked if "build" in each]


def test_three_services_are_started_in_order(up):
    engine, _ = up
    order = engine.order()
    assert sorted(order) == sorted(KEPT) and order[0] == "proxyxai"


@pytest.mark.parametrize("name", KEPT)
def test_limits_arrive(up, name):
    engine, compose = up
    made, wanted = engine.service(name), compose["services"][name]
    host = made["HostConfig"]
    assert host["Memory"] == bytes_of(wanted["mem_limit"]) and host["NanoCpus"] == round(float(wanted["cpus"]) * 10**9)
    assert host["PidsLimit"] == 100 and host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"] and host["SecurityOpt"] == ["no-new-privileges:true"]
    assert sorted(each.removeprefix("CAP_") for each in host.get("CapAdd") or []) == sorted(wanted.get("cap_add", []))
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "20m", "max-file": "5"}}
    assert {each["Name"]: (each["Soft"], each["Hard"]) for each in host.get("Ulimits") or []} == \
        {kind: (value["soft"], value["hard"]) for kind, value in wanted.get("ulimits", {}).items()}
    assert made["Config"]["Healthcheck"]["Test"] == wanted["healthcheck"]["test"] and made["Config"]["Healthcheck"]["Retries"] == 3
    assert made["Config"]["StopSignal"] == wanted["stop_signal"]


def test_ports_are_published(up):
    engine, _ = up
    published = {name: sorted(each["HostPort"] for port in (engine.service(name)["HostConfig"].get("PortBindings") or {}).values() for each in port) for name in KEPT}
    assert published == {"proxyxai": ["3443"], "nginx": ["443", "80"], "backup": []}


def test_addresses_and_volumes_are_made(up):
    engine, _ = up
    (network,) = engine.networks.values()
    assert network["IPAM"]["Config"][0]["Subnet"] == "172.31.84.0/24"
    for name, address in (("proxyxai", "172.31.84.2"), ("nginx", "172.31.84.3")):
        (endpoint,) = engine.service(name)["NetworkSettings"]["Networks"].values()
        assert endpoint["IPAMConfig"]["IPv4Address"] == address
    assert engine.service("backup")["HostConfig"]["NetworkMode"] == "none"
    assert set(engine.volumes) == {"proxyxai-data", "proxyxai-backups"}


def test_settings_reach_the_daemon(up):
    engine, compose = up
    arrived = dict(each.split("=", 1) for each in engine.service("proxyxai")["Config"]["Env"])
    assert {name: arrived[name] for name in compose["services"]["proxyxai"]["environment"]} == compose["services"]["proxyxai"]["environment"]
