"""The two programs under test as processes: the gateway and the mock upstream, each on a free port."""
import http.client
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import string
import subprocess
import threading
import time
from fractions import Fraction

BUILD = pathlib.Path(os.environ.get("PROXYXAI_BUILD", "build/debug"))
# Another build's mock leaves a machine with few cores to the daemon that is tested.
MOCK = pathlib.Path(os.environ.get("PROXYXAI_MOCK", BUILD / "mock_openai"))
# A sanitizer build is several times slower than what users run; limits on time are scaled by this.
SLOW = float(os.environ.get("PROXYXAI_SLOW", "4"))
numbers = itertools.count(1)


def sanitizers():
    """The sanitizers' libraries that the daemon is linked with: they want to be the first of all, and keep memory that was given back."""
    linked = subprocess.run(["ldd", str(BUILD / "proxyxai")], capture_output=True, text=True, check=True).stdout.split()
    return [each for each in linked if each.startswith("/") and ("libasan" in each or "libtsan" in each)]


def wait_for(condition, seconds=20.0, what="the condition"):
    """Polls until `condition()` is true; for things that tell nobody when they happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come about within {seconds} s")


def make_root_key():
    return "sk-Xvs" + "".join(random.choices(string.ascii_letters + string.digits, k=45))


def request(port, method, path, body=None, headers=None, timeout=60, tls=None, host="127.0.0.1"):
    """One request on its own connection: status, headers (lower case), body."""
    if tls is not None:
        connection = http.client.HTTPSConnection("localhost", port, timeout=timeout, context=tls)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        data = response.read()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, data
    finally:
        connection.close()


class Process:
    def __init__(self, command, environment, log):
        self.log_path = log
        self.out = open(log, "wb")
        self.process = subprocess.Popen(command, env=environment, stdout=self.out, stderr=subprocess.STDOUT)

    def text(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")

    def stop(self, number=signal.SIGTERM, seconds=20.0):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(seconds * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.out.close()
        return self.process.returncode


class Mock(Process):
    """tests/support/mock_openai with its control API."""

    def __init__(self, directory, *arguments, tls=True):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        port_file = self.directory / "port"
        port_file.unlink(missing_ok=True)
        command = [str(MOCK), "--port-file", str(port_file), *map(str, arguments)]
        self.tls = None
        self.ca = self.directory / "tls" / "ca.pem"
        if tls:
            command += ["--tls-auto", str(self.directory / "tls")]
        super().__init__(command, os.environ, self.directory / "mock.log")
        wait_for(lambda: port_file.exists() and port_file.read_text().strip() or self.process.poll(), what="the mock's port")
        if self.process.poll() is not None:
            raise AssertionError("the mock did not start:\n" + self.text())
        self.port = int(port_file.read_text())
        if tls:
            self.tls = ssl.create_default_context(cafile=str(self.ca))
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"

    def control(self, method, path, body=None):
        status, _, data = request(self.port, method, path, json.dumps(body) if body is not None else None, tls=self.tls)
        assert status == 200, (status, data)
        return json.loads(data) if data else None

    def script(self, key, fault=None, times=0, **more):
        rule = {"key": key, "times": times, **more}
        if fault:
            rule["fault"] = fault
        return self.control("POST", "/_mock/script", rule)

    def clear(self):
        self.control("DELETE", "/_mock/script")
        self.control("DELETE", "/_mock/requests")

    def requests(self):
        answer = self.control("GET", "/_mock/requests?since=0")
        return answer["requests"] if isinstance(answer, dict) else answer

    def stats(self):
        return self.control("GET", "/_mock/stats")

    def wait_for(self, field, at_least, timeout_ms=10_000):
        return self.control("GET", f"/_mock/wait?field={field}&at_least={at_least}&timeout_ms={timeout_ms}")


class Gateway(Process):
    """The daemon on free ports, with a data directory of its own."""

    def __init__(self, directory, mock, keys=("sk-upstream-key-000001",), root=None, **settings):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.root = root or make_root_key()
        self.keys = list(keys)
        environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")}
        environment |= {
            "PORT": "0",
            "LISTEN_ADDRESS": "127.0.0.1",
            "ADMIN_LISTEN": "127.0.0.1:0",
            "DATA_DIR": str(self.directory / "data"),
            "INIT_USERS": f"root:root@example.com:{self.root}",
        }
        if self.keys:
            environment["INIT_KEYS"] = ",".join(self.keys)
        if mock is not None:
            environment["OPENAI_API_BASE"] = mock.url
            if mock.tls:
                environment["UPSTREAM_CA_FILE"] = str(mock.ca)
        environment |= {name: str(value) for name, value in settings.items()}
        self.environment = {k: v for k, v in environment.items() if v != "-"}
        super().__init__([str(BUILD / "proxyxai"), "serve"], self.environment, self.directory / "gateway.log")
        wait_for(lambda: self.find_ports() or self.process.poll() is not None, 20 * SLOW, "the gateway's start")
        if self.process.poll() is not None:
            raise AssertionError("the gateway did not start:\n" + self.text())
        self.port, self.admin_port = self.find_ports()
        self.base_url = f"http://127.0.0.1:{self.port}/v1"

    def find_ports(self):
        import re

        found = re.search(r"listening on \S+ port (\d+), operations on \S+ port (\d+)", self.text())
        return (int(found[1]), int(found[2])) if found else None

    def call(self, method, path, body=None, key=None, headers=None, timeout=60):
        all_headers = {"Authorization": f"Bearer {key or self.root}"}
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            all_headers["Content-Type"] = "application/json"
        all_headers |= headers or {}
        return request(self.port, method, path, body, all_headers, timeout * SLOW)

    def chat(self, text="Hello", key=None, headers=None, **more):
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **more}
        return self.call("POST", "/v1/chat/completions", body, key, headers)

    def keys_shown(self):
        status, _, body = self.call("GET", "/x-keys")
        assert status == 200, body
        return {"..." + each["PartialKey"]: each for each in json.loads(body)}

    def shown(self, secret):
        return self.keys_shown()["..." + secret[-4:]]

    def make_child(self, credit=100, name=None, by=None, **fields):
        """A new account below root, or below the account `by`."""
        name = name or f"user{next(numbers)}"
        body = {"Name": name, "Email": f"{name}@example.com", "CreditGranted": credit, **fields}
        status, _, answer = self.call("POST", "/x-users", body, by.key if by else None)
        assert status == 200, answer
        user = json.loads(answer)["User"]
        return Account(self, user["ID"], name, user["SecretKey"])

    def change(self, account, by=None, **fields):
        status, _, answer = self.call("PUT", f"/x-users/{account.id}", fields, by.key if by else None)
        assert status == 200, answer
        return json.loads(answer)["User"]["Updates"]

    def end(self):
        """Stops it, and asserts that it ended as it should, its sanitizers silent."""
        code = self.stop()
        text = self.text()
        assert "Sanitizer" not in text and "runtime error" not in text, text[-8000:]
        assert code == getattr(self, "expected_exit", 0), f"exit code {code}:\n{text[-4000:]}"

    def operations(self, path):
        return request(self.admin_port, "GET", path)

    def metric(self, name, labels=""):
        _, _, body = self.operations("/metrics")
        wanted = f"{name}{{{labels}}} " if labels else f"{name} "
        for line in body.decode().splitlines():
            if line.startswith(wanted):
                return float(line.rsplit(" ", 1)[1])
        return None

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def nanos(dollars):
    """Nano-dollars of a number of dollars as it stands in JSON, a binary fraction."""
    return round(dollars * 10**9)


class Account:
    """An account of a gateway, as whoever has its key sees it. Money is nano-dollars."""

    def __init__(self, gateway, number, name, key):
        self.gateway, self.id, self.name, self.key = gateway, number, name, key

    def call(self, method, path, body=None, headers=None):
        return self.gateway.call(method, path, body, self.key, headers)

    def chat(self, text="Hello", headers=None, **more):
        return self.gateway.chat(text, self.key, headers, **more)

    def read(self, path):
        status, _, body = self.call("GET", path)
        assert status == 200, body
        return json.loads(body, parse_float=Fraction)

    def info(self):
        return self.read("/dashboard/x_user/info")

    def requests(self, query="size=1000"):
        """What it has asked for, newest first."""
        return self.read("/x-requests?" + query)["data"]

    def costs(self):
        return [nanos(each["cost"]) for each in self.requests()]

    def balance(self):
        return nanos(self.read("/dashboard/x-user-status")["balance"])


class Raw:
    """A bare TCP connection, for bytes that no client library would send."""

    def __init__(self, port, timeout=15.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout * SLOW)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def read_all(self):
        """Everything until the peer closes."""
        data = self.rest
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        self.rest = b""
        return data

    def read_until(self, mark):
        while mark not in self.rest:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"closed before {mark!r}; got {self.rest[-200:]!r}")
            self.rest += piece
        end = self.rest.index(mark) + len(mark)
        data, self.rest = self.rest[:end], self.rest[end:]
        return data

    def read_response(self):
        """Status, headers and body of one response with a length or chunks."""
        head = self.read_until(b"\r\n\r\n").decode("latin-1")
        lines = head.split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:] if ":" in line)}
        status = int(lines[0].split()[1])
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                size = int(self.read_until(b"\r\n"), 16)
                piece = self.read_exactly(size + 2)
                if size == 0:
                    return status, headers, body
                body += piece[:-2]
        return status, headers, self.read_exactly(int(headers.get("content-length", "0")))

    def read_exactly(self, size):
        while len(self.rest) < size:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"closed {size - len(self.rest)} bytes early")
            self.rest += piece
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def in_parallel(count, work):
    """Runs work(i) on `count` threads at once; raises what any of them raised."""
    results, failures = [None] * count, []

    def run(index):
        try:
            results[index] = work(index)
        except BaseException as failure:  # noqa: BLE001 - handed to the caller's thread
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results
