"""What is in the Debian package, looked at without installing it."""
import filecmp
import json
import os
import pathlib
import re
import stat
import subprocess

import pytest

from conftest import PROJECT, dependencies


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", str(deb), name], capture_output=True, text=True, check=True).stdout.strip()


def control_file(deb, name):
    return subprocess.run(["dpkg-deb", "-I", str(deb), name], capture_output=True, text=True, check=True).stdout


def files(directory):
    return sorted(str(each.relative_to(directory)) for each in pathlib.Path(directory).rglob("*") if not each.is_dir())


def test_everything_belongs_to_root_and_has_plain_modes(deb):
    shown = subprocess.run(["dpkg-deb", "-c", str(deb)], capture_output=True, text=True, check=True).stdout
    modes = {"drwxr-xr-x": [], "-rw-r--r--": [], "-rwxr-xr-x": [], "-rw-r-----": []}
    for line in shown.splitlines():
        mode, owner, _, _, _, name = line.split(None, 5)
        assert owner == "root/root", line
        modes[mode].append(name)
    assert sorted(modes["-rwxr-xr-x"]) == ["./usr/bin/proxyxai", "./usr/lib/proxyxai/backup"]
    assert modes["-rw-r-----"] == ["./etc/proxyxai/proxyxai.env"]


def test_conffiles_are_those_in_etc(deb, tree):
    told = control_file(deb, "conffiles").split()
    assert told == sorted("/" + name for name in files(tree) if name.startswith("etc/"))
    assert json.loads((tree / "etc/proxyxai/proxyxai.json").read_text())["data_dir"] == "/var/lib/proxyxai"


def test_no_secret_and_no_setting_is_in_the_environment_file(tree):
    lines = (tree / "etc/proxyxai/proxyxai.env").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_it_depends_on_its_libraries_and_on_what_its_scripts_call(deb, tree):
    needed = re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(["readelf", "-d", str(tree / "usr/bin/proxyxai")], capture_output=True, text=True, check=True).stdout)
    libraries = {name for name in dependencies(deb) if name.startswith("lib")}
    assert len(needed) >= 8 and len(libraries) >= 8
    for soname in ("libcurl.so.4", "libsqlite3.so.0", "libssl.so.3", "libmimalloc.so.2"):
        assert soname in needed and any(name.startswith(soname.split(".so")[0]) for name in libraries), (soname, libraries)
    assert {"adduser", "ca-certificates"} <= set(dependencies(deb))


@pytest.mark.parametrize("name", ["Maintainer", "Homepage", "Section", "Priority", "Installed-Size"])
def test_field_is_there(deb, name):
    assert field(deb, name)


def test_version_is_that_of_the_program_and_of_the_changelog(deb, tree):
    version = field(deb, "Version")
    told = subprocess.run([str(tree / "usr/bin/proxyxai"), "--version"], capture_output=True, text=True).stdout
    assert told == f"proxyxai {version}\n"
    changelog = subprocess.run(["zcat", str(tree / "usr/share/doc/proxyxai/changelog.gz")], capture_output=True, text=True, check=True).stdout
    assert changelog.startswith(f"proxyxai ({version}) ")


def test_program_is_stripped_and_looks_for_libraries_in_usual_places_only(tree):
    shown = subprocess.run(["readelf", "-WSd", str(tree / "usr/bin/proxyxai")], capture_output=True, text=True, check=True).stdout
    assert ".text" in shown
    assert ".symtab" not in shown and "RPATH" not in shown and "RUNPATH" not in shown


@pytest.mark.parametrize("page", ["billing", "user", "admin", "docs"])
def test_page_is_whole_by_itself(tree, page):
    here, there = PROJECT / "pages" / page, tree / "usr/share/proxyxai/pages" / page
    names = [os.path.join(folder, name)[len(str(here)) + 1:] for folder, _, found in os.walk(here, followlinks=True) for name in found]
    assert names and files(there) == sorted(names)
    assert filecmp.cmpfiles(here, there, names, shallow=False) == (names, [], [])
    assert not any(each.is_symlink() for each in there.rglob("*"))


def test_nginx_configuration_and_prices_are_those_of_the_repository(tree):
    data = tree / "usr/share/proxyxai"
    for name in ("nginx", "prometheus", "grafana"):
        source = PROJECT / "config" / name
        if source.exists():
            assert files(data / name) == files(source)
            assert all((data / name / each).read_bytes() == (source / each).read_bytes() for each in files(source))
    assert (data / "prices.json").read_bytes() == (PROJECT / "config/prices.json").read_bytes()


def test_units_and_completions_are_where_they_are_looked_for(tree):
    units = {"proxyxai.service", "proxyxai.socket", "proxyxai-operations.socket", "proxyxai-backup.service", "proxyxai-backup.timer"}
    assert set(files(tree / "usr/lib/systemd/system")) == units
    for unit in units:
        assert not re.search(r"@[a-z]+@", (tree / "usr/lib/systemd/system" / unit).read_text())
    for name in ("bash-completion/completions/proxyxai", "zsh/vendor-completions/_proxyxai", "fish/vendor_completions.d/proxyxai.fish", "man/man1/proxyxai.1.gz"):
        assert (tree / "usr/share" / name).stat().st_size > 0


def test_lintian_has_nothing_to_say(deb, tmp_path):
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    # Where nobody may read.
    copy = pathlib.Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        copy.chmod(0o755)
        (copy / deb.name).write_bytes(deb.read_bytes())
        done = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", str(copy / deb.name)], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "TMPDIR": "/tmp"}, **user)
    finally:
        subprocess.run(["rm", "-r", str(copy)], check=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_prefix_install_writes_nowhere_else_and_names_its_own_program(tmp_path):
    from processes import BUILD
    prefix = tmp_path / "prefix"
    done = subprocess.run(["cmake", "--install", str(BUILD), "--prefix", str(prefix)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = re.findall(r"^-- Installing: (.*)$", done.stdout, re.M)
    assert written and all(each.startswith(str(prefix)) for each in written)
    assert f"ExecStart={prefix}/bin/proxyxai serve" in (prefix / "lib/systemd/system/proxyxai.service").read_text()
    backup = (prefix / "lib/systemd/system/proxyxai-backup.service").read_text()
    helper, program = re.search(r"^ExecStart=(\S+) \S+ \d+ (\S+)", backup, re.M).groups()
    assert os.access(helper, os.X_OK) and program == f"{prefix}/bin/proxyxai"
    assert stat.S_IMODE((prefix / "bin/proxyxai").stat().st_mode) == 0o755
