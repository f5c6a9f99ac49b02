"""The lives of objects, as clients of the official SDK go through them: make, find, use, list, remove. Each takes a client and the
number of the round."""
import json

import openai
import pytest

from processes import SLOW, wait_for

MODEL = "gpt-4o-mini"
OVER = {"completed", "succeeded", "failed", "cancelled", "expired"}


def ids(page):
    """Of all pages."""
    return [each.id for each in page]


def newest(page):
    """Of what cannot be deleted, and grows with the rounds: only the page that came."""
    return [each.id for each in page.data]


def at_the_end(retrieve):
    """What is retrieved once it has ended."""

    def look():
        found = retrieve()
        return found if found.status in OVER else None

    return wait_for(look, 20 * SLOW, "the end")


def is_gone(retrieve, *arguments, **more):
    with pytest.raises(openai.NotFoundError):
        retrieve(*arguments, **more)


def upload(client, name, text, purpose="user_data"):
    return client.files.create(file=(name, text.encode()), purpose=purpose)


def files(client, number):
    text = f"round {number}\n" * 100
    stored = upload(client, f"{number}.txt", text)
    assert (stored.bytes, stored.purpose, stored.filename) == (len(text), "user_data", f"{number}.txt")
    assert client.files.retrieve(stored.id) == stored
    assert stored.id in ids(client.files.list(purpose="user_data")) and stored.id not in ids(client.files.list(purpose="batch"))
    assert client.files.content(stored.id).text == text
    content = [{"type": "input_file", "file_id": stored.id}, {"type": "input_text", "text": "What does it say?"}]
    assert client.responses.create(model=MODEL, input=[{"role": "user", "content": content}]).status == "completed"
    part = {"type": "file", "file": {"file_id": stored.id}}
    assert client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": [part]}]).choices
    assert client.files.delete(stored.id).deleted
    is_gone(client.files.retrieve, stored.id)
    assert stored.id not in ids(client.files.list())


def uploads(client, number):
    pieces = [f"first {number} ".encode(), b"second"]
    about = dict(bytes=sum(map(len, pieces)), filename="parts.txt", mime_type="text/plain", purpose="user_data")
    begun = client.uploads.create(**about)
    parts = [client.uploads.parts.create(begun.id, data=piece).id for piece in pieces]
    done = client.uploads.complete(begun.id, part_ids=parts)
    assert done.status == "completed" and client.files.content(done.file.id).content == b"".join(pieces)
    assert done.file.id in ids(client.files.list())
    assert client.files.delete(done.file.id).deleted
    assert client.uploads.cancel(client.uploads.create(**about).id).status == "cancelled"


def vector_stores(client, number):
    first, second = (upload(client, f"{name}.txt", f"Of {name}, round {number}") for name in ("apples", "pears"))
    store = client.vector_stores.create(name=f"store {number}", file_ids=[first.id])
    assert at_the_end(lambda: client.vector_stores.retrieve(store.id)).file_counts.completed == 1
    client.vector_stores.files.create(store.id, file_id=second.id)
    at_the_end(lambda: client.vector_stores.files.retrieve(second.id, vector_store_id=store.id))
    assert next(iter(client.vector_stores.search(store.id, query="pears"))).file_id == second.id
    assert sorted(ids(client.vector_stores.files.list(store.id))) == sorted([first.id, second.id])
    batch = client.vector_stores.file_batches.create(store.id, file_ids=[first.id, second.id])
    at_the_end(lambda: client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id))
    assert len(ids(client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id))) == 2
    tool = {"type": "file_search", "vector_store_ids": [store.id]}
    assert client.responses.create(model=MODEL, input="Which fruit?", tools=[tool]).status == "completed"
    assert client.vector_stores.update(store.id, name="renamed").name == "renamed"
    assert store.id in ids(client.vector_stores.list())
    assert client.vector_stores.files.delete(first.id, vector_store_id=store.id).deleted
    assert client.vector_stores.delete(store.id).deleted
    is_gone(client.vector_stores.retrieve, store.id)
    for file in (first, second):
        client.files.delete(file.id)


def batch_input(client, count, body=None):
    lines = [{"custom_id": f"line-{i}", "method": "POST", "url": "/v1/chat/completions",
              "body": body or {"model": MODEL, "messages": [{"role": "user", "content": f"Line {i}"}]}} for i in range(count)]
    return upload(client, "batch.jsonl", "\n".join(map(json.dumps, lines)), "batch")


def batches(client, number):
    file = batch_input(client, 3)
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"round": str(number)})
    assert batch.status == "validating" and batch.id in newest(client.batches.list())
    done = at_the_end(lambda: client.batches.retrieve(batch.id))
    assert done.status == "completed" and done.request_counts.completed == 3 and done.usage.output_tokens == 3 * 8
    lines = [json.loads(line) for line in client.files.content(done.output_file_id).text.splitlines()]
    assert [line["custom_id"] for line in lines] == ["line-0", "line-1", "line-2"]
    assert all(line["response"]["body"]["choices"] for line in lines)
    assert {file.id, done.output_file_id} <= set(ids(client.files.list()))
    for each in (file.id, done.output_file_id):
        assert client.files.delete(each).deleted
    other = batch_input(client, 1)
    begun = client.batches.create(input_file_id=other.id, endpoint="/v1/chat/completions", completion_window="24h")
    client.batches.cancel(begun.id)
    assert at_the_end(lambda: client.batches.retrieve(begun.id)).status == "cancelled"
    client.files.delete(other.id)


def chains(client, number):
    """Twenty turns, every other one streamed."""
    turns, before = [], openai.omit
    for turn in range(20):
        ask = dict(model=MODEL, input=f"Turn {turn} of {number}", previous_response_id=before)
        if turn % 2:
            answer = list(client.responses.create(**ask, stream=True))[-1].response
        else:
            answer = client.responses.create(**ask)
        assert answer.status == "completed" and (answer.previous_response_id or openai.omit) == before
        turns.append(answer)
        before = answer.id
    assert turns[-1].usage.input_tokens > turns[0].usage.input_tokens, "the model reads what was said before"
    assert client.responses.retrieve(before).output_text == turns[-1].output_text
    (asked,) = client.responses.input_items.list(before)
    assert asked.content[0].text == f"Turn 19 of {number}"
    client.responses.delete(before)
    is_gone(client.responses.retrieve, before)
    with pytest.raises((openai.NotFoundError, openai.BadRequestError)):
        client.responses.create(model=MODEL, input="And then?", previous_response_id=before)


def items(client, number):
    """What a model has thought, said and called for comes back as input, by its ids."""
    tool = {"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {}}}
    first = client.responses.create(model="o3", input=f"Round {number}", reasoning={"effort": "low"}, tools=[tool], tool_choice="required")
    assert [item.id.split("_")[0] for item in first.output] == ["rs", "msg", "fc"]
    again = [item.model_dump(exclude_none=True) for item in first.output]
    again.append({"type": "function_call_output", "call_id": first.output[2].call_id, "output": "42"})
    assert client.responses.create(model="o3", input=again).status == "completed"
    references = [{"type": "item_reference", "id": item.id} for item in first.output]
    assert client.responses.create(model="o3", input=references).status == "completed"


def conversations(client, number):
    talk = client.conversations.create(items=[{"type": "message", "role": "user", "content": "Hello"}], metadata={"round": str(number)})
    answer = client.responses.create(model=MODEL, input="Who are you?", conversation=talk.id)
    assert answer.conversation.id == talk.id
    answer = client.responses.create(model=MODEL, input="And now?", conversation={"id": talk.id})
    found = ids(client.conversations.items.list(talk.id, order="asc", limit=2))
    assert len(found) == 5 and found[-1] == answer.output[0].id
    assert client.conversations.items.retrieve(found[0], conversation_id=talk.id).content[0].text == "Hello"
    (added,) = client.conversations.items.create(talk.id, items=[{"type": "message", "role": "user", "content": "Bye"}]).data
    client.conversations.items.delete(added.id, conversation_id=talk.id)
    is_gone(client.conversations.items.retrieve, added.id, conversation_id=talk.id)
    assert client.conversations.update(talk.id, metadata={"round": "over"}).metadata == {"round": "over"}
    assert client.conversations.retrieve(talk.id).metadata == {"round": "over"}
    assert client.conversations.delete(talk.id).deleted
    is_gone(client.conversations.retrieve, talk.id)


def threads(client, number):
    assistant = client.beta.assistants.create(model=MODEL, name=f"Assistant {number}", instructions="Be brief.")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
    client.beta.threads.messages.create(thread.id, role="user", content="Who are you?")
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        events = [event.event for event in stream]
    assert events[0] == "thread.run.created" and events[-1] == "thread.run.completed"
    run = stream.current_run
    assert run.usage.completion_tokens == 8 and client.beta.threads.runs.retrieve(run.id, thread_id=thread.id).status == "completed"
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
    assert client.beta.threads.runs.steps.retrieve(step.id, thread_id=thread.id, run_id=run.id).usage.completion_tokens == 8
    whole = client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)
    assert whole.status == "queued" and whole.usage is None
    done = at_the_end(lambda: client.beta.threads.runs.retrieve(whole.id, thread_id=thread.id))
    assert done.status == "completed" and done.usage.completion_tokens == 8
    assert len(ids(client.beta.threads.runs.list(thread.id, limit=1))) == 2
    said = list(client.beta.threads.messages.list(thread.id, order="asc", limit=3))
    assert [message.role for message in said] == ["user", "user", "assistant", "assistant"]
    message = client.beta.threads.messages.update(said[0].id, thread_id=thread.id, metadata={"read": "yes"})
    assert client.beta.threads.messages.retrieve(message.id, thread_id=thread.id).metadata == {"read": "yes"}
    both = list(client.beta.threads.create_and_run(assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}, stream=True))
    assert both[0].event == "thread.created" and len(ids(client.beta.threads.messages.list(both[0].data.id))) == 2
    assert client.beta.assistants.update(assistant.id, name="Renamed").name == "Renamed"
    assert assistant.id in ids(client.beta.assistants.list())
    for each in (thread.id, both[0].data.id):
        assert client.beta.threads.delete(each).deleted
        is_gone(client.beta.threads.retrieve, each)
    assert client.beta.assistants.delete(assistant.id).deleted
    is_gone(client.beta.assistants.retrieve, assistant.id)


def completions(client, number):
    ask = dict(model=MODEL, messages=[{"role": "user", "content": f"Round {number}"}], store=True, metadata={"round": str(number)})
    whole = client.chat.completions.create(**ask)
    streamed = list(client.chat.completions.create(**ask, stream=True))[0].id
    assert whole.id != streamed
    for each in (whole.id, streamed):
        assert client.chat.completions.retrieve(each).choices[0].message.content == whole.choices[0].message.content
        (message,) = client.chat.completions.messages.list(each)
        assert message.content == f"Round {number}"
        assert each in ids(client.chat.completions.list())
        assert client.chat.completions.update(each, metadata={"seen": "yes"}).metadata == {"seen": "yes"}
        assert client.chat.completions.delete(each).deleted
        is_gone(client.chat.completions.retrieve, each)


def containers(client, number):
    file = upload(client, "data.csv", f"a,b\n{number},2\n")
    container = client.containers.create(name=f"container {number}", file_ids=[file.id])
    added = client.containers.files.create(container.id, file=("more.csv", b"1,2,3"))
    assert client.containers.files.content.retrieve(added.id, container_id=container.id).content == b"1,2,3"
    copy = client.containers.files.create(container.id, file_id=file.id)
    assert len(ids(client.containers.files.list(container.id, limit=2))) == 3
    assert client.containers.files.retrieve(copy.id, container_id=container.id).bytes == file.bytes
    tool = {"type": "code_interpreter", "container": container.id}
    assert client.responses.create(model=MODEL, input="Add them up", tools=[tool]).status == "completed"
    assert container.id in ids(client.containers.list())
    client.containers.files.delete(added.id, container_id=container.id)
    is_gone(client.containers.files.retrieve, added.id, container_id=container.id)
    client.containers.delete(container.id)
    is_gone(client.containers.retrieve, container.id)
    client.files.delete(file.id)


def tunings(client, number):
    file = upload(client, "examples.jsonl", '{"messages":[]}\n', "fine-tune")
    job = client.fine_tuning.jobs.create(model=MODEL, training_file=file.id, suffix=f"round{number}")
    assert job.id in newest(client.fine_tuning.jobs.list())
    done = at_the_end(lambda: client.fine_tuning.jobs.retrieve(job.id))
    assert done.status == "succeeded" and done.fine_tuned_model.startswith(f"ft:{MODEL}:")
    assert len(ids(client.fine_tuning.jobs.list_events(job.id, limit=1))) == 2
    assert len(ids(client.fine_tuning.jobs.checkpoints.list(job.id))) == 1
    for _ in range(5):
        assert client.chat.completions.create(model=done.fine_tuned_model, messages=[{"role": "user", "content": "Hello"}]).choices
    assert client.files.content(done.result_files[0]).text.startswith("step")
    assert client.models.delete(done.fine_tuned_model).deleted
    other = client.fine_tuning.jobs.create(model=MODEL, training_file=file.id)
    assert client.fine_tuning.jobs.cancel(other.id).status == "cancelled"
    client.files.delete(file.id)


def evals(client, number):
    schema = {"type": "object", "properties": {"word": {"type": "string"}}}
    criterion = {"type": "string_check", "name": "same", "input": "a", "reference": "a", "operation": "eq"}
    file = upload(client, "items.jsonl", '{"item":{"word":"a"}}\n', "evals")
    made = client.evals.create(name=f"eval {number}", data_source_config={"type": "custom", "item_schema": schema}, testing_criteria=[criterion])
    source = {"type": "jsonl", "source": {"type": "file_id", "id": file.id}}
    run = client.evals.runs.create(made.id, name="run", data_source=source)
    assert at_the_end(lambda: client.evals.runs.retrieve(run.id, eval_id=made.id)).status == "completed"
    (item,) = client.evals.runs.output_items.list(run.id, eval_id=made.id)
    assert client.evals.runs.output_items.retrieve(item.id, eval_id=made.id, run_id=run.id).id == item.id
    assert ids(client.evals.runs.list(made.id)) == [run.id]
    assert client.evals.update(made.id, name="renamed").name == "renamed" and made.id in ids(client.evals.list())
    assert client.evals.runs.delete(run.id, eval_id=made.id).deleted
    assert client.evals.delete(made.id).deleted
    is_gone(client.evals.retrieve, made.id)
    client.files.delete(file.id)


def background(client, number):
    ask = dict(model=MODEL, input=f"Round {number}", background=True)
    begun = client.responses.create(**ask)
    assert begun.status == "queued" and begun.usage is None
    done = at_the_end(lambda: client.responses.retrieve(begun.id))
    assert done.status == "completed" and done.usage.output_tokens == 8
    events = list(client.responses.create(**ask, stream=True))
    made = events[0].response.id
    rest = list(client.responses.retrieve(made, stream=True, starting_after=events[3].sequence_number))
    assert [event.sequence_number for event in rest] == [event.sequence_number for event in events[4:]]
    assert client.responses.retrieve(made).status == "completed"
    assert client.responses.create(model=MODEL, input="And then?", previous_response_id=made).status == "completed"
    assert client.responses.cancel(client.responses.create(**ask).id).status == "cancelled"


LIVES = [files, uploads, vector_stores, batches, chains, items, conversations, threads, completions, containers, tunings, evals, background]
