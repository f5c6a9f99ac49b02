"""The settings in docs/proxyxai.1 are those of the README's table. `python3 tests/package/manual.py` takes changes over."""
import html
import pathlib
import re

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = PROJECT / "docs" / "proxyxai.1"
BEGIN, END = '.\\" Settings: written by tests/package/manual.py from the README.\n', '.\\" End of the settings.\n'


def escaped(text):
    text = html.unescape(text).replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return "\\&" + text if text[:1] in ".'" else text


def sentence(text):
    """With a capital, unless a value is its first word."""
    first = text.split()[0]
    return text if "_" in first or first.endswith(":") else text[0].upper() + text[1:]


def settings():
    """[(name, default, allowed, description)] of the README, the default empty where there is none."""
    table = (PROJECT / "README.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|–) \| (.*?) \| (.*?) \|$", table, re.M)


def rendered():
    rows = []
    for name, default, allowed, description in settings():
        told = f"Default: {escaped(default)}" if default else "Not set by default"
        rows.append(f".TP\n.B {name}\n{escaped(sentence(description))}.\n{told}; allowed: {escaped(allowed)}.\n")
    return BEGIN + "".join(rows) + END


def written():
    text = PAGE.read_text()
    return text[text.index(BEGIN):text.index(END) + len(END)]


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().replace(written(), rendered()))
