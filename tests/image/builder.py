"""Carries out a Dockerfile in clean roots, for machines without a container engine: the same commands on the same base, layer by layer."""
import os
import shlex
import shutil
from dataclasses import dataclass, field

import dockerfile

CONFIGURES = {"SHELL", "EXPOSE", "STOPSIGNAL", "VOLUME", "LABEL", "USER", "WORKDIR", "ENV", "ENTRYPOINT", "CMD", "HEALTHCHECK"}


@dataclass
class Image:
    """A root and what is written beside it in an image."""

    root: object
    env: dict = field(default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
    user: str = "0:0"
    workdir: str = "/"
    shell: list = field(default_factory=lambda: ["/bin/sh", "-c"])
    entrypoint: list = field(default_factory=list)
    command: list = field(default_factory=list)
    volumes: list = field(default_factory=list)
    ports: list = field(default_factory=list)
    labels: dict = field(default_factory=dict)
    health: list = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    # (instruction, bytes that it adds), the base first.
    layers: list = field(default_factory=list)

    def size(self):
        return sum(size for _, size in self.layers)


def files(root):
    """Every file of a root with what tells whether it was written, and its size; hard links once."""
    found, seen = {}, set()
    for directory, _, names in os.walk(root.path):
        for name in names:
            path = os.path.join(directory, name)
            known = os.lstat(path)
            if known.st_ino not in seen:
                seen.add(known.st_ino)
                found[path] = (known.st_ino, known.st_mtime_ns, known.st_size)
    return found


def inside(root, path):
    return root.path / str(path).lstrip("/")


def copy(sources, target, image):
    """COPY: a file into a directory or to a name; of a directory, what is in it. Links stay links; all belongs to root."""
    into_directory = target.endswith("/") or len(sources) > 1 or target in (".", "./")
    place = inside(image.root, os.path.join(image.workdir, target))
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
        else:
            name = place / source.name if into_directory else place
            name.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, name, follow_symlinks=False)


def run(instruction, image):
    # A root that is a copy has this machine's resolver while it is made, as with docker.
    shutil.copy("/etc/resolv.conf", inside(image.root, "/etc/resolv.conf"))
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    text = f"cd {shlex.quote(image.workdir)}; {instruction.text}"
    image.root.run([*image.shell, text], user=image.user, env={**image.env, **proxies})


def configure(instruction, image):
    word, text = instruction.word, instruction.text
    if word == "ENV":
        image.env |= dict(each.split("=", 1) for each in shlex.split(text))
    elif word == "LABEL":
        image.labels |= dict(each.split("=", 1) for each in shlex.split(text))
    elif word == "WORKDIR":
        image.workdir = text
        inside(image.root, text).mkdir(parents=True, exist_ok=True)
    elif word == "USER":
        image.user = text
    elif word == "VOLUME":
        image.volumes += instruction.words()
    elif word == "EXPOSE":
        image.ports += instruction.words()
    elif word == "HEALTHCHECK":
        options, _, check = text.partition("CMD ")
        assert all(each.startswith("--") for each in options.split()), text
        image.health = dockerfile.Instruction("CMD", check.strip(), instruction.line).words()
    elif word == "SHELL":
        image.shell = instruction.words()
    elif word == "ENTRYPOINT":
        image.entrypoint, image.command = instruction.words(), []
    elif word == "CMD":
        image.command = instruction.words()
    else:
        image.stop_signal = text


def build(file, context, directory, bases, ready=None, **arguments):
    """The image that a Dockerfile describes. `bases` are roots by the name of a base image; `ready` are directories that stand for
    stages by name, so that these need not be carried out."""
    stages = dockerfile.read(file, **arguments)
    done, image = dict(ready or {}), None
    for number, stage in enumerate(stages):
        if stage.name in done:
            continue
        image = Image(bases[stage.base].copy(directory / stage.name))
        before = files(image.root)
        image.layers.append((f"FROM {stage.base}", sum(size for _, _, size in before.values())))
        for each in stage.instructions:
            if each.word == "RUN":
                run(each, image)
            elif each.word == "COPY":
                words = each.words()
                origin = done[words.pop(0).removeprefix("--from=")] if words[0].startswith("--from=") else context
                copy([origin / word.lstrip("/") for word in words[:-1]], words[-1], image)
            else:
                assert each.word in CONFIGURES, f"line {each.line}: {each.word}"
                configure(each, image)
            after = files(image.root)
            image.layers.append((f"{each.word} {each.text}", sum(size for path, (*_, size) in after.items() if before.get(path) != after[path])))
            before = after
        done[stage.name] = image.root.path
    # Only the last stage is the image.
    for stage in stages[:-1]:
        shutil.rmtree(directory / stage.name, ignore_errors=True)
    # The container brings its own.
    inside(image.root, "/etc/resolv.conf").unlink(missing_ok=True)
    return image
