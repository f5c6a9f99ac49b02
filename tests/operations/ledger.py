"""What the ledger must have of what clients were answered."""
import subprocess
from collections import Counter

from books import Books
from processes import BUILD, SLOW


def command(gateway, *arguments, **environment):
    """A command of the program with the settings of a gateway; a variable that is None is not set."""
    variables = {name: str(value) for name, value in {**gateway.environment, **environment}.items() if value is not None}
    return subprocess.run([str(BUILD / "proxyxai"), *map(str, arguments)], env=variables, capture_output=True, text=True, timeout=120 * SLOW)


def require_sound(gateway):
    done = command(gateway, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    return Books(gateway.environment["DATA_DIR"]).require_sound()


def written(gateway):
    """How often each request stands in the ledger, by its id."""
    return Counter(row[3] for row in Books(gateway.environment["DATA_DIR"]).requests_after(0))


def require_in_books_once(gateway, answers):
    """Of what was answered in full and costs money; answers that cost nothing are not written down."""
    times = written(gateway)
    paid = [each.request_id for each in answers if each.kind in ("chat", "stream") and each.status == 200]
    wrong = [(each, times[each]) for each in paid if times[each] != 1]
    assert paid and not wrong, (len(wrong), wrong[:5])
    require_sound(gateway)
