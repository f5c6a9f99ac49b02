"""How fast all clients together may go."""
import threading
import time


class Pace:
    """Gives out turns, `rate` of them a second, in the order in which they are asked for."""

    def __init__(self, rate, over):
        self.step, self.over = 1 / rate, over
        self.lock = threading.Lock()
        self.next = time.monotonic()

    def wait(self):
        """Until it is one's turn, or all is over."""
        with self.lock:
            # Turns that nobody took are not made up for.
            turn = max(self.next, time.monotonic())
            self.next = turn + self.step
        self.over.wait(turn - time.monotonic())
