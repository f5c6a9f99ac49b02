"""docs/operations.md as the tests read it."""
import dataclasses
import re

from web import REPOSITORY

PATHS = {"en": REPOSITORY / "docs" / "operations.md", "zh": REPOSITORY / "docs" / "operations.zh-CN.md"}


@dataclasses.dataclass
class Block:
    line: int
    language: str
    how: str  # the second word of its fence: how it is run; empty: it is not, as it stands
    text: str
    section: str


def blocks(language="en"):
    source = PATHS[language].read_text()
    headings = [(each.start(), each[1]) for each in re.finditer(r"^#+ (.+)$", re.sub(r"^```.*?^```$", lambda m: " " * len(m[0]), source, flags=re.M | re.S), re.M)]
    found = []
    for each in re.finditer(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", source, re.M | re.S):
        section = [text for start, text in headings if start < each.start()][-1]
        found.append(Block(source.count("\n", 0, each.start()) + 1, each[1], each[2] or "", each[3], section))
    return found


def block(section, language="sh", how=None, at=0):
    """The one that stands in a section."""
    found = [each for each in blocks() if each.section == section and each.language == language and (how is None or each.how == how)]
    assert len(found) > at, f"docs/operations.md has no such block in '{section}'"
    return found[at].text


def headings(language):
    source = re.sub(r"^```.*?^```$", "", PATHS[language].read_text(), flags=re.M | re.S)
    return re.findall(r"^(#+) (.+)$", source, re.M)
