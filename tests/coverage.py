"""Sums up what gcovr counted for each part of the program, and writes it into docs/reliability.md."""
import json
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROMISED = 90.0  # per cent of lines
PARTS = {
    "request path": ("http", "net", "proxy", "upstream", "retry", "metering", "objects"),
    "key pool": ("keys",),
    "ledger": ("accounts", "storage"),
    "the rest": ("base", "config", "notify", "audit", "admin", "app"),
}


def part_of(path):
    module = re.sub(r"^(src|include/proxyxai)/", "", path).split("/")[0]
    return next(name for name, modules in PARTS.items() if module in modules)


def per_cent(covered, total):
    return 100.0 * covered / max(1, total)


def main():
    summary, check = json.loads(pathlib.Path(sys.argv[1]).read_text()), "--check" in sys.argv
    sums = {name: [0, 0, 0, 0] for name in PARTS}
    files = []
    for each in summary["files"]:
        counts = [each["line_covered"], each["line_total"], each["branch_covered"], each["branch_total"]]
        name = part_of(each["filename"])
        sums[name] = [a + b for a, b in zip(sums[name], counts)]
        if counts[1] - counts[0] >= 10 or (counts[1] >= 10 and per_cent(counts[0], counts[1]) < PROMISED):
            files.append((name, each["filename"], counts))
    rows = ["| part | modules | lines | branches |", "|---|---|---|---|"]
    for name, (lines, all_lines, branches, all_branches) in sums.items():
        modules = ", ".join(f"`{module}`" for module in PARTS[name])
        rows.append(f"| {name} | {modules} | **{per_cent(lines, all_lines):.1f} %** of {all_lines:,} | {per_cent(branches, all_branches):.1f} % of {all_branches:,} |")
    rows += ["", "Files with ten lines or more that no test runs, or under 90 %:", "", "| file | lines not run | lines run |", "|---|---|---|"]
    for _, path, (lines, all_lines, *_) in sorted(files, key=lambda each: each[2][0] - each[2][1]):
        rows.append(f"| `{path}` | {all_lines - lines} | {per_cent(lines, all_lines):.1f} % |")
    table = "\n".join(rows)
    print(table)
    below = [name for name in list(PARTS)[:3] if per_cent(*sums[name][:2]) < PROMISED]
    if not check:
        path = ROOT / "docs" / "reliability.md"
        begin, end = "<!-- coverage:begin -->", "<!-- coverage:end -->"
        head, rest = path.read_text().split(begin)
        path.write_text(f"{head}{begin}\n{table}\n\n{time.strftime('%Y-%m-%d')}, `./scripts/coverage`.\n{end}{rest.split(end)[1]}")
    if below:
        raise SystemExit(f"below {PROMISED:.0f} % of lines: {', '.join(below)}")


if __name__ == "__main__":
    main()
