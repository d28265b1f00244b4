#!/bin/sh
# Prints the path of a Python that can build and run imap4fast: 3.11 or newer, or exactly the VERSION given (3.12),
# with venv, its header files and its compiler. As root on Debian what is missing is installed; else it says what to do.
# `system` for VERSION: the distribution's, which is built to be fast (a pyenv's is not, unless asked), if it will do.
set -eu

version=${1:-}
system=
if [ "$version" = system ]; then
    version=
    system=/usr/bin/python3
fi

# Prints the words `venv`, `headers`, `compiler` for what the interpreter $1 lacks; fails where its version is no good.
lacks() {
    "$1" - "$version" <<'PYTHON'
import os, shutil, sys
wanted = sys.argv[1]
if sys.version_info < (3, 11) or (wanted and wanted != "%d.%d" % sys.version_info[:2]):
    sys.exit(1)
import sysconfig
missing = []
try:
    import ensurepip, venv
except ImportError:
    missing.append("venv")
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    missing.append("headers")
if not shutil.which(os.environ.get("CC") or sysconfig.get_config_var("CC").split()[0]):
    missing.append("compiler")
print(" ".join(missing))
PYTHON
}

# pyenv's shims answer only for the versions chosen, so its own folders are looked at too.
candidates() {
    if [ -n "$system" ]; then
        printf '%s\n' "$system"
        return 0
    fi
    if [ -z "$version" ]; then
        printf '%s\n' python3 python3.13 python3.12 python3.11 python3.14
    else
        printf '%s\n' "python$version"
    fi
    for folder in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/${version:-3.1[1-9]}*/bin; do
        [ -x "$folder/python3" ] && printf '%s\n' "$folder/python3"
    done
    return 0
}

# Prints the first candidate that lacks nothing. $missing remembers what the first good version lacked.
search() {
    missing=
    for name in $(candidates); do
        path=$(command -v "$name" 2>/dev/null) || continue
        what=$(lacks "$path" 2>/dev/null) || continue
        if [ -z "$what" ]; then
            printf '%s\n' "$path"
            return 0
        fi
        missing=${missing:-"$path lacks: $what"}
    done
    return 1
}

search && exit 0
case $missing in
    *python3.[0-9]*)
        python=${missing%% lacks*}
        python=${python##*/} ;;
    *) python=python3 ;;
esac
packages="$python-venv $python-dev gcc libc6-dev"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> $missing; installing $packages" >&2
    DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 </dev/null
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages >&2 </dev/null
    search && exit 0
fi
if [ -n "$system" ]; then
    echo "==> $system will not do (${missing:-older than 3.11, or none}), another Python is taken" >&2
    exec "$0"
fi
if [ -n "$missing" ]; then
    echo "$missing. On Debian or Ubuntu: apt-get install $packages" >&2
else
    echo "no Python ${version:-3.11 or newer} found (looked for: $(candidates | tr '\n' ' '))" >&2
fi
exit 1
