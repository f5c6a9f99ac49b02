"""Gathers the sources in a few large translation units for ./scripts/lint: clang-tidy spends most of its time on the headers of Boost
and the standard library, which it so meets once a unit instead of once a file.

    lint_units.py BUILD VERSION

Takes the compiler's flags from BUILD/tree/compile_commands.json, and writes BUILD/units/NAME.cpp, beside it NAME.key, which changes
when anything changes that NAME's findings depend on, and BUILD/units/compile_commands.json. A unit includes copies of the sources, in
BUILD/copy, in which the names of anonymous namespaces end in MARK and a number: in one unit they would meet. Lines stay where
they are, so only the path of a finding and MARK have to be taken back.
"""

import hashlib
import json
import re
import shlex
import sys
from pathlib import Path

MARK = "_unit_"

# What has no names in it: files to include, texts, comments.
NAMELESS = r'^#include [^\n]*|R"\w*\(.*?\)\w*"|"(?:\\.|[^"\\\n])*"|//[^\n]*'

# What a line may begin with and is no name; and what overloads functions of headers.
NO_NAMES = {"operator", "template", "requires", "alignas", "static_assert", "to_string"}

# What goes together. A unit has one `main` at most, and `unbilled` redefines what `proxy` has. About as long as each other.
UNITS = {
    "roots": ["src/base", "src/config", "src/http", "src/notify", "src/audit", "src/retry", "src/metering", "bench/upstream.cpp"],
    "stores": ["src/storage", "src/objects", "src/keys", "src/accounts", "bench/load.cpp"],
    "path": ["src/net", "src/upstream", "src/proxy", "src/admin", "src/app"],
    "tests": ["tests/support", "bench/unbilled.cpp"],
}


def sources(place):
    return [place] if place.is_file() else sorted(place.rglob("*.cpp"))


def anonymous_names(text):
    """What the anonymous namespaces of a file declare, as far as it begins a line; they are laid out by clang-format."""
    for body in re.findall(r"^namespace \{$(.*?)^\}  // namespace$", text, re.S | re.M):
        body = re.sub(NAMELESS, "", body, flags=re.S | re.M)
        for line in re.findall(r"^[A-Za-z_].*", body, re.M):
            line = re.sub(r"^(?:using )?namespace .*", "", line)
            named = re.match(r"(?:class|struct|enum class|enum|union) (\w+)|using (\w+) =|concept (\w+)", line)
            while (shorter := re.sub(r"<[^<>]*>", "", line)) != line:
                line = shorter
            named = named or re.search(r"(?<![\w:])([A-Za-z_]\w*)(?=\s*(?:\((?!\*)|=[^=]|\{|;|\[))", line)
            if named and named[named.lastindex] not in NO_NAMES:
                yield named[named.lastindex]


def told_apart(text, number):
    names = "|".join(sorted(set(anonymous_names(text))))
    if not names:
        return text
    # Neither members nor what another namespace has.
    pattern = rf"{NAMELESS}|(?<![\w.])(?<!->)(?<!::)({names})(?!\w)"
    return re.sub(pattern, lambda found: found[0] + (f"{MARK}{number}" if found[1] else ""), text, flags=re.S | re.M)


def seen_through(paths, root):
    """Every file of the project that `paths` include, themselves with them."""
    seen, left = set(), list(paths)
    while left:
        path = left.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M):
            left += [path.parent / name, root / "include" / name, root / "tests/support" / name]
    return sorted(seen)


def flags(commands):
    """Those of all targets together: they differ in what they define and where they look."""
    kept = {}
    for command in commands:
        words = iter(shlex.split(command["command"])[1:])
        for word in words:
            if word == "-isystem":
                kept[f"-isystem{next(words)}"] = None
            elif re.match(r"-[DI]|-std=|-W(?!error|shadow)", word):
                kept[word] = None
    return list(kept)


def main():
    build, version = Path(sys.argv[1]).resolve(), sys.argv[2]
    root = Path(__file__).resolve().parent.parent
    commands = json.loads((build / "tree/compile_commands.json").read_text())
    of_targets = flags(c for c in commands if re.search(r"/(src|bench|tests/support)/", c["file"]))
    units, copies = build / "units", build / "copy"
    units.mkdir(parents=True, exist_ok=True)
    database, gathered = [], set()
    for name, places in UNITS.items():
        files = [file for place in places for file in sources(root / place)]
        gathered.update(files)
        headers = sorted(set((root / "include").rglob("*.hpp")) | set((root / "tests/support").rglob("*.hpp"))) if name == "tests" else []
        lines = [f'#include "{header}"\n' for header in headers]
        for number, file in enumerate(files):
            copy = copies / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(told_apart(file.read_text(), number))
            lines.append(f'#include "{copy}"  // NOLINT(bugprone-suspicious-include)\n')
        # Headers beside the sources are found there.
        folders = {file.parent for file in files}
        unit = units / f"{name}.cpp"
        unit.write_text("".join(lines))
        arguments = ["clang++", *of_targets, *(f"-I{folder}" for folder in sorted(folders)), "-c", str(unit)]
        database.append({"directory": str(root), "file": str(unit), "arguments": arguments})
        seen = seen_through(files + headers, root)
        parts = [version, " ".join(arguments), (root / ".clang-tidy").read_text()] + [f"{path}\n{path.read_text()}" for path in seen]
        unit.with_suffix(".key").write_text(hashlib.sha256("\0".join(parts).encode()).hexdigest() + "\n")
    every = {file for place in ("src", "bench", "tests/support") for file in (root / place).rglob("*.cpp")}
    if left_out := sorted(every - gathered):
        sys.exit(f"In no unit of {Path(__file__).name}: {', '.join(str(file.relative_to(root)) for file in left_out)}")
    (units / "compile_commands.json").write_text(json.dumps(database, indent=1))


main()
