# Sourced by the other scripts: installs by name what a Debian or Ubuntu machine lacks.

# need_packages NAME...: asks apt for those that are not installed; `a|b` means the first that the release has.
need_packages() {
  local wanted=() missing=() entry name candidate
  for entry in "$@"; do
    candidate=
    for name in ${entry//|/ }; do
      if dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q '^install ok installed$'; then
        candidate=
        continue 2
      fi
    done
    missing+=("$entry")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || {
    echo "These packages are missing and there is no apt-get to install them with: ${missing[*]}" >&2
    return 1
  }
  local sudo=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "Run this as root once, or install these packages first: ${missing[*]}" >&2
      return 1
    }
    sudo=sudo
  fi
  echo "Installing: ${missing[*]}"
  $sudo apt-get update -qq
  for entry in "${missing[@]}"; do
    candidate=
    for name in ${entry//|/ }; do
      if [ -n "$(apt-cache madison "$name" 2>/dev/null)" ]; then
        candidate=$name
        break
      fi
    done
    [ -n "$candidate" ] || {
      echo "This release has no package called ${entry//|/ or }. Debian 12, Ubuntu 24.04 or newer is needed." >&2
      return 1
    }
    wanted+=("$candidate")
  done
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

build_packages=(ca-certificates g++ cmake ninja-build pkg-config ccache 'libboost1.81-dev|libboost-dev' libssl-dev nlohmann-json3-dev
  libsqlite3-dev libspdlog-dev libcurl4-openssl-dev libmimalloc-dev)
test_packages=(libgtest-dev libgmock-dev python3 python3-venv curl openssl sqlite3 ca-certificates strace wrk 'nginx-light|nginx')
# What it is delivered as, and what operators do with it.
operation_packages=('nginx-light|nginx' systemd logrotate openssl debootstrap lintian mandoc man-db zsh fish dpkg-dev file binutils curl docker-compose
  iproute2 libcap2-bin)
# A browser, and signs for what it shows of Chinese.
page_packages=('nginx-light|nginx' fonts-noto-cjk)
[ -n "${PROXYXAI_CHROMIUM:-}" ] || page_packages+=(chromium)
fuzz_packages=('clang-16|clang-19|clang-18|clang-17')
# Name servers and disks of their own, which want root.
storm_packages=(strace openssl util-linux e2fsprogs iproute2)
# What a version of clang-tidy finds another may not: 16 is the one that Debian 12 and Ubuntu 24.04 both have.
lint_packages=('clang-tidy-16|clang-tidy-19|clang-tidy-18|clang-tidy-17|clang-tidy-15|clang-tidy' cppcheck python3)
# Node may come from elsewhere, with an npm of its own that Debian's does not go along with.
command -v node >/dev/null || test_packages+=(nodejs)
command -v npm >/dev/null || test_packages+=(npm)

# How many compilers at once: each takes up to 1 GiB.
build_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}
