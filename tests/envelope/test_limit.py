"""The limit holds: what takes more memory than it may does not get it."""
import os
import signal
import subprocess
import sys

import pytest

import limit

EAT = "x = bytearray(300 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('eaten')"
SMALL = 128 << 20


def make(kind, **options):
    try:
        return limit.choose(kind, **options)
    except OSError as fault:
        pytest.skip(f"{kind} cannot be had here: {fault}")


def run(chosen, program):
    return subprocess.run(chosen.command([sys.executable, "-c", program]), preexec_fn=chosen.enter, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("kind", ["auto", *limit.KINDS])
def test_memory_beyond_the_limit_is_not_to_be_had(kind):
    chosen = make(kind, memory=SMALL)
    try:
        done = run(chosen, EAT)
        assert "eaten" not in done.stdout and (done.returncode == -signal.SIGKILL or "MemoryError" in done.stderr), done
        if chosen.counts:
            assert chosen.account()["killed"] == 1
    finally:
        chosen.close()


@pytest.mark.parametrize("kind", ["auto", *limit.KINDS])
def test_the_same_fits_into_two_gibibytes(kind):
    chosen = make(kind)
    try:
        assert run(chosen, EAT).stdout == "eaten\n"
        if chosen.counts:
            account = chosen.account()
            assert account["killed"] == 0 and 300 << 20 < account["highest"] < limit.MEMORY
    finally:
        chosen.close()


@pytest.mark.parametrize("kind", ["cgroup2", "cgroup1"])
def test_groups_are_gone_afterwards(kind):
    chosen = make(kind)
    groups = chosen.groups if kind == "cgroup1" else [chosen.group]
    assert all(each.is_dir() for each in groups)
    run(chosen, "")
    chosen.close()
    assert not any(each.exists() for each in groups)


def test_what_is_written_to_the_unified_hierarchy(tmp_path):
    """Where the kernel of this machine has another: files in place of it."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("")
    group = tmp_path / f"proxyxai-envelope-{os.getpid()}"
    chosen = limit.Cgroup2(mount=tmp_path)
    assert chosen.group == group and (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory"
    assert (group / "cpu.max").read_text() == "200000 100000" and (group / "memory.max").read_text() == str(2 << 30)
    chosen.enter()
    assert (group / "cgroup.procs").read_text() == str(os.getpid())
    for name, text in {"memory.stat": "anon 5\nfile 3\nkernel 7\nsock 4\n", "cpu.stat": "usage_usec 9\nthrottled_usec 2500000\n",
                       "memory.events": "low 0\noom 1\noom_kill 1\n", "memory.peak": "99\n"}.items():
        (group / name).write_text(text)
    assert chosen.account() == {"kernel": 11, "highest": 99, "killed": 1, "throttled": 2.5}


def test_a_hierarchy_without_these_controllers_is_refused(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("pids\n")
    with pytest.raises(OSError):
        limit.Cgroup2(mount=tmp_path)
