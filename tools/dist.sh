#!/bin/bash
# dist.sh VERSION...: makes the sdist, a wheel from it for each Python version, and installs each into an empty
# environment, outside of the tree: both commands must print their version there. Leaves all of it in dist/.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$top/dist"
PIP=(-m pip --quiet --disable-pip-version-check --no-input)

# An empty environment for Python $1 in $2.
environment() {
    "$("$top/tools/python.sh" "$1")" -m venv "$2"
}

# Every source of the extension, the samples and the manuals must be in the sdist; nothing compiled or generated.
check_sdist() {
    tar -tzf "$1" | sed 's,^[^/]*/,,' | sort >"$work/names"
    (cd "$top" && git ls-files _ext imap4fast conf docs LICENSE README.md CHANGELOG.md pyproject.toml setup.py) |
        sort | comm -23 - "$work/names" >"$work/absent"
    [ ! -s "$work/absent" ] || { echo "not in the sdist:" && cat "$work/absent" && exit 1; } >&2
    ! grep -E '\.so$|\.pyc$|_wire\.c$|^tests/' "$work/names" >&2
}

# Runs a console script outside of the tree; it must say the version of the sdist.
check_command() {
    local said
    said=$(cd "$work" && "$1" -v)
    echo "    $(basename "$1") -v: $said"
    [ "$said" = "imap4fast $2 (IMAP4FAST-1)" ]
}

echo "==> sdist"
environment "$1" "$work/build"
"$work/build/bin/python" "${PIP[@]}" install $("$work/build/bin/python" "$top/tools/requires.py" dist)
# setuptools would take what an earlier build left in *.egg-info for part of the sources.
git -C "$top" ls-files -z | (cd "$top" && tar -c --null -T -) | (mkdir "$work/tree" && tar -x -C "$work/tree")
"$work/build/bin/python" -m build --sdist --outdir "$work/dist" "$work/tree" >"$work/log" || { cat "$work/log"; exit 1; }
sdist=$(echo "$work"/dist/*.tar.gz)
check_sdist "$sdist"
version=${sdist##*/imap4fast-}
version=${version%.tar.gz}

for python in "$@"; do
    echo "==> wheel from the sdist for Python $python, installed into an empty environment"
    environment "$python" "$work/wheel-$python"
    "$work/wheel-$python/bin/python" "${PIP[@]}" wheel --no-deps --wheel-dir "$work/dist" "$sdist"
    environment "$python" "$work/empty-$python"
    "$work/empty-$python/bin/python" "${PIP[@]}" install "$work"/dist/*-cp"${python/./}"-*.whl
    check_command "$work/empty-$python/bin/imap4-proxy" "$version"
    check_command "$work/empty-$python/bin/test-imap4" "$version"
done
cp "$work"/dist/* "$top/dist/"
ls -l "$top/dist"
