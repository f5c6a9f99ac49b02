"""Names that a test makes, changes and takes away: a DNS server on a loopback address of its own, and a gateway that asks nobody else."""
import ipaddress
import os
import random
import socket
import struct
import subprocess
import threading

A, AAAA, IN = 1, 28, 1
NO_NAME, FAILURE = 3, 2


class NameServer:
    """`names`: {name: [IPv4 addresses]}, or what is done in place of an answer: "silence", "failure", "garbage". Other names do not exist."""

    def __init__(self):
        self.names, self.asked = {}, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while True:
            # Its port is fixed, so its address is any of the loopback network.
            self.address = str(ipaddress.ip_address("127.64.0.0") + random.randrange(1, 2**21))
            try:
                self.socket.bind((self.address, 53))
                break
            except OSError as error:
                if not isinstance(error, PermissionError):
                    continue
                raise
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        # A datagram of ours ends the wait.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.sendto(b"", (self.address, 53))
        self.thread.join(10)
        self.socket.close()

    def run(self):
        while True:
            question, sender = self.socket.recvfrom(1500)
            if not question:
                return
            answer = self.answer(question)
            if answer:
                self.socket.sendto(answer, sender)

    def answer(self, question):
        labels, at = [], 12
        while size := question[at]:
            labels.append(question[at + 1:at + 1 + size].decode())
            at += 1 + size
        kind, = struct.unpack_from("!H", question, at + 1)
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        known = self.names.get(name)
        if known == "silence":
            return None
        if known == "garbage":
            return question[:2] + os.urandom(60)
        code = NO_NAME if known is None else FAILURE if known == "failure" else 0
        found = known if kind == A and isinstance(known, list) else []
        head = question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", A, IN, 0, 4) + socket.inet_aton(each) for each in found)
        return head + question[12:at + 5] + records


def wrapped(build, folder, server, seconds=1):
    """A folder in place of `build`, whose daemon lives in a mount namespace where `server` alone tells names."""
    folder.mkdir()
    (folder / "resolv.conf").write_text(f"nameserver {server.address}\noptions timeout:{seconds} attempts:1\n")
    (folder / "nsswitch.conf").write_text("hosts: dns\n")
    mounts = "; ".join(f"mount --bind {folder}/{each} $(readlink -f /etc/{each})" for each in ("resolv.conf", "nsswitch.conf"))
    program = folder / "proxyxai"
    program.write_text(f"#!/bin/sh\nexec unshare --mount --propagation private sh -ec '{mounts}; exec {build}/proxyxai \"$@\"' proxyxai \"$@\"\n")
    program.chmod(0o755)
    return folder


def may_be_wrapped():
    """Whether this machine lets us have such a namespace."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], capture_output=True).returncode == 0
