"""Daemon, documentation, alerts and dashboard speak of the same metrics."""
import re

import pytest

import exposition
from expressions import dashboard, filled_in, grouped, made, panels, selectors
from prometheus import REPOSITORY, alerts

# What Prometheus adds, and what the optional node exporter tells.
ADDED = {"job", "instance"}
OTHERS = {"up": set(), "node_filesystem_avail_bytes": {"mountpoint", "fstype"}, "node_filesystem_size_bytes": {"mountpoint", "fstype"}}
ROW = re.compile(r"^\| `((?:proxyxai|process)_\w+)` \| (\w+) \|([^|]*)\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

EXPRESSIONS = {f"alert {name}": rule["expr"] for name, rule in alerts().items()}
EXPRESSIONS |= {f"panel {panel['id']} {panel['title']} {target['refId']}": target["expr"] for panel in panels() for target in panel["targets"]}
EXPRESSIONS |= {f"annotation {each['name']}": each["expr"] for each in dashboard()["annotations"]["list"] if "expr" in each}
EXPRESSIONS |= {f"variable {each['name']}": re.search(r"label_values\((.*), \w+\)", each["definition"])[1]
                for each in dashboard()["templating"]["list"] if each["type"] == "query"}


@pytest.fixture(scope="module")
def families(visited):
    return exposition.read(visited.operations("/metrics")[2].decode())


@pytest.fixture(scope="module")
def known(families):
    """The labels of each name that an expression may ask for."""
    names = {name: family.labels | ({"le"} if name.endswith("_bucket") else set()) for family in families.values() for name in family.names}
    return names | OTHERS


def documentation():
    return (REPOSITORY / "docs" / "metrics.md").read_text()


def test_each_metric_is_documented_as_it_is(families):
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _, _ in ROW.findall(documentation())}
    assert told == {name: (family.type, family.labels) for name, family in families.items()}
    assert len(told) == len(ROW.findall(documentation())), "one row each"


@pytest.mark.parametrize("path", [*sorted((REPOSITORY / "docs").glob("*.md")), REPOSITORY / "README.md", REPOSITORY / "README.zh-CN.md"],
                         ids=lambda path: path.name)
def test_documents_speak_of_metrics_that_there_are(path, families, known):
    known = known | {name: family.labels for name, family in families.items()}
    for name, labels in re.findall(r"\b((?:proxyxai|process)_[a-z]+_[a-z_]+)\b(?:\{([^}]*)\})?", path.read_text()):
        assert name in known, f"nothing is called {name}"
        asked = set(re.findall(r"(\w+)=", labels))
        assert asked <= known[name], f"{name} has no {asked - known[name]}"


def test_each_metric_says_what_it_is(families):
    assert [name for name, family in families.items() if len(family.help) < 10 or not family.help.endswith(".")] == []


def test_values_of_labels_are_documented(families):
    section = documentation().partition("### Faults\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    for name in ("proxyxai_attempts_total", "proxyxai_retries_total"):
        assert {labels["fault"] for _, labels, _ in families[name].samples} == told
    row = next(row for row in ROW.findall(documentation()) if row[0] == "proxyxai_upstream_keys")
    assert {labels["state"] for _, labels, _ in families["proxyxai_upstream_keys"].samples} == set(re.findall(r"`(\w+)`", row[4]))


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_expressions_ask_for_what_there_is(place, known):
    expression = filled_in(EXPRESSIONS[place])
    labels = set()
    for name, asked in selectors(expression):
        assert name in known, f"nothing is called {name}"
        assert asked <= known[name] | ADDED, f"{name} has no {asked - known[name] - ADDED}"
        labels |= known[name]
    assert labels or list(selectors(expression))
    assert grouped(expression) <= labels | ADDED | set(made(expression))


def test_each_metric_is_looked_at(families):
    looked_at = {name for expression in EXPRESSIONS.values() for name, _ in selectors(filled_in(expression))}
    assert [name for name, family in families.items() if not family.names & looked_at] == []


def test_the_dashboard_can_be_imported_anywhere():
    document = dashboard()
    assert document["id"] is None and document["uid"] and document["schemaVersion"] >= 36
    assert [each["name"] for each in document["templating"]["list"]] == ["datasource", "job", "instance"]
    source = {"type": "prometheus", "uid": "${datasource}"}
    taken = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, f"{panel['title']} lies over another"
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == source and all(each["datasource"] == source for each in panel["targets"])
            assert panel["description"] and panel["fieldConfig"]["defaults"]["unit"]
            assert len({each["refId"] for each in panel["targets"]}) == len(panel["targets"])
    ids = [panel["id"] for panel in document["panels"]]
    assert len(set(ids)) == len(ids)
