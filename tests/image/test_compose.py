"""docker-compose.yml as Compose reads it, and as its reader does."""
import ipaddress
import os
import re
import shutil
import subprocess

import dockerfile
import pytest
import yaml
from container import bytes_of, resolved
from processes import BUILD
from root import PROJECT

FILE = PROJECT / "docker-compose.yml"
KEPT = ("proxyxai", "nginx", "backup")
# What the container itself decides: where it listens and where its data is. TLS is nginx's.
OF_THE_CONTAINER = {"PORT", "LISTEN_ADDRESS", "TLS_CERT", "TLS_KEY", "DATA_DIR"}


@pytest.fixture
def read(tmp_path):
    """read(NAME=value): the file with what .env says, alone in a directory."""
    if not shutil.which("docker-compose"):
        pytest.skip("docker-compose is not installed")
    return lambda **variables: resolved(tmp_path, FILE, **variables)


def seconds(text):
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    return sum(int(value or 0) * unit for value, unit in zip(found.groups(), (3600, 60, 1)))


def settings():
    """The program's own: {name: default}."""
    shown = subprocess.run([str(BUILD / "proxyxai"), "config"], env={}, capture_output=True, text=True, cwd="/", check=True).stdout
    return {name: "" if value == "-" else value for name, value in (line.split()[:2] for line in shown.splitlines())}


def test_compose_1_29_takes_it_alone(read):
    assert set(read()["services"]) == {*KEPT, "build-proxyxai", "build-nginx"}


def test_compose_v2_takes_it_without_a_warning(tmp_path):
    compose = os.environ.get("PROXYXAI_COMPOSE_V2")
    if not compose:
        pytest.skip("PROXYXAI_COMPOSE_V2 names no Compose v2")
    shutil.copy(FILE, tmp_path)
    done = subprocess.run([compose, "-f", FILE.name, "config"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == set(KEPT)
    for each in services.values():
        assert int(each["mem_limit"]) > 0 and each["cpus"] > 0 and each["healthcheck"]["test"]


def test_up_pulls_by_name_and_builds_nothing(read):
    """Where only this file is, there is nothing to build from."""
    services = read()["services"]
    for name in KEPT:
        assert "build" not in services[name] and "profiles" not in services[name]
        assert re.fullmatch(r"proxyxai/(proxyxai|pages):latest", services[name]["image"])
    for name, made in (("build-proxyxai", "proxyxai"), ("build-nginx", "nginx")):
        assert services[name]["profiles"] == ["build"] and services[name]["image"] == services[made]["image"]
        assert (PROJECT / services[name]["build"]["dockerfile"]).is_file()
    named = read(PROXYXAI_IMAGE="registry.example.com/gateway", PROXYXAI_VERSION="0.1.0")["services"]
    assert named["proxyxai"]["image"] == named["backup"]["image"] == named["build-proxyxai"]["image"] == "registry.example.com/gateway:0.1.0"


@pytest.mark.parametrize("name", KEPT)
def test_service_is_kept_up_and_within_bounds(read, name):
    service = read()["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service and "pid" not in service and service.get("network_mode") in (None, "none")
    assert service["logging"]["driver"] == "json-file"
    assert bytes_of(service["logging"]["options"]["max-size"]) * int(service["logging"]["options"]["max-file"]) <= 100 * 1024**2
    assert service["pids_limit"] <= 200 and bytes_of(service["mem_limit"]) and 0 < service["cpus"] <= 2
    assert {"test", "interval", "timeout", "retries", "start_period"} == set(service["healthcheck"])


def test_limits_leave_the_host_of_2_gib_its_share(read):
    services = read()["services"]
    assert sum(bytes_of(services[name]["mem_limit"]) for name in KEPT) <= (2048 - 384) * 1024**2
    assert bytes_of(services["proxyxai"]["mem_limit"]) >= 4 * bytes_of(settings()["BODY_MEMORY_BYTES"].lower().replace("ib", ""))


def test_descriptors_are_as_many_as_connections_need(read):
    service = read()["services"]["proxyxai"]
    assert service["ulimits"]["nofile"]["hard"] >= 2 * int(service["environment"]["MAX_CONNECTIONS"]) + 100


def test_grace_is_longer_than_draining(read):
    services = read()["services"]
    for name in ("proxyxai", "nginx"):
        assert seconds(services[name]["stop_grace_period"]) > seconds(services["proxyxai"]["environment"]["DRAIN_TIMEOUT"])
    longer = read(DRAIN_TIMEOUT="300s", STOP_GRACE_PERIOD="320s")["services"]["proxyxai"]
    assert longer["environment"]["DRAIN_TIMEOUT"] == "300s" and seconds(longer["stop_grace_period"]) == 320


def test_settings_are_the_programs_with_its_defaults(read):
    environment = read()["services"]["proxyxai"]["environment"]
    real = settings()
    assert environment.pop("TZ") == "UTC"
    assert set(environment) == set(real) - OF_THE_CONTAINER
    assert {name: value for name, value in environment.items() if name != "TRUSTED_PROXIES"} == \
        {name: real[name] for name in environment if name != "TRUSTED_PROXIES"}


def test_every_setting_is_settable(read):
    names = set(settings()) - OF_THE_CONTAINER - {"TRUSTED_PROXIES"}
    environment = read(**{name: f"the {name}" for name in names})["services"]["proxyxai"]["environment"]
    assert {name: environment[name] for name in names} == {name: f"the {name}" for name in names}


def test_a_file_beside_it_sets(read, tmp_path):
    (tmp_path / ".env").write_text("XAI_SERVICE=Example API\nAPI_PORT=127.0.0.1:3443\nPROXYXAI_MEMORY=800m\n")
    service = read()["services"]["proxyxai"]
    assert service["environment"]["XAI_SERVICE"] == "Example API" and service["mem_limit"] == "800m"
    assert [str(each) for each in service["ports"]] == ["127.0.0.1:3443:3443/tcp"]


@pytest.mark.parametrize("network", (None, "10.9.8"))
def test_nginx_and_daemon_know_each_other_by_address(read, network):
    compose = read(**{"PROXYXAI_NETWORK": network} if network else {})
    daemon, nginx = compose["services"]["proxyxai"], compose["services"]["nginx"]
    prefix = network or "172.31.84"
    (subnet,) = compose["networks"]["default"]["ipam"]["config"]
    assert subnet["subnet"] == f"{prefix}.0/24"
    # Whoever else joins never gets the address that is trusted, also while nginx is away.
    others = ipaddress.ip_network(subnet["ip_range"])
    assert others.subnet_of(ipaddress.ip_network(subnet["subnet"]))
    assert all(ipaddress.ip_address(each["networks"]["default"]["ipv4_address"]) not in others for each in (daemon, nginx))
    assert nginx["environment"]["DAEMON"] == f"{daemon['networks']['default']['ipv4_address']}:3443" == f"{prefix}.2:3443"
    # Not the whole network: what comes through a published port may be seen at its gateway.
    assert daemon["environment"]["TRUSTED_PROXIES"] == nginx["networks"]["default"]["ipv4_address"] == f"{prefix}.3"


def test_what_is_kept_is_in_named_volumes(read):
    compose = read()
    assert {each["name"] for each in compose["volumes"].values()} == {"proxyxai-data", "proxyxai-backups"}
    assert compose["services"]["backup"]["volumes"] == ["data:/data:ro", "backups:/backups:rw"]
    assert compose["services"]["backup"]["network_mode"] == "none"
    assert [each for each in compose["services"]["nginx"]["volumes"] if not each.endswith(":ro")] == []


def test_health_checks_are_those_of_the_images(read):
    services = read()["services"]
    for name, file in (("proxyxai", "Dockerfile"), ("nginx", "nginx.Dockerfile")):
        check = next(each.text for each in dockerfile.read(PROJECT / "docker" / file)[-1].instructions if each.word == "HEALTHCHECK")
        assert check.endswith(str(services[name]["healthcheck"]["test"][1:]).replace("'", '"'))


def test_every_line_is_explained():
    """But headings, empty lines, and what merges in the common part."""
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        if not line or line.lstrip().startswith("#") or re.fullmatch(r"\w+:", line) or line.strip() == "<<: *service":
            continue
        assert re.search(r"\S  # \S", line), f"line {number}: {line}"
        assert len(line) <= 150, f"line {number} is too long"
