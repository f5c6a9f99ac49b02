"""The whole as an operator has it: daemon, mock upstream and nginx with config/nginx, on free loopback ports, by name.

Not named site.py: Python has a module of that name, and it would win."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

from processes import SLOW, Gateway, Mock, Process, request, wait_for

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PAGES = REPOSITORY / "pages"
CONFIG = REPOSITORY / "config" / "nginx"
DOMAIN = "proxyxai.test"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(directory):
    """A certificate for all names of the domain, signed by itself."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN},DNS:*.{DOMAIN}",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


MAIN = """\
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/start.log warn;
{user}
events {{
  worker_connections 1024;
}}
http {{
  include {directory}/mime.types;
  default_type application/octet-stream;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  include conf.d/*.conf;
}}
"""


class Nginx:
    """nginx with config/nginx as it is in the repository; only settings/ is written anew, as an operator would."""

    def __init__(self, directory, daemon_port, pages=PAGES, extra="", admin=None, listen=""):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.daemon_port, self.pages, self.extra, self.admin, self.listen = daemon_port, pages, extra, admin, listen
        self.access_log, self.error_log = self.directory / "access.log", self.directory / "error.log"
        self.certificate, self.key = make_certificate(self.directory)
        shutil.copy("/etc/nginx/mime.types", self.directory)
        shutil.copytree(CONFIG, self.directory / "conf.d", dirs_exist_ok=True)
        # Started by root, workers would be another user, who may not read what is in a test's directory.
        user = "user root;" if os.geteuid() == 0 else ""
        (self.directory / "nginx.conf").write_text(MAIN.format(directory=self.directory, user=user))
        self.process = None
        self.start()

    @property
    def command(self):
        return ["nginx", "-p", str(self.directory), "-e", str(self.directory / "start.log"), "-c", str(self.directory / "nginx.conf")]

    def start(self):
        for attempt in range(5):
            self.port, self.tls_port = free_port(), free_port()
            self.write_settings()
            self.process = Process(self.command, os.environ, self.directory / "output.log")
            wait_for(lambda: self.answers() or self.process.process.poll() is not None, 20 * SLOW, "nginx's start")
            if self.process.process.poll() is None:
                return
            self.process.stop()
            # Somebody else may have taken the port in between.
            assert attempt < 4 and "Address already in use" in self.start_log(), self.start_log()

    def start_log(self):
        return (self.directory / "start.log").read_text(errors="replace")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return (self.directory / "nginx.pid").exists()
        except OSError:
            return False

    def change(self, name, before, after):
        """Changes one line of a settings file, which must be there."""
        path = self.directory / "conf.d" / "proxyxai" / "settings" / name
        original = (CONFIG / "proxyxai" / "settings" / name).read_text()
        assert before in original, f"{before!r} is not in settings/{name}"
        path.write_text(original.replace(before, after, 1))

    def write_settings(self):
        settings = self.directory / "conf.d" / "proxyxai" / "settings"
        self.change("http.conf", "server 127.0.0.1:3443;", f"server 127.0.0.1:{self.daemon_port};")
        text = (settings / "http.conf").read_text()
        assert "default /usr/share/proxyxai/pages;" in text
        text = text.replace("default /usr/share/proxyxai/pages;", f"default {self.pages};")
        (settings / "http.conf").write_text(text + self.extra.replace("PORT", str(self.port)))
        (settings / "listen.conf").write_text(
            f"listen 127.0.0.1:{self.port};\nlisten 127.0.0.1:{self.tls_port} ssl http2;\n"
            f"ssl_certificate {self.certificate};\nssl_certificate_key {self.key};\n{self.listen}")
        (settings / "logs.conf").write_text(
            (CONFIG / "proxyxai" / "settings" / "logs.conf").read_text().replace("/var/log/nginx", str(self.directory)))
        if self.admin:
            (settings / "admin.conf").write_text(self.admin)

    def check(self):
        """What nginx says of the configuration."""
        result = subprocess.run([*self.command, "-t"], capture_output=True, text=True)
        return result.returncode, result.stderr

    def workers_kib(self):
        """Resident memory of all of its processes."""
        master = self.process.process.pid
        children = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
        total = 0
        for pid in [str(master), *children]:
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        return total

    def stop(self):
        self.process.stop()


class Site:
    """Everything that a page needs, ready to be asked; `settings` are the daemon's."""

    def __init__(self, directory, pages=PAGES, keys=("sk-upstream-key-000001",), extra="", admin=None, **settings):
        self.directory = pathlib.Path(directory)
        self.settings, self.keys = settings, keys
        with contextlib.ExitStack() as undo:
            self.mock = Mock(self.directory / "mock", tls=False)
            undo.callback(self.mock.stop)
            self.gateway = Gateway(self.directory / "gateway", self.mock, keys=keys, **settings)
            undo.callback(self.gateway.stop)
            self.root_key = self.gateway.root
            self.nginx = Nginx(self.directory / "nginx", self.gateway.port, pages, extra, admin)
            undo.pop_all()

    def host(self, name):
        return f"{name}.{DOMAIN}" if name else DOMAIN

    def url(self, name="", path="/", secure=False):
        """An address by name: url('usage'), url('docs', '/en/'), url() for the bare domain; secure=True for https."""
        port = self.nginx.tls_port if secure else self.nginx.port
        return f"{'https' if secure else 'http'}://{self.host(name)}:{port}{path}"

    @property
    def api(self):
        """The API's origin as pages see it: through nginx."""
        return self.url("api", "")

    @property
    def direct(self):
        """The port of the daemon, past nginx."""
        return self.gateway.port

    def get(self, name, path="/", headers=None, method="GET", body=None, timeout=60):
        """One request through nginx by name, without a browser: status, headers (lower case), body."""
        headers = {"Host": f"{self.host(name)}:{self.nginx.port}", **(headers or {})}
        return request(self.nginx.port, method, path, body, headers, timeout * SLOW)

    # What tests fill the books with; straight at the daemon, for speed.

    def make_child(self, credit=100, name=None, by=None, **fields):
        """A new account with .id, .name, .key below root, or below the account `by`."""
        return self.gateway.make_child(credit, name, by, **fields)

    def chat(self, account=None, count=1, **more):
        """Requests that succeed, for figures to show: chat(account, 5, model='gpt-4o')."""
        for _ in range(count):
            status, _, body = self.gateway.chat(key=account.key if account else None, **more)
            assert status == 200, body

    @contextlib.contextmanager
    def away(self):
        """While inside, the daemon is not running; afterwards it is again, on its port with its data."""
        port = self.gateway.port
        self.gateway.end()
        try:
            yield
        finally:
            self.gateway = Gateway(self.directory / "gateway", self.mock, keys=self.keys, root=self.root_key,
                                   **{**self.settings, "PORT": port})

    def end(self):
        self.nginx.stop()
        self.gateway.end()
        self.mock.stop()
