"""The load: what is asked for, written to files for wrk, and wrk itself."""
import base64
import json
import os
import pathlib
import subprocess

import ending
import run as bench

SCRIPT = pathlib.Path(__file__).with_name("mix.lua")
# Of so many requests one is another than a chat.
LARGE_ONE_IN, OBJECT_ONE_IN, LARGE_BYTES = 400, 20, 1 << 20
STREAM_EVENTS, STREAM_RATE = 40, 20
WORDS = "Tell me in two sentences why a proxy should add as little as it can to the time of a request."


def request(key, method, path, body=None, *headers):
    text = json.dumps(body) if body is not None else ""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}", *headers]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


def chat(key, content=WORDS, *headers, **more):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "system", "content": "You are brief."}, {"role": "user", "content": content}], **more}
    return request(key, "POST", "/v1/chat/completions", body, *headers)


def large(key):
    """A question with a picture."""
    picture = base64.b64encode(os.urandom(LARGE_BYTES * 3 // 4)).decode()
    return chat(key, [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}])


def write(file, requests):
    with open(file, "wb") as out:
        for each in requests:
            out.write(b"%d\n" % len(each) + each)
    return file


def mixed(keys, objects):
    """Chats, some of them large; responses that are read again, and responses that follow them. `objects`: of each key."""
    for index in range(4 * LARGE_ONE_IN):
        key = keys[index % len(keys)]
        mine = objects[key]
        if index % LARGE_ONE_IN == LARGE_ONE_IN - 1:
            yield large(key)
        elif index % OBJECT_ONE_IN == 5 and index // OBJECT_ONE_IN % 2 == 0:
            yield request(key, "GET", f"/v1/responses/{mine[index % len(mine)]}")
        elif index % OBJECT_ONE_IN == 5:
            # mix.lua puts a number in, so that each is another response.
            yield request(key, "POST", "/v1/responses", {"model": "gpt-4o-mini", "input": "And then? @@@@@@@@", "previous_response_id": mine[index % len(mine)]})
        else:
            yield chat(key)


def streams(keys):
    return (chat(key, WORDS, f"X-Bench-Events: {STREAM_EVENTS}", f"X-Bench-Rate: {STREAM_RATE}", stream=True) for key in keys)


class Load:
    """wrk at work."""

    def __init__(self, cores, file, port, connections, seconds, scheme="https"):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT), f"{scheme}://localhost:{port}/", "--", str(file)]
        with ending.held_off():
            self.process = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, cores), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            bench.running.append(self.process)

    def finish(self):
        out, errors = self.process.communicate()
        bench.running.remove(self.process)
        return read_result(out, errors)


def read_result(out, errors=""):
    """What mix.lua printed at the end. Raises when it did not, or when a request failed."""
    lines = [line for line in out.splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit(f"wrk told nothing: {out[-1000:]}{errors[-1000:]}")
    result = json.loads(lines[-1])
    failed = {name: result[name] for name in ("connect", "read", "write", "timeout", "status") if result[name]}
    if failed or not result["requests"]:
        raise SystemExit(f"requests failed: {failed or 'none was answered'}")
    result["rate"] = result["requests"] / result["seconds"]
    return result
