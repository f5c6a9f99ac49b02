"""What `docker build .` sends: the files that git has and .dockerignore lets through."""
import re
import shutil
import subprocess

from root import PROJECT


def patterns():
    lines = (line.strip() for line in (PROJECT / ".dockerignore").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def matches(pattern, name):
    """A pattern matches a path, and all that is below what it matches."""
    expression = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.fullmatch(f"{expression}(?:/.*)?", name) is not None


def is_sent(name):
    sent = True
    for pattern in patterns():
        if matches(pattern.lstrip("!"), name):
            sent = pattern.startswith("!")
    return sent


def copy_context(directory):
    """The context as a directory."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in filter(is_sent, listed.split("\0")[:-1]):
        source, target = PROJECT / name, directory / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return directory
