"""The real Prometheus and its promtool, with the files of config/prometheus."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import yaml

from processes import SLOW, Process, request, wait_for

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "config" / "prometheus"
BUILT = REPOSITORY / "build" / "prometheus"


def program(name):
    """Of the folder that install_prometheus fills, or of the system."""
    own = BUILT / name
    found = str(own) if own.exists() else shutil.which(name)
    assert found, f"there is no {name}: run tests/observe/install_prometheus build/prometheus"
    return found


def promtool(*arguments, text=None):
    return subprocess.run([program("promtool"), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=120)


def alerts():
    """Every alert of config/prometheus, by name."""
    groups = yaml.safe_load((CONFIG / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


class Prometheus(Process):
    """Scrapes daemons and thinks about the alerts every second; alerts wait for nothing before they fire."""

    def __init__(self, directory, ports):
        directory = pathlib.Path(directory)
        directory.mkdir()
        config = yaml.safe_load((CONFIG / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        rules = yaml.safe_load((CONFIG / "alerts.yml").read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule.pop("for", None)
        (directory / "alerts.yml").write_text(yaml.safe_dump(rules))
        command = [program("prometheus"), f"--config.file={directory / 'prometheus.yml'}", f"--storage.tsdb.path={directory / 'data'}",
                   "--web.listen-address=127.0.0.1:0"]
        super().__init__(command, os.environ, directory / "prometheus.log")
        wait_for(lambda: self.find_port() or self.process.poll() is not None, 30 * SLOW, "the start of Prometheus")
        assert self.process.poll() is None, self.text()
        self.port = self.find_port()
        wait_for(lambda: request(self.port, "GET", "/-/ready")[0] == 200, 30 * SLOW, "Prometheus to be ready")

    def find_port(self):
        found = re.search(r'msg="Listening on" address=127\.0\.0\.1:(\d+)', self.text())
        return int(found[1]) if found else None

    def ask(self, path, **parameters):
        _, _, body = request(self.port, "GET", f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(body)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        """The values of an expression now, as (labels, number)."""
        data = self.ask("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(each["metric"], float(each["value"][1])) for each in data["result"]]

    def firing(self):
        """Instances by the alert that fires for them; nothing where an alert is about none."""
        found = {}
        for each in self.ask("alerts")["alerts"]:
            if each["state"] == "firing":
                found.setdefault(each["labels"]["alertname"], []).append(each["labels"].get("instance"))
        return found
