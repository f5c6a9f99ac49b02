#!/usr/bin/env python3
"""Clients that hold many connections: idle ones after a request each, or streams. A process of its own, beside the load's.

    clients.py idle|streams --port N --keys FILE --connections N [--ca FILE] [--events N --rate N]

Tells what it has done in lines of JSON, and goes on at each line that it reads.
"""
import argparse
import concurrent.futures
import json
import re
import selectors
import socket
import ssl
import sys
import time

A_SOURCE = 8_000  # connections from one address: less than there are ports


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["idle", "streams"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--keys", required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--ca")
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--rate", type=int, default=0)
    return parser.parse_args()


def tell(**what):
    print(json.dumps(what), flush=True)


def chat(key, events=0, rate=0):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Why should a proxy add as little as it can to the time of a request?"}]}
    more = ""
    if events:
        body["stream"] = True
        more = f"X-Bench-Events: {events}\r\nX-Bench-Rate: {rate}\r\n"
    text = json.dumps(body)
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"{more}Content-Length: {len(text)}\r\n\r\n{text}").encode()


class Callers:
    def __init__(self, options):
        self.options = options
        with open(options.keys) as file:
            self.keys = file.read().split()
        self.tls = ssl.create_default_context(cafile=options.ca) if options.ca else None

    def key(self, index):
        return self.keys[index % len(self.keys)]

    def connect(self, index):
        plain = socket.create_connection(("127.0.0.1", self.options.port), 60, (f"127.0.0.{2 + index // A_SOURCE}", 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(plain, server_hostname="localhost") if self.tls else plain

    def ask(self, connection, index):
        """A chat and its whole answer."""
        connection.sendall(chat(self.key(index)))
        answer = b""
        while True:
            piece = connection.recv(65_536)
            if not piece:
                raise OSError("closed before the answer was whole")
            answer += piece
            head, mark, body = answer.partition(b"\r\n\r\n")
            if mark and len(body) >= int(re.search(rb"(?i)content-length: (\d+)", head)[1]):
                break
        if not answer.startswith(b"HTTP/1.1 200"):
            raise OSError(f"answered {answer[:300]!r}")

    def open_all(self, work):
        """`work(index)` for each connection, eight at a time; raises what any raised."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(work, range(self.options.connections)))


def idle(callers):
    def open_one(index):
        connection = callers.connect(index)
        callers.ask(connection, index)
        return connection

    begun = time.monotonic()
    connections = callers.open_all(open_one)
    tell(open=len(connections), seconds=time.monotonic() - begun)
    sys.stdin.readline()
    # Those that the daemon has closed meanwhile would fail here.
    checked = range(0, len(connections), max(1, len(connections) // 200))
    for index in checked:
        callers.ask(connections[index], index)
    tell(answered=len(checked))


class Stream:
    def __init__(self, connection, index):
        self.connection, self.index = connection, index
        self.rest, self.head, self.events, self.last, self.ended = b"", b"", 0, 0.0, False


def streams(callers):
    options = callers.options
    all_streams = callers.open_all(lambda index: Stream(callers.connect(index), index))
    tell(open=len(all_streams))
    sys.stdin.readline()
    selector = selectors.DefaultSelector()
    gaps, events, ended, waiting, errors = [], 0, 0, list(all_streams), []
    begun = time.monotonic()
    deadline = begun + options.events / options.rate + 60
    told, first_end = None, None
    interval = 1.0 / len(all_streams)  # all begin within a second, not in step
    while ended + len(errors) < len(all_streams):
        now = time.monotonic()
        if now > deadline:
            errors.append("some streams did not end")
            break
        while waiting and now >= begun + (len(all_streams) - len(waiting)) * interval:
            stream = waiting.pop()
            stream.connection.sendall(chat(callers.key(stream.index), options.events, options.rate))
            stream.connection.setblocking(False)
            selector.register(stream.connection, selectors.EVENT_READ, stream)
        for key, _ in selector.select(0.01):
            stream = key.data
            try:
                piece = stream.connection.recv(65_536)
            except (ssl.SSLWantReadError, BlockingIOError):
                continue
            except OSError as error:
                piece, stream.rest = b"", str(error).encode()
            if not piece:
                errors.append(f"closed after {stream.events} events {stream.rest[-200:]!r}")
                selector.unregister(stream.connection)
                continue
            data = stream.rest + piece
            if not stream.head:
                head, mark, data_behind = data.partition(b"\r\n\r\n")
                if not mark:
                    stream.rest = data
                    continue
                stream.head, data = head, data_behind
            # An event ends with an empty line; so much of one as has come stays.
            found = data.count(b"\n\n")
            stream.rest = data[data.rindex(b"\n\n") + 2:] if found else data
            if found:
                now = time.monotonic()
                if stream.last and found == 1:
                    gaps.append(now - stream.last)
                stream.last = now
                stream.events += found
                events += found
            if stream.rest.endswith(b"0\r\n\r\n"):
                selector.unregister(stream.connection)
                if not stream.head.startswith(b"HTTP/1.1 200") or stream.events != options.events:
                    errors.append(f"{stream.head[:100]!r}, {stream.events} events of {options.events}")
                else:
                    ended += 1
                first_end = first_end or (time.monotonic(), events)
        if not told and not waiting and all(stream.events for stream in all_streams):
            told = (time.monotonic(), events)
            tell(running=len(all_streams), since=told[0] - begun)
    gaps.sort()
    # Of the time in which all of them ran.
    rate = (first_end[1] - told[1]) / (first_end[0] - told[0]) if told and first_end and first_end[0] > told[0] else None
    tell(ended=ended, events=events, rate=rate, errors=errors[:5], failed=len(errors), gap_p50_ms=gaps[len(gaps) // 2] * 1e3 if gaps else None,
         gap_p99_ms=gaps[int(len(gaps) * 0.99)] * 1e3 if gaps else None)


if __name__ == "__main__":
    given = read_arguments()
    {"idle": idle, "streams": streams}[given.kind](Callers(given))
