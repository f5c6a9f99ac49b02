"""Fills a database that the daemon has made with many accounts and requests, whose books agree, by SQL alone."""
import contextlib
import datetime
import hashlib
import sqlite3
import time

PARENTS, CHILDREN = 2_000, 50
FIRST_PARENT = 2
DAYS = 88  # of requests: fewer than are kept, so that none is forgotten meanwhile
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "o3", "text-embedding-3-small")
RARE_MODEL = "rarely-asked-for"


def key_of(account):
    return f"sk-Xvs{account:024}scale{account:016}"


def digest_of(account):
    return hashlib.sha256(key_of(account).encode()).digest()


class Fill:
    """1 is root, then come parents, their children (`CHILDREN` each), and the rest directly below root. The last is the busy one."""

    def __init__(self, file, accounts, requests):
        self.accounts, self.requests = accounts, requests
        self.parents = min(PARENTS, accounts // (4 * CHILDREN))
        self.busy = accounts
        self.rows = {}
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as self.database:
            self.database.create_function("digest_of", 1, digest_of, deterministic=True)
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -1500000", "temp_store = MEMORY"):
                self.database.execute(f"PRAGMA {pragma}").fetchall()
            indexes = self.database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
            self.step("words", self.fill_words)
            for name, _ in indexes:
                self.database.execute(f"DROP INDEX {name}")
            self.step("accounts", self.fill_accounts)
            self.step("requests", self.fill_requests)
            self.step("requests by account", self.fill_requests_by_account)
            self.step("days", self.fill_days)
            self.step("figures of accounts", self.fill_figures)
            self.step("credit", self.fill_credit)
            for name, sql in indexes:
                self.step(f"index {name}", lambda: self.database.execute(sql))

    def step(self, what, work):
        begun = time.monotonic()
        self.database.execute("BEGIN")
        work()
        self.database.execute("COMMIT")
        print(f"  {what}: {time.monotonic() - begun:.1f} s", flush=True)

    def insert(self, table, values, rest, parameters=()):
        """One row for each row of `rest`; columns that `values` does not name are nothing."""
        columns = self.database.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table,)).fetchall()
        chosen = {name: values.get(name, "''" if kind == "TEXT" else "x''" if kind == "BLOB" else "0") for name, kind, pk in columns if name in values or not pk}
        self.database.execute(f"INSERT INTO {table} ({', '.join(chosen)}) SELECT {', '.join(chosen.values())} {rest}", parameters)

    def fill_words(self):
        for text in (*MODELS, RARE_MODEL, "chat/completions"):
            self.database.execute("INSERT OR IGNORE INTO words (text) VALUES (?)", (text,))
        ids = dict(self.database.execute("SELECT text, id FROM words"))
        self.words = [ids[each] for each in MODELS]
        self.rare, self.path = ids[RARE_MODEL], ids["chat/completions"]

    def fill_accounts(self):
        first_child = FIRST_PARENT + self.parents
        parent = f"CASE WHEN i >= {first_child} AND i < {first_child + self.parents * CHILDREN} THEN {FIRST_PARENT} + (i - {first_child}) / {CHILDREN} ELSE 1 END"
        now = int(time.time() * 1000)
        values = {"id": "i", "parent_id": "parent", "level": "1 + (parent <> 1)", "dna": "'.1.' || CASE parent WHEN 1 THEN '' ELSE parent || '.' END || i || '.'",
                  "name": "'user' || i", "email": "'user' || i || '@example.com'", "key_digest": "digest_of(i)", "partial": "'scale' || i", "enabled": "1",
                  "rates": "1000000000", "child_limit": "1000", "created_at": str(now), "updated_at": str(now)}
        rest = f"FROM (WITH RECURSIVE n(i) AS (SELECT {FIRST_PARENT} UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i, {parent} AS parent FROM n)"
        self.insert("accounts", values, rest, (self.accounts,))
        if "children" in {row[0] for row in self.database.execute("SELECT name FROM pragma_table_info('accounts')")}:
            count = "SELECT parent_id, COUNT(*) AS children FROM accounts GROUP BY parent_id"
            self.database.execute(f"UPDATE accounts SET children = c.children FROM ({count}) c WHERE c.parent_id = accounts.id")

    def fill_requests(self):
        """In steps of the same length until now. One in 50 is of the busy account, one in 100 of a child of the first parent, of the
        others every second of one of 10,000, and the rest of anybody."""
        step = DAYS * 86_400 * 1_000_000 // self.requests
        self.last = (int(time.time()) - 60) * 1_000_000
        first = self.last - self.requests * step
        active = min(10_000, self.accounts // 10)
        spread = f"(i * 2654435761 % 4294967296)"
        account = f"""CASE WHEN i % 50 = 0 THEN {self.busy} WHEN i % 100 = 1 THEN {FIRST_PARENT + self.parents} + i / 100 % {CHILDREN}
            WHEN i % 2 = 0 THEN {self.accounts // 2} + {spread} % {active} ELSE 2 + {spread} % {self.accounts - 1} END"""
        model = f"CASE WHEN i % 1000000 = 50 THEN {self.rare} ELSE " + f"CASE i / 7 % {len(self.words)} " + " ".join(f"WHEN {i} THEN {word}" for i, word in enumerate(self.words)) + " END END"
        values = {"id": f"{first} + i * {step}", "account_id": account, "model": model, "path": str(self.path), "status": "200", "attempts": "1", "key_id": "1",
                  "input": "100 + i % 1000", "output": "i % 500", "cost": "10000 + i * 7919 % 1000000", "list_cost": "10000 + i * 7919 % 1000000",
                  "duration_ms": "800 + i % 900", "first_byte_ms": "200 + i % 100", "flags": "i % 2", "request_id": "printf('req_%032x', i)"}
        self.insert("requests", values, "FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n)", (self.requests,))

    def fill_requests_by_account(self):
        values = {name: name for name in ("account_id", "id", "model")}
        self.insert("account_requests", values, "FROM requests ORDER BY account_id, id")

    def fill_days(self):
        day = "CAST(strftime('%Y%m%d', id / 1000000, 'unixepoch', 'localtime') AS INTEGER)"
        values = {"account_id": "account_id", "day": "day", "model": "model", "requests": "COUNT(*)", "input": "SUM(input)", "cached": "SUM(cached)",
                  "output": "SUM(output)", "cost": "SUM(cost)"}
        self.insert("days", values, f"FROM (SELECT *, {day} AS day FROM requests) GROUP BY account_id, day, model ORDER BY account_id, day, model")
        self.rows["days"] = self.database.execute("SELECT COUNT(*) FROM days").fetchone()[0]

    def fill_figures(self):
        month = int(datetime.datetime.now().strftime("%Y%m"))
        sums = f"SELECT account_id, SUM(cost) AS cost, SUM(requests) AS requests, SUM(cost * (day / 100 = {month})) AS of_month FROM days GROUP BY account_id"
        self.database.execute(f"""UPDATE accounts SET credit_used = d.cost, requests = d.requests, month = {month}, month_used = d.of_month,
            rolled_to = {self.last} FROM ({sums}) d WHERE d.account_id = accounts.id""")
        self.database.execute("INSERT INTO marks (name, value) VALUES ('rolled up', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (self.last,))

    def fill_credit(self):
        """To each what it has used and something over; a parent has granted on what its children got."""
        now = int(time.time() * 1000)
        self.database.execute(f"""CREATE TEMP TABLE granted AS SELECT id, parent_id, credit_used AS used,
            CASE WHEN id < {FIRST_PARENT + self.parents} OR id = {self.busy} THEN 500 ELSE 5 END * 1000000000 AS over FROM accounts WHERE id > 1""")
        self.database.execute("CREATE TEMP TABLE granted_on AS SELECT parent_id, SUM(used + over) AS amount FROM granted WHERE parent_id > 1 GROUP BY parent_id")
        self.database.execute("CREATE UNIQUE INDEX temp.granted_on_by_parent ON granted_on (parent_id)")
        source = "FROM granted g LEFT JOIN granted_on o ON o.parent_id = g.id"
        amount = "g.used + g.over + COALESCE(o.amount, 0)"
        self.insert("operations", {"id": "g.id", "at": str(now), "actor_id": "g.parent_id", "target_id": "g.id", "action": "'add'", "details": "'{}'"}, source)
        giver = "CASE g.parent_id WHEN 1 THEN -1 ELSE g.parent_id END"
        self.insert("transfers", {"at": str(now), "kind": "'grant'", "from_account": giver, "to_account": "g.id", "amount": amount, "operation": "g.id"}, source)
        self.insert("cards", {"account_id": "g.id", "amount": amount, "balance": "g.over", "granted_at": str(now),
                              "expires_at": str(now + 300 * 86_400_000), "reference": "'granted'"}, source)
