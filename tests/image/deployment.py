"""docker-compose.yml brought up without an engine: each service's container in its order, on the network that it describes."""
import contextlib
import json
import re
import subprocess

from container import Container, Network, resolved
from processes import BUILD, Process, make_root_key, numbers, wait_for
from root import PROJECT

DOMAIN = "proxyxai.test"
UPSTREAM_KEY = "sk-upstream-key-000001"
COMPOSE = PROJECT / "docker-compose.yml"


class Deployment:
    def __init__(self, image, pages, directory):
        self.directory, self.images = directory, {"proxyxai": image, "nginx": pages, "backup": image}
        self.started, self.mock = {}, None
        self.networks = {name: Network() for name in self.images}
        self.root_key = make_root_key()
        try:
            self.begin()
        except BaseException:
            self.end()
            raise

    def begin(self):
        (self.directory / "port").unlink(missing_ok=True)
        self.mock = Process(self.networks["proxyxai"].enter([BUILD / "mock_openai", "--port-file", self.directory / "port"]), None, self.directory / "mock.log")
        wait_for(lambda: (self.directory / "port").exists() and (self.directory / "port").read_text().strip(), what="the mock's port")
        upstream = f"http://127.0.0.1:{(self.directory / 'port').read_text().strip()}"
        # What an operator would write into .env.
        self.compose = resolved(self.directory, COMPOSE, INIT_USERS=f"root:root@example.com:{self.root_key}", INIT_KEYS=UPSTREAM_KEY,
                                OPENAI_API_BASE=upstream, DOMAIN=DOMAIN, BACKUP_INTERVAL="5", BACKUP_KEEP="2")
        self.addresses = {name: self.service(name)["networks"]["default"]["ipv4_address"] for name in ("proxyxai", "nginx")}
        # A third on the same cable: whoever comes in through the published port is seen at the network's gateway.
        self.stranger = re.sub(r"\d+$", "1", self.addresses["nginx"])
        self.networks["proxyxai"].join([self.addresses["proxyxai"]], self.networks["nginx"], [self.addresses["nginx"], self.stranger])
        self.volumes = {name: self.directory / f"volume-{name}" for name in self.compose["volumes"]}
        self.make_certificates_directory()

    def service(self, name):
        return self.compose["services"][name]

    def make_certificates_directory(self):
        self.certificates = self.directory / "letsencrypt"
        self.certificates.mkdir(mode=0o700)
        self.volumes["/etc/letsencrypt"] = self.certificates

    def obtain_certificate(self):
        """As certbot leaves it: root's alone."""
        live = self.certificates / "live" / DOMAIN
        live.mkdir(parents=True, mode=0o700)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN},DNS:*.{DOMAIN}",
             "-keyout", live / "privkey.pem", "-out", live / "fullchain.pem"], check=True, capture_output=True)

    def up(self, name, command=None, **environment):
        """The container of a service, running; the one there is goes first."""
        if name in self.started:
            self.down(name)
        container = Container(self.images[name], self.service(name), self.networks[name], self.directory / name, self.volumes, environment, command)
        container.is_special = bool(command or environment)
        self.started[name] = container
        return container.start()

    def running(self, name):
        """The container of a service, as the file has it; the one there, if it is such a one."""
        there = self.started.get(name)
        return there if there and there.process.poll() is None and not there.is_special else self.up(name)

    def run(self, name, *command, **environment):
        """A command in a container of its own, as `docker-compose run --rm`: exit code and what it wrote."""
        container = Container(self.images[name], self.service(name), self.networks[name], self.directory / f"run-{next(numbers)}", self.volumes, environment, list(command))
        try:
            container.start().process.wait(120)
            return container.process.returncode, container.log()
        finally:
            container.end()

    def down(self, name):
        container = self.started.pop(name)
        try:
            return container.stop()
        finally:
            container.end()

    def get(self, url, *arguments, network="nginx"):
        """curl from the side of nginx: status and body."""
        done = self.networks[network].run(["curl", "-sS", "--max-time", "60", "-w", "\n%{http_code}", *arguments, url])
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def by_name(self, name, path="/", *arguments, scheme="http"):
        """Through nginx, by one of the domain's names."""
        host = f"{name}.{DOMAIN}" if name else DOMAIN
        port = {"http": 80, "https": 443}[scheme]
        certificate = ["--cacert", self.certificates / "live" / DOMAIN / "fullchain.pem"] if scheme == "https" else []
        return self.get(f"{scheme}://{host}{path}", "--resolve", f"{host}:{port}:127.0.0.1", *certificate, *arguments)

    def chat(self, base, *arguments, key=None):
        body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]})
        return self.get(f"{base}/v1/chat/completions", "-H", f"Authorization: Bearer {key or self.root_key}", "-H", "Content-Type: application/json",
                        "-d", body, *arguments)

    def end(self):
        with contextlib.ExitStack() as everything:
            for network in self.networks.values():
                everything.callback(network.end)
            if self.mock:
                everything.callback(self.mock.stop)
            for container in self.started.values():
                everything.callback(container.end)
