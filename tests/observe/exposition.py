"""Prometheus' text format, as far as the daemon writes it."""
import re
from dataclasses import dataclass, field

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ENDINGS = {"histogram": ("_bucket", "_sum", "_count")}


@dataclass
class Family:
    name: str
    help: str
    type: str = ""
    samples: list = field(default_factory=list)  # (name, labels, value)

    @property
    def labels(self):
        return {label for _, labels, _ in self.samples for label in labels} - ({"le"} if self.type == "histogram" else set())

    @property
    def names(self):
        """What an expression may ask for."""
        return {self.name + ending for ending in ENDINGS.get(self.type, ("",))}


def read(text):
    """Families by name. Each line must belong to the family that was begun last."""
    families, family = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            assert name not in families, f"{name} comes twice"
            family = families[name] = Family(name, words)
        elif line.startswith("# TYPE "):
            _, _, name, family.type = line.split(" ")
            assert name == family.name, line
        else:
            found = SAMPLE.match(line)
            assert found and found[1] in family.names, line
            family.samples.append((found[1], dict(LABEL.findall(found[2] or "")), float(found[3])))
    return families
