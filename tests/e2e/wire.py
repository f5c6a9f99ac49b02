"""Requests of every metered kind, as tests send them."""
import struct

TEXT = "Tell me of the ledger, please: who owes what, and since when?"
MESSAGES = [{"role": "user", "content": TEXT}]
BOUNDARY = "a-boundary-of-tests"


def wav(seconds):
    """A WAV file of silence."""
    rate = 8_000
    data = bytes(int(seconds * rate))
    head = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, 1, rate, rate, 1, 8, b"data", len(data))
    return head + data


def form(**fields):
    """A multipart body; bytes make a file part. Goes with `FORM`."""
    lines = b""
    for name, value in fields.items():
        is_file = isinstance(value, bytes)
        lines += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        lines += b'; filename="a.wav"\r\nContent-Type: application/octet-stream' if is_file else b""
        lines += b"\r\n\r\n" + (value if is_file else str(value).encode()) + b"\r\n"
    return lines + f"--{BOUNDARY}--\r\n".encode()


FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
