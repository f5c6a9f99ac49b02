"""Requests that two parsers could read in two ways, and what has to become of each. Where a case stands for a fault that was
published, its id or a comment names it; the rest are from the grammar of RFC 9110, 9112 and 6455.

Keys stand in the bytes as names of their length, which the test puts the real ones in place of. ROOT and CHILD may ask for
what is asked for here, OTHER is another account's, WRONG is nobody's.
"""
from dataclasses import dataclass

ROOT, CHILD, OTHER = (b"sk-Xvs" + each * 45 for each in (b"R", b"C", b"O"))
WRONG = b"sk-Xvs" + b"w" * 45


@dataclass(frozen=True)
class Case:
    id: str
    sends: bytes
    answers: tuple = ()       # of each answer, the statuses that are right
    passes: int = 0           # how many of its requests reach upstream
    stays: bool = False       # the connection takes another request afterwards
    unfinished: bool = False  # nobody can tell it from one whose rest is still to come
    early: bool = False       # upstream may get a part of its body
    tunnel: bytes = b""       # what reaches upstream behind its 101
    silent: bool = False      # closes, and its answer does not say so


def raw(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def request(*lines, method="GET", target="/v1/models/echo", version="HTTP/1.1", host="Host: a", key=CHILD, body=b""):
    """Bytes in just this form; a str is latin-1, and so is each of its characters a byte."""
    fields = [b" ".join((raw(method), raw(target), raw(version)))]
    fields += [raw(host)] if host is not None else []
    fields += [b"Authorization: Bearer " + key] if key is not None else []
    return b"\r\n".join([*fields, *map(raw, lines), b"", b""]) + raw(body)


SMUGGLED = request(target="/v1/models/smuggled", key=ROOT)
JSON = b'{"input":"a word"}'
GET = request()


def post(*lines, body=JSON, **more):
    return request(f"Content-Length: {len(body)}", "Content-Type: application/json", *lines,
        **{"method": "POST", "target": "/v1/moderations", "body": body, **more})


def put(*lines, body=b"hello", **more):
    """Root's, whose body may be anything."""
    return request(*lines, **{"method": "PUT", "target": "/v1/moderations", "key": ROOT, "body": body, **more})


def chunked(body, *lines, **more):
    return put("Transfer-Encoding: chunked", *lines, body=body, **more)


CASES = []


def add(case):
    CASES.append(case)


def refused(name, sends, *statuses, **more):
    """It ends the connection: nobody can tell where a next request would begin."""
    add(Case(name, sends, (statuses or (400,),), **more))


def passes(name, sends, count=1, statuses=(200,), **more):
    add(Case(name, sends, (statuses,) * count, count, stays=True, **more))


def answered(name, sends, *statuses, **more):
    """By the gateway itself, which knows where the next begins."""
    add(Case(name, sends, (statuses,), stays=True, **more))


def unfinished(name, sends, *statuses):
    add(Case(name, sends, (statuses,) if statuses else (), unfinished=True))


def shown(text):
    """Bytes as the end of an id."""
    text = raw(text)
    return ascii(text if len(text) <= 48 else text[:40] + b"..%d" % len(text))[2:-1].replace("::", ":_:")


TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CODING = (400, 501)

# --- framing: Transfer-Encoding ----------------------------------------------------------------------------------------------

CODINGS = [
    "", "identity", "gzip", "deflate", "compress", "cow", "0", "trailers", "chunk", "chunke", "xchunked", "chunkedx", "x-chunked",
    "chunked,", ",chunked", ", chunked", "chunked, chunked", "chunked,chunked", "chunked, identity", "identity, chunked", "gzip, chunked",
    "chunked, gzip", "chunked gzip", "chunked chunked", "gzip;q=1.0, chunked", "chunked;q=1", "chunked;", "chunked;a=\"b\"", '"chunked"', "'chunked'",
    "[chunked]", "(chunked)", "chunked#", "chunked\\", "chu nked", "chun\tked", "chunk\x00ed",
    "\x0bchunked",      # gunicorn CVE-2024-1135 and others: what is taken for white space
    "\x0cchunked", "chunked\x0b", "chunked\x0c", "\x00chunked", "chunked\x00", "chunked\x01", "chunked\x08", "chunked\x7f", "\x7fchunked",
    "chunked\x85", "\xa0chunked", "chunked\xa0", "chunked\xff", "\xff", "\xef\xbb\xbfchunked", "chun\xe2\x84\xaaed",  # KELVIN SIGN, a k in lower case
    "chunked\r", "\rchunked", "\nchunked", "chunked\n", "\r\n chunked", "\r\n\tchunked", "chunked\r\n ", "gzip\r\n chunked",  # Node CVE-2022-32215
]
for coding in CODINGS:
    line = "Transfer-Encoding: " + coding
    for place, lines in (("alone", [line]), ("before a length", [line, "Content-Length: 5"]), ("behind a length", ["Content-Length: 5", line])):
        refused(f"coding {place}: {shown(coding)}", put(*lines, body=b"0\r\n\r\n"), *CODING)
for spelled in ("chunked", "Chunked", "CHUNKED", "cHuNkEd"):
    for name in ("Transfer-Encoding: ", "transfer-encoding:", "TRANSFER-ENCODING:\t", "tRANSFER-eNCODING: \t  "):
        for end in ("", " ", "\t \t"):
            passes(f"chunked: {shown(name + spelled + end)}", put(name + spelled + end, body=b"5\r\nhello\r\n0\r\n\r\n"))
for first in ("chunked", "identity", "gzip", "x", ""):  # Node CVE-2020-8287, CVE-2022-32213: two of them
    for second in ("chunked", "identity", "gzip", "x", ""):
        refused(f"two codings: {first!r} and {second!r}", put("Transfer-Encoding: " + first, "Transfer-encoding: " + second, body=b"0\r\n\r\n"), *CODING)
NAMES_OF_NOTHING = [
    "{} :", "{}\t:", "{}  :",          # Go CVE-2019-16276, Netty CVE-2019-16869, Node CVE-2021-22959
    " {}:", "\t{}:", "{}\x00:", "\x00{}:", "{}\x0b:", "{}\xff:", "{}\xa0:", "\xef\xbb\xbf{}:", "{}\r:", "\r{}:", "{}\n:", "\n{}:", "{}\r\n :", ":{}:",
    "{}\x01:", "\x7f{}:",
    "({}):", '"{}":', "{},:", "X\x00{}:", "X\r{}:", "X: y\n{}:", "X: y\r{}:", "X: y\n\r{}:",  # Node CVE-2022-32214, CVE-2023-30589
    "X: y\r\n {}:",                    # Node CVE-2022-32213 by folding
    "X\r\n{}:", "{}\r\n:", "{};:", "{}=", "{}",
]
for name in NAMES_OF_NOTHING:
    for real, value, body in (("Transfer-Encoding", "chunked", b"0\r\n\r\n"), ("Content-Length", str(len(SMUGGLED)), SMUGGLED)):
        refused(f"name of a framing: {shown(name.format(real))}", put(name.format(real) + " " + value, body=body))
for version in ("HTTP/1.0",):  # Tomcat CVE-2021-33037, Pingora CVE-2026-2835
    for connection in ("close", "keep-alive", "x"):
        for coding in ("chunked", "identity", "chunked, identity", ""):
            refused(f"coding on {version}, Connection {connection}: {coding!r}",
                    put("Transfer-Encoding: " + coding, "Connection: " + connection, version=version, body=b"0\r\n\r\n"), *CODING)
for twin in ("Transfer_Encoding", "Transfer.Encoding", "TransferEncoding", "Transfer--Encoding", "X-Transfer-Encoding", "Transfer-Encodings",
        "ransfer-Encoding"):
    passes(f"no framing: {twin}", put("Content-Length: 5", twin + ": chunked"))
    passes(f"no framing, no length: {twin}", request(twin + ": chunked"))
for twin in ("Content_Length", "Content.Length", "ContentLength", "Content--Length", "X-Content-Length", "Content-Lengths", "ontent-Length"):
    passes(f"no framing: {twin}", put("Content-Length: 5", f"{twin}: 0"))
    passes(f"no framing, no length: {twin}", request(f"{twin}: 5"))
for line in ("X_Api_Key: ", "Api_Key: ", "X-Api_Key: ", "Proxy_Authorization: Bearer ", "OpenAI_Organization: org-x", "OpenAI_Project: p",
        "X_Forwarded_For: 1.2.3.4", "X-Forwarded_For: 1.2.3.4", "X_Real_IP: 1.2.3.4", "Keep_Alive: timeout=5", "Proxy_Connection: close"):
    passes(f"underscore: {line}", request(raw(line) + (CHILD if line.endswith(" ") else b"")))  # Puma CVE-2024-45614

# --- framing: Content-Length -------------------------------------------------------------------------------------------------

for length in ["", " ", "+5", "-5", "-0", "+0", "--5", "0x5", "0X5", "0b101", "0o5", "05h", "5h", "h5", "5 5", "5\t5", "5,5", "5, 5", "5,", ",5", "5;", "5;a=b",
        '"5"', "'5'", "5.0",
               "5.", ".5", "5e0", "1e1", "1_0", "five", "NaN", "inf", "\xd9\xa5", "\xef\xbc\x95", "\xb5", "5\x00", "\x005", "5\x0b", "\x0b5", "\x0c5", "5\x0c",
               "5\x01", "5\x7f", "5\xa0", "\xa05",
               "5\x85", "5\r", "\r5", "5\n", "\n5", "\r\n 5", "5\r\n ", "5\r\n 5",
               "18446744073709551615", "18446744073709551616", "18446744073709551621", "9223372036854775808", "340282366920938463463374607431768211461",
               "99999999999999999999999", "000000000000000000005", "9" * 1000, "%35", "5%", "&#53;", "5/", "5:", "5-5", "5..5", "^5", "5*"]:
    refused(f"length: {shown(length)}", put("Content-Length: " + length))
for length in ["4294967301", "9223372036854775807", "999999999999999999", "536870913"]:  # 2^32 + 5, 2^63 - 1, one more than is taken
    refused(f"length beyond the limit: {length}", put("Content-Length: " + length), 413, 400)
for length in ("5", "05", "000000000000000005", "5 ", "\t5\t", "  5"):
    passes(f"length: {shown(length)}", put("Content-Length: " + length))
for first, second in (("5", "5"), ("5", "0"), ("0", "5"), ("5", "6"), ("5", "05"), ("5", ""), ("", "5"), ("5", "+5"), ("5", "x"), ("0", "0"),
        ("5", "5, 5")):  # HAProxy CVE-2023-40225
    for name in ("Content-Length", "content-length", "CONTENT-LENGTH"):
        refused(f"two lengths, {name}: {first!r} and {second!r}", put("Content-Length: " + first, f"{name}: {second}"))
refused("three lengths", put(*["Content-Length: 5"] * 3))
refused("two lengths far apart", put("Content-Length: 5", *[f"X-{i}: y" for i in range(50)], "Content-Length: 5"))
# HAProxy CVE-2021-40346: the length of a name that runs over, so that a field behind it is one of two lengths.
refused("length of a name over 256, and a length in it", put("Content-Length0" + "a" * 255 + ":", f"Content-Length: {len(SMUGGLED)}", "Content-Length: 0",
    body=SMUGGLED))
passes("a name of 270 characters that begins as a length", put("Content-Length0" + "a" * 255 + ":", "Content-Length: 5"))

# --- framing: bodies that two read differently -------------------------------------------------------------------------------

for line in ("Transfer-Encoding: chunked", "Transfer-encoding: Chunked", "Transfer-Encoding:chunked", "Transfer-Encoding:\tchunked"):
    for order in ("TE.CL", "CL.TE"):
        for name, length, body in (("over all", len(SMUGGLED) + 5, b"0\r\n\r\n" + SMUGGLED),
                ("over a size", 4, b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)), ("none", 0, b"0\r\n\r\n" + SMUGGLED),
                                   ("one", 1, b"0\r\n\r\n")):
            lines = [line, f"Content-Length: {length}"]
            refused(f"{order}: {line}, the length {name}", put(*(lines if order == "TE.CL" else lines[::-1]), body=body), *CODING)
for method in ("GET", "HEAD", "DELETE", "OPTIONS"):
    for framing, body in (("length", SMUGGLED), ("chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED))):
        lines = [f"Content-Length: {len(SMUGGLED)}"] if framing == "length" else ["Transfer-Encoding: chunked"]
        local = method == "OPTIONS"
        add(Case(f"CL.0: {method}, {framing}", put(*lines, method=method, target="/v1/models/echo", body=body), ((204 if local else 200,),), 0 if local else 1,
            stays=True))
# CL.0 where the gateway answers without asking upstream: its body is no request.
for name, more, statuses in (
    ("nobody's key", {"key": WRONG}, (401,)), ("no key", {"key": None}, (401,)), ("unknown path", {"target": "/nothing"}, (404,)),
    ("root", {"target": "/"}, (404,)),
    ("ours, unknown", {"target": "/x-nothing"}, (404,)), ("ours, known", {"target": "/x-keys"}, (400, 405)), ("the metrics", {"target": "/metrics"}, (404,)),
    ("two spellings", {"target": "/v1//models"}, (400,)), ("a child where it may not", {"key": CHILD, "target": "/v1/organization/usage"}, (403,)),
    ("dashboard", {"target": "/dashboard/nothing"}, (404,)),
):
    for framing in ("length", "chunked"):
        for size in (1, 3, 300):
            inner = SMUGGLED * size
            lines, body = ([f"Content-Length: {len(inner)}"], inner) if framing == "length" else (["Transfer-Encoding: chunked"],
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner))
            answered(f"CL.0: {name}, {framing}, {len(inner)} bytes", put(*lines, body=body, **more), *statuses)
for name, lines in {  # 0.CL: who does not see the length takes what follows for a request, and it is one
    "no length": [], "a length of none": ["Content-Length: 0"], "no chunk": ["Transfer-Encoding: chunked"],
}.items():
    body = b"0\r\n\r\n" if "Transfer" in "".join(lines) else b""
    passes(f"0.CL: {name}", put(*lines, body=body) + GET, 2)

# --- chunks ------------------------------------------------------------------------------------------------------------------

END = b"0\r\n\r\n"
for line in ["5", "05", "0000000000000005", "5;a", "5;a=b", "5;a=b;c=d", '5;a="b c"', '5;a="\\""', '5;a="\\\\"', '5;a="b;c\td"', "5;a=\"\xe9\"", "5 ;a", "5; a",
        "5 ; a = b", "5\t;\ta=b", "5;a;b;c;d;e",
             "00000000000000000000000000000000000000005", "5;" + "a" * 8000, "5;a=" + "b" * 8000, "5" + ";a" * 2000, '5;a="0\\r\\n"']:
    passes(f"chunk: {shown(line)}", chunked(raw(line) + b"\r\nhello\r\n" + END))
for line in ["", " ", " 5", "\t5", "+5", "-5", "-0", "+0", "--5", "0x5", "0X5", "x5", "5h", "5x", "g", "5g", "5_0", "5.0", "5.", "5,5", "5 5", "5\t5", '"5"',
        "#5", "5#", "five", "\xd9\xa5", "\xef\xbc\x95", "5\xff", "\xa05",
             "5\x00", "\x005", "5\x0b", "5\x0c", "\x0b5", "5\x01", "5\x7f",
             "fffffffffffffffff", "10000000000000005", "100000000000000000",
             "-ffffffffffffffff",  # hyper CVE-2021-32714, Jetty CVE-2017-7657, nginx CVE-2013-2028
             "5;", "5;;", "5;;a", "5;a;", "5;=", "5;=b", "5;a=", '5;a="b"c', "5;a b", "5;a=b c", "5;a=b=c", "5;a:b", "5;a\x00", "5;\x00", "5;\x01", "5;a=\x7f",
             "5;\xe9", "5;a=\xe9", "5;a(b)", "5;{", "5a;b,c", "5:", "5=a", "5\\", "5;a='b c'"]:
    refused(f"chunk: {shown(line)}", chunked(raw(line) + b"\r\nhello\r\n" + END), 400, 413)
for line in ["5;" + "a" * 8300, "5;a=" + "b" * 9000, "5;a=\"" + "b" * 9000 + '"', "5" + ";a" * 5000, "5;" + "a" * 70_000, "0" * 9000 + "5", "5" + " " * 9000,
        "0;" + "a" * 8300]:  # Node CVE-2024-22019, Go CVE-2023-39326
    refused(f"chunk line too long: {shown(line)}", chunked(raw(line) + b"\r\nhello\r\n" + END))
for line in ("7fffffffffffffff", "8000000000000005", "ffffffffffffffff", "fffffffffffffffb", '5;a="', '5;a="b'):
    # Sizes of a body that would be too large if it came; and an extension whose quote the parser waits for.
    unfinished(f"chunk: {shown(line)}", chunked(raw(line) + b"\r\nhello\r\n" + END), 400, 413)
# Line ends: h11 CVE-2025-43859, Go CVE-2025-22871, Kestrel CVE-2025-55315, Netty CVE-2025-58056, Traffic Server CVE-2024-53868.
for name, body in {
    "LF behind the size": b"5\nhello\r\n" + END, "CR behind the size": b"5\rhello\r\n" + END, "CR CR LF behind the size": b"5\r\r\nhello\r\n" + END,
    "LF CR behind the size": b"5\n\rhello\r\n" + END,
    "LF LF behind the size": b"5\n\nhello\r\n" + END, "LF behind the data": b"5\r\nhello\n" + END, "CR behind the data": b"5\r\nhello\r" + END,
    "nothing behind the data": b"5\r\nhello" + END,
    "two letters behind the data": b"5\r\nhelloXX" + END, "a space behind the data": b"5\r\nhello \r\n" + END,
    "an empty line behind the data": b"5\r\nhello\r\n\r\n" + END, "CR CR LF behind the data": b"5\r\nhello\r\r\n" + END,
    "LF CR behind the data": b"5\r\nhello\n\r" + END, "LF LF behind the data": b"5\r\nhello\n\n" + END, "CR X behind the data": b"5\r\nhello\rX" + END,
    "X LF behind the data": b"5\r\nhelloX\n" + END, "CR LF in front": b"\r\n5\r\nhello\r\n" + END, "LF in front": b"\n5\r\nhello\r\n" + END,
    "LF behind an extension": b"5;a\nhello\r\n" + END, "LF in an extension": b"5;a\nb\r\nhello\r\n" + END, "CR in an extension": b"5;a\rb\r\nhello\r\n" + END,
    "CR behind an extension": b"5;a\rhello\r\n" + END, "LF and a chunk in an extension": b"2;\n00\r\n" + END + SMUGGLED,
    "LF in a quoted extension": b'5;a="\n"\r\nhello\r\n' + END, "CR in a quoted extension": b'5;a="\r"\r\nhello\r\n' + END,
    "CR LF in a quoted extension": b'5;a="\r\n"\r\nhello\r\n' + END,
    "a request in a quoted extension": b'0;a="\r\n\r\n' + SMUGGLED + b'"\r\n\r\n', "quoted CR LF": b'5;a="\\\r\n"\r\nhello\r\n' + END,
    "folded extension": b"5;a\r\n =b\r\nhello\r\n" + END,
    "too little data": b"4\r\nhello\r\n" + END, "too much data": b"6\r\nhello\r\n" + END, "no size": b"\r\nhello\r\n" + END,
    "size of the last signed": b"5\r\nhello\r\n-0\r\n\r\n", "size of the last hexadecimal": b"5\r\nhello\r\n0x0\r\n\r\n",
    "LF behind the last size": b"5\r\nhello\r\n0\n\r\n", "LF at the end": b"5\r\nhello\r\n0\r\n\n", "LF LF at the end": b"5\r\nhello\r\n0\n\n",
    "CR CR LF at the end": b"5\r\nhello\r\n0\r\r\n\r\n", "CR at the end": b"5\r\nhello\r\n0\r\r", "CR X at the end": b"5\r\nhello\r\n0\r\n\rX",
    "no chunk at all": b"hello", "a length in place of a size": b"Content-Length: 5\r\n\r\nhello", "a request in place of a chunk": SMUGGLED,
}.items():
    refused(f"chunks: {name}", chunked(body))
for name, body in {"00": b"5\r\nhello\r\n00\r\n\r\n", "0000000000000000": b"5\r\nhello\r\n0000000000000000\r\n\r\n", "0;a=b": b"5\r\nhello\r\n0;a=b\r\n\r\n",
        "none before it": END}.items():
    passes(f"last chunk: {name}", chunked(body))
passes("chunks of one byte", chunked(b"".join(b"1\r\n%c\r\n" % each for each in b"hello" * 200) + END))
passes("chunks of one byte with long extensions",
    chunked(b"".join(b"1;" + b"x" * 2000 + b"\r\n%c\r\n" % each for each in b"hello" * 10) + END))  # Go CVE-2023-39326
passes("sizes in both cases", chunked(b"A\r\n0123456789\r\na\r\n0123456789\r\n" + END))
passes("a request in a chunk", chunked(b"%x\r\n%b\r\n" % (len(SMUGGLED), SMUGGLED) + END))
passes("an end in a chunk", chunked(b"%x\r\n%b\r\n" % (len(END + SMUGGLED), END + SMUGGLED) + END))

# --- trailers: Tomcat CVE-2023-45648 and CVE-2023-46589, Traffic Server CVE-2024-35161, aiohttp CVE-2025-53643 ---------------------

for line in ["X-A: b", "X-A:", "Host: evil.example", b"Authorization: Bearer " + OTHER, "Cookie: a=b", "Connection: upgrade",
             "Expect: 100-continue", "Upgrade: websocket", "Content-Type: text/plain", "Trailer: x", "OpenAI-Organization: org-x", "X-E: \xe9",
             "X-A: " + "b" * 8000]:
    passes(f"trailer: {shown(line)}", chunked(b"5\r\nhello\r\n0\r\n" + raw(line) + b"\r\n\r\n"))
passes("many trailers", chunked(b"5\r\nhello\r\n0\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(300)) + b"\r\n"))
passes("trailers that are announced", chunked(b"5\r\nhello\r\n0\r\nX-A: b\r\n\r\n", "Trailer: X-A"))
for line in ["Content-Length: 500", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Connection: \"a\"", "X", "X: a\r\n b", " X: a", "X : a", ": a",
        "X\x00: a", "X: a\x00", "X: a\rb", "X: a\nb", "X: a\nY: b", "X: a\r\n\nY: b", "X\xe9: a", "X: \x01", "X: \x7f", "X(: a", "X: " + "b" * 9000,
             b"X: a\n\n" + SMUGGLED[:-4], b"X: a\r\r" + SMUGGLED[:-4], SMUGGLED[:-4], b"\x00", "X: " + "b" * 70_000, "\tX: a"]:
    refused(f"trailer: {shown(line)}", chunked(b"5\r\nhello\r\n0\r\n" + raw(line) + b"\r\n\r\n"))
add(Case("trailer: Connection: close", chunked(b"5\r\nhello\r\n0\r\nConnection: close\r\n\r\n"), ((200,),), 1))
for name, body in {"nothing": b"", "a part of a size line": b"5", "a size line": b"5\r\n", "a part of a chunk": b"5\r\nhel",
        "no end behind a chunk": b"5\r\nhello", "half an end behind a chunk": b"5\r\nhello\r",
                   "no last chunk": b"5\r\nhello\r\n", "a part of the last": b"5\r\nhello\r\n0", "no end behind the last": b"5\r\nhello\r\n0\r\n",
                   "half an end behind the last": b"5\r\nhello\r\n0\r\n\r",
                   "a part of a trailer": b"5\r\nhello\r\n0\r\nX-A", "no end behind a trailer": b"5\r\nhello\r\n0\r\nX-A: b\r\n",
                   "largest size": b"7fffffff\r\nhello"}.items():
    unfinished(f"breaks off: chunked, {name}", chunked(body), 400, 413)
for size in (1, 5, 100, 1_000_000):
    unfinished(f"breaks off: {size} bytes before its end", put(f"Content-Length: {5 + size}"))
for cut in (1, 3, 10, 30, 60):
    unfinished(f"breaks off: in the head, {cut} bytes before its end", GET[:-cut])

# --- names and values: every byte --------------------------------------------------------------------------------------------

for byte in range(256):
    is_name = byte in TOKEN or byte == 0x3A  # a colon ends the name
    line = b"X%cY: v" % byte
    (passes if is_name else refused)(f"byte in a name: {byte:02x}", request(line))
    (passes if byte == 9 or byte >= 32 and byte != 127 else refused)(f"byte in a value: {byte:02x}", request(b"X-A: v%cw" % byte))
    refused(f"byte in front of a name: {byte:02x}", request(b"%cContent-Length: 5" % byte, method="PUT", key=ROOT, body="hello")) if byte not in TOKEN else None
    refused(f"byte behind a length: {byte:02x}", put(b"Content-Length: 5%c" % byte)) if byte not in b"0123456789 \t" else None
    if byte not in b" \t":
        refused(f"byte behind chunked: {byte:02x}", put(b"Transfer-Encoding: chunked%c" % byte, body=END), *CODING)
    if byte not in b"0123456789abcdefABCDEF":
        refused(f"byte behind a chunk's size: {byte:02x}", chunked(b"5%c\r\nhello\r\n" % byte + END))
    is_quoted = byte in b"\t \\" or byte > 32 and byte not in b'"\x7f'
    quoted = chunked(b'5;a="b%cd"\r\nhello\r\n' % byte + END)
    (passes if is_quoted else refused)(f"byte in a quoted extension: {byte:02x}", quoted)
    (passes if byte in TOKEN + b"=;" else refused)(f"byte in an extension's name: {byte:02x}", chunked(b"5;a%cb\r\nhello\r\n" % byte + END))
    (passes if byte in TOKEN + b";" else refused)(f"byte in an extension's value: {byte:02x}", chunked(b"5;a=b%cd\r\nhello\r\n" % byte + END))
    (passes if is_name else refused)(f"byte in a trailer's name: {byte:02x}", chunked(b"5\r\nhello\r\n0\r\nX%cY: v\r\n\r\n" % byte))
    (passes if byte == 9 or byte >= 32 and byte != 127 else refused)(f"byte in a trailer's value: {byte:02x}",
        chunked(b"5\r\nhello\r\n0\r\nX-A: v%cw\r\n\r\n" % byte))
refused("obsolete folding, space", request("X-A: b\r\n c"))
refused("obsolete folding, tab", request("X-A: b\r\n\tc"))
refused("folding of the first field", request(host="\r\n Host: a"))
refused("white space in front of the first field", request(host=" X: y\r\nHost: a"))
for line in (": v", ":", "", " ", "\t", " : v", "\x00", "=", "no colon", "\x00: v"):  # HAProxy CVE-2023-25725: an empty name
    sends = request(line, "X-A: b") if line else None
    refused(f"no name: {shown(line)}", sends) if line else None
for line in ("X-Empty:", "X-Empty: ", "X-A:b", "X-A:\t b \t", "x: " + "y" * 4000, "X-Quoted: \"a\\\"b\"", "X-Comma: ,,,", "X-Colon: a: b:c",
        "X-Utf8: \xe4\xb8\xad", "X-Obs: \x80\xff", "!#$%&'*+-.^_`|~0: v"):
    passes(f"field: {shown(line)}", request(line))

# --- Host and credentials ----------------------------------------------------------------------------------------------------

for host in ("Host:", "Host: ", "Host: a b", "Host: a/b", "Host: a@b", "Host: http://a", "Host: a,b", "Host: a;b", "Host: a\x00", "Host: a\\b", "Host: [::1",
        "Host: ::1", "Host: a:b", "Host: a:123456", "Host: :80", "Host: a:80:80", "Host: a?b",
             "Host: a#b", "Host: \"a\"", "Host: <a>", "Host: a%00", "Host: \xe9", "Host: " + "a" * 300, "Host : a", "Host: a\r\n b", "X: y", " Host: a",
             "Host\x00: a", "Host_: a"):
    refused(f"host: {shown(host)}", request(host=host))
for host in ("Host: a", "host:a", "HOST:\ta", "Host: evil.example", "Host: evil.example:1", "Host: 127.0.0.1:65535", "Host: [::1]:80", "Host: localhost.",
        "Host: a-b_c~d"):
    passes(f"host: {shown(host)}", request(host=host))
for first, second in (("a", "a"), ("a", "b"), ("a", ""), ("", "a")):
    for name in ("Host", "host", "HOST"):
        refused(f"two hosts, {name}: {first!r} and {second!r}", request(f"{name}: {second}", host="Host: " + first))
refused("no host", request(host=None))
refused("no host on HTTP/1.0", request(host=None, version="HTTP/1.0"))
for line in ("X-Host: evil.example", "X-Forwarded-Host: evil.example", "X-Original-URL: /x-keys", "X-Rewrite-URL: /x-keys", "X-HTTP-Method-Override: DELETE",
        "Forwarded: host=evil.example", "X-Forwarded-For: 10.0.0.1", "X-Real-IP: 10.0.0.1", "Via: 1.1 a"):
    passes(f"another way to name a host or a path: {line}", request(line))
for name, lines, key, statuses in (
    ("twice the same", [b"Authorization: Bearer " + CHILD], CHILD, 200), ("another's behind", [b"Authorization: Bearer " + OTHER], CHILD, 200),
    ("nobody's behind", [b"Authorization: Bearer " + WRONG], CHILD, 200),
    ("nobody's before", [b"Authorization: Bearer " + CHILD], WRONG, 401),
    ("an empty one before", ["Authorization:", b"Authorization: Bearer " + CHILD], None, 200),
    ("basic", [b"Authorization: Basic " + CHILD], None, 401), ("in lower case", [b"authorization: bearer " + CHILD], None, 200),
    ("bare", [b"Authorization: " + CHILD], None, 200),
    ("x-api-key", [b"X-Api-Key: " + CHILD], None, 200), ("api-key", [b"Api-Key: " + CHILD], None, 200),
    ("x-api-key beside", [b"x-api-key: " + OTHER], CHILD, 200), ("api-key beside", [b"API-KEY: " + OTHER], CHILD, 200),
    ("underscore", [b"X_Api_Key: " + CHILD], None, 401), ("proxy-authorization", [b"Proxy-Authorization: Bearer " + CHILD], None, 401),
    ("proxy-authorization beside", [b"Proxy-Authorization: Bearer " + OTHER], CHILD, 200),
    ("cookie", [b"Cookie: key=" + CHILD], None, 401), ("cookie beside", [b"Cookie: key=" + CHILD], CHILD, 200),
    ("two keys in one", [b"Authorization: Bearer " + CHILD + b", Bearer " + OTHER], None, 401), ("with a tab", [b"Authorization: Bearer\t" + CHILD], None, 401),
    ("a subprotocol's", [b"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + CHILD], None, 200),
    ("a subprotocol's beside", [b"Sec-WebSocket-Protocol: openai-insecure-api-key." + OTHER], CHILD, 200),
    ("nominated", ["Connection: authorization"], CHILD, 200), ("too long", [b"Authorization: Bearer " + CHILD + b"x" * 5000], None, 401),
    ("cut", [b"Authorization: Bearer " + CHILD[:-1]], None, 401),
):
    (passes if statuses == 200 else answered)(f"key: {name}", request(*lines, key=key), *([1] if statuses == 200 else [statuses]))

# --- Connection and hop-by-hop fields -----------------------------------------------------------------------------------------

for named in ("host", "authorization", "content-length", "content-type", "transfer-encoding", "host, content-length, authorization",
        "Host,Authorization,Content-Length,Content-Type,User-Agent", "accept-encoding", "x-client-request-id", "keep-alive, x-secret",
              ",,,", "x" * 200, "a,b,c,d,e,f,g,h", "close, keep-alive, host", "upgrade, host"):
    end = "close" in named
    add(Case(f"Connection names: {shown(named)}", post("Connection: " + named, "X-Secret: 1"), ((200,),), 1, stays=not end))
    add(Case(f"Connection names, chunked: {shown(named)}", request("Connection: " + named, "Transfer-Encoding: chunked", "Content-Type: application/json",
        method="POST", target="/v1/moderations",
                                                                      body=b"%x\r\n%b\r\n" % (len(JSON), JSON) + END), ((200,),), 1, stays=not end))
refused("Connection names what is no name", request('Connection: "host"'))
refused("Connection names too much", request("Connection: " + ",".join(["host"] * 100)))
for line in ("Keep-Alive: timeout=5, max=1000", "Proxy-Connection: keep-alive", "TE: trailers", "TE: chunked", "TE: trailers, deflate;q=0.5", "Trailer: X-A",
        "Trailer: Content-Length", "Upgrade: h2c", "Upgrade: TLS/1.0", "Upgrade: websocket, h2c", "Upgrade: foo/2", "HTTP2-Settings: AAMAAABkAAQAAP__",
             "Proxy-Authenticate: Basic", "Proxy-Authentication-Info: a=b", "Connection:", "Connection: keep-alive", "Connection: x-a"):
    passes(f"hop by hop: {line}", request(line, "X-A: b"))
    passes(f"hop by hop, nominated: {line}", request(line, "X-A: b", "Connection: " + line.partition(":")[0]))
for line in ("Connection: close", "connection: CLOSE", "Connection: close, x", "Connection: x,close"):
    add(Case(f"ends: {line}", request(line), ((200,),), 1))
passes("two Connection fields", request("Connection: keep-alive", "Connection: x-a, host", "X-A: b"))

# --- request lines -----------------------------------------------------------------------------------------------------------

for byte in range(256):
    c = b"%c" % byte
    plain = c.isalnum() or c in b"-_~"
    if c in b"!$&'()*+,-./:=?@[]_~" or c.isalnum():
        passes(f"byte in a target: {byte:02x}", request(target=b"/v1/models/a%cb" % byte)) if c not in b"/" else passes("byte in a target: 2f",
            request(target="/v1/models/a/b"))
    elif c == b";":
        answered("byte in a target: 3b", request(target="/v1/models/a;b"), 404)
    elif c == b"%":
        answered("byte in a target: 25", request(target="/v1/models/a%b"), 400)
    else:
        refused(f"byte in a target: {byte:02x}", request(target=b"/v1/models/a%cb" % byte))
    encoded = f"/v1/models/a%{byte:02x}b"
    if byte < 32 or c in b"/\\.\x7f":
        answered(f"encoded byte: {byte:02x}", request(target=encoded), 400)
    elif plain or c in b"%;?#":
        answered(f"encoded byte: {byte:02x}", request(target=encoded), 404)
    else:
        passes(f"encoded byte: {byte:02x}", request(target=encoded))
for target in ("http://a/v1/models/echo", "https://a/v1/models/echo", "HTTP://evil.example/v1/models/echo", "http://evil.example@a/v1/models/echo",
        "http:/v1/models/echo", "http:", "ws://a/v1/realtime", "file:///etc/passwd", "evil.example:443", "a:80", "*", "v1/models/echo", "models", "?a", "#", "",
        ".", "..",
               "/v1/models/echo#f", "/v1/models/echo?a#b", "/#", "/v1/models/<script>", "/v1/models/{a}", "/v1/models/a|b", "/v1/models/a^b", "/v1/models/`",
               "/v1/models/\xe9", "/v1/models/\xe4\xb8\xad", "/v1\\models\\echo", "\\v1\\models", "/v1/models/\"", "@evil.example/", "//[", "x://"):
    if target == "//[":
        answered("target: //[", request(target=target), 400)
    else:
        refused(f"target: {shown(target) or 'none'}", request(target=target))
for target in ("//v1/models/echo", "/v1//models/echo", "/v1/models//echo", "/v1/./models/echo", "/./v1/models/echo", "/v1/../v1/models/echo", "/v1/models/..",
        "/v1/models/.", "/../../etc/passwd", "/v1/models/../../x-keys", "/v1/%2e%2e/x-keys", "/v1/%2E/models/echo", "/v1/.%2e/x-keys", "/v1%2fmodels/echo",
               "/v1%2Fmodels%2Fecho", "/v1/%5c..%5cx-keys", "/v1/%00", "/v1/models/echo%00", "/v1/models/echo%0d%0aX:%20y", "/v1/models/%0a", "/v1/%zz",
               "/v1/%", "/v1/%2", "/v1/%u002f", "/v1/%c0%af%2f", "//evil.example/v1/models/echo", "///", "//", "/v1/models/%7f"):
    answered(f"two spellings: {target}", request(target=target), 400)
for target in ("/v1/models/%2525", "/v1/%6dodels/echo", "/%76%31/models/echo", "/v1/models/echo%3fa=b", "/v1/models;a=b/echo", "/v1/models/echo%23",
        "/v1/X-Keys", "/v1/x-keys", "/v1/v1/models/echo", "/V2/models", "/x-keys%20", "/x%2dkeys", "/nothing", "/", "/v2", "/models%20"):
    answered(f"leads nowhere: {target}", request(target=target), 404)
for target in ("/v1/models/echo?", "/v1/models/echo?a=%00", "/v1/models/echo?a=../..", "/v1/models/echo?a=//b", "/v1/models/echo?http://evil.example/",
        "/v1/models/echo??", "/v1/models/echo?a=%0d%0aHost:%20b", "/v1/models/a:b@c", "/v1/models/%c0%af", "/models/echo", "/v1/models/echo/",
        "/v1/models/" + "a" * 7000, "/v1/models/echo?" + "a" * 8000):
    passes(f"target: {shown(target)}", request(target=target))
for size in (8193, 20_000, 60_000):
    refused(f"target too long: {size}", request(target="/v1/models/" + "a" * (size - 11)), 414)
for size in (70_000, 300_000):
    refused(f"target far too long: {size}", request(target="/v1/models/" + "a" * (size - 11)), 414, 431)

for line in ("GET  /v1/models/echo HTTP/1.1", "GET /v1/models/echo  HTTP/1.1", " GET /v1/models/echo HTTP/1.1", "GET /v1/models/echo HTTP/1.1 ",
        "GET\t/v1/models/echo\tHTTP/1.1", "GET /v1/models/echo\tHTTP/1.1", "GET /v1/models/echo", "GET", "GET ", "/v1/models/echo HTTP/1.1", "GET HTTP/1.1", "",
        "\x00",
             "GET /v1/models/echo HTTP/1.1 HTTP/1.1", "GET /v1/models/echo x HTTP/1.1", "GET /v1/models/echo\x00 HTTP/1.1", "GET\x00/v1/models/echo HTTP/1.1",
             "GET /v1/models/echo HTTP/1.1\x00", "GET\xa0/v1/models/echo\xa0HTTP/1.1", "GET\x0b/v1/models/echo\x0bHTTP/1.1", "GET /v1/models/echo\rHTTP/1.1",
             "GET /v1/models/echo HTTP/1.1\r", "\rGET /v1/models/echo HTTP/1.1",
             "\xef\xbb\xbfGET /v1/models/echo HTTP/1.1", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "HTTP/1.1 200 OK", "HTTP/1.1",
             "PROXY TCP4 1.2.3.4 1.2.3.4 1 2", "PROXY UNKNOWN", "\r\n\r\n\x00"):
    refused(f"request line: {shown(line) or 'none'}", raw(line) + b"\r\nHost: a\r\nAuthorization: Bearer " + CHILD + b"\r\n\r\n") if line else None
for version in ("HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9", "HTTP/0.0"):  # Jetty CVE-2017-7656
    refused(f"version: {version}", request(version=version), 505)
for version in ("HTTP/1.1.", "HTTP/1", "HTTP/2", "HTTP/1.", "HTTP/.1", "HTTP/11", "HTTP/1.10", "HTTP/1.01", "HTTP/01.1", "HTTP/1,1", "HTTP/1.1x", "HTTP/+1.1",
        "HTTP/1.-1", "http/1.1", "Http/1.1", "HTTPS/1.1", "HTTP1.1", "HTTP /1.1", "HTTP/ 1.1", "HTTP/1. 1", "HTTP/a.b", "HTTP/\xb9.\xb9", "XHTTP/1.1",
        "HTTP/1.1\x0b", "ICY/1.1", "RTSP/1.0", "HTTP/4294967297.1", ""):
    refused(f"version: {shown(version) or 'none'}", request(version=version))
refused("a preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, 505)
refused("a preface of HTTP/2 with a frame", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400, 505)
for connection, stays in (("", False), ("close", False), ("keep-alive", True), ("Keep-Alive", True), ("keep-alive, x", True)):
    lines = ["Connection: " + connection] if connection else []
    add(Case(f"HTTP/1.0: Connection {connection!r}", request(*lines, version="HTTP/1.0"), ((200,),), 1, stays=stays))
    add(Case(f"HTTP/1.0 with a body: Connection {connection!r}", put("Content-Length: 5", *lines, version="HTTP/1.0"), ((200,),), 1, stays=stays))
for method in ("CONNECT", "TRACE"):
    for target in ("/v1/models/echo", "evil.example:443", "*", "http://a/"):
        refused(f"{method} {target}", request(method=method, target=target), 400, 405, 501)
passes("method: DELETE", request(method="DELETE", key=ROOT))
for method in ("HEAD", "PATCH", "PROPFIND", "PURGE", "QUERY", "M-SEARCH", "FOO", "X" * 32, "!#$%&'*+-.^_`|~"):
    passes(f"method: {shown(method)}", request(method=method))
# gunicorn before 22 makes upper case of a method, and frameworks look at the field: any provider may. What costs money would cost nothing.
EMBEDDING = {"target": "/v1/embeddings", "body": b'{"model":"text-embedding-3-small","input":"a word"}'}
for method in ("post", "Post", "pOST", "get", "PoST"):
    refused(f"method: {method}", post(method=method, **EMBEDDING), 501)
for method, line in (("PUT", "X-HTTP-Method-Override: POST"), ("GET", "X-HTTP-Method: POST"), ("PATCH", "X-Method-Override: POST")):
    passes(f"method: {method} {line}", post(line, method=method, key=ROOT, **EMBEDDING))
for method in ("GE\x00T", "G(T", "GE:T", "G/T", "\"GET\"", "GET,", "G\xc9T", "GET\x0b", "GET\r", "X" * 33, "X" * 5000, "[GET]", "{", "GET;", "G=T", "<GET>",
        "G\\T", "G?T", "@"):
    refused(f"method: {shown(method)}", request(method=method))
answered("OPTIONS *", request(method="OPTIONS", target="*"), 204)
answered("OPTIONS", request(method="OPTIONS"), 204)
answered("OPTIONS without a key", request(method="OPTIONS", key=None), 204)
for ends in ("\n", "\r", "\n\r", "\r\r\n", "\n\n"):
    refused(f"all lines end in {shown(ends)}", GET.replace(b"\r\n", raw(ends)) + b"\r\n\r\n")
    refused(f"the first line ends in {shown(ends)}", GET.replace(b"\r\n", raw(ends), 1))
    refused(f"the last field ends in {shown(ends)}", GET[:-4] + raw(ends) + b"\r\n")
    refused(f"the head ends in {shown(ends)}", GET[:-2] + raw(ends) + (b"" if ends != "\r" else b"X\r\n\r\n"))
refused("Node CVE-2025-23167: the head ends in CR LF CR X", GET[:-1] + b"X" + SMUGGLED)
for count in (1, 2, 5, 50):
    passes(f"{count} empty lines in front", b"\r\n" * count + GET)
refused("LF in front", b"\n" + GET)
refused("CR in front", b"\r" + GET)
refused("CR CR LF in front", b"\r\r\n" + GET)
refused("a space in front", b" " + GET)

# --- pipelines ---------------------------------------------------------------------------------------------------------------

HOSTILE = {
    "two framings": put("Transfer-Encoding: chunked", "Content-Length: 5", body=END), "an unknown coding": put("Transfer-Encoding: x", body=END),
    "two lengths": put("Content-Length: 5", "Content-Length: 6"), "bare LF": GET.replace(b"\r\n", b"\n") + b"\r\n\r\n",
    "folding": request("X: y\r\n z"), "no host": request(host=None), "HTTP/1.2": request(version="HTTP/1.2"), "a bad chunk": chunked(b"5\r\nhelloXX" + END),
    "absolute target": request(target="http://a/v1/models/echo"), "NUL": request("X: \x00"),
}
GOOD = {
    "GET": (GET, 1, (200,)), "POST": (post(), 1, (200,)), "chunked": (chunked(b"5\r\nhello\r\n" + END), 1, (200,)), "nobody's": (request(key=WRONG), 0, (401,)),
    "nobody's with a body": (put("Content-Length: 5", key=WRONG), 0, (401,)),
    "nobody's, chunked": (chunked(b"5\r\nhello\r\n" + END, key=WRONG), 0, (401,)), "another's": (request(key=OTHER), 1, (200,)),
    "HEAD": (request(method="HEAD"), 1, (200,)), "OPTIONS": (request(method="OPTIONS"), 0, (204,)), "ours": (request(target="/x-nothing"), 0, (404,)),
    "GET with a body": (put("Content-Length: 5", method="GET", target="/v1/models/echo"), 1, (200,)),
}
for good, (sends, count, statuses) in GOOD.items():
    for hostile, bad in HOSTILE.items():
        # The bad one answers what its kind says elsewhere; here it is that the good one alone counts.
        add(Case(f"pipeline: {good}, then {hostile}", sends + bad, (statuses, (400, 501, 505)), count))
    for other, (more, more_count, more_statuses) in GOOD.items():
        add(Case(f"pipeline: {good}, then {other}", sends + more, (statuses, more_statuses), count + more_count, stays=True))
for hostile, bad in HOSTILE.items():
    refused(f"pipeline: {hostile}, then all that is good", bad + b"".join(each for each, *_ in GOOD.values()), 400, 501, 505)
for count in (10, 100):
    passes(f"pipeline of {count}", GET * count, count)
passes("pipeline: empty lines between", GET + b"\r\n" + GET + b"\r\n\r\n" + GET, 3)
add(Case("pipeline: a close in the middle", GET + request("Connection: close") + GET, ((200,), (200,)), 2))
add(Case("pipeline: HTTP/1.0 in the middle", GET + request(version="HTTP/1.0") + GET, ((200,), (200,)), 2))
add(Case("pipeline: waitress CVE-2024-49768, a close with a body", put("Content-Length: 5", "Connection: close") + SMUGGLED, ((200,),), 1))

# --- early answers: Pingora CVE-2025-4366, httpd CVE-2022-22720 -------------------------------------------------------------------

LARGE = (SMUGGLED * (300_000 // len(SMUGGLED) + 1))
for status in (200, 400, 404, 413, 422):
    for name, more in (("", ""), (" and closes", "&then=close")):
        for framing in ("length", "chunked"):
            for size, inner in (("small", SMUGGLED), ("large", LARGE)):
                lines, body = ([f"Content-Length: {len(inner)}"], inner) if framing == "length" else (["Transfer-Encoding: chunked"],
                    b"%x\r\n%b\r\n0\r\n\r\n" % (len(inner), inner))
                add(Case(f"early answer {status}{name}: {framing}, {size}", put(*lines, target=f"/v1/moderations?early={status}{more}", body=body),
                    ((status, 502, 503),), 1, stays=True, early=True))
for query in ("twice", "first=100", "first=103", "first=102"):
    passes(f"upstream answers {query}", request(target="/v1/models/echo?" + query) + GET, 2, early=True)
    passes(f"upstream answers {query}, with a body", put("Content-Length: 5", target="/v1/moderations?" + query) + GET, 2, early=True)
add(Case("upstream closes without an answer", request(target="/v1/models/echo?drop"), ((502, 503),), 1, stays=True))
add(Case("upstream closes without an answer, with a body", put("Content-Length: 5", target="/v1/moderations?drop"), ((502, 503),), 1, stays=True))
passes("nothing behind HEAD", request(method="HEAD", target="/v1/models/echo?twice") + GET, 2, early=True)

# --- Expect: Go CVE-2020-15586, 0.CL and CL.0 by expectations ------------------------------------------------------------------------

for value in ("100-continue", "100-Continue", "100-CONTINUE", " 100-continue "):
    passes(f"expects {value!r}, and does not wait", put("Content-Length: 5", "Expect: " + value))
    passes(f"expects {value!r}, chunked", chunked(b"5\r\nhello\r\n" + END, "Expect: " + value))
for value in ("", "200-ok", "100-continue, x", "x, 100-continue", "100-continue;a=b", "y 100-continue", "100", "100-continue\x0b", "\"100-continue\"",
        "100 continue", "100-continuex"):
    refused(f"expects {shown(value) or 'nothing'}", put("Content-Length: 5", "Expect: " + value), 400, 417)
refused("expects, folded", put("Content-Length: 5", "Expect: 100-continue\r\n ,x"))
passes("expects twice", put("Content-Length: 5", "Expect: 100-continue", "Expect: 100-continue"))
passes("expects without a body", request("Expect: 100-continue"))
passes("expects with a length of none", put("Content-Length: 0", "Expect: 100-continue", body=b""))
passes("expects on HTTP/1.0", put("Content-Length: 5", "Expect: 100-continue", "Connection: keep-alive", version="HTTP/1.0"))
for name, more, status in (("nobody's", {"key": WRONG}, 401), ("to nowhere", {"target": "/nothing"}, 404), ("two spellings", {"target": "/v1//models"}, 400),
        ("ours", {"target": "/x-nothing"}, 404)):
    # What follows may be its body or a request: nobody can tell, so nothing more is read (RFC 9110 10.1.1).
    add(Case(f"expects, {name}, and sends a request in place of its body",
        put(f"Content-Length: {len(SMUGGLED)}", "Expect: 100-continue", body=SMUGGLED, **more), ((status,),)))
    add(Case(f"expects, {name}, chunked", put("Transfer-Encoding: chunked", "Expect: 100-continue", body=SMUGGLED, **more), ((status,),)))
answered("expects, OPTIONS, without a body", request("Expect: 100-continue", method="OPTIONS"), 204)
add(Case("expects, OPTIONS, with a body", put(f"Content-Length: {len(SMUGGLED)}", "Expect: 100-continue", method="OPTIONS", body=SMUGGLED), ((204,),)))

# --- upgrade: Pingora CVE-2026-2833, RFC 6455 ---------------------------------------------------------------------------------------

WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
FRAME = b"\x81\x85\0\0\0\0hello"
REALTIME = "/v1/realtime?model=gpt-realtime"


def upgrade(*lines, without="", **more):
    kept = [each for each in WEBSOCKET if not without or not each.startswith(without)]
    return request(*kept, *lines, **{"target": REALTIME, "key": ROOT, **more})


def switched(name, sends, tunnel=b"", **more):
    add(Case(name, sends, ((101,),), 1, tunnel=tunnel, **more))


switched("upgrade", upgrade())
switched("upgrade with a frame behind", upgrade() + FRAME, FRAME)
switched("upgrade in other cases", request("connection: uPGRADE", "UPGRADE: WebSocket", *WEBSOCKET[2:], target=REALTIME, key=ROOT) + FRAME, FRAME)
switched("upgrade beside keep-alive", request("Connection: keep-alive, Upgrade", *WEBSOCKET[1:], target=REALTIME, key=ROOT) + FRAME, FRAME)
for name, behind in {"nothing": b"", "a request": SMUGGLED, "a frame and a request": FRAME + SMUGGLED, "a frame": FRAME,
        "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}.items():
    add(Case(f"upgrade that upstream refuses, behind it {name}", upgrade(target=REALTIME + "&refuse") + behind, ((200,),), 1))
    add(Case(f"upgrade of nobody's, behind it {name}", upgrade(key=WRONG) + behind, ((401,),), silent=True))
    add(Case(f"upgrade to nowhere, behind it {name}", upgrade(target="/nothing") + behind, ((404,),), silent=True))
    add(Case(f"upgrade with a body, behind it {name}", upgrade("Content-Length: 5") + b"hello" + behind, ((400,),), silent=True))
    add(Case(f"upgrade with chunks, behind it {name}", upgrade("Transfer-Encoding: chunked") + b"5\r\nhello\r\n" + END + behind, ((400,),), silent=True))
    add(Case(f"upgrade of a path of ours, behind it {name}", upgrade(target="/x-keys") + behind, ((200, 400, 404, 426),)))
    add(Case(f"upgrade of a path with two spellings, behind it {name}", upgrade(target="/v1//realtime") + behind, ((400,),)))
    add(Case(f"upgrade on HTTP/1.0, behind it {name}", upgrade(version="HTTP/1.0") + behind, ((200, 400, 404, 426),), 1))
passes("upgrade without Connection is none", upgrade(without="Connection", target="/v1/models/echo"))
for name, lines in {"a key in a subprotocol": [b"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + ROOT],
        "extensions": ["Sec-WebSocket-Extensions: permessage-deflate"], "another upgrade behind": ["Upgrade: h2c"],
                    "a length of none": ["Content-Length: 0"], "an expectation": ["Expect: 100-continue"],
                    "private fields": ["Cookie: a=b", "X-Forwarded-For: 1.2.3.4", "Keep-Alive: timeout=5", "HTTP2-Settings: AAMAAABkAAQAAP__"]}.items():
    switched(f"upgrade with {name}", upgrade(*lines) + FRAME, FRAME)
passes("upgrade to h2c", request("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__") + GET, 2)
passes("upgrade to h2c, not nominated", request("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__") + GET, 2)
passes("upgrade to two", request("Connection: Upgrade", "Upgrade: h2c, websocket") + GET, 2)
passes("upgrade twice, h2c first", request("Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket") + GET, 2)
passes("upgrade by POST", post("Connection: Upgrade", "Upgrade: websocket") + GET, 2)
passes("upgrade by PUT", put("Connection: Upgrade", "Upgrade: websocket", "Content-Length: 5") + GET, 2)

# --- huge ---------------------------------------------------------------------------------------------------------------------

passes("190 fields", request(*[f"X-{i}: y" for i in range(190)]))
passes("a field of 60,000 bytes", request("X: " + "y" * 60_000))
passes("a name of 10,000 bytes", request("X" * 10_000 + ": y"))
for count in (200, 1000, 5000):
    refused(f"{count} more fields", request(*[f"X-{i}: y" for i in range(count)]), 431)
for size in (66_000, 200_000, 1_000_000):
    refused(f"a field of {size} bytes", request("X: " + "y" * size), 431)
    refused(f"a name of {size} bytes", request("X" * size + ": y"), 431)
    refused(f"a head without an end of {size} bytes", b"GET /v1/models/echo HTTP/1.1\r\nX: " + b"y" * size, 431)
    refused(f"a first line without an end of {size} bytes", b"G" * size, 431)
passes("a body of 1,000,000 bytes", put("Content-Length: 1000000", body=b"x" * 1_000_000))
passes("a body of 1,000,000 bytes in one chunk", chunked(b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n" + END))
passes("a body of 300,000 bytes of requests", put(f"Content-Length: {len(LARGE)}", body=LARGE))
# The test's gateway takes 2 MiB.
refused("a body of one byte too many", put(f"Content-Length: {(2 << 20) + 1}", body=SMUGGLED * 100), 413)
answered("chunks of one byte too many", chunked((b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 32 + b"1\r\nx\r\n" + END), 413)
refused("chunks of far too many bytes", chunked((b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 64 + END), 413, silent=True)
passes("chunks of just enough", chunked((b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 32 + END))
passes("20,000 chunks", chunked(b"1\r\nx\r\n" * 20_000 + END))

ids = [case.id for case in CASES]
assert len(ids) == len(set(ids)), sorted(each for each in set(ids) if ids.count(each) > 1)
