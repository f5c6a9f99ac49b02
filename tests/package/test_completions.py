"""The completions, tried in the shells they are for."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from test_manual import COMPLETION, commands, options

HELPERS = {"help", "version"}
RECONCILE = {"--key", "--since", "--until", "--upstream-key-id", "--project", "--tolerance"}


def by_bash(line, directory):
    """What bash would offer, by the machinery that a Tab sets going."""
    script = r"""
source "$1"
read -r _ _ function _ <<<"$(complete -p proxyxai)"
[[ $function == _proxyxai ]] || function=_proxyxai
# As readline does: words break at = too.
COMP_LINE=$2 COMP_POINT=${#2}
mapfile -t COMP_WORDS < <(printf '%s' "$2" | sed -E 's/=/\n=\n/g; s/ +/\n/g')
[[ $2 != *" " && $2 != *= ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
"$function" proxyxai "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", str(COMPLETION / "proxyxai.bash"), line], capture_output=True, text=True, cwd=directory)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return {each for each in done.stdout.split("\n") if each}


def by_fish(line, directory):
    done = subprocess.run(["fish", "-N", "-c", 'set fish_complete_path; source $argv[1]; complete -C $argv[2]', str(COMPLETION / "proxyxai.fish"), line],
                          capture_output=True, text=True, cwd=directory, env={"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stderr
    return {each.split("\t")[0] for each in done.stdout.split("\n") if each}


class Zsh:
    """A zsh at a terminal: `offers` types a line and lets it list what could come next."""

    def __init__(self, directory):
        (directory / "fpath").mkdir()
        shutil.copy(COMPLETION / "_proxyxai", directory / "fpath" / "_proxyxai")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(directory), "LC_ALL": "C.UTF-8"})
        self.send("stty cols 200 rows 100 -echo; unsetopt zle_bracketed_paste\n")
        self.send(f"fpath=({directory}/fpath $fpath); autoload -U compinit; compinit -D -u\n")
        # One match a line, between marks, instead of a screen.
        self.send("show() { local -a found; compadd() { builtin compadd -A found \"$@\"; (( $#found )) && all+=($found); builtin compadd \"$@\" };"
                  " all=(); _main_complete; unfunction compadd; print -r -- \"<<${(j:|:)all}>>\"; compstate[insert]=; compstate[list]= }\n")
        self.send("zle -C show list-choices show; bindkey '^X' show; print re''ady\n")
        self.read("ready")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def read(self, pattern, seconds=20):
        text, end = "", time.monotonic() + seconds
        while not (found := re.search(pattern, text, re.S)):
            assert time.monotonic() < end, text
            if select.select([self.terminal], [], [], 0.1)[0]:
                text += os.read(self.terminal, 65536).decode(errors="replace").replace("\r", "")
        return found

    def offers(self, line):
        self.send(line + "\x18")
        found = self.read(r"<<([^>]*)>>")[1]
        self.send("\x15")
        return {re.split(r":(?=\S)", each)[0].rstrip("=") for each in found.split("|") if each}

    def end(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "keys.txt").touch()
    (tmp_path / "two words").touch()
    return tmp_path


@pytest.fixture(params=["bash", "zsh", "fish"])
def complete(request, directory):
    """complete(line): what the shell offers for the last word of `line`, with keys.txt and 'two words' in the directory."""
    assert shutil.which(request.param), f"{request.param} is not installed"
    if request.param != "zsh":
        yield lambda line: {"bash": by_bash, "fish": by_fish}[request.param](line, directory)
        return
    shell = Zsh(directory)
    yield shell.offers
    shell.end()


def test_commands_come_first(complete):
    assert complete("proxyxai ") - options() == {name.split()[0] for name in commands()} | HELPERS


def test_a_beginning_narrows(complete):
    assert complete("proxyxai re") == {name for name in commands() if name.startswith("re")}


def test_second_words_of_keys(complete):
    wanted = {name.split()[1] for name in commands() if name.startswith("keys ")}
    assert complete("proxyxai keys ") - options() == wanted


def test_files_where_a_file_is_wanted(complete):
    for line in ("proxyxai keys add ", "proxyxai backup ", "proxyxai restore ", "proxyxai --config "):
        assert {"keys.txt"} <= {each.replace("\\", "") for each in complete(line + "k")}, line


def test_a_file_after_an_equals_sign(complete):
    assert any(each.endswith("keys.txt") for each in complete("proxyxai --config=k"))


def test_no_files_where_none_is_wanted(complete):
    for line in ("proxyxai check ", "proxyxai k", "proxyxai keys delete ", "proxyxai health ", "proxyxai rekey "):
        assert "keys.txt" not in complete(line), line


def test_deleting_keys_offers_the_unreadable(complete):
    assert "unreadable" in complete("proxyxai keys delete ")


def test_options_of_reconcile_are_its_own(complete):
    assert RECONCILE <= complete("proxyxai reconcile --")
    assert not RECONCILE & complete("proxyxai check --")
    assert "--config" in complete("proxyxai check --")


def test_an_option_before_the_command_does_not_hide_it(complete):
    assert "check" in complete("proxyxai --config keys.txt ")
    assert "unreadable" in complete("proxyxai --config keys.txt keys delete u")


def test_bash_keeps_names_with_spaces_whole(directory):
    assert by_bash("proxyxai backup t", directory) == {"two words"}
