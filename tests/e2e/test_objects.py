"""Many keys behave like one: objects made through a pool of five keys of five projects, with the official SDKs. What is led through
the gateway is also led straight at the mock, with one key, which shows that the test is right.

PROXYXAI_ROUNDS (5) is how often each life is led, PROXYXAI_STRANGERS (100) how much a stranger tries."""
import asyncio
import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess

import openai
import pytest

import costs
from objects import LIVES, MODEL, at_the_end, batch_input, ids, upload
from objects_intrusions import OPERATIONS, WRITTEN_OUT, attempt, invent, without
from objects_population import BETA, LISTS, READS, add_background, populate, unreadable
from processes import SLOW, Gateway, Raw, in_parallel, nanos, request, wait_for
from test_sdk_node import FOLDER

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROUNDS = int(os.environ.get("PROXYXAI_ROUNDS", "5"))
STRANGERS = int(os.environ.get("PROXYXAI_STRANGERS", "100"))
KEYS = [f"sk-upstream-project-{i:04}" for i in range(5)]
# For tests that make keys fail: the pool of the others asks after its work meanwhile, and would find them failing too.
FAILING_KEYS = [f"sk-upstream-failing-{i:04}" for i in range(5)]
PRICE = costs.Prices().find(MODEL)
USAGE = {"input": 2_000, "output": 1_000}
TOLD = {"x-mock-usage": json.dumps(USAGE)}
COST = costs.nano_dollars(USAGE, PRICE)
LOOKED_AFTER = {"PENDING_INTERVAL": "200ms"}


class Straight:
    """Whoever has a key of the mock itself, in the place of an account."""

    def __init__(self, mock):
        self.mock, self.key = mock, f"sk-straight-{random.getrandbits(64):016x}"
        self.base_url = mock.url + "/v1"

    def call(self, method, path, body=None, headers=None):
        return request(self.mock.port, method, path, body, {"Authorization": f"Bearer {self.key}", **(headers or {})}, tls=self.mock.tls)


def client_of(account):
    base_url = account.base_url if isinstance(account, Straight) else account.gateway.base_url
    http = openai.DefaultHttpxClient(verify=account.mock.tls) if isinstance(account, Straight) else None
    return openai.OpenAI(api_key=account.key, base_url=base_url, max_retries=0, http_client=http)


@pytest.fixture(scope="module")
def pool(tls_mock, tmp_path_factory):
    """A gateway over five projects for all tests that leave it whole."""
    gateway = Gateway(tmp_path_factory.mktemp("pool"), tls_mock, keys=KEYS, **LOOKED_AFTER)
    yield gateway
    gateway.end()


@pytest.fixture
def customer(pool, mock):
    return rich(pool)


def rich(gateway, by=None):
    return gateway.make_child(5_000 if by is None else 500, by=by, HardLimit=100_000)


@pytest.fixture
def reborn(mock):
    """Starts a gateway again over the data of one that has been stopped or killed."""
    started = []

    def begin(gateway, kill=True):
        if kill:
            gateway.process.kill()
            gateway.process.wait()
            gateway.expected_exit = -9
        else:
            gateway.end()
        again = Gateway(gateway.directory, mock, keys=[], root=gateway.root, **LOOKED_AFTER)
        started.append(again)
        return again

    yield begin
    for gateway in started:
        gateway.end()


@contextlib.contextmanager
def only_with(gateway, key):
    """Nothing can be made under another key meanwhile."""

    def turn(on):
        for each, shown in gateway.keys_shown().items():
            if each != "..." + key[-4:]:
                assert gateway.call("PUT", f"/x-keys/{shown['ID']}", {"Status": on})[0] == 200

    turn(False)
    try:
        yield
    finally:
        turn(True)


def spread(account, count, make):
    """Makes objects, by turns under each of the keys where there are several."""
    made = []
    for number in range(count):
        through = not isinstance(account, Straight)
        with only_with(account.gateway, account.gateway.keys[number % len(account.gateway.keys)]) if through else contextlib.nullcontext():
            made.append(make(number))
    return made


@pytest.fixture(params=["straight", "through"])
def somebody(request, mock):
    """Straight at the mock, or an account of the pool."""
    return Straight(mock) if request.param == "straight" else rich(request.getfixturevalue("pool"))


# Every kind, over and over.


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_lives_of_objects(somebody, life):
    with client_of(somebody) as client:
        for number in range(ROUNDS):
            life(client, number)


@pytest.mark.parametrize("accounts", [1, len(LIVES)])
def test_lives_of_all_kinds_at_once(pool, mock, accounts):
    leaders = [rich(pool) for _ in range(accounts)]

    def lead(index):
        with client_of(leaders[index % accounts]) as client:
            LIVES[index](client, index)

    in_parallel(len(LIVES), lead)
    if accounts > 1:
        assert len({seen["key"] for seen in mock.requests()}) > 1, "not all on one key"


def test_keys_of_one_project_share_what_they_make(mock):
    """The mock itself."""
    one, other, alone = (Straight(mock) for _ in range(3))
    mock.control("POST", "/_mock/projects", {"name": f"team of {one.key}", "keys": [one.key, other.key]})
    with client_of(one) as client:
        made = populate(client)
    assert not unreadable(other, made) and len(unreadable(alone, made)) == len(READS)


# Lists over several keys.


def make_containers(client, number):
    return client.containers.create(name=f"container {number}").id


def make_evals(client, number):
    criterion = {"type": "string_check", "name": "same", "input": "a", "reference": "a", "operation": "eq"}
    return client.evals.create(name=str(number), data_source_config={"type": "custom", "item_schema": {"type": "object"}}, testing_criteria=[criterion]).id


def make_jobs(client, number):
    return client.fine_tuning.jobs.create(model=MODEL, training_file=upload(client, "examples.jsonl", "{}\n", "fine-tune").id).id


def make_batches(client, number):
    return client.batches.create(input_file_id=batch_input(client, 1).id, endpoint="/v1/chat/completions", completion_window="24h").id


def make_completions(client, number):
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": str(number)}], store=True).id


# How to make one, the list of the SDK, and whether it takes an order.
LISTED = {
    "files": (lambda client, number: upload(client, f"{number}", "x").id, lambda client: client.files.list, True),
    "vector stores": (lambda client, number: client.vector_stores.create(name=str(number)).id, lambda client: client.vector_stores.list, True),
    "assistants": (lambda client, number: client.beta.assistants.create(model=MODEL).id, lambda client: client.beta.assistants.list, True),
    "containers": (make_containers, lambda client: client.containers.list, True),
    "completions": (make_completions, lambda client: client.chat.completions.list, True),
    "evals": (make_evals, lambda client: client.evals.list, True),
    "batches": (make_batches, lambda client: client.batches.list, False),
    "jobs": (make_jobs, lambda client: client.fine_tuning.jobs.list, False),
}


@pytest.mark.parametrize("kind", LISTED)
def test_a_list_shows_each_object_once_in_order(somebody, kind):
    make, list_of, takes_order = LISTED[kind]
    with client_of(somebody) as client:
        made = spread(somebody, 12, lambda number: make(client, number))
        pages = list_of(client)
        assert sorted(ids(pages(limit=100))) == sorted(made)
        for limit in (1, 5, 12):
            assert sorted(ids(pages(limit=limit))) == sorted(made), limit
        for order in ("asc", "desc") if takes_order else (None,):
            more = {"order": order} if order else {}
            whole = list(pages(limit=100, **more))
            times = [getattr(each, "created_at", None) or getattr(each, "created", None) for each in whole]
            assert times == sorted(times, reverse=order != "asc")
            found = [each.id for each in whole]
            assert ids(pages(limit=5, **more)) == found
            page = pages(limit=4, after=found[2], **more)
            assert [each.id for each in page.data] == found[3:7] and page.has_more
            last = pages(limit=4, after=found[7], **more)
            assert [each.id for each in last.data] == found[8:] and not last.has_more
            assert not pages(after=found[-1], **more).data
        if takes_order:
            assert ids(pages(order="asc")) == ids(pages(order="desc"))[::-1]


@pytest.mark.parametrize("path", ["/v1/vector_stores", "/v1/assistants"])
def test_pages_go_backwards_too(somebody, path):
    def page(query):
        status, _, body = somebody.call("GET", f"{path}?{query}", headers=BETA)
        assert status == 200, body
        return json.loads(body)

    make = LISTED[path[4:].replace("_", " ")][0]
    with client_of(somebody) as client:
        spread(somebody, 8, lambda number: make(client, number))
    whole = page("limit=100")
    found = [each["id"] for each in whole["data"]]
    assert (whole["object"], whole["first_id"], whole["last_id"], whole["has_more"]) == ("list", found[0], found[-1], False)
    back = page(f"limit=3&before={found[5]}")
    assert [each["id"] for each in back["data"]] == found[2:5] and back["has_more"]
    assert [each["id"] for each in page(f"before={found[2]}")["data"]] == found[:2]


def test_a_list_with_nothing_in_it(somebody):
    for path in LISTS[:-1]:
        status, _, body = somebody.call("GET", path, headers=BETA)
        answer = json.loads(body)
        assert status == 200 and (answer["object"], answer["data"], answer["has_more"]) == ("list", [], False), path


# Accounts among themselves.


@pytest.fixture(params=["straight", "through"])
def two(request, mock):
    if request.param == "straight":
        return Straight(mock), Straight(mock)
    pool = request.getfixturevalue("pool")
    return rich(pool), rich(pool)


def test_a_stranger_cannot_tell_an_object_from_one_that_never_was(two):
    stranger, owner = two
    with client_of(stranger) as ours, client_of(owner) as theirs:
        own, foreign = populate(ours), populate(theirs)
    assert not unreadable(owner, foreign)
    deck, told = [], []
    for _ in range(max(STRANGERS, len(OPERATIONS))):
        deck = deck or random.sample(OPERATIONS, len(OPERATIONS))
        operation, never = deck.pop(), invent(foreign)
        real = without(attempt(stranger, operation, foreign, own), foreign)
        if real != without(attempt(stranger, operation, never, own), never):
            told.append(operation)
        assert real[0] in (400, 404), (operation, real)
        error = json.loads(real[2])["error"]
        assert error["message"] and error["type"] == "invalid_request_error", (operation, error)
    never = invent(foreign)
    if attempt(stranger, WRITTEN_OUT, foreign, own)[0] != attempt(stranger, WRITTEN_OUT, never, own)[0]:
        told.append(WRITTEN_OUT)
    shown = [path for path in LISTS if any(each in stranger.call("GET", path + "?limit=100", headers=BETA)[2].decode() for each in foreign.values())]
    assert (told, shown, unreadable(owner, foreign)) == ([], [], {}), "told by an answer, shown in a list, touched"


def test_unknown_objects_are_told_in_the_same_words(customer):
    with client_of(customer) as client:
        never = invent(populate(client))
    for name, path in READS.items():
        status, _, body = customer.call("GET", path.format(**never), headers=BETA)
        assert status == 404 and json.loads(body)["error"]["code"] == "not_found", (name, body)
    status, _, body = customer.call("POST", "/v1/responses", json.dumps({"model": MODEL, "input": "x", "previous_response_id": never["response"]}),
                                    {"Content-Type": "application/json"})
    assert status in (400, 404) and json.loads(body)["error"]["code"] in ("not_found", "previous_response_not_found")


def test_a_stranger_cannot_go_on_with_a_response_over_a_websocket(two):
    # Not the client with threads: two of them at one TLS connection now and then wait for each other.
    import websockets.asyncio.client as websockets
    from websockets.exceptions import InvalidStatus

    stranger, owner = two
    with client_of(owner) as client:
        made = client.responses.create(model=MODEL, input="A secret").id
    if isinstance(stranger, Straight):
        url, tls = f"wss://localhost:{stranger.mock.port}/v1/responses", stranger.mock.tls
    else:
        url, tls = f"ws://127.0.0.1:{stranger.gateway.port}/v1/responses", None

    async def answer(previous):
        event = {"type": "response.create", "model": MODEL, "input": "What was it?", "previous_response_id": previous}
        try:
            async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {stranger.key}"}, ssl=tls) as connection:
                await connection.send(json.dumps(event))
                return (await connection.recv()).replace(previous, "<id>")
        except InvalidStatus as refused:
            return json.dumps({"type": "error", "status": refused.response.status_code})

    for _ in range(2 * len(KEYS)):
        never = invent({"response": made})["response"]
        real = asyncio.run(answer(made))
        assert json.loads(real)["type"] == "error" and real == asyncio.run(answer(never))


def test_those_above_see_what_those_below_have(pool, mock):
    parent = rich(pool)
    child, sibling = rich(pool, by=parent), rich(pool, by=parent)
    with client_of(child) as client:
        made = populate(client)
    for above in (parent, pool):
        assert not unreadable(above, made)
        for path, kind in zip(LISTS, ("file", "batch", "job", "store", "assistant", "completion", "container", "eval")):
            listed, after = [], ""
            while True:
                page = json.loads(above.call("GET", f"{path}?limit=100{after}", headers=BETA)[2])
                listed += [each["id"] for each in page["data"]]
                if not page.get("has_more"):
                    break
                after = "&after=" + listed[-1]
            assert made[kind] in listed and len(listed) == len(set(listed)), path
    assert len(unreadable(sibling, made)) == len(READS)
    with client_of(parent) as client:
        own = populate(client)
    assert len(unreadable(child, own)) == len(READS), "but not the other way round"
    with client_of(parent) as client:
        assert client.responses.create(model=MODEL, input="So?", previous_response_id=made["response"]).status == "completed"
        assert client.files.delete(made["file"]).deleted


# Restarts, crashes and keys that die.


def test_after_a_restart_everything_is_found(start, mock, reborn):
    gateway = start(keys=KEYS, **LOOKED_AFTER)
    account = rich(gateway)
    with client_of(account) as client:
        made = populate(client)
    account.gateway = reborn(gateway, kill=False)
    assert not unreadable(account, made)
    with client_of(account) as client:
        populate(client)
        assert client.responses.create(model=MODEL, input="So?", previous_response_id=made["response"]).status == "completed"
        assert made["file"] in ids(client.files.list())


def test_killed_between_making_and_using(start, mock, reborn):
    """The answer that tells an id is the last thing that each of these lives of the gateway sees to."""
    gateway = start(keys=KEYS, **LOOKED_AFTER)
    account = rich(gateway)
    made = {}
    makers = [
        ("file", lambda client: upload(client, "a.txt", "x").id, lambda client, each: client.files.content(each)),
        ("response", lambda client: client.responses.create(model=MODEL, input="x").id,
         lambda client, each: client.responses.create(model=MODEL, input="So?", previous_response_id=each)),
        ("thread", lambda client: client.beta.threads.create().id, lambda client, each: client.beta.threads.messages.create(each, role="user", content="x")),
        ("conversation", lambda client: client.conversations.create().id, lambda client, each: client.responses.create(model=MODEL, input="x", conversation=each)),
        ("store", lambda client: client.vector_stores.create(file_ids=[made["file"]]).id, lambda client, each: client.vector_stores.search(each, query="x")),
        ("batch", lambda client: client.batches.create(input_file_id=batch_input(client, 1).id, endpoint="/v1/chat/completions", completion_window="24h").id,
         lambda client, each: at_the_end(lambda: client.batches.retrieve(each))),
    ]
    for kind, make, use in makers:
        with client_of(account) as client:
            made[kind] = make(client)
        account.gateway = reborn(account.gateway)
        with client_of(account) as client:
            use(client, made[kind])
    for _ in range(2):
        account.gateway = reborn(account.gateway)
        with client_of(account) as client:
            for kind, _, use in makers:
                use(client, made[kind])


def test_killed_in_the_middle_of_the_stream_that_tells_an_id(start, mock, reborn):
    gateway = start(keys=KEYS, **LOOKED_AFTER)
    account = rich(gateway)
    for _ in range(5):
        body = json.dumps({"model": MODEL, "input": "x", "stream": True})
        with Raw(account.gateway.port) as raw:
            raw.send(f"POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {account.key}\r\nContent-Type: application/json\r\n"
                     f"x-mock-interval-ms: 1000\r\nContent-Length: {len(body)}\r\n\r\n{body}")
            raw.read_until(b"data: ")
            made = json.loads(raw.read_until(b"\n"))["response"]["id"]
            account.gateway = reborn(account.gateway)
        with client_of(account) as client:
            assert client.responses.retrieve(made).id == made
            assert client.responses.create(model=MODEL, input="So?", previous_response_id=made).status == "completed"


def key_of(mock, made):
    """The upstream key that the file was asked for with last."""
    return next(seen["key"] for seen in reversed(mock.requests()) if made in seen["target"])


def test_objects_of_a_dead_key_are_gone_and_no_other_key_is_asked(start, mock):
    gateway = start(keys=FAILING_KEYS, **LOOKED_AFTER)
    account, stranger = rich(gateway), rich(gateway)
    with client_of(account) as client:
        made = spread(account, 10, lambda number: upload(client, f"{number}.txt", "x").id)
        for each in made:
            client.files.retrieve(each)
        keys = {each: key_of(mock, each) for each in made}
        dead = keys[made[0]]
        mock.script(dead, "invalid_api_key")
        for _ in range(2):
            for path in (f"/v1/files/{made[0]}", f"/v1/files/{made[0]}/content"):
                status, headers, body = account.call("GET", path)
                error = json.loads(body)["error"]
                assert status == 410 and error["code"] == "object_gone" and error["message"], body
                assert dead not in error["message"] and "sk-" not in error["message"]
        assert {seen["key"] for seen in mock.requests() if made[0] in seen["target"]} == {dead}
        content = [{"type": "input_file", "file_id": made[0]}]
        status, _, body = account.call("POST", "/v1/responses", json.dumps({"model": MODEL, "input": [{"role": "user", "content": content}]}),
                                       {"Content-Type": "application/json"})
        assert status == 410 and json.loads(body)["error"]["code"] == "object_gone"
        for each, key in keys.items():
            if key != dead:
                assert client.files.content(each).text == "x"
        assert {each for each, key in keys.items() if key != dead} <= set(ids(client.files.list()))
    never = invent({"file": made[0]})["file"]
    answers = [without(stranger.call("GET", f"/v1/files/{each}"), {"file": each}) for each in (made[0], never)]
    assert answers[0] == answers[1] and answers[0][0] == 404


def test_what_lives_under_two_keys_cannot_be_used_together(customer):
    with client_of(customer) as client:
        file, store = spread(customer, 2, lambda number: client.vector_stores.create().id if number else upload(client, "a.txt", "x").id)
        with pytest.raises(openai.ConflictError):
            client.vector_stores.files.create(store, file_id=file)


def test_an_upstream_that_fails_for_a_while_is_asked_again_with_the_same_key(start, mock):
    gateway = start(keys=FAILING_KEYS, **LOOKED_AFTER)
    account = rich(gateway)
    with client_of(account) as client:
        made = upload(client, "a.txt", "x").id
        client.files.retrieve(made)
        key = key_of(mock, made)
        mock.script(key, "http_500", times=2)
        assert client.files.content(made).text == "x"
    assert {seen["key"] for seen in mock.requests() if made in seen["target"]} == {key}


# What upstream bills later.


@pytest.fixture
def debtor(pool, mock):
    return rich(pool)


def paid(account):
    return sum(account.costs())


def has_paid(account, amount):
    """Waits for the charge, and sees that it stays the only one."""
    wait_for(lambda: paid(account) >= amount, 30 * SLOW, "the charge")
    assert paid(account) == amount and [cost for cost in account.costs() if cost] == [amount]
    assert account.balance() == nanos(5_000) - amount


def begin_background(account, headers):
    with client_of(account) as client:
        return client.responses.create(model=MODEL, input="x", background=True, extra_headers={**TOLD, **headers}).id


def begin_batch(account, headers):
    with client_of(account) as client:
        file = batch_input(client, 4)
        return client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", extra_headers={**TOLD, **headers}).id


def begin_run(account, headers):
    with client_of(account) as client:
        assistant = client.beta.assistants.create(model=MODEL)
        thread = client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
        run = client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id, extra_headers={**TOLD, **headers})
        return f"{thread.id}/runs/{run.id}"


# How it begins, where it is looked at, what it comes to.
LATER = {
    "background": (begin_background, "/v1/responses/{}", COST),
    "batch": (begin_batch, "/v1/batches/{}", 4 * COST // 2),
    "run": (begin_run, "/v1/threads/{}", COST),
}


def look(account, path):
    status, _, body = account.call("GET", path, headers=BETA)
    assert status == 200, body
    return json.loads(body)


@pytest.mark.parametrize("kind", LATER)
def test_what_is_polled_to_its_end_is_charged_once(debtor, kind):
    begin, path, cost = LATER[kind]
    path = path.format(begin(debtor, {"x-mock-looks": "20"}))
    in_parallel(4, lambda _: wait_for(lambda: look(debtor, path)["status"] == "completed", 20 * SLOW, "the end"))
    has_paid(debtor, cost)
    for _ in range(5):
        look(debtor, path)
    has_paid(debtor, cost)


@pytest.mark.parametrize("kind", LATER)
def test_what_nobody_polls_is_charged_once(debtor, mock, kind):
    begin, path, cost = LATER[kind]
    path = path.format(begin(debtor, {"x-mock-work-ms": "500"}))
    has_paid(debtor, cost)
    look(debtor, path)
    has_paid(debtor, cost)


@pytest.mark.parametrize("kill", [False, True], ids=["restart", "kill"])
@pytest.mark.parametrize("kind", LATER)
def test_what_ends_after_a_restart_is_charged_once(start, mock, reborn, kind, kill):
    begin, path, cost = LATER[kind]
    account = rich(start(keys=KEYS, **LOOKED_AFTER))
    path = path.format(begin(account, {"x-mock-work-ms": "1000"}))
    account.gateway = reborn(account.gateway, kill)
    has_paid(account, cost)
    account.gateway = reborn(account.gateway, kill)
    look(account, path)
    has_paid(account, cost)


@pytest.mark.parametrize("ends_streamed", [False, True], ids=["then polled", "then streamed"])
@pytest.mark.parametrize("begins_streamed", [False, True], ids=["polled", "streamed"])
def test_a_run_that_calls_a_function_is_charged_once(debtor, begins_streamed, ends_streamed):
    with client_of(debtor) as client:
        runs = client.beta.threads.runs
        assistant = client.beta.assistants.create(model=MODEL)
        thread = client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
        calls = {**TOLD, "x-mock-calls-tool": "1"}
        begun = runs.create(thread_id=thread.id, assistant_id=assistant.id, stream=begins_streamed, extra_headers=calls)
        run = list(begun)[-1].data if begins_streamed else begun
        if not begins_streamed:
            run = wait_for(lambda: next((each for each in [runs.retrieve(run.id, thread_id=thread.id)] if each.status == "requires_action"), None),
                           20 * SLOW, "the call")
        (call,) = run.required_action.submit_tool_outputs.tool_calls
        assert paid(debtor) == 0, "what it costs is not known yet"
        outputs = [{"tool_call_id": call.id, "output": "42"}]
        ended = runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=outputs, stream=ends_streamed, extra_headers=TOLD)
        if ends_streamed:
            assert list(ended)[-1].event == "thread.run.completed"
    has_paid(debtor, COST)


def test_a_background_response_that_streams_is_charged_once(debtor):
    with client_of(debtor) as client:
        events = list(client.responses.create(model=MODEL, input="x", background=True, stream=True, extra_headers=TOLD))
        has_paid(debtor, COST)
        list(client.responses.retrieve(events[0].response.id, stream=True))
        client.responses.retrieve(events[0].response.id)
    has_paid(debtor, COST)


def test_a_background_response_whose_client_leaves_the_stream_is_charged_in_full_and_once(debtor):
    body = json.dumps({"model": MODEL, "input": "x", "background": True, "stream": True})
    with Raw(debtor.gateway.port) as raw:
        raw.send(f"POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {debtor.key}\r\nContent-Type: application/json\r\n"
                 f"x-mock-usage: {json.dumps(USAGE)}\r\nx-mock-interval-ms: 200\r\nx-mock-work-ms: 1500\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        raw.read_until(b"word1 ")
    has_paid(debtor, COST)


@pytest.mark.parametrize("makes_thread", [False, True], ids=["in a thread", "with its thread"])
def test_a_run_whose_client_leaves_the_stream_is_charged_in_full_and_once(debtor, makes_thread):
    with client_of(debtor) as client:
        body = {"assistant_id": client.beta.assistants.create(model=MODEL).id, "stream": True}
        thread = "" if makes_thread else "/" + client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}]).id
    body = json.dumps(body)
    with Raw(debtor.gateway.port) as raw:
        raw.send(f"POST /v1/threads{thread}/runs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {debtor.key}\r\nContent-Type: application/json\r\n"
                 f"OpenAI-Beta: assistants=v2\r\nx-mock-usage: {json.dumps(USAGE)}\r\nx-mock-interval-ms: 100\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        raw.read_until(b"thread.run.in_progress")
    has_paid(debtor, COST)


def test_a_stranger_cannot_see_or_stop_what_is_under_way(debtor, pool):
    stranger, made = rich(pool), {}
    with client_of(debtor) as client:
        add_background(client, made)
    never = invent(made)
    for method, path in (("GET", "{}"), ("GET", "{}?stream=true"), ("GET", "{}/input_items"), ("POST", "{}/cancel"), ("DELETE", "{}")):
        real, invented = (without(stranger.call(method, "/v1/responses/" + path.format(each["background"])), each) for each in (made, never))
        assert real == invented and real[0] == 404, (method, path, real)
    assert look(debtor, f"/v1/responses/{made['background']}")["status"] in ("queued", "in_progress")
    with client_of(debtor) as client:
        assert client.responses.cancel(made["background"]).status == "cancelled"


# The other official SDK.


def test_lives_of_objects_with_the_node_sdk(somebody):
    script = FOLDER / "objects.mjs"
    shutil.copy(pathlib.Path(__file__).parent / "node" / "objects.mjs", script)
    straight = isinstance(somebody, Straight)
    environment = {**os.environ, **({"NODE_EXTRA_CA_CERTS": str(somebody.mock.ca)} if straight else {})}
    base_url = somebody.base_url if straight else somebody.gateway.base_url
    done = subprocess.run(["node", str(script), base_url, somebody.key, str(ROUNDS)], env=environment, capture_output=True, text=True, timeout=120 * SLOW)
    assert done.returncode == 0, done.stderr
