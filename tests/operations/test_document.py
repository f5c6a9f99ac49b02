"""docs/operations.md: its commands do what it says, and it names what there is."""
import re
import subprocess

import pytest
from document import PATHS, block, blocks, headings
from ledger import command
from processes import BUILD
from reader import Reader
from web import REPOSITORY

RUNBOOK = ["All keys are exhausted", "The disk is full", "Upstream is down", "The root key is lost", "The master key is lost",
           "The database is damaged", "Memory is short", "A client says it was charged twice"]


@pytest.fixture
def reader(start, tmp_path):
    gateway = start()
    gateway.make_child(50, name="alice")
    return Reader(gateway, tmp_path)


def test_commands_beside_a_daemon_work_as_they_stand(reader):
    """In their order; INIT_USERS stays out of it, as the document asks for."""
    ran = {"cli": 0, "run": 0, "ops": 0}
    for each in blocks():
        if each.how in ran:
            ran[each.how] += 1
            reader.type(each.text)
    assert all(ran.values()), ran


def test_commands_for_a_stopped_daemon_work_as_they_stand(reader, start):
    reader.type(block("Backup and restore", how="cli"))
    assert reader.gateway.stop() == 0
    count = 0
    for each in blocks():
        if each.how == "stopped":
            count += 1
            reader.type(each.text)
            gateway = start(again=reader.gateway)
            assert gateway.chat()[0] == 200, each
            assert gateway.stop() == 0
    assert count == 2


def test_health_tells_whether_it_is_ready(reader):
    health = block("Health and metrics", how="cli")
    reader.type(health)
    assert reader.gateway.stop() == 0
    reader.type(health, code=1)


def test_another_root_key(reader):
    made = re.search(r'"key":\s*"(sk-Xvs\w{45})"', reader.type(block("Another root key", how="root")))[1]
    assert reader.gateway.chat(key=made)[0] == 200 and reader.gateway.chat()[0] == 401


def test_moving_to_a_new_host(start, tmp_path, mock):
    """The commands of the document, carried out between two directories."""
    old = start()
    alice = old.make_child(50, name="alice")
    for _ in range(10):
        assert alice.chat()[0] == 200
    balance = alice.balance()
    assert old.stop() == 0
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    Reader(old, here).type(block("Moving to a new host", how="old"))
    for name in ("move.db", "move.key"):
        (here / name).rename(there / name)
    # The new host has only the settings; there is no data yet.
    new_data = there / "data"
    Reader(old, there).type(block("Moving to a new host", how="new"), DATA_DIR=str(new_data))
    assert {path.stat().st_mode & 0o077 for path in (new_data, new_data / "proxyxai.db", new_data / "master.key")} == {0}
    new = start(keys=[], root=old.root, DATA_DIR=new_data)
    assert new.chat()[0] == 200 and new.chat(key=alice.key)[0] == 200
    alice.gateway = new
    assert 0 < balance - alice.balance() < 10**6 and len(alice.requests()) == 11
    assert new.stop() == 0
    assert command(new, "check").returncode == 0


def test_both_languages_say_the_same():
    english, chinese = blocks("en"), blocks("zh")
    # Comments are in the language of the page.
    bare = [[(each.language, each.how, re.sub(r"\s+#.*", "", each.text)) for each in language] for language in (english, chinese)]
    assert bare[0] == bare[1]
    assert [level for level, _ in headings("en")] == [level for level, _ in headings("zh")]


def test_alerts_find_their_entries():
    titles = [text for _, text in headings("en")]
    at = titles.index("Runbook")
    assert titles[at + 1:at + 1 + len(RUNBOOK)] == RUNBOOK
    for language, parts in {"en": ("**What one sees.**", "**What to do.**", "**How to see that it is over.**"),
                            "zh": ("**现象。**", "**怎么办。**", "**怎样确认已恢复。**")}.items():
        entries = re.split(r"^### ", PATHS[language].read_text().split("\n## ")[-1], flags=re.M)[1:]
        assert len(entries) == len(RUNBOOK)
        for each in entries:
            assert [each.count(part) for part in parts] == [1, 1, 1], each.splitlines()[0]


@pytest.mark.parametrize("language", PATHS)
def test_metrics_that_are_named_exist(start, mock, language):
    """Also those with labels that appear only once something has happened."""
    gateway = start(EMAIL_SMTP="127.0.0.1", EMAIL_PORT=9, EMAIL_TLS="none", EMAIL_SENDER="a@b.example")
    assert gateway.chat()[0] == 200
    for key in gateway.keys:
        mock.script(key, "invalid_api_key")
    assert [gateway.chat()[0] for _ in range(2)] == [503, 503]
    shown = gateway.operations("/metrics")[2].decode()
    names = set(re.findall(r"`?\b((?:proxyxai|process)_[a-z_]+(?:\{[a-z_]+=\"[a-z_]+\"\})?)", PATHS[language].read_text()))
    names -= {"proxyxai_"}
    assert len(names) > 15
    missing = [name for name in names if not re.search(rf"^{re.escape(name)}(?:_bucket|_count)?[ {{]", shown, re.M)]
    assert not missing, missing


@pytest.mark.parametrize("language", PATHS)
def test_what_is_named_is_there(language):
    """Settings, services of the compose file, units."""
    text = PATHS[language].read_text()
    help_text = subprocess.run([BUILD / "proxyxai", "--help"], capture_output=True, text=True).stdout
    known = set(re.findall(r"^  ([A-Z_]+) ", help_text, re.M))
    named = {name for name in re.findall(r"`([A-Z][A-Z_]{3,})(?:=[^`]*)?`", text) if "_" in name}
    of_others = {"OPENAI_ADMIN_KEY", "NEW_MASTER_KEY", "LOG_SIZE", "LOG_FILES", "BACKUP_INTERVAL", "BACKUP_KEEP", "PROXYXAI_VERSION"}
    assert named - known <= of_others, named - known - of_others
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    services = set(re.findall(r"^  ([a-z-]+):  #", compose.split("\nservices:")[1].split("\nnetworks:")[0], re.M))
    used = set(re.findall(r"docker compose (?:exec|stop|restart|logs|ps)(?: -\w+)* ([a-z]+)\b", text)) - {"create"}
    assert used and used <= services, used - services
    for name in named & of_others - {"OPENAI_ADMIN_KEY", "NEW_MASTER_KEY"}:
        assert f"${{{name}:-" in compose, name
    for name in re.findall(r"\b(proxyxai(?:-\w+)?\.(?:service|socket|timer))\b", text):
        assert (REPOSITORY / "config" / "systemd" / name).is_file(), name
