"""What the alerts and the dashboard ask Prometheus for."""
import json
import re

import promql_parser

from prometheus import REPOSITORY

DASHBOARD = REPOSITORY / "config" / "grafana" / "proxyxai.json"


def dashboard():
    return json.loads(DASHBOARD.read_text())


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def filled_in(expression, job="proxyxai", instance=".*", window="10s", whole="5m"):
    """As Grafana would fill in its variables. `${1}` is no variable of Grafana's, but label_replace's."""
    values = {"job": job, "instance": instance, "__rate_interval": window, "__range": whole}
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], expression)


def nodes(node):
    yield node
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        child = getattr(node, name, None)
        if child is not None and not callable(child):
            yield from nodes(child)
    for child in getattr(node, "args", None) or []:
        yield from nodes(child)


def selectors(expression):
    """Each metric that the expression asks for, with the labels that it asks of it."""
    for node in nodes(promql_parser.parse(expression)):
        if isinstance(node, promql_parser.VectorSelector):
            yield node.name, {matcher.name for matcher in node.matchers.matchers}


def grouped(expression):
    """The labels that the expression groups or joins by."""
    labels = set()
    for node in nodes(promql_parser.parse(expression)):
        modifier = getattr(node, "modifier", None)
        if modifier is None:
            continue
        if isinstance(node, promql_parser.AggregateExpr):
            labels |= set(modifier.labels)
        elif modifier.matching is not None:
            labels |= set(modifier.matching.labels)
    return labels


def made(expression):
    """The labels that label_replace makes."""
    for node in nodes(promql_parser.parse(expression)):
        if isinstance(node, promql_parser.Call) and node.func.name == "label_replace":
            yield node.args[1].val
