"""Load of every kind for as long as one likes, under whatever sanitizers the daemon was built with: no report, no answer that should
not be, every answer in the ledger once, and memory and descriptors where they were.

PROXYXAI_SOAK says how many seconds (20), PROXYXAI_SOAK_RATE how many requests a second at most (40); samples and a page of what happened
go to build/soak. Whether memory and descriptors grow is judged where the load lasts ten minutes and more.
"""
import itertools
import os
import pathlib
import re
import subprocess
import time
from collections import Counter

import pytest
from books import Books
from keepers import Caretaker, KeyKeeper
from makers import LIVES, Maker
from place import Front, Place
from processes import BUILD, SLOW, wait_for
from samples import Sampler, cpu_seconds
from summary import write
from talkers import Talker
from test_crash import require_answers_once
from visitors import PacedAsker, PacedManager, Reader, Stranger, Uploader
from wires import Idler, Mangler, Pipeliner, SlowReader

SECONDS = float(os.environ.get("PROXYXAI_SOAK", "20"))
RATE = float(os.environ.get("PROXYXAI_SOAK_RATE", "40"))
RESULTS = pathlib.Path(__file__).parents[2] / "build" / "soak"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# What a sanitizer keeps of freed memory would fill for the whole hour; a little of it finds as much, only not as long afterwards.
SANITIZERS = {
    "ASAN_OPTIONS": "quarantine_size_mb=16:thread_local_quarantine_size_kb=64",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"print_suppressions=0:suppressions={pathlib.Path(__file__).parent / 'tsan.suppressions'}",
}


@pytest.fixture
def place(mock, tmp_path):
    options = {name: ":".join(filter(None, [value, os.environ.get(name)])) for name, value in SANITIZERS.items()}
    times = {"HEADER_TIMEOUT": f"{10 * SLOW}s", "CONNECT_TIMEOUT": f"{5 * SLOW}s"}
    # Two uploads at one time are more than may be in memory: the second goes to a file.
    gateway = Front(tmp_path / "gateway", mock, BODY_MEMORY_BYTES="8M", STATS_INTERVAL=20, **times, **options)
    yield Place(gateway, RATE)
    gateway.stop()


def crowd(place, mock):
    """Everybody. How many there are of a kind is how often it has its turn."""
    root = place.gateway.root
    customers = [place.customer(f"customer{i}", 10_000, rate) for i, rate in enumerate((1, 2, 1, 3))]
    agency = place.customer("agency", 50_000, 2)
    agent = place.customer("agent", 5_000, 2, by=agency)
    talker, reader = (place.customer(name, 100_000) for name in ("talker", "reader"))
    # What one account makes goes to one upstream key, but for two that make their first at one time.
    makers = [place.customer(f"maker{i}", 50_000) for i in range(2)]
    limited = place.customer("limited", 100, RPM=5)
    people = {"root": root, "customers": customers, "agency": agency, "agent": agent, "numbers": itertools.count(1)}
    clients = [PacedAsker(place, customers=[*customers, agency, agent]) for _ in range(8)]
    clients += [PacedManager(place, pause=1, **people), KeyKeeper(place, pause=2, root=root, mock=mock)]
    clients += [Reader(place, root=root, customers=customers), Stranger(place, pause=1, root=root, limited=limited)]
    clients += [Uploader(place, pause=5, customer=customers[i]) for i in range(2)]
    clients += [Maker(place, customer=each, lives=LIVES) for each in makers]
    clients += [Talker(place, customer=talker) for _ in range(2)]
    clients += [SlowReader(place, pause=2, customer=reader) for _ in range(3)]
    clients += [Pipeliner(place, pause=3, customer=customers[0]), Mangler(place, pause=2, customer=customers[0]), Idler(place, pause=0.5, customer=customers[0])]
    return clients


def lead(place, mock, clients, sampler):
    """The load, until its time is over, or until so much is wrong that more of it tells nothing new."""
    caretaker = Caretaker(place, mock, reload_each=min(60, SECONDS / 4), backup_each=min(300, SECONDS / 3))
    everybody = [sampler, caretaker, *clients]
    for each in everybody:
        each.start()
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end and not sampler.failure and len(place.tally.faults) < 20:
            place.over.wait(0.5)
    finally:
        place.over.set()
    for each in everybody:
        each.join()
    for each in everybody:
        if each.failure:
            place.tally.fault(type(each).__name__, repr(each.failure)[:2000])


def is_quiet(place):
    return all(place.gateway.metric(name) == 0 for name in (
        "proxyxai_requests_in_flight", "proxyxai_client_connections", "proxyxai_held_dollars", "proxyxai_body_memory_bytes",
        "proxyxai_ledger_waiting_requests", "proxyxai_writer_waiting_jobs"))


def sanitizers_share(gateway):
    """How many bytes there are for one of the program's: ThreadSanitizer has four and a half beside it, AddressSanitizer its red zones."""
    mapped = pathlib.Path(f"/proc/{gateway.process.pid}/maps").read_text()
    return 5.5 if "libtsan" in mapped else 2 if "libasan" in mapped else 1


def allowed_growth(objects):
    """In KiB, without sanitizers. Page caches of SQLite and what malloc has in pieces may still fill by some MiB, which is less than a hundred
    bytes for each request of an hour; and each object that was made since is known: 100,000 at most, and 250 bytes each."""
    return 4096 + objects / 4


def require_flat(sampler, name, allowed):
    """From the second quarter to the last; the first is for what fills up once."""
    _, before, _, after = sampler.quarters(name)
    assert after - before <= allowed(before), f"{name} grew from {before} to {after}"


def require_booked(place, books):
    """Every answer that a client has in full, once."""
    rows = books.requests_after(0)
    exact = {answer.request_id for answer in place.journal.answers}
    require_answers_once(place.journal, [row for row in rows if row[3] in exact])
    # The mock names an answer after its request: of requests that are the same, each is there.
    times = Counter(request_id for *_, request_id in rows)
    wrong = [(each, times[each], count) for each, count in Counter(place.booked).items() if times[each] != count]
    assert not wrong, (len(wrong), wrong[:5])
    missing = place.talks - Counter((account, cost) for _, account, cost, _ in rows)
    assert not missing, missing.most_common(5)
    assert not place.journal.refused, place.journal.refused[:5]


def require_moved(place, books):
    """Every movement of money once; one that was not answered, at most once."""
    moved = {kind: books.times_moved(kind) for kind in ("grant", "take_back", "refund")}
    for call in place.journal.calls:
        times = moved[call.kind].get(call.amount, 0)
        assert times == 1 if call.answer is not None else times <= 1, (call, times)


def test_soak(place, mock):
    gateway, name = place.gateway, BUILD.resolve().name
    RESULTS.mkdir(parents=True, exist_ok=True)
    clients = crowd(place, mock)
    share = sanitizers_share(gateway)
    began = time.time()
    before, mock_cpu, own_cpu = gateway.descriptors(), cpu_seconds(mock.process.pid), time.process_time()
    sampler = Sampler(place, mock, RESULTS / f"{name}.csv", interval=min(5, SECONDS / 40))
    lead(place, mock, clients, sampler)
    write(RESULTS / f"{name}.txt", f"{name}, {RATE:g} requests/s at most", place, sampler, time.process_time() - own_cpu, cpu_seconds(mock.process.pid) - mock_cpu)
    wait_for(lambda: is_quiet(place), 20 * SLOW, "quiet after the load")
    # Those to upstream are kept, each for its key.
    kept = gateway.metric("proxyxai_upstream_kept_connections")
    wait_for(lambda: gateway.descriptors() <= before + kept + 2, 20 * SLOW, "descriptors where they were")
    gateway.end()
    errors = re.findall(r"(?m)^\S+ error .*", gateway.text())
    assert not errors, (len(errors), errors[:5])
    done = subprocess.run([str(BUILD / "proxyxai"), "check"], env=gateway.environment, capture_output=True, text=True, timeout=300 * SLOW)
    assert done.returncode == 0, done.stdout + done.stderr
    books = Books(gateway.directory / "data")
    books.require_sound()
    require_booked(place, books)
    require_moved(place, books)
    # Last of what must be: whatever a client met, the books are looked at.
    assert not place.tally.faults, place.tally.faults[:5]
    assert not any(each.metrics["proxyxai_access_log_dropped_lines_total"] for each in sampler.samples)
    assert len(place.journal.answers) > SECONDS * RATE / 20, "hardly any load"
    if SECONDS >= 600:
        require_flat(sampler, "threads", lambda _: 0)
        require_flat(sampler, "fds", lambda fds: fds / 10)
        # From the middle of the second quarter to that of the last.
        objects = books.objects_made(began + SECONDS * 3 / 8, began + SECONDS * 7 / 8)
        require_flat(sampler, "rss_kib", lambda _: allowed_growth(objects) * share)
