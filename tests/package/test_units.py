"""The units, read by systemd's own tools; nothing of it runs."""
import os
import re
import subprocess

import pytest

from conftest import PROJECT


@pytest.fixture(scope="module")
def files(tree, tmp_path_factory):
    """The package's files as a root in which the units find what they name."""
    root = tmp_path_factory.mktemp("units") / "root"
    subprocess.run(["cp", "-a", str(tree), str(root)], check=True)
    for link in ("bin", "lib"):
        (root / link).symlink_to(f"usr/{link}")
    (root / "bin/sh").touch(0o755)
    # What they come after: this machine's own targets.
    for folder in ("/usr/lib/systemd/system", "/lib/systemd/system"):
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name.endswith((".target", ".slice")):
                subprocess.run(["cp", "-a", f"{folder}/{name}", str(root / "usr/lib/systemd/system")], check=True)
    return root


def units(files):
    return sorted(each for each in (files / "usr/lib/systemd/system").iterdir() if each.name.startswith("proxyxai"))


def test_systemd_finds_no_fault_in_them(files):
    assert len(units(files)) == 5
    done = subprocess.run(["systemd-analyze", "verify", f"--root={files}", "--man=no", *map(str, units(files))], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_verifying_would_find_one(files):
    unit = files / "usr/lib/systemd/system/proxyxai-wrong.service"
    unit.write_text("[Service]\nExecStart=/usr/bin/no-such-program\nProtectSistem=strict\n")
    done = subprocess.run(["systemd-analyze", "verify", f"--root={files}", "--man=no", str(unit)], capture_output=True, text=True)
    unit.unlink()
    assert "ProtectSistem" in done.stderr and "no-such-program" in done.stderr


@pytest.mark.parametrize("unit, most", [("proxyxai.service", 1.1), ("proxyxai-backup.service", 0.2)])
def test_exposure_is_low(files, unit, most):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--root={files}", f"--threshold={round(most * 10)}", "--no-pager", unit],
                          capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    overall = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert overall, done.stdout + done.stderr
    print(overall[0])
    assert done.returncode == 0 and float(overall[1]) <= most, done.stdout


def seconds(text):
    units = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(min|s|m|h|)", text))


def test_systemd_waits_longer_than_the_daemon_drains(files):
    service = (files / "usr/lib/systemd/system/proxyxai.service").read_text()
    drain = re.search(r"^\| `DRAIN_TIMEOUT` \| `(\w+)`", (PROJECT / "README.md").read_text(), re.M)[1]
    assert seconds(re.search(r"^TimeoutStopSec=(\w+)$", service, re.M)[1]) >= seconds(drain) + 10


def test_ports_of_the_sockets_are_those_of_the_settings(files):
    text = (PROJECT / "README.md").read_text()
    system = files / "usr/lib/systemd/system"
    assert f"ListenStream={re.search(r'^. `PORT` . `(.*?)`', text, re.M)[1]}\n" in (system / "proxyxai.socket").read_text()
    assert f"ListenStream={re.search(r'^. `ADMIN_LISTEN` . `(.*?)`', text, re.M)[1]}\n" in (system / "proxyxai-operations.socket").read_text()


def test_limits_fit_a_host_of_two_gibibytes_and_the_settings(files):
    text = (PROJECT / "README.md").read_text()
    units = {"M": 1 << 20, "G": 1 << 30, "MiB": 1 << 20}

    def size(written):
        number, unit = re.fullmatch(r"(\d+)(\w+)", written).groups()
        return int(number) * units[unit]

    def of(unit, name):
        return re.search(rf"^{name}=(\S+)$", (files / "usr/lib/systemd/system" / unit).read_text(), re.M)[1]

    def default(name):
        return re.search(rf"^. `{name}` . `(.*?)`", text, re.M)[1]

    most = size(of("proxyxai.service", "MemoryMax"))
    assert size(of("proxyxai.service", "MemoryHigh")) < most and most + size(of("proxyxai-backup.service", "MemoryMax")) <= 7 << 28
    assert most >= 4 * size(default("BODY_MEMORY_BYTES"))
    assert int(of("proxyxai.service", "LimitNOFILE")) >= 2 * int(default("MAX_CONNECTIONS")) + 100
    assert of("proxyxai.service", "UMask") == of("proxyxai-backup.service", "UMask") == "0077"
    # Who connects while the daemon restarts waits there.
    assert int(of("proxyxai.socket", "Backlog")) >= 1024
