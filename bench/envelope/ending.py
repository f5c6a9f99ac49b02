"""An end from outside, or because the time is over: at once, but not between the start of a process and its being noted."""
import contextlib
import signal

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)
_depth, _pending = 0, None


def _end(number, _):
    global _pending
    if _depth:
        _pending = number
    else:
        _leave(number)


def _leave(number):
    raise SystemExit("the time is over, and the run is not" if number == signal.SIGALRM else f"ended by {signal.Signals(number).name}")


def watch_for_it(seconds):
    for number in NUMBERS:
        signal.signal(number, _end)
    signal.alarm(seconds)


@contextlib.contextmanager
def held_off():
    """Whatever comes meanwhile is heard behind it."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
    if _pending and not _depth:
        _leave(_pending)
