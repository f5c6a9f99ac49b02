"""What was measured, told at the end of a run."""
import statistics

told = []


def tell(what, seconds):
    """Median and greatest of some lengths of time, for the report."""
    told.append(f"{what}: median {1000 * statistics.median(seconds):.0f} ms, at most {1000 * max(seconds):.0f} ms of {len(seconds)}")


def note(line):
    told.append(line)
