"""What goes wrong: each makes a `fault(peer, request)` for Upstream, with a name of its own to count it by."""
import time

from upstream import good_answer


def named(name, reads_no_body=False):
    def name_it(fault):
        fault.name, fault.reads_no_body = name, reads_no_body
        return fault

    return name_it


ENDS = {"reset": "reset", "close": "close", "goodbye": "say_goodbye", "stall": "wait_until_left"}


def cut(place, how):
    """The good answer up to `place`, then `how`: reset, close, goodbye or stall."""
    @named(f"{how} {place}")
    def fault(peer, request):
        answer = good_answer(request)
        # Of an answer that has no such place, the half.
        peer.send(answer.data[:answer.places.get(place, len(answer.data) // 2)])
        getattr(peer, ENDS[how])()

    return fault


def cut_upload(how, after=10_000):
    """Reads a part of the request's body only."""
    @named(f"{how} in the upload", reads_no_body=True)
    def fault(peer, request):
        peer.take(min(after, int(request.fields.get("content-length", 0)) // 2))
        getattr(peer, ENDS[how])()

    return fault


def drip(step=1, pause=0.001):
    """The whole of it, `step` bytes at a time."""
    @named(f"drips by {step}")
    def fault(peer, request):
        answer = good_answer(request)
        data = answer.data
        for at in range(0, len(data), step):
            peer.send(data[at:at + step])
            if pause:
                time.sleep(pause)
        if answer.framing != "close":
            return "goes on"
        peer.say_goodbye()

    return fault


def say(name, data, how=None):
    """Bytes of any kind in place of an answer; without `how` the connection goes on."""
    @named(name)
    def fault(peer, request):
        peer.send(data)
        if how is None:
            return "goes on"
        getattr(peer, ENDS[how])()

    return fault


def answer(status, body=b'{"error":{"message":"It went wrong.","type":"server_error","param":null,"code":null}}', **fields):
    """A well-formed answer of that status; `fields` with _ for -."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    data = "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    @named(f"answers {status}")
    def fault(peer, request):
        peer.send(data)
        return "goes on"

    return fault


def error_body(code, kind="invalid_request_error", message="No."):
    return b'{"error":{"message":"%b","type":"%b","param":null,"code":"%b"}}' % (message.encode(), kind.encode(), code.encode())


INVALID_KEY = error_body("invalid_api_key", message="Incorrect API key provided.")
NO_QUOTA = error_body("insufficient_quota", "insufficient_quota", "You exceeded your current quota.")
TOO_MANY = error_body("rate_limit_exceeded", "tokens", "Rate limit reached.")
