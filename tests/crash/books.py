"""The books as the database file has them, added up without the program."""
import contextlib
import pathlib
import sqlite3

REQUESTS = "SELECT id, account_id, cost, request_id FROM requests WHERE id > ? ORDER BY id"
BALANCES = """SELECT a.id, a.name, (SELECT COALESCE(SUM(balance), 0) FROM cards WHERE account_id = a.id) - overdraft,
  credit_used, requests, rolled_to FROM accounts a"""


class Books:
    """One look at the database of `directory`, beside whoever uses it."""

    def __init__(self, directory):
        self.file = pathlib.Path(directory) / "proxyxai.db"

    @contextlib.contextmanager
    def open(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as database:
            database.execute("BEGIN")
            yield database

    def objects_made(self, after, before):
        """How many objects that are still there were made between two times, in seconds since 1970."""
        with self.open() as database:
            return database.execute("SELECT COUNT(*) FROM objects WHERE made > ? AND made <= ?", (after * 1e6, before * 1e6)).fetchone()[0]

    def require_sound(self):
        """Everything that must hold of any database, and what each account has: {name: nano-dollars}."""
        with self.open() as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            entries = dict(database.execute("SELECT account_id, SUM(amount) FROM entries GROUP BY account_id"))
            assert sum(entries.values()) == 0, entries
            used = {row[0]: row[1:] for row in database.execute("SELECT account_id, SUM(cost), COUNT(*) FROM requests GROUP BY account_id")}
            balances = {}
            for account, name, balance, credit_used, requests, rolled_to in database.execute(BALANCES):
                sql = "SELECT COALESCE(SUM(cost), 0), COUNT(*) FROM requests WHERE account_id = ? AND id > ?"
                late_cost, late = database.execute(sql, (account, rolled_to)).fetchone()
                assert entries.get(account, 0) == balance - late_cost, f"balance of account {account}"
                assert used.get(account, (0, 0)) == (credit_used + late_cost, requests + late), f"usage of account {account}"
                if name is not None:
                    balances[name] = balance - late_cost
            assert set(entries) | set(used) <= {row[0] for row in database.execute("SELECT id FROM accounts")} | {-1, -2, -3, -4, -5}
            return balances

    def requests_after(self, last):
        with self.open() as database:
            return database.execute(REQUESTS, (last,)).fetchall()

    def times_moved(self, kind):
        """How often each amount was moved."""
        with self.open() as database:
            return dict(database.execute("SELECT amount, COUNT(*) FROM transfers WHERE kind = ? GROUP BY amount", (kind,)))
