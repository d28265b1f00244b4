#!/bin/bash
# variant.sh debug|sanitize PYTHON [PYTEST ARGUMENTS]: builds the extension that way in a copy of the tree, since both
# variants have the file name of the real one, and runs the tests that need no socket there.
set -euo pipefail

variant=$1 python=$2
shift 2
tree=build/$variant

echo "==> $variant build in $tree"
rm -rf "$tree"
mkdir -p "$tree"
tar -c --exclude=./build --exclude="./.venv*" --exclude=./.git --exclude='*.so' --exclude='_ext/_wire.c' \
    --exclude=./var --exclude='*.egg-info' --exclude=__pycache__ --exclude='./.*_cache' . | tar -x -C "$tree"
cd "$tree"

case $variant in
debug)
    IMAP4FAST_DEBUG=1 "$python" setup.py --quiet build_ext --inplace
    ;;
sanitize)
    IMAP4FAST_SANITIZE=1 "$python" setup.py --quiet build_ext --inplace
    # Python itself is not built with the sanitizers, so their runtime is loaded first; libstdc++ beside it, or
    # C++ exceptions of other extensions find no handler. Python's own arenas would hide overruns: malloc.
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so.6)"
    export LD_PRELOAD PYTHONMALLOC=malloc IMAP4FAST_TESTS_SLOWER=10
    export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    # Helpers that run out of memory on purpose: the sanitizer's own end makes calls that their filter denies. And it
    # keeps what was freed, copies of a key among it, and much of each mail.
    set -- "$@" --ignore=tests/unit/proc/test_sandbox.py --ignore=tests/unit/proc/test_helper.py \
        --ignore=tests/unit/net/test_pool.py \
        --deselect=tests/unit/policy/test_mailjob.py::test_memory_does_not_grow_with_the_mail \
        --deselect=tests/unit/proc/test_keyring.py::test_a_nursery_that_comes_later_has_no_key_in_its_memory
    ;;
*)
    echo "no such variant: $variant" >&2
    exit 2
    ;;
esac

[ "$("$python" -c 'import imap4fast._wire as wire; print(wire.__file__)')" = "$(echo "$PWD"/imap4fast/_wire.*.so)" ] ||
    { echo "the $variant build is not the one that would be tested" >&2; exit 1; }
# A sanitizer reports on descriptor 2 and aborts: pytest must not have taken that away.
echo "==> tests of the $variant build"
exec "$python" -m pytest -p no:cacheprovider --capture=sys --rootdir=. --benchmark-disable tests/wire tests/play tests/unit "$@"
