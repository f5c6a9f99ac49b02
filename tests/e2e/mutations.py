"""Requests made out of others by chance, the same ones for the same seed."""
import random
import re

# What turns into a tunnel is followed by cases of their own. Also what is large.
SWITCHES = re.compile(rb'(?i:upgrade)')
LARGEST = 4000

WORDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b"\x0b", b":", b";", b",", b"=", b"0", b"5", b"-", b"+", b"0x", b"\xff", b"\x7f",
    b"0\r\n\r\n", b"5\r\nhello\r\n",
         b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Host: b\r\n",
         b"Connection: close\r\n", b"Connection: keep-alive\r\n",
         b"Expect: 100-continue\r\n", b"Trailer: x\r\n", b"TE: trailers\r\n", b"HTTP/1.0", b"HTTP/1.1", b"HEAD ", b"GET ", b"POST ", b"OPTIONS ",
         b"/v1/models/echo", b"ffffffffffffffff", b"18446744073709551621"]
LINE = re.compile(rb"[^\n]*\n|[^\n]+")


class Mutator:
    def __init__(self, seed, seeds):
        self.choice = random.Random(seed)
        self.seeds = [each for each in seeds if len(each) < LARGEST]
        self.ways = [self.flip, self.insert, self.remove, self.repeat, self.swap, self.splice, self.change_case, self.follow]

    def make(self):
        while True:
            data = self.choice.choice(self.seeds)
            for _ in range(self.choice.choice([1, 1, 1, 2, 2, 3, 4])):
                data = self.choice.choice(self.ways)(data) or b"G"
            if len(data) < LARGEST and not SWITCHES.search(data):
                return data

    def cuts(self, data):
        """Where it is cut, now and then."""
        is_cut = len(data) > 1 and self.choice.random() < 0.2
        return [self.choice.randrange(1, len(data)) for _ in range(2)] if is_cut else []

    def place(self, data):
        # Half of the time where a line ends or begins: there most is decided.
        ends = [at.start() + self.choice.randint(-1, 2) for at in re.finditer(rb"\n", data)]
        return min(max(self.choice.choice(ends), 0), len(data) - 1) if ends and self.choice.random() < 0.5 else self.choice.randrange(len(data))

    def flip(self, data):
        at = self.place(data)
        return data[:at] + bytes([self.choice.randrange(256)]) + data[at + 1 :]

    def insert(self, data):
        at = self.place(data)
        return data[:at] + self.choice.choice(WORDS) + data[at:]

    def remove(self, data):
        at = self.place(data)
        return data[:at] + data[at + self.choice.choice([1, 1, 1, 2, 5, 20]) :]

    def repeat(self, data):
        lines = LINE.findall(data)
        at = self.choice.randrange(len(lines))
        return b"".join(lines[: at + 1] + lines[at:])

    def swap(self, data):
        lines = LINE.findall(data)
        one, other = self.choice.randrange(len(lines)), self.choice.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
        return b"".join(lines)

    def splice(self, data):
        other = self.choice.choice(self.seeds)
        return data[: self.place(data)] + other[self.place(other) :]

    def change_case(self, data):
        lines = LINE.findall(data)
        at = self.choice.randrange(len(lines))
        lines[at] = lines[at].swapcase()
        return b"".join(lines)

    def follow(self, data):
        return data + self.choice.choice(self.seeds)
