#!/bin/bash
# All tests by one interpreter, in as many processes as there are processors (four at most); then the search for
# passwords in the logs that they left, which must be the last. Usage: tools/test.sh PYTHON [what pytest takes ...]
set -euo pipefail

cd "$(dirname "$0")/.."
python=$1
shift
last=tests/law/test_secrets.py

made=
if [ -z "${IMAP4FAST_TEST_LOGS:-}" ]; then
    made=$(mktemp -d -t imap4fast-logs.XXXXXXXXXX)
    export IMAP4FAST_TEST_LOGS=$made
fi
processes=$(nproc)
[ "$processes" -le 4 ] || processes=4

failed=0
"$python" -m pytest -p tools.noskip --benchmark-disable -ra -n "$processes" --dist loadfile --ignore="$last" "$@" || failed=$?
# Tests that were chosen by name may have left no log.
if [ $# -eq 0 ] || [ -n "$(find "$IMAP4FAST_TEST_LOGS" -type f -print -quit)" ]; then
    echo "==> the logs of the tests"
    "$python" -m pytest -p tools.noskip -q "$last" || failed=$((failed ? failed : $?))
fi
[ "$failed" -ne 0 ] || rm -rf "$made"
exit "$failed"
