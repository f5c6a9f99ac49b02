"""A Dockerfile read into stages, each a list of instructions with their ARGs filled in; no more of the language than ours use."""
import json
import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Instruction:
    word: str
    text: str
    line: int

    def words(self):
        """Of the form ["a", "b"], or else as a shell would take them apart."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)


@dataclass
class Stage:
    base: str
    name: str
    instructions: list = field(default_factory=list)


def logical_lines(text):
    """Lines without comments, those that end in a backslash joined to the next."""
    joined, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not joined):
            continue
        begin = begin if joined else number
        if line.rstrip().endswith("\\"):
            joined += line.rstrip()[:-1] + " "
            continue
        yield begin, (joined + line).strip()
        joined = ""
    assert not joined, "the last line ends in a backslash"


def fill_in(text, values):
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text)


def read(path, **arguments):
    """The stages of a file; `arguments` are what --build-arg gives."""
    outside, stages, inside = {}, [], {}
    for line, text in logical_lines(path.read_text()):
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if word == "ARG":
            name, _, value = rest.partition("=")
            value = arguments.get(name, value.strip('"'))
            (inside if stages else outside)[name] = value
        elif word == "FROM":
            found = re.fullmatch(r"(\S+)(?: AS (\S+))?", fill_in(rest, outside))
            stages.append(Stage(found[1], found[2] or str(len(stages))))
            inside = {}
        else:
            # The shell of RUN has variables of its own.
            stages[-1].instructions.append(Instruction(word, rest if word in ("RUN", "CMD", "HEALTHCHECK") else fill_in(rest, inside), line))
    return stages
