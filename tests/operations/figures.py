"""What was measured, told at the end of a run."""
import statistics
from collections import defaultdict

measured, notes = defaultdict(list), []


def tell(what, seconds):
    """Lengths of time; those of one name are told together."""
    measured[what] += seconds


def note(line):
    notes.append(line)


def lines():
    for what, all_of in measured.items():
        yield f"{what}: median {1000 * statistics.median(all_of):.0f} ms, at most {1000 * max(all_of):.0f} ms of {len(all_of)}"
    yield from notes
