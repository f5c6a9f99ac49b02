"""One object of every kind, by the official SDK; and where each is found again."""
from objects import MODEL, batch_input, upload

BETA = {"OpenAI-Beta": "assistants=v2"}
PAUSE = {"x-mock-work-ms": "3600000"}

# Who may see an object gets 200 here.
READS = {
    "file": "/v1/files/{file}",
    "content": "/v1/files/{file}/content",
    "batch": "/v1/batches/{batch}",
    "job": "/v1/fine_tuning/jobs/{job}",
    "events": "/v1/fine_tuning/jobs/{job}/events",
    "checkpoints": "/v1/fine_tuning/jobs/{job}/checkpoints",
    "store": "/v1/vector_stores/{store}",
    "stored file": "/v1/vector_stores/{store}/files/{file}",
    "stored files": "/v1/vector_stores/{store}/files",
    "stored content": "/v1/vector_stores/{store}/files/{file}/content",
    "file batch": "/v1/vector_stores/{store}/file_batches/{filebatch}",
    "files of a batch": "/v1/vector_stores/{store}/file_batches/{filebatch}/files",
    "assistant": "/v1/assistants/{assistant}",
    "thread": "/v1/threads/{thread}",
    "messages": "/v1/threads/{thread}/messages",
    "message": "/v1/threads/{thread}/messages/{message}",
    "runs": "/v1/threads/{thread}/runs",
    "run": "/v1/threads/{thread}/runs/{run}",
    "steps": "/v1/threads/{thread}/runs/{run}/steps",
    "step": "/v1/threads/{thread}/runs/{run}/steps/{step}",
    "response": "/v1/responses/{response}",
    "input items": "/v1/responses/{response}/input_items",
    "conversation": "/v1/conversations/{conversation}",
    "items": "/v1/conversations/{conversation}/items",
    "item": "/v1/conversations/{conversation}/items/{said}",
    "completion": "/v1/chat/completions/{completion}",
    "prompt": "/v1/chat/completions/{completion}/messages",
    "container": "/v1/containers/{container}",
    "container files": "/v1/containers/{container}/files",
    "container file": "/v1/containers/{container}/files/{cfile}",
    "container content": "/v1/containers/{container}/files/{cfile}/content",
    "eval": "/v1/evals/{eval}",
    "eval runs": "/v1/evals/{eval}/runs",
    "eval run": "/v1/evals/{eval}/runs/{evalrun}",
    "output items": "/v1/evals/{eval}/runs/{evalrun}/output_items",
}

# Kinds with a list of all there are.
LISTS = ["/v1/files", "/v1/batches", "/v1/fine_tuning/jobs", "/v1/vector_stores", "/v1/assistants", "/v1/chat/completions", "/v1/containers",
         "/v1/evals", "/v1/models"]


def populate(client):
    """Ids by kind."""
    made = {}
    file = upload(client, "notes.txt", "Notes of nobody else")
    made["file"] = file.id
    about = dict(bytes=1, filename="x", mime_type="text/plain", purpose="user_data")
    made["upload"] = client.uploads.create(**about).id
    made["part"] = client.uploads.parts.create(made["upload"], data=b"x").id
    made["input"] = batch_input(client, 1).id
    made["batch"] = client.batches.create(input_file_id=made["input"], endpoint="/v1/chat/completions", completion_window="24h", extra_headers=PAUSE).id
    made["training"] = upload(client, "examples.jsonl", '{"messages":[]}\n', "fine-tune").id
    made["job"] = client.fine_tuning.jobs.create(model=MODEL, training_file=made["training"], extra_headers={"x-mock-looks": "1"}).id
    made["tuned"] = client.fine_tuning.jobs.retrieve(made["job"]).fine_tuned_model
    made["store"] = client.vector_stores.create(file_ids=[file.id]).id
    made["filebatch"] = client.vector_stores.file_batches.create(made["store"], file_ids=[file.id]).id
    populate_threads(client, made)
    made["conversation"] = client.conversations.create().id
    answer = client.responses.create(model=MODEL, input="Hello", reasoning={"effort": "low"}, conversation=made["conversation"])
    made["response"], made["thought"], made["said"] = answer.id, answer.output[0].id, answer.output[1].id
    made["completion"] = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hello"}], store=True).id
    made["container"] = client.containers.create(name="mine").id
    made["cfile"] = client.containers.files.create(made["container"], file_id=file.id).id
    criterion = {"type": "string_check", "name": "same", "input": "a", "reference": "a", "operation": "eq"}
    made["eval"] = client.evals.create(data_source_config={"type": "custom", "item_schema": {"type": "object"}}, testing_criteria=[criterion]).id
    source = {"type": "jsonl", "source": {"type": "file_id", "id": file.id}}
    made["evalrun"] = client.evals.runs.create(made["eval"], data_source=source).id
    return made


def populate_threads(client, made):
    made["assistant"] = client.beta.assistants.create(model=MODEL).id
    made["thread"] = client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}]).id
    events = list(client.beta.threads.runs.create(thread_id=made["thread"], assistant_id=made["assistant"], stream=True))
    made["run"] = events[-1].data.id
    made["message"] = client.beta.threads.messages.list(made["thread"]).data[0].id
    made["step"] = client.beta.threads.runs.steps.list(made["run"], thread_id=made["thread"]).data[0].id


def add_background(client, made):
    """One that is under way for long."""
    made["background"] = client.responses.create(model=MODEL, input="Take your time", background=True, extra_headers=PAUSE).id


def unreadable(account, made):
    """Where what has been made is not found; `account` has call()."""
    statuses = {name: account.call("GET", path.format(**made), headers=BETA)[0] for name, path in READS.items()}
    return {name: status for name, status in statuses.items() if status != 200}
