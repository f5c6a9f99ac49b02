"""What the deployment page says of containers, held against what there is. Its curl commands are run by tests/pages/test_docs.py."""
import re

import pytest
import slim
from root import PROJECT

COMPOSE = (PROJECT / "docker-compose.yml").read_text()
VARIABLES = set(re.findall(r"\$\{(\w+):-", COMPOSE))
SERVICES = re.findall(r"^  ([\w-]+):  #", COMPOSE[COMPOSE.index("\nservices:"):COMPOSE.index("\nnetworks:")], re.M)
PAGES = [PROJECT / "docs" / "site" / "content" / language / "deploy.md" for language in ("en", "zh")]


@pytest.fixture(params=PAGES, ids=lambda path: path.parent.name)
def section(request):
    text = request.param.read_text()
    found = re.search(r"^## (?:With containers|使用容器)\n(.*?)^## ", text, re.M | re.S)
    return found[1]


def commands(section):
    """Lines of shell blocks, those that go on joined to the next."""
    for block in re.findall(r"^```sh(?: run)?\n(.*?)^```$", section, re.M | re.S):
        yield from block.replace("\\\n", " ").splitlines()


def test_settings_that_are_named_are_in_the_compose_file(section):
    named = set(re.findall(r"`([A-Z][A-Z_]+)(?:=[^`]*)?`", section)) | set(re.findall(r"^([A-Z_]+)=", section, re.M)) | set(re.findall(r"echo ([A-Z_]+)=", section))
    assert {"DOMAIN", "API_PORT", "MASTER_KEY", "PROXYXAI_NETWORK", "NGINX_BASE"} <= named
    assert named <= VARIABLES, named - VARIABLES


def test_commands_name_services_that_there_are(section):
    asked = re.findall(r"docker-compose (?:ps -q|logs|stop|exec|run --rm) ([\w-]+)", "\n".join(commands(section)))
    assert set(asked) == {"proxyxai", "backup"} <= set(SERVICES)
    assert "docker-compose -f docker-compose.yml up -d" in list(commands(section))
    assert "label=com.docker.compose.service=nginx" in section and "nginx" in SERVICES


def test_commands_are_the_same_in_both_languages():
    english, chinese = (list(commands(path.read_text())) for path in PAGES)
    assert english == chinese


def test_certificate_is_for_every_name(section):
    certbot = next(line for line in commands(section) if "certbot certonly" in line)
    names = set(re.findall(r" -d (\S+)", certbot))
    assert names == {f"{name}example.com" for name in ("", "www.", "docs.", "api.", "usage.", "sub.", "admin.")}
    for name in names:
        assert f"`{name}`" in section
    webroot = re.search(r"-w (\S+)", certbot)[1]
    assert f":-{webroot}}}:{webroot}:ro" in COMPOSE
    name = re.search(r"--cert-name (\S+)", certbot)[1]
    assert f"echo DOMAIN={name} >>.env" in list(commands(section))


def test_packages_of_debian_are_there(tmp_path):
    """The apt line in a clean Debian, but for the unpacking."""
    (line,) = [line for line in commands(PAGES[0].read_text()) if line.startswith("sudo apt-get install") and "docker-compose" in line.split()]
    packages = line.removeprefix("sudo apt-get install -y ").split()
    assert packages[:2] == ["docker.io", "docker-compose"]
    root = slim.make_slim().copy(tmp_path / "root")
    try:
        said = root.install("--simulate", *packages).stdout
        for package in packages:
            assert re.search(rf"^Inst {re.escape(package)} ", said, re.M), said[-2000:]
    finally:
        root.end()
