"""What a stranger may try with the id of an object: in paths, in queries, anywhere in a body.

`{file}` stands for an id of somebody else, or for one that has never been; `{own[file]}` for one of the stranger's own."""
import json
import random
import re
import string

from objects import MODEL
from objects_population import BETA, READS
from wire import BOUNDARY, FORM

ASK = {"model": MODEL, "input": "What was it?"}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "What was it?"}]}


def read(path):
    return "GET", path, None


def write(path, **body):
    return "POST", path, body


def respond(**body):
    return "POST", "/v1/responses", {**ASK, **body}


def content(part):
    return [{"role": "user", "content": [part, {"type": "input_text", "text": "What is it?"}]}]


def raw(path, text):
    """A body as it stands, but for ids."""
    return "POST", path, text


def file_form(name, path):
    text = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n'
            f"Content-Type: application/octet-stream\r\n\r\nx\r\n--{BOUNDARY}--\r\n")
    return "POST", path, text


PATHS = [read(path) for path in READS.values()] + [
    read("/v1/responses/{response}?stream=true"),
    read("/v1/models/{tuned}"),
    read("/v1/threads/{own[thread]}/messages/{message}"),
    read("/v1/threads/{own[thread]}/runs/{run}"),
    read("/v1/threads/{thread}/messages/{own[message]}"),
    read("/v1/vector_stores/{own[store]}/files/{file}"),
    read("/v1/vector_stores/{store}/files/{own[file]}"),
    read("/v1/conversations/{own[conversation]}/items/{said}"),
    read("/v1/containers/{own[container]}/files/{cfile}/content"),
    read("/v1/evals/{own[eval]}/runs/{evalrun}"),
    *(("DELETE", path, None) for path in (
        "/v1/files/{file}", "/v1/vector_stores/{store}", "/v1/vector_stores/{store}/files/{file}", "/v1/assistants/{assistant}", "/v1/threads/{thread}",
        "/v1/threads/{thread}/messages/{message}", "/v1/responses/{response}", "/v1/conversations/{conversation}",
        "/v1/conversations/{conversation}/items/{said}", "/v1/chat/completions/{completion}", "/v1/containers/{container}",
        "/v1/containers/{container}/files/{cfile}", "/v1/evals/{eval}", "/v1/evals/{eval}/runs/{evalrun}", "/v1/models/{tuned}")),
    write("/v1/uploads/{upload}/complete", part_ids=["{part}"]),
    write("/v1/uploads/{upload}/cancel"),
    file_form("data", "/v1/uploads/{upload}/parts"),
    file_form("file", "/v1/containers/{container}/files"),
    write("/v1/batches/{batch}/cancel"),
    write("/v1/fine_tuning/jobs/{job}/cancel"),
    write("/v1/vector_stores/{store}", name="mine"),
    write("/v1/vector_stores/{store}/search", query="notes"),
    write("/v1/vector_stores/{store}/files", file_id="{own[file]}"),
    write("/v1/assistants/{assistant}", name="mine"),
    write("/v1/threads/{thread}", metadata={"mine": "yes"}),
    write("/v1/threads/{thread}/messages", role="user", content="Hello"),
    write("/v1/threads/{thread}/runs", assistant_id="{own[assistant]}", stream=True),
    write("/v1/threads/{thread}/runs/{run}/cancel"),
    write("/v1/threads/{thread}/runs/{run}/submit_tool_outputs", tool_outputs=[], stream=True),
    write("/v1/responses/{response}/cancel"),
    write("/v1/conversations/{conversation}", metadata={"mine": "yes"}),
    write("/v1/conversations/{conversation}/items", items=[{"type": "message", "role": "user", "content": "Hello"}]),
    write("/v1/chat/completions/{completion}", metadata={"mine": "yes"}),
    write("/v1/containers/{container}/files", file_id="{own[file]}"),
    write("/v1/evals/{eval}", name="mine"),
    write("/v1/evals/{eval}/runs", data_source={"type": "jsonl", "source": {"type": "file_id", "id": "{own[file]}"}}),
]

QUERIES = [read(f"{path}?limit=2&after={{{kind}}}") for path, kind in {
    "/v1/files": "file", "/v1/batches": "batch", "/v1/vector_stores": "store", "/v1/assistants": "assistant", "/v1/containers": "container",
    "/v1/fine_tuning/jobs": "job", "/v1/chat/completions": "completion", "/v1/evals": "eval"}.items()]

BODIES = [
    respond(previous_response_id="{response}"),
    respond(previous_response_id="{response}", stream=True),
    respond(conversation="{conversation}"),
    respond(conversation={"id": "{conversation}"}),
    respond(input=content({"type": "input_file", "file_id": "{file}"})),
    respond(input=content({"type": "input_image", "file_id": "{file}"})),
    respond(input=[{"type": "item_reference", "id": "{said}"}]),
    respond(input=[{"id": "{thought}", "type": "reasoning", "summary": []}, *content({"type": "input_text", "text": "So?"})]),
    respond(tools=[{"type": "file_search", "vector_store_ids": ["{store}"]}]),
    respond(tools=[{"type": "file_search", "vector_store_ids": ["{own[store]}", "{store}"]}]),
    respond(tools=[{"type": "code_interpreter", "container": "{container}"}]),
    respond(tools=[{"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["{own[file]}", "{file}"]}}]),
    write("/v1/responses/input_tokens", **ASK, previous_response_id="{response}"),
    write("/v1/responses/compact", **ASK, previous_response_id="{response}"),
    write("/v1/chat/completions", **{**CHAT, "model": "{tuned}"}),
    write("/v1/chat/completions", **{**CHAT, "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "{file}"}}]}]}),
    write("/v1/batches", input_file_id="{input}", endpoint="/v1/chat/completions", completion_window="24h"),
    write("/v1/fine_tuning/jobs", model=MODEL, training_file="{training}"),
    write("/v1/fine_tuning/jobs", model=MODEL, training_file="{own[training]}", validation_file="{training}"),
    write("/v1/vector_stores", file_ids=["{file}"]),
    write("/v1/vector_stores/{own[store]}/files", file_id="{file}"),
    write("/v1/vector_stores/{own[store]}/file_batches", file_ids=["{own[file]}", "{file}"]),
    write("/v1/vector_stores/{own[store]}/file_batches", files=[{"file_id": "{file}"}]),
    write("/v1/assistants", model=MODEL, tools=[{"type": "file_search"}], tool_resources={"file_search": {"vector_store_ids": ["{store}"]}}),
    write("/v1/assistants", model=MODEL, tool_resources={"code_interpreter": {"file_ids": ["{file}"]}}),
    write("/v1/threads", tool_resources={"file_search": {"vector_store_ids": ["{store}"]}}),
    write("/v1/threads", messages=[{"role": "user", "content": "x", "attachments": [{"file_id": "{file}", "tools": [{"type": "file_search"}]}]}]),
    write("/v1/threads", messages=[{"role": "user", "content": [{"type": "image_file", "image_file": {"file_id": "{file}"}}]}]),
    write("/v1/threads/{own[thread]}/messages", role="user", content="x", attachments=[{"file_id": "{file}", "tools": [{"type": "file_search"}]}]),
    write("/v1/threads/{own[thread]}/runs", assistant_id="{assistant}", stream=True),
    write("/v1/threads/runs", assistant_id="{assistant}", stream=True),
    write("/v1/threads/runs", assistant_id="{own[assistant]}", stream=True, thread={"tool_resources": {"file_search": {"vector_store_ids": ["{store}"]}}}),
    write("/v1/containers", name="mine", file_ids=["{file}"]),
    write("/v1/containers/{own[container]}/files", file_id="{file}"),
    write("/v1/evals/{own[eval]}/runs", data_source={"type": "jsonl", "source": {"type": "file_id", "id": "{file}"}}),
    # One name twice, names and ids spelt otherwise.
    raw("/v1/responses", f'{{"model":"{MODEL}","input":"x","previous_response_id":"<own response>","previous_response_id":"<response>"}}'),
    raw("/v1/responses", f'{{"model":"{MODEL}","input":"x","previous\\u005fresponse_id":"<response>"}}'),
    raw("/v1/responses", f'{{"model":"{MODEL}","input":"x","conversation":"\\u0063<rest of conversation>"}}'),
    raw("/v1/batches", '{"endpoint":"/v1/chat/completions","completion_window":"24h","input_file_id":"<own input>","input_file_id":"<input>"}'),
]

OPERATIONS = PATHS + QUERIES + BODIES

# What is written out in full needs no stored item; whose id it bears must not show all the same.
WRITTEN_OUT = respond(input=[{"id": "{said}", "type": "message", "role": "assistant", "status": "completed",
                              "content": [{"type": "output_text", "text": "I said", "annotations": []}]}])


def fill(thing, ids, own):
    """The operation with ids in it."""
    if isinstance(thing, str):
        return re.sub(r"\{(own\[)?(\w+)\]?\}", lambda found: (own if found[1] else ids)[found[2]], thing)
    if isinstance(thing, dict):
        return {name: fill(value, ids, own) for name, value in thing.items()}
    return [fill(each, ids, own) for each in thing] if isinstance(thing, list) else thing


def fill_raw(text, ids, own):
    """Of a text that is full of braces."""
    text = re.sub(r"<rest of (\w+)>", lambda found: ids[found[1]][1:], text)
    return re.sub(r"<(own )?(\w+)>", lambda found: (own if found[1] else ids)[found[2]], text)


def attempt(account, operation, ids, own):
    """Status, headers and body of it; `account` has call()."""
    method, path, body = operation
    headers = {**BETA, "x-mock-looks": "1"}
    if isinstance(body, str):
        is_form = body.startswith("--")
        headers |= FORM if is_form else {"Content-Type": "application/json"}
        body = body if is_form else fill_raw(body, ids, own)
    elif body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(fill(body, ids, own))
    return account.call(method, fill(path, ids, own), body, headers)


def invent(made):
    """As many ids of the same shape that have never been."""

    def other(character):
        for letters in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
            if character in letters:
                return random.choice(letters)
        return character

    def twin(made_id):
        head, tail = re.fullmatch(r"(ft:.*:|[a-z]+[-_])(.+)", made_id).groups()
        return head + "".join(map(other, tail))

    return {kind: twin(made_id) for kind, made_id in made.items()}


# Of the moment, not of the answer.
PASSING = {"date", "x-request-id", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"}


def without(answer, ids):
    """The answer as far as it does not depend on which id was asked for."""
    status, headers, body = answer
    text = body.decode()
    for kind, each in ids.items():
        text = text.replace(each, f"<{kind}>")
    return status, {name: None if name in PASSING else value for name, value in headers.items()}, text
