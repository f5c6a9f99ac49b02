"""nginx with config/nginx before the daemon and the pages."""
import hashlib
import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest

from processes import SLOW, Raw, request, wait_for
from web import CONFIG, DOMAIN, PAGES, Nginx, Site, free_port
from wire import FORM, form

STREAM = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "x"}]}
NAMES = ["api", "usage", "sub", "admin", "docs", "www", ""]
# As the brief of the pages has it; a page that needs more is to be changed, not this.
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src {}; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")


def head(site, method, path, *fields, key=None, name="api"):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {site.host(name)}", f"Authorization: Bearer {key or site.root_key}", *fields]
    return "\r\n".join(lines) + "\r\n\r\n"


def post_json(site, path, body, *fields):
    text = json.dumps(body)
    return head(site, "POST", path, "Content-Type: application/json", f"Content-Length: {len(text)}", *fields) + text


def error_of(headers, body):
    """The `error` object of an answer in the API's form."""
    assert headers["content-type"] == "application/json", headers
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"] and error["code"], error
    return error


# The configuration


def test_configuration_has_no_fault(site):
    code, text = site.nginx.check()
    assert code == 0 and "warn" not in text and "emerg" not in text, text
    assert site.nginx.start_log() == ""


@pytest.mark.parametrize("beside", ["", "server { listen 127.0.0.1:PORT default_server; server_name _; return 404; }"])
def test_files_as_they_are_belong_to_debian_and_the_container(tmp_path, beside):
    """Beside what Debian's nginx.conf sets in http{} and its default site, under the paths of both."""
    nginx = tmp_path / "nginx"
    shutil.copytree(CONFIG, nginx / "conf.d")
    shutil.copy("/etc/nginx/mime.types", nginx)
    settings = nginx / "conf.d" / "proxyxai" / "settings"
    (settings / "logs.conf").write_text((settings / "logs.conf").read_text().replace("/var/log/nginx", str(tmp_path)))
    (settings / "listen.conf").write_text((settings / "listen.conf").read_text().replace("80;", f"{free_port()};"))
    temporary = "".join(f"{each}_temp_path {tmp_path}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (nginx / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; events {{}} http {{ {temporary} sendfile on; tcp_nopush on; types_hash_max_size 2048; "
        "include mime.types; default_type application/octet-stream; ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; "
        f"access_log {tmp_path}/other.log; gzip on; keepalive_timeout 65; server_tokens off; client_max_body_size 1m; "
        f"large_client_header_buffers 4 8k; include conf.d/*.conf; {beside.replace('PORT', str(free_port()))} }}")
    result = subprocess.run(["nginx", "-t", "-p", str(nginx), "-e", str(tmp_path / "start.log"), "-c", str(nginx / "nginx.conf")],
                            capture_output=True, text=True)
    assert result.returncode == 0 and "warn" not in result.stderr, result.stderr


def test_examples_of_the_settings_are_good_when_uncommented(tmp_path):
    """TLS in listen.conf and the redirects in http.conf: port 80 refuses the API and redirects pages."""
    plain = free_port()

    class WithTls(Nginx):
        def write_settings(self):
            super().write_settings()
            settings = self.directory / "conf.d" / "proxyxai" / "settings"
            original = (CONFIG / "proxyxai" / "settings" / "listen.conf").read_text()
            tls = "\n".join(line[2:] for line in original.splitlines() if re.match(r"# (listen .*443 ssl http2;|ssl_)", line))
            assert tls.count("\n") == 7, tls
            tls = tls.replace("listen [::]:443 ssl http2;\n", "").replace("listen 443", f"listen 127.0.0.1:{self.port}")
            tls = re.sub(r"/etc/letsencrypt\S*fullchain.pem", str(self.certificate), tls)
            tls = re.sub(r"/etc/letsencrypt\S*privkey.pem", str(self.key), tls)
            (settings / "listen.conf").write_text(tls)
            text = (settings / "http.conf").read_text()
            redirects = "\n".join(line[2:] for line in text.splitlines() if re.match(r"# +(server \{|\}|listen|server_name|location)|# \}", line))
            redirects = redirects.replace("listen [::]:80;", "").replace("listen 80;", f"listen 127.0.0.1:{plain};")
            (settings / "http.conf").write_text(text + redirects)

    nginx = WithTls(tmp_path / "nginx", free_port())
    try:
        def get(host, path):
            return request(plain, "GET", path, headers={"Host": host})

        assert get(f"api.{DOMAIN}", "/v1/models")[0] == 403
        status, headers, _ = get(f"usage.{DOMAIN}", "/a?b=c")
        assert (status, headers["location"]) == (301, f"https://usage.{DOMAIN}/a?b=c")
        assert get(DOMAIN, "/")[1]["location"] == f"https://{DOMAIN}/"
        code, text = nginx.check()
        assert code == 0 and "warn" not in text, text
    finally:
        nginx.stop()


# The API through it


@pytest.fixture(scope="module")
def account(site):
    return site.make_child()


def test_answers_of_the_daemon_pass_as_they_are(site):
    authorization = {"Authorization": f"Bearer {site.root_key}"}
    for path, fields in [("/v1/models", authorization), ("/v1/models", {}), ("/x-users/nobody", authorization), ("/nowhere", authorization),
                         ("/x-users", {**authorization, "Origin": "https://a.example"})]:
        status, headers, body = request(site.direct, "GET", path, headers=fields)
        got_status, got_headers, got_body = site.get("api", path, {**fields, "Accept-Encoding": "gzip"})
        ignored = {"date", "server", "connection", "keep-alive", "x-request-id", "content-length", "x-content-type-options"}
        assert got_status == status
        assert {k: v for k, v in got_headers.items() if k not in ignored} == {k: v for k, v in headers.items() if k not in ignored}
        assert re.sub(rb"req_\w+", b"", got_body) == re.sub(rb"req_\w+", b"", body)


def offsets(port, text, count):
    """When each of `count` events arrived, from the first one on."""
    with Raw(port) as raw:
        raw.send(text)
        raw.read_until(b"\r\n\r\n")
        times = []
        for index in range(count):
            raw.read_until(b"word%d " % index)
            times.append(time.monotonic())
        return [each - times[0] for each in times]


def test_each_event_arrives_as_upstream_sends_it(site):
    text = post_json(site, "/v1/chat/completions", STREAM, "x-mock-events: 5", "x-mock-interval-ms: 600", "Accept-Encoding: gzip")
    tries = []
    for _ in range(3):
        through, directly = offsets(site.nginx.port, text, 5), offsets(site.direct, text, 5)
        tries.append((through, directly))
        # What was held back would come at once with what followed, 600 ms early or late, every time; a busy computer is late once.
        if all(abs(a - b) < 0.3 for a, b in zip(through, directly)):
            return
    raise AssertionError(tries)


def test_events_arrive_as_they_are_sent_over_http2_too(site):
    host = f"{site.host('api')}:{site.nginx.tls_port}"
    curl = subprocess.Popen(["curl", "-skN", "--http2", "--resolve", f"{host}:127.0.0.1", f"https://{host}/v1/chat/completions",
                             "-w", "%{http_version}", "-H", f"Authorization: Bearer {site.root_key}", "-H", "Content-Type: application/json",
                             "-H", "x-mock-events: 6", "-H", "x-mock-interval-ms: 600", "-d", json.dumps(STREAM)], stdout=subprocess.PIPE)
    times = [time.monotonic() for line in curl.stdout if b"word" in line or line == b"2"]
    assert curl.wait() == 0 and len(times) == 7
    assert all(gap > 0.2 for gap in (b - a for a, b in zip(times[:6], times[1:6]))), times


def test_bytes_of_a_stream_are_those_of_the_daemon(site):
    text = json.dumps(STREAM)
    fields = {"Authorization": f"Bearer {site.root_key}", "Content-Type": "application/json", "x-mock-events": "200", "Accept-Encoding": "gzip"}
    _, headers, body = request(site.direct, "POST", "/v1/chat/completions", text, fields)
    status, got_headers, got = site.get("api", "/v1/chat/completions", fields, "POST", text)
    assert status == 200 and got == body
    assert got_headers["content-type"] == headers["content-type"] and "content-encoding" not in got_headers


def test_a_stream_that_breaks_off_is_not_whole_for_the_client_either(site):
    site.mock.clear()
    site.mock.script("sk-upstream-key-000001", "truncate", 1)
    with Raw(site.nginx.port) as raw:
        raw.send(post_json(site, "/v1/chat/completions", STREAM, "x-mock-events: 10"))
        raw.read_until(b"\r\n\r\n")
        assert not raw.read_all().endswith(b"0\r\n\r\n")
    site.mock.clear()


def test_a_client_that_leaves_frees_upstream(site):
    site.mock.clear()
    before = site.mock.stats()["client_gone"]
    raw = Raw(site.nginx.port)
    raw.send(post_json(site, "/v1/chat/completions", STREAM, "x-mock-events: 1000", "x-mock-interval-ms: 100"))
    raw.read_until(b"word0")
    left = site.mock.stats()["now_ms"]
    raw.socket.close()
    site.mock.wait_for("client_gone", before + 1)
    (gone,) = [each for each in site.mock.requests() if each["outcome"] == "client_gone"]
    # That it is freed, while the stream would last for minutes; how fast is a matter of how busy the computer is.
    assert gone["ended_ms"] - left < 2000 * SLOW


SIZE = 100 << 20
PIECE = bytes(range(256)) * 256


class Upload:
    """A form of 100 MB, sent piece by piece."""

    def __init__(self, site, chunked=False, key=None):
        self.front, self.back = form(model="whisper-1", file=b"the pieces").split(b"the pieces")
        self.pieces = SIZE // len(PIECE)
        length = f"Content-Length: {len(self.front) + SIZE + len(self.back)}"
        self.chunked = chunked
        self.raw = Raw(site.nginx.port, 60)
        self.raw.send(head(site, "POST", "/v1/audio/transcriptions", f"Content-Type: {FORM['Content-Type']}",
                           "Transfer-Encoding: chunked" if chunked else length, key=key))

    def send(self, data):
        self.raw.send(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    def hash(self):
        whole = hashlib.sha256(self.front)
        for _ in range(self.pieces):
            whole.update(PIECE)
        whole.update(self.back)
        return whole.hexdigest()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_upload_passes_while_it_comes(site, chunked):
    """It is at the daemon as it is sent, neither kept in nginx's memory nor on its disk."""
    before = site.nginx.workers_kib()
    upload = Upload(site, chunked)
    upload.send(upload.front)
    most = 0
    for index in range(upload.pieces):
        upload.send(PIECE)
        if index == upload.pieces // 2:
            half = (index - 100) * len(PIECE)
            wait_for(lambda: site.gateway.metric("proxyxai_body_memory_bytes") >= half - (8 << 20), what="the first half at the daemon")
        if index % 100 == 0:
            most = max(most, site.nginx.workers_kib() - before)
            assert not list((site.nginx.directory / "body").rglob("*.*"))
    upload.send(upload.back)
    if chunked:
        upload.raw.send(b"0\r\n\r\n")
    status, _, body = upload.raw.read_response()
    assert status == 200 and upload.hash().encode() in body, body
    assert most < 8 << 10, most
    assert not [path for path in (site.nginx.directory / "body").rglob("*") if path.is_file()]


def test_a_large_download_is_not_kept_on_disk(site):
    size = 64 << 20
    before = site.nginx.workers_kib()
    with Raw(site.nginx.port, 60) as raw:
        raw.send(post_json(site, "/v1/chat/completions", STREAM, f"x-mock-raw-bytes: {size}", "Connection: close"))
        raw.read_until(b"\r\n\r\n")
        received = len(raw.rest)
        while piece := raw.socket.recv(1 << 20):
            received += len(piece)
    assert received >= size
    assert not [path for path in (site.nginx.directory / "proxy").rglob("*") if path.is_file()]
    assert site.nginx.workers_kib() - before < 8 << 10


def test_a_refusal_reaches_a_client_that_is_still_sending(site):
    """With a wrong key, long before the body has ended."""
    upload = Upload(site, key="sk-Xvs" + "a" * 45)
    answered = []

    def read():
        answered.append(upload.raw.read_response())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(upload.pieces):
            upload.raw.send(PIECE)
            if answered:
                break
    except OSError:
        pass  # closed while we were sending, as we may be
    reader.join(20)
    (status, headers, body), = answered
    assert status == 401 and error_of(headers, body)["code"] == "invalid_api_key"


def test_more_than_the_daemon_takes_is_refused_before_it_is_sent(site):
    with Raw(site.nginx.port) as raw:
        raw.send(head(site, "POST", "/v1/files", f"Content-Type: {FORM['Content-Type']}", f"Content-Length: {600 << 20}"))
        status, headers, body = raw.read_response()
    assert status == 413 and error_of(headers, body)["code"] == "body_too_large"


def test_sixty_kilobytes_of_headers_pass(site):
    fields = {"Authorization": f"Bearer {site.root_key}", **{f"X-Padding-{index}": "x" * 15_000 for index in range(4)}}
    assert site.get("api", "/v1/models", fields)[0] == 200


def test_websocket_passes(site):
    import websockets.sync.client as websockets

    key = "openai-insecure-api-key." + site.root_key
    with socket.create_connection(("127.0.0.1", site.nginx.port)) as plain:
        with websockets.connect(f"ws://{site.host('api')}/v1/realtime?model=m", sock=plain, subprotocols=["realtime", key]) as connection:
            assert connection.subprotocol == "realtime"
            assert "session.created" in connection.recv()
            connection.send(b"\x00\x01" * 40_000)
            assert connection.recv() == b"\x00\x01" * 40_000


def test_the_path_reaches_the_daemon_as_it_was_sent_and_no_call_is_sent_twice(tmp_path):
    """A daemon that takes each request and hangs up: nginx must not try again, for a PUT may have moved money."""
    seen = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                seen.append(connection.recv(65536).split(b"\r\n")[0])

    threading.Thread(target=serve, daemon=True).start()
    nginx = Nginx(tmp_path / "nginx", listener.getsockname()[1])
    try:
        for method, path in [("PUT", "/x-users/alice"), ("POST", "/v1/chat/completions"), ("DELETE", "/x-users/alice"),
                             ("GET", "/v1/files/a%2Fb//c?d=%2e%20")]:
            with Raw(nginx.port) as raw:
                raw.send(f"{method} {path} HTTP/1.1\r\nHost: api.{DOMAIN}\r\nContent-Length: 2\r\n\r\n{{}}")
                status, headers, body = raw.read_response()
            assert status == 502 and error_of(headers, body)["code"] == "gateway_unavailable"
            assert seen == [f"{method} {path} HTTP/1.1".encode()]
            seen.clear()
    finally:
        nginx.stop()
        listener.close()


def test_connections_to_the_daemon_are_kept(site):
    for _ in range(30):
        assert site.get("api", "/v1/models", {"Authorization": f"Bearer {site.root_key}"})[0] == 200
    assert site.gateway.metric("proxyxai_client_connections") <= 5


# Whose address


def from_address(site, address, path, key, headers=None):
    """GET from one of loopback's addresses."""
    connection = http.client.HTTPConnection("127.0.0.1", site.nginx.port, timeout=20, source_address=(address, 0))
    connection.request("GET", path, headers={"Host": site.host("api"), "Authorization": f"Bearer {key}", **(headers or {})})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, dict(response.getheaders()), body


@pytest.mark.parametrize("spoof", [None, "127.0.0.3", "203.0.113.9", "203.0.113.9, 127.0.0.1", "nonsense"])
def test_the_daemon_sees_the_client_and_not_what_it_says_of_itself(site, spoof):
    path = f"/v1/models/from-{spoof and urllib.parse.quote(spoof, safe='')}"
    fields = {name: spoof for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded")} if spoof else {}
    from_address(site, "127.0.0.2", path, site.root_key, fields)
    line = wait_for(lambda: next((line for line in site.gateway.text().splitlines() if f"{path} " in line), None), what="the access log")
    assert "client=127.0.0.2 " in line


def test_allowed_addresses_hold_through_nginx(site):
    account = site.make_child(AllowIPs="127.0.0.2")
    assert from_address(site, "127.0.0.2", "/v1/models", account.key)[0] == 200
    for spoof in (None, "127.0.0.2", "127.0.0.2, 127.0.0.2"):
        status, headers, body = from_address(site, "127.0.0.3", "/v1/models", account.key, {"X-Forwarded-For": spoof} if spoof else {})
        assert status == 403 and json.loads(body)["error"]["code"] == "ip_not_allowed", body


def test_behind_another_proxy_its_word_counts_and_only_its(site, tmp_path):
    """The example for that in listen.conf, with loopback as the other proxy."""
    example = (CONFIG / "proxyxai" / "settings" / "listen.conf").read_text()
    lines = [line[2:] for line in example.splitlines() if re.match("# (set_real_ip_from|real_ip)", line)]
    assert len(lines) == 3
    account = site.make_child(AllowIPs="203.0.113.9")
    nginx = Nginx(tmp_path / "nginx", site.direct, listen="\n".join(lines).replace("192.0.2.0/24", "127.0.0.1"))
    try:
        for client, status in [("203.0.113.9", 200), ("198.51.100.1, 203.0.113.9", 200), ("203.0.113.9, 198.51.100.1", 403), (None, 403)]:
            fields = {"Host": site.host("api"), "Authorization": f"Bearer {account.key}", **({"X-Forwarded-For": client} if client else {})}
            assert request(nginx.port, "GET", "/v1/models", headers=fields)[0] == status, client
        wait_for(lambda: "client=203.0.113.9 " in site.gateway.text(), what="its line in the access log")
    finally:
        nginx.stop()


# When the daemon is away


def test_daemon_away_is_told_in_the_form_of_the_api(tmp_path):
    nginx = Nginx(tmp_path / "nginx", free_port())
    try:
        def ask(method, path="/v1/models", **fields):
            return request(nginx.port, method, path, headers={"Host": f"api.{DOMAIN}", **fields})

        for path in ("/v1/models", "/x-users", "/a.html", "/"):
            status, headers, body = ask("GET", path)
            assert status == 502 and error_of(headers, body)["type"] == "server_error"
            assert headers["retry-after"] == "5" and headers["access-control-allow-origin"] == "*"
        # Browsers ask first, and would tell a page nothing if that were refused.
        status, headers, _ = ask("OPTIONS", Origin="https://a.example", **{"Access-Control-Request-Method": "PUT",
                                 "Access-Control-Request-Headers": "authorization,idempotency-key"})
        assert status == 204 and headers["access-control-allow-headers"] == "authorization,idempotency-key"
        assert "PUT" in headers["access-control-allow-methods"]
        # Pages need no daemon.
        assert request(nginx.port, "GET", "/nothing", headers={"Host": f"usage.{DOMAIN}"})[0] == 404
    finally:
        nginx.stop()


def test_a_page_is_told_that_the_daemon_is_away(site, page):
    page.expect_errors("404|502")
    page.goto(site.url("usage", "/config.js"))
    ask = """([url, key]) => fetch(url, {method: 'PUT', body: '{}', headers: {Authorization: `Bearer ${key}`, 'Idempotency-Key': 'a'}})
             .then(async (answer) => [answer.status, await answer.json()])"""
    with site.away():
        status, body = page.evaluate(ask, [site.api + "/x-users/alice", site.root_key])
    assert status == 502 and body["error"]["code"] == "gateway_unavailable"
    assert site.get("api", "/v1/models", {"Authorization": f"Bearer {site.root_key}"})[0] == 200


# What must not be reached, and not be written


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_not_reached(site, name):
    for path in ("/metrics", "/healthz", "/readyz", "//metrics", "/x/../metrics"):
        status, _, body = site.get(name, path, {"Authorization": f"Bearer {site.root_key}"})
        assert status in (400, 404) and b"proxyxai_" not in body, (path, status)


def test_no_key_is_in_the_logs(site):
    key = "sk-Xvs" + "K3yInL0g" * 5 + "Abcde"
    hidden, nested = "%73%6B-" + key[3:], "%2Fsk%2d" + key[3:]
    twice = "".join(f"%25{ord(each):02x}" if index % 7 == 0 or index < 6 else each for index, each in enumerate(key))
    anywhere = (f"/v1/keys{key}", f"/x-users/bob{key}", f"/x-users/bob{hidden}", f"/v1/models/{twice}", f"/v1/models/a{key[3:]}", f"/v1/models/{key[:20]}", f"/x-users/%58%76s{key[6:]}")

    def everywhere():
        for path in (f"/v1/models?api_key={key}", f"/v1/models/{key}", f"/x-users/{hidden}", f"/a{nested}", "/v1/files/file-0123456789abcdef", f"/{key}/a.js?{key}", f"/v1/models?a={hidden}", *anywhere):
            for name in NAMES:
                site.get(name, path, {"Authorization": f"Bearer {key}", "x-api-key": key, "User-Agent": key, "Referer": f"http://a/?{key}",
                                      "Sec-WebSocket-Protocol": f"openai-insecure-api-key.{key}", "Cookie": f"a={key}", "X-Forwarded-For": key})
        with Raw(site.nginx.port) as raw:
            raw.send(f"{key} /{key} HTTP/1.1\r\nHost: {site.host('api')}\r\nConnection: close\r\n\r\n").read_all()

    everywhere()
    with site.away():
        everywhere()
    wait_for(lambda: f"host={site.host('')} " in site.nginx.access_log.read_text(), what="the log's lines")
    written = site.nginx.access_log.read_text() + site.nginx.error_log.read_text() + site.nginx.start_log()
    assert "path=/v1/models " in written and "path=(a-key) " in written and "path=/v1/files/file-0123456789abcdef " in written
    assert not [each for each in anywhere if f"path={each[:len('/v1/models/') + 3]}" in written]
    assert key.lower() not in written.lower() and key[6:].lower() not in written.lower()


# Pages

SECRET = "not to be read"


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """nginx with pages made for these tests, and no daemon."""
    directory = tmp_path_factory.mktemp("paper")
    tree = directory / "pages"
    for name in ("billing", "user", "admin", "docs"):
        page = tree / name
        (page / "shared").mkdir(parents=True)
        (page / ".git").mkdir()
        (page / "index.html").write_text(f"<!doctype html><title>{name}</title>" + "<p>words</p>" * 200)
        (page / "config.js").write_text("export const api = '';\n")
        (page / "main.js").write_text("// a module\n" * 200)
        (page / "page.css").write_text("p { color: red; }\n" * 200)
        (page / "shared" / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'></svg>" + " " * 2000)
        for hidden in (".env", ".git/config", "shared/.main.js.swp"):
            (page / hidden).write_text(SECRET)
    (tree / "docs" / "404.html").write_text("<!doctype html><title>not here</title>")
    (tree / "secret.txt").write_text(SECRET)
    (directory / "secret.txt").write_text(SECRET)
    nginx = Nginx(directory / "nginx", free_port(), tree)
    yield nginx
    nginx.stop()


def fetch(nginx, name, path="/", method="GET", **fields):
    host = f"{name}.{DOMAIN}" if name else DOMAIN
    return request(nginx.port, method, path, headers={"Host": f"{host}:{nginx.port}", **fields})


PLACES = {"usage": "billing", "sub": "user", "admin": "admin", "docs": "docs", "www": "docs", "": "docs"}


@pytest.mark.parametrize("name", PLACES)
def test_each_name_has_its_page_and_its_headers(paper, name):
    for path in ("/", "/main.js", "/nothing"):
        status, headers, body = fetch(paper, name, path)
        assert status == (404 if path == "/nothing" else 200)
        sources = "'self'" if PLACES[name] == "docs" else f"'self' http://api.{DOMAIN}:{paper.port}"
        assert headers["content-security-policy"] == POLICY.format(sources)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "camera=()" in headers["permissions-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"
        # Without TLS browsers complain of these.
        assert "strict-transport-security" not in headers and "cross-origin-opener-policy" not in headers
        assert headers["server"] == "nginx"
    assert f"<title>{PLACES[name]}</title>".encode() in fetch(paper, name)[2]
    assert fetch(paper, name)[1]["content-type"] == "text/html; charset=utf-8"


def test_policy_follows_any_domain_without_a_port(paper):
    for host, source in [("usage.example.org", "http://api.example.org"), ("sub.a.b.example.org", "http://api.a.b.example.org"),
                         ("USAGE.Example.org", "http://api.example.org"), ("admin.xn--fiqs8s.example:8080", "http://api.xn--fiqs8s.example:8080")]:
        _, headers, _ = fetch(paper, "usage", Host=host)
        assert headers["content-security-policy"] == POLICY.format(f"'self' {source}")


@pytest.mark.parametrize("host", ["usage.a;script-src *", "usage.a;script-src", "usage.a'self'", 'usage.a"b', "usage.a,b"])
def test_a_name_that_is_none_changes_no_policy(paper, host):
    with Raw(paper.port) as raw:
        raw.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        status, headers, _ = raw.read_response()
    assert status in (400, 421) and "content-security-policy" not in headers


def test_with_tls_there_is_more(paper):
    def ask(name):
        host = f"{name}.{DOMAIN}"
        text = subprocess.run(["curl", "-sk", "--http2", "--resolve", f"{host}:{paper.tls_port}:127.0.0.1", "-D", "-", "-o", "/dev/null",
                               f"https://{host}:{paper.tls_port}/"], check=True, capture_output=True, text=True).stdout
        first, *lines = text.strip().splitlines()
        return first, dict(line.split(": ", 1) for line in lines)

    first, headers = ask("usage")
    assert first.startswith("HTTP/2 200")
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["content-security-policy"] == POLICY.format(f"'self' https://api.{DOMAIN}:{paper.tls_port}")
    first, headers = ask("api")
    assert first.startswith("HTTP/2 502") and headers["strict-transport-security"] == "max-age=31536000"


def test_documents_are_asked_for_anew_and_modules_soon(paper):
    for path, rule in [("/", "no-cache"), ("/index.html", "no-cache"), ("/config.js", "no-cache"), ("/main.js", "max-age=60"),
                       ("/page.css", "max-age=60"), ("/shared/icon.svg", "max-age=60")]:
        _, headers, _ = fetch(paper, "usage", path)
        assert headers["cache-control"] == rule and headers["etag"]
        status, _, body = fetch(paper, "usage", path, **{"If-None-Match": headers["etag"]})
        assert (status, body) == (304, b"")
    assert "cache-control" not in fetch(paper, "usage", "/nothing.js")[1]


def test_text_is_compressed_when_asked_for(paper):
    for path in ("/", "/main.js", "/page.css", "/shared/icon.svg"):
        _, headers, body = fetch(paper, "usage", path, **{"Accept-Encoding": "gzip"})
        assert headers["content-encoding"] == "gzip" and headers["vary"] == "Accept-Encoding" and len(body) < 1000
        assert "content-encoding" not in fetch(paper, "usage", path)[1]


def test_modules_and_styles_have_their_types(paper):
    assert re.fullmatch(r"(application|text)/javascript; charset=utf-8", fetch(paper, "usage", "/main.js")[1]["content-type"])
    assert fetch(paper, "usage", "/page.css")[1]["content-type"] == "text/css; charset=utf-8"
    assert fetch(paper, "usage", "/shared/icon.svg")[1]["content-type"].startswith("image/svg+xml")


@pytest.mark.parametrize("path", [
    "/.env", "/.git/config", "/%2egit/config", "/shared/.main.js.swp", "/shared/%2Emain.js.swp", "/../secret.txt", "/%2e%2e/secret.txt",
    "/..%2fsecret.txt", "/shared/../../secret.txt", "/shared/..%2f..%2f..%2fsecret.txt", "/shared%2f..%2f..%2fsecret.txt",
    "//../secret.txt", "/shared/....//secret.txt", "/..%5csecret.txt", "/..%c0%afsecret.txt", "/%00/../secret.txt", "/index.html%00.js",
])
def test_nothing_beside_the_page_is_read(paper, path):
    for name in PLACES:
        with Raw(paper.port) as raw:
            raw.send(f"GET {path} HTTP/1.1\r\nHost: {name or 'www'}.{DOMAIN}\r\nConnection: close\r\n\r\n")
            answer = raw.read_all()
        assert SECRET.encode() not in answer and answer.split()[1] in (b"400", b"404"), answer[:200]


def test_a_page_has_its_own_words_for_what_is_not_there(paper):
    for path in ("/nothing", "/en/nothing.html", "/.env"):
        status, _, body = fetch(paper, "docs", path)
        assert status == 404 and b"<title>not here</title>" in body
    assert fetch(paper, "usage", "/nothing")[0] == 404


def test_directories_are_not_listed_and_nothing_is_written(paper):
    assert fetch(paper, "usage", "/shared/")[0] == 403
    for method in ("POST", "PUT", "DELETE"):
        assert fetch(paper, "usage", "/index.html", method)[0] == 405


def test_root_console_can_be_kept_to_some_addresses(tmp_path, paper):
    nginx = Nginx(tmp_path / "nginx", free_port(), paper.pages, admin="allow 203.0.113.0/24;\ndeny all;\n")
    try:
        assert fetch(nginx, "admin")[0] == 403 and fetch(nginx, "usage")[0] == 200
    finally:
        nginx.stop()


# The real pages, each by itself


@pytest.mark.parametrize("name,directory", [("usage", "billing"), ("sub", "user"), ("admin", "admin"), ("", "docs")])
def test_each_page_can_be_deployed_alone(tmp_path, pages, name, directory):
    """A copy of its directory is all that a host needs: under the names of config/nginx, or as the root of any server block."""
    alone = tmp_path / "alone" / directory
    alone.parent.mkdir()
    subprocess.run(["cp", "-rL", str(PAGES / directory), str(alone)], check=True)
    assert not [path for path in alone.rglob("*") if path.is_symlink()]
    block = f"server {{ listen 127.0.0.1:PORT; server_name other.{DOMAIN}; root {alone}; index index.html; }}\n"
    site = Site(tmp_path / "site", alone.parent, extra=block)
    try:
        for host in (name, "other"):
            page = pages.open()
            missing = []
            page.on("response", lambda response: missing.append(response.url) if response.status >= 400 else None)
            page.goto(site.url(host), wait_until="networkidle")
            assert page.title() and page.locator("footer").first.is_visible()
            assert not missing, missing
        for other in {"usage", "sub", "admin", "docs"} - {name or "docs"}:
            assert site.get(other)[0] in (403, 404)
    finally:
        site.end()
