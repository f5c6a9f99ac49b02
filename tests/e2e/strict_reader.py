"""Reads HTTP/1.1 as RFC 9112 writes it down and no other way, so that what it reads is what any parser reads. Where the RFC lets a
recipient be lenient (bare line ends, folding, lists of lengths) it is not."""
import re
from dataclasses import dataclass

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") (\S+) HTTP/(1\.[01])")
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*")
FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*")
TARGET = re.compile(rb"/[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]%]*")
HOST = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+=]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
LENGTH = re.compile(rb"[0-9]{1,18}")
QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
CHUNK_LINE = re.compile(rb"(0*[0-9A-Fa-f]{1,16})((?:[ \t]*;[ \t]*" + TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + TOKEN + rb"|" + QUOTED + rb"))?)*)")


class Malformed(Exception):
    """No message of HTTP/1.1 begins so."""


class Unfinished(Exception):
    """A message may begin so, but the bytes end before it does."""


@dataclass
class Message:
    fields: list  # of (name in lower case, value)
    body: bytes
    end: int      # where the next one begins
    method: bytes = b""
    target: bytes = b""
    version: bytes = b"1.1"
    status: int = 0

    def all(self, name):
        return [value for each, value in self.fields if each == name]

    def has_token(self, name, token):
        return any(item.strip(b" \t").lower() == token for value in self.all(name) for item in value.split(b","))


def read_lines(data, at):
    """The lines of a head or of a trailer section, and where what follows begins."""
    lines = []
    while True:
        end = data.find(b"\r\n", at)
        line = data[at:] if end < 0 else data[at:end]
        if re.search(rb"[\r\n\0]", line[:-1] if end < 0 and line.endswith(b"\r") else line):
            raise Malformed("a bare line end or NUL")
        if end < 0:
            raise Unfinished("no empty line")
        at = end + 2
        if not line:
            return lines, at
        lines.append(line)


def read_fields(lines):
    fields = []
    for line in lines:
        field = FIELD.fullmatch(line)
        if not field:
            raise Malformed(f"no field: {line[:100]!r}")
        fields.append((field[1].lower(), field[2]))
    return fields


def read_chunks(data, at):
    body = b""
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            raise Unfinished("no end of a chunk's line")
        line = CHUNK_LINE.fullmatch(data, at, end)
        if not line:
            raise Malformed(f"no chunk's line: {data[at:min(end, at + 100)]!r}")
        size, at = int(line[1], 16), end + 2
        if size == 0:
            trailer, at = read_lines(data, at)
            read_fields(trailer)
            return body, at
        body += data[at : at + size]
        at += size
        if not b"\r\n".startswith(data[at : at + 2]):
            raise Malformed("no line end behind a chunk")
        if len(data) < at + 2:
            raise Unfinished("in a chunk")
        at += 2


def read_body(message, data, without_length):
    """`without_length`: where the body ends if nothing says so."""
    lengths, codings = message.all(b"content-length"), message.all(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Malformed("more than one framing")
    if codings:
        if codings[0].lower() != b"chunked" or message.version != b"1.1":
            raise Malformed("another coding than chunked")
        message.body, message.end = read_chunks(data, message.end)
        return
    if lengths and not LENGTH.fullmatch(lengths[0]):
        raise Malformed("no length")
    end = message.end + int(lengths[0]) if lengths else without_length
    if len(data) < end:
        raise Unfinished("in the body")
    message.body, message.end = data[message.end : end], end


def read_request(data, at=0):
    while data.startswith(b"\r\n", at):  # RFC 9112 2.2
        at += 2
    lines, end = read_lines(data, at)
    first = REQUEST_LINE.fullmatch(lines[0])
    if not first:
        raise Malformed(f"no request line: {lines[0][:100]!r}")
    request = Message(read_fields(lines[1:]), b"", end, *first.groups())
    if not TARGET.fullmatch(request.target) and (request.method, request.target) != (b"OPTIONS", b"*"):
        raise Malformed("no target in origin form")
    if len(request.all(b"host")) != 1 or not HOST.fullmatch(request.all(b"host")[0]):
        raise Malformed("not one host")
    read_body(request, data, end)
    return request


def read_requests(data):
    """Those that are whole, and the fault behind them: None when nothing is left over."""
    requests, at = [], 0
    while at < len(data):
        try:
            requests.append(read_request(data, at))
        except (Malformed, Unfinished) as fault:
            if data[at:].strip(b"\r\n"):
                return requests, fault
            break
        at = requests[-1].end
    return requests, None


def read_response(data, at, method):
    """The answer to a request of this method; one of 1xx is an answer of its own. `end` is -1 where it ends with the connection."""
    lines, end = read_lines(data, at)
    first = STATUS_LINE.fullmatch(lines[0])
    if not first:
        raise Malformed(f"no status line: {lines[0][:100]!r}")
    response = Message(read_fields(lines[1:]), b"", end, status=int(first[1]))
    lengths, codings = response.all(b"content-length"), response.all(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Malformed("more than one framing")
    if response.status < 200 or response.status == 204:
        if lengths or codings:
            raise Malformed("framing where no body can be")
        return response
    if method == b"HEAD" or response.status == 304:
        return response
    if not lengths and not codings:
        response.body, response.end = data[end:], -1
        return response
    read_body(response, data, end)
    return response
