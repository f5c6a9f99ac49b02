"""Prometheus' own tools have nothing to say against what is here."""
import re

import pytest
import yaml

from prometheus import CONFIG, REPOSITORY, alerts, promtool


def test_promtool_finds_no_fault_in_the_metrics(visited):
    _, _, body = visited.operations("/metrics")
    result = promtool("check", "metrics", text=body.decode())
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_scrape_configuration_and_the_rules_are_valid():
    result = promtool("check", "config", CONFIG / "prometheus.yml")
    assert result.returncode == 0 and "1 rule files found" in result.stdout, result.stdout + result.stderr
    result = promtool("check", "rules", "--lint=all", "--lint-fatal", CONFIG / "alerts.yml")
    assert result.returncode == 0 and f"{len(alerts())} rules found" in result.stdout, result.stdout + result.stderr


def test_what_the_scrape_configuration_only_proposes_is_valid_too(tmp_path):
    text = (CONFIG / "prometheus.yml").read_text()
    text = re.sub(r"^( *)# (?=- job_name|  *static_configs|  *- |alerting:|  *alertmanagers:)", r"\1", text, flags=re.MULTILINE)
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "alerts.yml").write_text((CONFIG / "alerts.yml").read_text())
    result = promtool("check", "config", tmp_path / "prometheus.yml")
    assert result.returncode == 0, result.stdout + result.stderr
    config = yaml.safe_load(text)
    assert [each["job_name"] for each in config["scrape_configs"]] == ["proxyxai", "node"] and config["alerting"]


def test_the_alerts_fire_and_keep_silent_as_their_tests_say():
    result = promtool("test", "rules", CONFIG / "alerts_test.yml")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", alerts())
def test_each_alert_is_tested_and_told_of(name):
    tested = (CONFIG / "alerts_test.yml").read_text()
    assert f'alertname="{name}"' in tested
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (REPOSITORY / path).read_text(), re.MULTILINE)
    assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert re.search(rf"^\| `{name}` \|", (REPOSITORY / "docs" / "metrics.md").read_text(), re.MULTILINE)


def test_no_alert_is_told_of_that_does_not_exist():
    told = re.findall(r"^\| `(Proxyxai\w+)` \|", (REPOSITORY / "docs" / "metrics.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted(alerts())
