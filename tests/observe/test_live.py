"""A real Prometheus beside the real daemon."""
import math
import resource

from expressions import dashboard, filled_in, panels
from processes import SLOW, wait_for
from traffic import KEYS, Traffic

# What is 0 in a daemon that is well, or is over too soon to be seen once a second: titles of panels, and lines of others.
MAY_BE_ZERO = {"Errors", "In flight", "Held", "Bills to come", "Waiting to be stored", "Failed commits", "Access log lines dropped", "Mail", "Starts"}
LINES_MAY_BE_ZERO = {
    ("Error rate", "5xx"), ("Commits", "failed commits"), ("Clients", "connections"), ("Clients", "requests in flight"), ("Memory", "bodies {{instance}}"),
    ("New connections to upstreams", "opened"), ("New connections to upstreams", "of these resumed"),
}


def fault_of(prometheus, panel, target):
    """What is wrong with the answer to a line of the dashboard; nothing: all is well."""
    values = prometheus.query(filled_in(target["expr"]))
    if not values:
        return "no data"
    if any(math.isnan(number) or math.isinf(number) for _, number in values):
        return f"no numbers: {values}"
    title, line = panel["title"], target["legendFormat"]
    if title in MAY_BE_ZERO or (title, line) in LINES_MAY_BE_ZERO:
        return None
    return None if any(number > 0 for _, number in values) else "only zeros"


def test_every_line_of_the_dashboard_shows_something_and_nobody_is_alarmed(start, mock, watch):
    daemon = start(keys=KEYS)
    prometheus = watch(daemon)
    traffic = Traffic(daemon, mock)
    lines = [(panel, target) for panel in panels() for target in panel["targets"]]

    def all_have_shown():
        traffic.round()
        lines[:] = [(panel, target) for panel, target in lines if fault_of(prometheus, panel, target)]
        return not lines

    try:
        wait_for(all_have_shown, 40 * SLOW, "every line of the dashboard")
    except AssertionError as late:
        faults = [f"{panel['title']}, {target['refId']}: {fault_of(prometheus, panel, target)}" for panel, target in lines]
        raise AssertionError(f"{late}: {faults}") from None
    assert prometheus.ask("rules")["groups"] and prometheus.firing() == {}
    health = {rule["name"]: rule["health"] for group in prometheus.ask("rules")["groups"] for rule in group["rules"]}
    assert set(health.values()) == {"ok"}, health
    # What the variables and the marks of the dashboard are made of.
    assert prometheus.query("proxyxai_build_info")[0][0]["job"] == "proxyxai"
    for each in dashboard()["annotations"]["list"]:
        if "expr" in each:
            prometheus.query(filled_in(each["expr"]))


def test_all_keys_dead_and_loaded_again(start, mock, watch):
    daemon = start(keys=KEYS)
    prometheus = watch(daemon)
    wait_for(lambda: prometheus.query("proxyxai_upstream_keys"), 20 * SLOW, "the first scrape")
    for key in KEYS:
        mock.script(key, "invalid_api_key")
    for _ in KEYS:
        assert daemon.chat()[0] == 503
    wait_for(lambda: list(prometheus.firing()) == ["ProxyxaiNoUsableKey"], 20 * SLOW, "the alarm")
    for number in range(3):
        assert daemon.call("POST", "/x-keys", {"SecretKey": f"sk-upstream-fresh-00000{number}"})[0] == 200
    wait_for(lambda: not prometheus.firing(), 20 * SLOW, "its end")


def test_the_disk_is_full_and_then_is_not(start, watch):
    daemon = start()
    prometheus = watch(daemon)
    assert daemon.chat()[0] == 200
    wait_for(lambda: prometheus.query("proxyxai_ledger_healthy == 1"), 20 * SLOW, "the first scrape")
    # Files of the daemon may not grow: its writes fail as on a full disk.
    most = max(file.stat().st_size for file in (daemon.directory / "data").iterdir())
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    wait_for(lambda: daemon.chat()[0] == 503, 20 * SLOW, "the disk to be full")
    wait_for(lambda: {"ProxyxaiLedgerUnhealthy", "ProxyxaiCommitsFail"} <= set(prometheus.firing()), 20 * SLOW, "the alarm")
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for(lambda: daemon.chat()[0] == 200, 20 * SLOW, "the ledger to heal")
    wait_for(lambda: "ProxyxaiLedgerUnhealthy" not in prometheus.firing(), 20 * SLOW, "the end of the alarm")


def test_a_daemon_that_ends_is_missed(start, watch):
    daemon, other = start(), start()
    prometheus = watch(daemon, other)
    wait_for(lambda: len(prometheus.query("up == 1")) == 2, 20 * SLOW, "the first scrapes")
    daemon.stop()
    wait_for(lambda: prometheus.firing() == {"ProxyxaiDown": [f"127.0.0.1:{daemon.admin_port}"]}, 20 * SLOW, "the alarm")
