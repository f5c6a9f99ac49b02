"""The Dockerfiles as they are written."""
import os
import pathlib
import re
import subprocess
import sys

import dockerfile
import pytest
from context import is_sent
from root import PROJECT

FILES = sorted((PROJECT / "docker").glob("*Dockerfile"))
DAEMON = PROJECT / "docker" / "Dockerfile"
# Comes with the Python that runs the tests.
HADOLINT = str(pathlib.Path(sys.executable).parent / "hadolint")


def words_of(stage, word):
    return [each for each in stage.instructions if each.word == word]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_linter_finds_no_fault(file):
    done = subprocess.run([HADOLINT, "--no-color", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_linter_finds_faults(tmp_path):
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian:latest\nRUN cd /tmp && sudo apt-get install curl\n")
    assert subprocess.run([HADOLINT, str(bad)], capture_output=True).returncode == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_stage_begins_with_the_base_that_is_given(file):
    stages = dockerfile.read(file, BASE="registry.example.com/base:1")
    assert len(stages) == 2 and {stage.base for stage in stages} == {"registry.example.com/base:1"}
    assert dockerfile.read(file)[0].base in ("debian:12-slim", "nginx:stable")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_that_are_copied_are_sent(file):
    for stage in dockerfile.read(file):
        for each in words_of(stage, "COPY"):
            names = each.words()
            if not names[0].startswith("--from="):
                for name in names[:-1]:
                    assert (PROJECT / name).exists() and is_sent(name), f"line {each.line}: {name}"


def test_nothing_else_is_sent():
    for name in (".git/config", ".env", "data/proxyxai.db", "data/master.key", "build/release/proxyxai", "docker-compose.yml", "bench/load.cpp",
                 "tests/e2e/conftest.py", "docs/site/node_modules/a/b.js", "scripts/test"):
        assert not is_sent(name), name


def test_what_changes_often_comes_last():
    build = dockerfile.read(DAEMON)[0]
    order = [each.text for each in build.instructions]
    place = {name: next(at for at, text in enumerate(order) if text.startswith(name)) for name in ("scripts/packages.sh", "src", "pages")}
    packages = next(at for at, text in enumerate(order) if "need_packages" in text)
    compiler = next(at for at, text in enumerate(order) if "cmake --build" in text)
    assert place["scripts/packages.sh"] < packages < place["src"] < compiler < place["pages"]
    # Nothing is copied before the packages but their list.
    assert [text for text in order[:packages] if text.startswith("scripts")] == order[packages - 1:packages]


def test_version_is_that_of_the_program():
    version = re.search(r"project\(proxyxai VERSION ([\d.]+)", (PROJECT / "CMakeLists.txt").read_text())[1]
    for file in FILES:
        label = next(each.text for each in dockerfile.read(file)[-1].instructions if each.word == "LABEL")
        assert f'image.version="{version}"' in label
        assert 'image.version="7.8.9"' in next(each.text for each in dockerfile.read(file, VERSION="7.8.9")[-1].instructions if each.word == "LABEL")
        for name in ("title", "description", "vendor", "url", "licenses", "version", "revision"):
            assert f'org.opencontainers.image.{name}="' in label


def test_only_features_of_the_old_builder():
    """Compose 1.29 builds with the engine's classic builder unless it is told otherwise."""
    for file in FILES:
        text = file.read_text()
        assert not re.search(r"^# *syntax=|--mount=|--chmod=|--link|<<", text, re.M), file.name
    for name in ("proxyxai-backups", "proxyxai-nginx"):
        assert (PROJECT / "docker" / name).stat().st_mode & 0o111 == 0o111, name


def test_schedule_of_backups_that_is_none(tmp_path):
    """24h in place of seconds would be copies without a pause, 0 to keep no copy at all."""
    for name, value in (("BACKUP_INTERVAL", "24h"), ("BACKUP_INTERVAL", "0"), ("BACKUP_KEEP", "0"), ("BACKUP_KEEP", "-1")):
        done = subprocess.run([PROJECT / "docker" / "proxyxai-backups"], env={**os.environ, "BACKUP_DIR": str(tmp_path), name: value},
                              capture_output=True, text=True, timeout=10)
        assert done.returncode == 2 and f"{name} = '{value}'" in done.stderr, done.stderr
        assert not list(tmp_path.iterdir())
