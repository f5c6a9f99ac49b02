"""Who looks after the daemon: upstream keys that come and go, good ones and bad ones; SIGHUP; backups."""
import contextlib
import json
import pathlib
import signal
import sqlite3
import subprocess
import threading
import time

from processes import BUILD, SLOW, wait_for
from visitors import Visitor

COMING = [f"sk-upstream-coming-{number:04}" for number in range(3)]
FAULTS = {"sk-upstream-invalid-0001": ("invalid_api_key", {}), "sk-upstream-limited-0001": ("rate_limit", {"retry_after_ms": 500}),
          "sk-upstream-failing-0001": ("http_500", {}), "sk-upstream-poor-000001": ("insufficient_quota", {}),
          "sk-upstream-reset-00001": ("reset_before", {})}


class KeyKeeper(Visitor):
    """Loads a key, lets it serve, deletes it. Those of FAULTS fail, and no client may notice."""

    def __init__(self, *rest, root, mock, **more):
        super().__init__(*rest, **more)
        self.root = root
        for key, (fault, how) in FAULTS.items():
            mock.script(key, fault, **how)

    def work(self):
        secret = self.random.choice(COMING + list(FAULTS))
        answer = self.ask(self.root, "POST", "/x-keys", {"SecretKey": secret, "Name": secret[12:19]})[1]
        path = f"/x-keys/{json.loads(answer)['Key']['ID']}"
        self.rest(self.random.uniform(1, 10))
        self.random.choice([
            lambda: self.ask(self.root, "GET", path),
            lambda: self.ask(self.root, "PUT", path, {"Weight": 2}),
            lambda: self.ask(self.root, "POST", path + "/probe"),
        ])()
        # Counted before and after: who was at it in between knows.
        self.place.keys_gone += secret in COMING
        self.ask(self.root, "DELETE", path)
        self.place.keys_gone += secret in COMING

    def kind_of(self, method, path, body):
        return f"{method} /x-keys"


class Caretaker(threading.Thread):
    """SIGHUP and a backup at their times; what goes wrong is told to the tally."""

    def __init__(self, place, mock, reload_each, backup_each):
        super().__init__()
        self.place, self.mock = place, mock
        self.chores = {self.reload: reload_each, self.backup: backup_each}
        self.failure = None

    def run(self):
        began = time.monotonic()
        due = {chore: began + each for chore, each in self.chores.items()}
        try:
            while not self.place.over.wait(min(due.values()) - time.monotonic()):
                chore = min(due, key=due.get)
                chore()
                due[chore] += self.chores[chore]
        except BaseException as failure:  # noqa: BLE001 - told by the test
            self.failure = failure

    def reload(self):
        log = pathlib.Path(self.place.gateway.log_path)
        seen = log.stat().st_size
        self.place.gateway.process.send_signal(signal.SIGHUP)
        wait_for(lambda: b"upstream keys" in self.since(log, seen), 20 * SLOW, "what SIGHUP reads again")
        self.place.tally.count("SIGHUP", "-")
        # The mock keeps what it was asked, for other tests.
        self.mock.control("DELETE", "/_mock/requests")

    @staticmethod
    def since(log, offset):
        with log.open("rb") as file:
            file.seek(offset)
            return file.read()

    def backup(self):
        copy = self.place.gateway.directory / "copy.db"
        command = [str(BUILD / "proxyxai"), "backup", str(copy)]
        done = subprocess.run(command, env=self.place.gateway.environment, capture_output=True, text=True, timeout=120 * SLOW)
        assert done.returncode == 0 and "Sanitizer" not in done.stderr, done.stdout + done.stderr
        with contextlib.closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as database:
            assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        copy.unlink()
        self.place.tally.count("backup", "-")
