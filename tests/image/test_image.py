"""The images as their Dockerfiles make them."""
import re
import subprocess

import dockerfile
import pytest
from builder import inside
from root import PROJECT

MEGABYTE = 1000**2
# What compiles, fetches sources or installs them; apt stays, for it is the base's.
TOOLS = ("cc", "gcc", "g++", "c++", "ld", "as", "cmake", "ninja", "make", "ccache", "pkg-config", "git", "python3", "strip")


def tell(record_property, name, image):
    base, *added = image.layers
    figures = {"base": base[1], "added": sum(size for _, size in added), "whole": image.size()}
    for what, size in figures.items():
        record_property(f"{name}_{what}_bytes", size)
    print(f"\n{name}: " + ", ".join(f"{what} {size / MEGABYTE:.1f} MB" for what, size in figures.items()))
    for text, size in image.layers:
        print(f"  {size / MEGABYTE:8.2f} MB  {text[:100]}")
    return figures


def test_image_is_smaller_than_120_megabytes(image, record_property):
    figures = tell(record_property, "proxyxai", image)
    assert figures["whole"] < 120 * MEGABYTE
    # What of it is not the base's, with room for a security update that is larger than before.
    assert figures["added"] < 40 * MEGABYTE


def test_pages_add_little_to_nginx(pages, record_property):
    assert tell(record_property, "pages", pages)["added"] < 20 * MEGABYTE


def test_no_build_tool_is_left(image, pages):
    for each in (image, pages):
        found = each.root.run(["sh", "-c", f"for each in {' '.join(TOOLS)}; do command -v $each; done; true"]).stdout
        assert found == ""
    packages = image.root.run(["dpkg-query", "-W", "-f", "${Package}\n"]).stdout.split()
    assert [name for name in packages if name.endswith("-dev")] == []
    for path in ("/source", "/installed", "/usr/local/include", "/usr/local/lib/systemd", "/var/lib/apt/lists/lock"):
        place = inside(image.root, path)
        assert not place.exists() or not any(place.iterdir()), path


def test_libraries_are_all_there_and_named(image):
    """Every library that the program itself names belongs to a package that the Dockerfile names: none is there by accident."""
    shown = image.root.run(["ldd", "/usr/local/bin/proxyxai"]).stdout
    assert "not found" not in shown, shown
    paths = {found[1]: found[2] for found in re.finditer(r"(\S+) => (\S+)", shown)}
    needed = re.findall(r"NEEDED\s+(\S+)", subprocess.run(["objdump", "-p", inside(image.root, "/usr/local/bin/proxyxai")], capture_output=True, text=True, check=True).stdout)
    install = next(each.text for each in dockerfile.read(PROJECT / "docker" / "Dockerfile")[-1].instructions if "apt-get install" in each.text)
    named = set(re.findall(r"[a-z0-9.+-]+", install.split("--no-install-recommends")[1].split("&&")[0]))
    owners = set()
    for each in needed:
        if each.startswith("ld-linux"):
            continue
        # Debian 12 keeps some libraries below /usr and some below /, and asks for them by that name.
        path = paths[each]
        for candidate in (path, "/usr" + path, path.removeprefix("/usr")):
            done = image.root.run(["dpkg-query", "-S", candidate], check=False)
            if done.returncode == 0:
                owners.add(done.stdout.split(":")[0])
                break
        else:
            raise AssertionError(f"no package has {path}")
    of_the_base = {"libc6", "libgcc-s1"}
    assert owners - of_the_base <= named, owners - of_the_base - named
    # And none is named without need.
    assert named - {"ca-certificates", "tzdata"} <= owners, named - owners


def test_program_is_stripped(image):
    shown = subprocess.run(["file", inside(image.root, "/usr/local/bin/proxyxai")], capture_output=True, text=True, check=True).stdout
    assert ", stripped" in shown


def test_user_owns_nothing_but_its_directories(image):
    user, group = image.user.split(":")
    assert int(user) >= 10000 and int(group) >= 10000
    owned = image.root.run(["find", "/", "-xdev", "(", "-uid", user, "-o", "-gid", group, ")", "-printf", "%p %m\n"]).stdout.split("\n")
    assert sorted(filter(None, owned)) == ["/backups 700", "/data 700"]
    writable = image.root.run(["find", "/", "-xdev", "-type", "d", "-perm", "-0002", "!", "-perm", "-1000"]).stdout
    assert writable == ""


def test_declarations(image, pages):
    assert image.entrypoint == ["proxyxai"] and image.command == ["serve"]
    assert image.volumes == ["/data"] and image.ports == ["3443"] and image.stop_signal == "SIGTERM"
    assert image.env["DATA_DIR"] == "/data" and image.health == ["proxyxai", "health"]
    assert "ADMIN_LISTEN" not in image.env and "LISTEN_ADDRESS" not in image.env
    assert pages.ports == ["80", "443"] and pages.stop_signal == "SIGQUIT"
    assert "MIT" in inside(image.root, "/usr/local/share/doc/proxyxai/LICENSE").read_text()


@pytest.mark.parametrize("page", ("billing", "user", "admin", "docs"))
def test_pages_are_whole(pages, page):
    directory = inside(pages.root, f"/usr/share/proxyxai/pages/{page}")
    source = PROJECT / "pages" / page
    listed = sorted(path.relative_to(directory) for path in directory.rglob("*") if not path.is_dir())
    links = [path for path in directory.rglob("*") if path.is_symlink()]
    assert links == []
    expected = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    if (source / "shared").is_symlink():
        expected |= {path.relative_to(PROJECT / "pages").parent.joinpath(path.name) for path in (PROJECT / "pages" / "shared").rglob("*") if path.is_file()}
    assert {str(path) for path in listed} == {str(path) for path in expected}


@pytest.mark.parametrize("version, listen", [("1.22.1", ["listen 443 ssl http2;", "listen [::]:443 ssl http2;"]),
                                             ("1.25.1", ["listen 443 ssl;", "listen [::]:443 ssl;", "http2 on;"]),
                                             ("1.28.0", ["listen 443 ssl;", "listen [::]:443 ssl;", "http2 on;"])])
def test_lines_for_tls_are_those_of_the_version(pages, version, listen):
    """The stock image's nginx is newer than Debian's, and takes other words; they stand in config/nginx, by version."""
    script = f"""
      mkdir -p /tmp/fake /tmp/certificates/live/example.org && touch /tmp/certificates/live/example.org/fullchain.pem /tmp/certificates/live/example.org/privkey.pem
      printf '%s\\n' '#!/bin/sh' 'echo nginx version: nginx/{version} >&2' >/tmp/fake/nginx && chmod 755 /tmp/fake/nginx
      PATH=/tmp/fake:$PATH DOMAIN=example.org CERTIFICATES=/tmp/certificates proxyxai-nginx cat /tmp/settings/listen.conf; rm -r /tmp/fake /tmp/certificates /tmp/settings"""
    written = pages.root.run(["sh", "-ec", script]).stdout.splitlines()
    assert [line for line in written if re.match("listen|http2", line)] == listen
    shipped = (PROJECT / "config/nginx/proxyxai/settings/listen.conf").read_text()
    assert "\n".join(f"# {line}" for line in listen) in shipped
    assert "ssl_certificate /tmp/certificates/live/example.org/fullchain.pem;" in written
    assert "ssl_certificate_key /tmp/certificates/live/example.org/privkey.pem;" in written
    # All that config/nginx sets of TLS is there.
    assert len([line for line in written if line.startswith("ssl_")]) == len(re.findall(r"^# ssl_", shipped, re.M))
