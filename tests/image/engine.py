"""A stand-in for the engine's API on a Unix socket, as far as `docker-compose up -d` asks it. It starts nothing: it remembers what it was
told to make, so that what arrives at an engine can be held against the compose file."""
import http.server
import json
import re
import socketserver
import sys
import threading
import urllib.parse

VERSION = "1.41"


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        self.pulled, self.networks, self.volumes, self.containers, self.asked = [], {}, {}, {}, []
        self.lock = threading.Lock()
        super().__init__(str(path), Handler)
        self.address = f"unix://{path}"
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def service(self, name):
        """What it was told to make for a service: the container's description."""
        found = [each for each in self.containers.values() if each["Config"]["Labels"]["com.docker.compose.service"] == name]
        assert len(found) == 1, (name, len(found))
        return found[0]

    def order(self):
        """Services in the order in which they were started."""
        started = sorted((each["Started"], each["Config"]["Labels"]["com.docker.compose.service"]) for each in self.containers.values() if each["Started"])
        return [name for _, name in started]

    def handle_error(self, request, client_address):
        # Whoever has heard enough hangs up.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def end(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "compose"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Api-Version", VERSION)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def handle_one(self):
        url = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v[\d.]+", "", urllib.parse.unquote(url.path))
        query = dict(urllib.parse.parse_qsl(url.query))
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        with self.server.lock:
            self.server.asked.append(f"{self.command} {path}")
            self.answer(*self.result(path, query, json.loads(body) if body.strip() else None))

    do_GET = do_POST = do_HEAD = do_DELETE = handle_one

    def result(self, path, query, body):
        engine = self.server
        for method, expression, work in ROUTES:
            if method in (self.command, "*") and (found := re.fullmatch(expression, path)):
                return work(engine, query, body, *found.groups())
        return 404, {"message": f"{self.command} {path} is not known here"}


def image(engine, query, body, name):
    if name not in engine.pulled:
        return 404, {"message": f"No such image: {name}"}
    return 200, {"Id": "sha256:" + f"{engine.pulled.index(name) + 1:064x}", "RepoTags": [name], "Config": {}, "ContainerConfig": {}, "RootFS": {}, "Os": "linux", "Architecture": "amd64"}


def pull(engine, query, body):
    name = f"{query['fromImage'].removeprefix('docker.io/')}:{query['tag']}"
    if name not in engine.pulled:
        engine.pulled.append(name)
    return 200, {"status": "Pulled"}


def create(engine, query, body):
    identity = f"{len(engine.containers) + 1:064x}"
    config = {key: value for key, value in body.items() if key not in ("HostConfig", "NetworkingConfig")}
    engine.containers[identity] = {"Id": identity, "Name": "/" + query["name"], "Config": config, "HostConfig": body["HostConfig"], "Started": 0, "Image": "",
                                   "NetworkSettings": {"Networks": dict((body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {})}, "Mounts": []}
    return 201, {"Id": identity, "Warnings": []}


def find(engine, name):
    for each in engine.containers.values():
        if name in (each["Id"], each["Name"][1:]):
            return each
    raise KeyError(name)


def inspect(engine, query, body, name):
    each = find(engine, name)
    state = {"Running": bool(each["Started"]), "Status": "running" if each["Started"] else "created", "ExitCode": 0, "Health": {"Status": "healthy"}}
    return 200, {**each, "State": state}


def start(engine, query, body, name):
    find(engine, name)["Started"] = 1 + max(each["Started"] for each in engine.containers.values())
    return 204,


def listed(engine, query, body):
    wanted = list(json.loads(query.get("filters", "{}")).get("label", []))

    def has(labels):
        return all(labels.get(name) == value if sign else name in labels for name, sign, value in (each.partition("=") for each in wanted))

    return 200, [{"Id": each["Id"], "Names": [each["Name"]], "Labels": each["Config"]["Labels"], "Image": each["Config"]["Image"], "ImageID": "",
                  "State": "running" if each["Started"] else "created", "NetworkSettings": each["NetworkSettings"]}
                 for each in engine.containers.values() if has(each["Config"]["Labels"])]


def connect(engine, query, body, name):
    find(engine, body["Container"])["NetworkSettings"]["Networks"][name] = body.get("EndpointConfig") or {}
    return 200, {}


def disconnect(engine, query, body, name):
    find(engine, body["Container"])["NetworkSettings"]["Networks"].pop(name, None)
    return 200, {}


def make(kind):
    def work(engine, query, body):
        getattr(engine, kind)[body["Name"]] = {**body, "Id": body["Name"]}
        return 201, {"Id": body["Name"], **body}

    return work


def show(kind):
    def work(engine, query, body, name):
        return (200, getattr(engine, kind)[name]) if name in getattr(engine, kind) else (404, {"message": "there is none"})

    return work


ROUTES = [
    ("*", "/_ping", lambda *_: (200, None)),
    ("GET", "/version", lambda *_: (200, {"Version": "20.10.0", "ApiVersion": VERSION, "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64"})),
    ("GET", "/info", lambda *_: (200, {"Name": "stand-in", "OSType": "linux", "Architecture": "x86_64", "SecurityOptions": []})),
    ("GET", "/events", lambda *_: (200, None)),
    ("GET", "/images/json", lambda *_: (200, [])),
    ("POST", "/images/create", pull),
    ("GET", "/images/(.+)/json", image),
    ("GET", "/networks", lambda engine, *_: (200, list(engine.networks.values()))),
    ("POST", "/networks/create", make("networks")),
    ("POST", "/networks/(.+)/connect", connect),
    ("POST", "/networks/(.+)/disconnect", disconnect),
    ("GET", "/networks/(.+)", show("networks")),
    ("GET", "/volumes", lambda engine, *_: (200, {"Volumes": list(engine.volumes.values())})),
    ("POST", "/volumes/create", make("volumes")),
    ("GET", "/volumes/(.+)", show("volumes")),
    ("GET", "/containers/json", listed),
    ("POST", "/containers/create", create),
    ("GET", "/containers/(.+)/json", inspect),
    ("POST", "/containers/(.+)/start", start),
]
