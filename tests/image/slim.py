"""What stands for the images that ours begin with, where there is no registry: a clean Debian made as slim as debian:12-slim is, and
one with nginx.

debian:12-slim is debootstrap's smallest without manuals, translations and documents (but licences), and so are the packages that are
installed into it later: dpkg is told to leave these out."""
import fcntl
import shutil

from root import CleanRoot

EXCLUDES = """\
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/man/*
path-exclude /usr/share/groff/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
"""
# Packages are not kept after they are installed.
CLEAN = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\nDir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n'


def make_slim():
    """Debian 12 slim, made once and kept beside the clean root."""
    base = CleanRoot.make()
    return _once(base, "slim", _slim)


def make_nginx():
    """Debian 12 slim with Debian's nginx, for the stock image of nginx."""
    return _once(make_slim(), "nginx", lambda root: (root.run(["mkdir", "-p", "/run"]), root.install("nginx-light"), _forget(root)))


def _once(base, name, change):
    path = base.path.parent / f"debian-{name}"
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            half = path.parent / f"debian-{name}.half"
            shutil.rmtree(half, ignore_errors=True)
            change(base.copy(half))
            half.rename(path)
    return CleanRoot(path)


def _slim(root):
    (root.path / "etc/dpkg/dpkg.cfg.d/docker").write_text(EXCLUDES)
    (root.path / "etc/apt/apt.conf.d/docker-clean").write_text(CLEAN)
    share = root.path / "usr/share"
    for document in (share / "doc").rglob("*"):
        if document.name != "copyright" and not document.is_dir():
            document.unlink()
    for name in ("info", "man", "groff", "lintian", "linda", "locale"):
        shutil.rmtree(share / name, ignore_errors=True)
        (share / name).mkdir()
    _forget(root)


def _forget(root):
    """As images are left: no lists, no packages, no logs of the making."""
    root.run(["sh", "-c", "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt; mkdir -p /var/cache/apt/archives/partial"])
