# Sourced by the other scripts: what the tests talk to the daemon with, installed from PyPI and npm into build/.

venv=build/e2e-python

# install_python FOLDER: what its requirements.txt names.
install_python() {
  local done="$venv/${1//\//-}.txt"
  cmp -s "$1/requirements.txt" "$done" && return
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$1/requirements.txt"
  cp "$1/requirements.txt" "$done"
}

# install_node FOLDER INTO: what its package.json names.
install_node() {
  cmp -s "$1/package.json" "$2/package.json" && return
  mkdir -p "$2"
  cp "$1/package.json" "$2/"
  npm --prefix "$2" install --silent --no-audit --no-fund
}
